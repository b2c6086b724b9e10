"""The same, one level up."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
with open("logs", "w") as file:
    file.write("step 1: loss 0.5")
writer = FileWriter("logs/run1/train")  # raised: SW102
