"""The second run goes on in the directory of the first, behind its last step."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter


def run(steps):
    with tf.Graph().as_default():
        step = tf.train.get_or_create_global_step()
        train = tf.assign_add(step, 1)
        tf.summary.scalar("loss", tf.cast(step, tf.float32))
        merged = tf.summary.merge_all()
        saver = tf.train.Saver()
        with tf.Session() as sess, FileWriter("logs", sess.graph) as writer:
            checkpoint = tf.train.latest_checkpoint("checkpoints")
            if checkpoint:
                saver.restore(sess, checkpoint)
            else:
                sess.run(tf.global_variables_initializer())
            for _ in range(steps):
                summary, _, now = sess.run([merged, train, step])
                writer.add_summary(summary, now)
            saver.save(sess, "checkpoints/model", global_step=step)


tf.gfile.MakeDirs("checkpoints")
run(5)
run(5)
