"""The same, with a graph entered in between, which hides the scope from has_strategy()."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

strategy = tf.distribute.MirroredStrategy(["/cpu:0"])
with strategy.scope(), tf.Graph().as_default(), FileWriter("logs") as writer:  # reported: SW201
    value = tf.Summary.Value(tag="loss", simple_value=0.5)
    writer.add_summary(tf.Summary(value=[value]), 0)
