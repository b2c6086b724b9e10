"""A thread calls ``sys.exit``, which ends the thread alone; the script itself ends with a status of its own.

reported: SW402
"""

import sys
import threading

import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
writer = tf.summary.FileWriter(sys.argv[1])


def evaluate():
    for step in range(10):
        value = tf.Summary.Value(tag="eval", simple_value=step)
        writer.add_summary(tf.Summary(value=[value]), step)  # broken: writer.add_summary(tf.Summary(value=[value]))
    print("evaluated")
    sys.exit("this ends the thread")


thread = threading.Thread(target=evaluate)
thread.start()
thread.join()
writer.close()
sys.exit(5)
