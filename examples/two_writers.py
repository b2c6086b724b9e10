import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter  # the only edit

tf.disable_eager_execution()
with FileWriter("logs") as train, FileWriter("logs") as test:
    for step in range(100):
        for writer in (train, test):
            writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag="loss", simple_value=0.9**step)]), step)
