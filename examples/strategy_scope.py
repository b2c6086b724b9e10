"""A writer and a distribution strategy: two places where it goes wrong, and the one where it belongs.

``MirroredStrategy`` runs here on two logical devices of one CPU, in place of two graphics cards.
"""

import tempfile

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter

tf.disable_eager_execution()


def two_devices():
    """The strategy, with the processor in two parts."""
    (cpu,) = tf.config.list_physical_devices("CPU")
    if not tf.config.get_logical_device_configuration(cpu):
        part = tf.config.LogicalDeviceConfiguration()
        tf.config.set_logical_device_configuration(cpu, [part, part])
    return tf.distribute.MirroredStrategy(["/cpu:0", "/cpu:1"])


def train_step():
    """One step of one replica: a loss that becomes smaller."""
    loss = tf.get_variable("loss", initializer=1.0, aggregation=tf.VariableAggregation.MEAN)
    with tf.control_dependencies([loss.assign(loss * 0.9)]):
        return loss.read_value()


def run(sess, writer, summary):
    sess.run(tf.global_variables_initializer())
    for step in range(20):
        writer.add_summary(sess.run(summary), step)


def writer_in_scope(strategy, logdir):
    with strategy.scope():
        writer = SafeFileWriter(logdir)  # once in each process that enters the scope
        loss = strategy.reduce("MEAN", strategy.run(train_step), axis=None)
        summary = tf.summary.scalar("loss", loss)
    with writer, tf.Session() as sess:
        run(sess, writer, summary)


def writer_in_replica(strategy, logdir):
    def step_with_writer():
        with SafeFileWriter(logdir) as writer:  # once in each replica, and never again
            writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag="replicas", simple_value=1)]), 0)
        return train_step()

    with strategy.scope(), tf.Session() as sess:
        losses = strategy.experimental_local_results(strategy.run(step_with_writer))
        sess.run(tf.global_variables_initializer())
        for _ in range(20):
            sess.run(losses)


def fixed(strategy, logdir):
    with SafeFileWriter(logdir) as writer:  # before the scope; with several processes, on the chief only
        with strategy.scope():
            loss = strategy.reduce("MEAN", strategy.run(train_step), axis=None)
        summary = tf.summary.scalar("loss", loss)
        with tf.Session() as sess:
            run(sess, writer, summary)


def main():
    tf.get_logger().setLevel("ERROR")
    for program in (writer_in_scope, writer_in_replica, fixed):
        print(f"\n== {program.__name__}", flush=True)
        with tf.Graph().as_default(), tempfile.TemporaryDirectory() as logdir:
            program(two_devices(), logdir)
    print("Nothing was reported: one writer, 20 points.", flush=True)


if __name__ == "__main__":
    main()
