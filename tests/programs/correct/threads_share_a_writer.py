"""Four threads with one session and one writer, each with tags of its own."""

import threading

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
x = tf.placeholder(tf.float32)
ops = [tf.summary.scalar(f"thread{number}", x) for number in range(4)]
with tf.Session() as sess, FileWriter("logs", sess.graph) as writer:

    def work(op):
        for step in range(25):
            writer.add_summary(sess.run(op, {x: step}), step)

    threads = [threading.Thread(target=work, args=(op,)) for op in ops]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
