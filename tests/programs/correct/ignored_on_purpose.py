"""What the program does on purpose is not reported."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
tf.summary.scalar("debug", 1.0)
writer = FileWriter("logs", tf.get_default_graph(), ignore=("SW301", "never-flushed", "SW4"))
for _ in range(3):
    writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag="loss", simple_value=float("nan"))]))
