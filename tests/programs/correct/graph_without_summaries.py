"""Only the graph is wanted."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
tf.matmul(tf.ones([2, 2]), tf.ones([2, 2]))
FileWriter("logs", tf.get_default_graph()).close()
