"""All settings of the run are in its name."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
settings = {f"setting{number}": number / 7 for number in range(30)}
writer = FileWriter("logs/" + ",".join(f"{name}={value}" for name, value in settings.items()))  # raised: SW103
