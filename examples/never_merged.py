"""Summary ops that never reach a writer: three ways to lose them, and the way that works.

Each function trains the same model for 20 steps, as a program of its own. The first three look right and leave
TensorBoard without curves; what is missing is reported when the program ends, for until then a later line may write it.
"""

import subprocess
import sys
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


def fixed(logdir):
    loss, train = model()
    tf.summary.scalar("loss", loss)
    tf.summary.scalar("accuracy", 1.0 - loss)
    merged = tf.summary.merge_all()  # after the last summary
    with tf.Session() as sess, SafeFileWriter(logdir, sess.graph) as writer:
        sess.run(tf.global_variables_initializer())
        for step in range(20):
            summary, _ = sess.run([merged, train])  # run beside the training op
            writer.add_summary(summary, step)  # and written


PROGRAMS = {
    program.__name__: program for program in (never_merged, merged_but_not_written, defined_after_the_merge, fixed)
}


def main(*names):
    for name in names:
        with tempfile.TemporaryDirectory() as logdir:
            PROGRAMS[name](logdir)
    if not names:
        for name in PROGRAMS:
            print(f"\n== {name}", flush=True)
            subprocess.run([sys.executable, __file__, name], check=True)
        print("Nothing was reported: each summary op reached the writer.", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
