"""Two processes, started by hand, write into one directory."""

import os

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
mine, other = os.pipe(), os.pipe()
pid = os.fork()
if pid == 0:
    os.close(other[1])
    writer = FileWriter("logs")
    os.write(mine[1], b"1")
    os.read(other[0], 1)
    os._exit(0)
os.close(mine[1])
os.read(mine[0], 1)
writer = FileWriter("logs")  # told: SW203
for step in range(5):
    value = tf.Summary.Value(tag="loss", simple_value=0.5)
    writer.add_summary(tf.Summary(value=[value]), step)
writer.close()
os.write(other[1], b"1")
os.waitpid(pid, 0)
