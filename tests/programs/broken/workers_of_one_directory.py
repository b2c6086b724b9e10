"""Two processes, started by hand, train in step and write into one directory."""

import os

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
to_parent, to_child = os.pipe(), os.pipe()
child = os.fork()
wait_for, tell = (to_child[0], to_parent[1]) if child == 0 else (to_parent[0], to_child[1])
for end in {*to_parent, *to_child} - {wait_for, tell}:
    os.close(end)

if child == 0:
    os.read(wait_for, 1)  # the parent's writer comes first, and finds nothing; the parent is who tells
writer = FileWriter("logs", ignore="SW203" if child == 0 else ())
if child != 0:
    os.write(tell, b"1")
for step in range(5):
    value = tf.Summary.Value(tag="loss", simple_value=0.5)
    writer.add_summary(tf.Summary(value=[value]), step)
    os.write(tell, b"1")
    os.read(wait_for, 1)
if child == 0:
    os.read(wait_for, 1)  # until the parent has ended
    os._exit(0)
writer.close()  # reported: SW203
