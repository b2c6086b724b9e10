"""Storage whose package is not installed."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
writer = FileWriter("s3://bucket/logs")  # raised: SW105
