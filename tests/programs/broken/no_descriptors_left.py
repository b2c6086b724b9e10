"""Files were opened and never closed, until no more could be."""

import os
import resource

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
with tf.Session() as sess:
    sess.run(tf.constant(0.5))
resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))
kept = []
try:
    while True:
        kept.append(os.open(os.devnull, os.O_RDONLY))
except OSError:
    pass
writer = FileWriter("logs")  # raised: SW103
