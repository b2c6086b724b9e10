"""SW2xx: distributed training."""

from __future__ import annotations

from safewriter.findings.catalogue.layout import program
from safewriter.findings.code import Code, Kind, Symptom

CODES = (
    Code(
        code="SW201",
        name="writer-in-strategy-scope",
        kind=Kind.WARNING,
        when="The writer was created inside `strategy.scope()`, also when a graph was entered in between.",
        symptom=Symptom(
            sees="The same, and the writer is created under `with strategy.scope():`",
            means="Every process that enters the scope creates a writer.",
            fix="Move the line to before the scope; let the chief alone create it.",
        ),
        why=(
            "A scope is entered by every process of a distributed run. A writer in it is therefore created by each of "
            "them, usually on one directory, where TensorFlow's writers truncate each other's file when they start in "
            "the same second: of two workers' events half are left, and both exit with code 0. In a single process it "
            "is only a risk; it becomes a loss when the second worker is added. `tf.distribute.has_strategy()` does "
            "not see it when a graph was entered inside the scope."
        ),
        fix="Create the writer before the scope, in one process only, or give each process a directory of its own.",
        bad=program("""
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter

            tf.disable_eager_execution()
            strategy = tf.distribute.MirroredStrategy(["/cpu:0"])
            with strategy.scope():
                writer = SafeFileWriter("logs")
            writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag="loss", simple_value=0.5)]), 0)
            writer.close()
        """),
        good=program("""
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter

            tf.disable_eager_execution()
            strategy = tf.distribute.MirroredStrategy(["/cpu:0"])
            writer = SafeFileWriter("logs")
            with strategy.scope():
                weights = tf.get_variable("weights", [3])
            writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag="loss", simple_value=0.5)]), 0)
            writer.close()
        """),
        bad_tf2=program("""
            import tensorflow as tf
            import safewriter

            strategy = tf.distribute.MirroredStrategy(["/cpu:0"])
            with strategy.scope():
                writer = safewriter.create_file_writer("logs")
            with writer.as_default():
                tf.summary.scalar("loss", 0.5, step=0)
        """),
        good_tf2=program("""
            import tensorflow as tf
            import safewriter

            strategy = tf.distribute.MirroredStrategy(["/cpu:0"])
            writer = safewriter.create_file_writer("logs")
            with strategy.scope():
                weights = tf.Variable([0.5, 0.5])
            with writer.as_default():
                tf.summary.scalar("loss", tf.reduce_mean(weights), step=0)
        """),
    ),
    Code(
        code="SW202",
        name="writer-in-replica",
        kind=Kind.WARNING,
        when="The writer was created in a replica function, or while a `tf.function` was traced.",
        symptom=Symptom(
            sees="Charts of a distributed or `tf.function` program hold one point, or none",
            means="The writer is created where code runs once per trace, not once per step.",
            fix="Create the writer before, return the value, and write it in the loop.",
            reports=("tensorflow/tensorflow#26980",),
        ),
        why=(
            "The body of such a function runs in Python only while it is traced: the writer exists once per trace, "
            "not once per step, and what it writes is written at that moment. Four steps on two replicas left one "
            "summary, without a message."
        ),
        fix=(
            "Create the writer outside, let the function return the value, and write it in the "
            "loop that calls the function."
        ),
        bad=program("""
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter

            tf.disable_eager_execution()


            @tf.function
            def train_step(loss):
                with SafeFileWriter("logs") as writer:  # runs once, while the function is traced
                    writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag="steps", simple_value=1)]), 0)
                return loss * 0.9


            with tf.Session() as sess:
                print(sess.run(train_step(1.0)))
        """),
        good=program("""
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter

            tf.disable_eager_execution()


            @tf.function
            def train_step(loss):
                return loss * 0.9


            loss = tf.placeholder(tf.float32)
            summary = tf.summary.scalar("loss", train_step(loss))
            with tf.Session() as sess, SafeFileWriter("logs") as writer:
                for step in range(4):
                    writer.add_summary(sess.run(summary, {loss: 1.0 / (step + 1)}), step)
        """),
        bad_tf2=program("""
            import tensorflow as tf
            import safewriter

            strategy = tf.distribute.MirroredStrategy(["/cpu:0"])


            def train_step(step):
                with safewriter.create_file_writer("logs").as_default():
                    tf.summary.scalar("loss", 0.5, step=step)


            strategy.run(train_step, args=(0,))
        """),
        good_tf2=program("""
            import tensorflow as tf
            import safewriter

            strategy = tf.distribute.MirroredStrategy(["/cpu:0"])
            writer = safewriter.create_file_writer("logs")


            def train_step():
                return tf.constant(0.5)


            with writer.as_default():
                for step in range(4):
                    tf.summary.scalar("loss", strategy.reduce("MEAN", strategy.run(train_step), axis=None), step=step)
        """),
    ),
    Code(
        code="SW203",
        name="logdir-shared-by-processes",
        kind=Kind.WARNING,
        when="Another living process, on this host or on another one, writes event files into the same directory.",
        symptom=Symptom(
            sees="A cluster's curve jumps, or one worker's points are shown",
            means="Several processes write into one directory.",
            fix="Only the chief writes, or `logs/worker{task_id}` for each.",
            reports=("tensorflow/tensorboard#1011", "horovod/horovod#99", "Lightning-AI/pytorch-lightning#230"),
        ),
        why=(
            "Two TensorFlow writers that start in the same second choose the same file name, and the later one "
            "truncates the file: half of the events are gone, every exit code is 0. Files of safewriter never "
            "collide, but TensorBoard still reads them as one run and draws the curves of all processes over each "
            "other, or shows those of one only."
        ),
        fix=(
            "Write on the chief only, or give each process its own directory: `os.path.join(logdir, f'worker{rank}')`."
        ),
        bad=program("""
            import subprocess, sys
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter

            tf.disable_eager_execution()
            if "worker" in sys.argv:
                with SafeFileWriter("logs") as writer:
                    print("ready", flush=True)
                    sys.stdin.read()  # until the chief is done
            else:
                command = [sys.executable, __file__, "worker"]
                with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as worker:
                    worker.stdout.readline()
                    with SafeFileWriter("logs") as writer:
                        writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag="loss", simple_value=0.5)]), 0)
        """),
        good=program("""
            import subprocess, sys
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter

            tf.disable_eager_execution()
            if "worker" in sys.argv:
                with SafeFileWriter("logs/worker") as writer:
                    print("ready", flush=True)
                    sys.stdin.read()  # until the chief is done
            else:
                command = [sys.executable, __file__, "worker"]
                with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as worker:
                    worker.stdout.readline()
                    with SafeFileWriter("logs/chief") as writer:
                        writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag="loss", simple_value=0.5)]), 0)
        """),
        bad_tf2=program("""
            import subprocess, sys
            import tensorflow as tf
            import safewriter

            if "worker" in sys.argv:
                with safewriter.create_file_writer("logs").as_default():
                    tf.summary.scalar("loss", 0.9, step=0)
                    print("ready", flush=True)
                    sys.stdin.read()  # until the chief is done
            else:
                command = [sys.executable, __file__, "worker"]
                with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as worker:
                    worker.stdout.readline()
                    writer = safewriter.create_file_writer("logs")
                    with writer.as_default():
                        tf.summary.scalar("loss", 0.5, step=0)
                    writer.close()
        """),
        good_tf2=program("""
            import subprocess, sys
            import tensorflow as tf
            import safewriter

            if "worker" in sys.argv:
                with safewriter.create_file_writer("logs/worker").as_default():
                    tf.summary.scalar("loss", 0.9, step=0)
                    print("ready", flush=True)
                    sys.stdin.read()  # until the chief is done
            else:
                command = [sys.executable, __file__, "worker"]
                with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as worker:
                    worker.stdout.readline()
                    writer = safewriter.create_file_writer("logs/chief")
                    with writer.as_default():
                        tf.summary.scalar("loss", 0.5, step=0)
                    writer.close()
        """),
    ),
    Code(
        code="SW204",
        name="logdir-shared-by-writers",
        kind=Kind.WARNING,
        when="Two writers of this process are open on one directory, links resolved.",
        symptom=Symptom(
            sees="Train and test are one curve, or only one of them is there",
            means="Two writers of the program share a directory, which TensorBoard takes for one run.",
            fix="`FileWriter('logs/train')`, `FileWriter('logs/test')`",
            reports=("tensorflow/tensorflow#9512", "pytorch/pytorch#23771"),
        ),
        why=(
            "TensorFlow names an event file after the second and the host. Two writers on one directory in one second "
            "share one file, which the second truncates: 100 of 200 events are left. safewriter's files never "
            "collide, but TensorBoard draws the values of both writers as one run: a train and a "
            "test curve become a zigzag."
        ),
        fix="One directory per writer: `logs/train` and `logs/test` appear as two runs with a colour each.",
        bad=program("""
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter

            tf.disable_eager_execution()
            with SafeFileWriter("logs") as train, SafeFileWriter("logs") as test:
                for step in range(10):
                    loss = tf.Summary.Value(tag="loss", simple_value=0.9**step)
                    train.add_summary(tf.Summary(value=[loss]), step)
                    test.add_summary(tf.Summary(value=[loss]), step)
        """),
        good=program("""
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter

            tf.disable_eager_execution()
            with SafeFileWriter("logs/train") as train, SafeFileWriter("logs/test") as test:
                for step in range(10):
                    loss = tf.Summary.Value(tag="loss", simple_value=0.9**step)
                    train.add_summary(tf.Summary(value=[loss]), step)
                    test.add_summary(tf.Summary(value=[loss]), step)
        """),
        bad_tf2=program("""
            import tensorflow as tf
            import safewriter

            train, test = safewriter.create_file_writer("logs"), safewriter.create_file_writer("logs")
            for step in range(10):
                with train.as_default():
                    tf.summary.scalar("loss", 0.9**step, step=step)
                with test.as_default():
                    tf.summary.scalar("loss", 0.95**step, step=step)
        """),
        good_tf2=program("""
            import tensorflow as tf
            import safewriter

            train, test = safewriter.create_file_writer("logs/train"), safewriter.create_file_writer("logs/test")
            for step in range(10):
                with train.as_default():
                    tf.summary.scalar("loss", 0.9**step, step=step)
                with test.as_default():
                    tf.summary.scalar("loss", 0.95**step, step=step)
        """),
    ),
    Code(
        code="SW205",
        name="replica-value",
        kind=Kind.FINDING,
        when=(
            "TF2: a summary in a replica function of several replicas. It stands in the report, and is never "
            "warned of. Seen under `install()` or `safewriter run`."
        ),
        symptom=Symptom(
            sees="With several replicas, the curve is that of one of them",
            means="TensorFlow keeps the first replica's value only.",
            fix="Reduce over the replicas, and write the result outside of `strategy.run`.",
            reports=("tensorflow/tensorflow#26980",),
        ),
        why=(
            "TensorFlow records summaries of replica 0 only. That is right for what is the same in all replicas, "
            "such as a learning rate, and wrong for a loss, which each replica computes over its own part of the "
            "batch."
        ),
        fix="Return the loss from the replica function, and write what `strategy.reduce` makes of it.",
        bad=program("""
            import safewriter

            safewriter.install()  # or `safewriter run program.py`, without this line
            import tensorflow as tf

            tf.config.set_logical_device_configuration(
                tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
            )
            strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
            writer = tf.summary.create_file_writer("logs")


            @tf.function
            def train(step):
                def replica():
                    loss = tf.cast(tf.distribute.get_replica_context().replica_id_in_sync_group, tf.float32)
                    tf.summary.scalar("loss", loss, step=step)

                strategy.run(replica)


            with writer.as_default():
                for step in range(3):
                    train(tf.constant(step, tf.int64))
            for finding in writer.report().findings:
                print(finding)
        """),
        good=program("""
            import safewriter

            safewriter.install()  # or `safewriter run program.py`, without this line
            import tensorflow as tf

            tf.config.set_logical_device_configuration(
                tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
            )
            strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
            writer = tf.summary.create_file_writer("logs")


            @tf.function
            def train():
                def replica():
                    return tf.cast(tf.distribute.get_replica_context().replica_id_in_sync_group, tf.float32)

                return strategy.reduce("MEAN", strategy.run(replica), axis=None)


            with writer.as_default():
                for step in range(3):
                    tf.summary.scalar("loss", train(), step=step)
            for finding in writer.report().findings:
                print(finding)
        """),
    ),
)
