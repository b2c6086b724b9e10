"""An environment variable that is not there."""

import os

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
writer = FileWriter(os.environ.get("NOT_SET_ANYWHERE", ""))  # raised: SW101
