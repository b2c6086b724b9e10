"""The directory is there, and closed to writing."""

# unprivileged
import os

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
os.mkdir("logs", 0o555)
writer = FileWriter("logs")  # raised: SW103
