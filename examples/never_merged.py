"""Summary ops that never reach a writer: three ways to lose them, and the way that works.

Each function trains the same model for 20 steps. The first three look right and leave TensorBoard without curves.
"""

import tempfile

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter

tf.disable_eager_execution()


def model():
    """A loss that becomes smaller, and the op that makes it so."""
    loss = tf.get_variable("value", initializer=1.0)
    return loss, loss.assign(loss * 0.9)


def never_merged(logdir):
    loss, train = model()
    tf.summary.scalar("loss", loss)
    with tf.Session() as sess, SafeFileWriter(logdir, sess.graph):
        sess.run(tf.global_variables_initializer())
        for _ in range(20):
            sess.run(train)


def merged_but_not_written(logdir):
    loss, train = model()
    tf.summary.scalar("loss", loss)
    merged = tf.summary.merge_all()
    with tf.Session() as sess, SafeFileWriter(logdir, sess.graph):
        sess.run(tf.global_variables_initializer())
        for _ in range(20):
            sess.run([merged, train])


def defined_after_the_merge(logdir):
    loss, train = model()
    tf.summary.scalar("loss", loss)
    merged = tf.summary.merge_all()
    tf.summary.scalar("accuracy", 1.0 - loss)
    with tf.Session() as sess, SafeFileWriter(logdir, sess.graph) as writer:
        sess.run(tf.global_variables_initializer())
        for step in range(20):
            summary, _ = sess.run([merged, train])
            writer.add_summary(summary, step)


def mended(logdir):
    loss, train = model()
    tf.summary.scalar("loss", loss)
    tf.summary.scalar("accuracy", 1.0 - loss)
    merged = tf.summary.merge_all()  # after the last summary
    with tf.Session() as sess, SafeFileWriter(logdir, sess.graph) as writer:
        sess.run(tf.global_variables_initializer())
        for step in range(20):
            summary, _ = sess.run([merged, train])  # run beside the training op
            writer.add_summary(summary, step)  # and written


def main():
    for program in (never_merged, merged_but_not_written, defined_after_the_merge, mended):
        print(f"\n== {program.__name__}", flush=True)
        with tf.Graph().as_default(), tempfile.TemporaryDirectory() as logdir:
            program(logdir)
    print("Nothing was told: each summary op reached the writer.", flush=True)


if __name__ == "__main__":
    main()
