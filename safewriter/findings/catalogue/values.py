"""SW4xx: what is written: tags, steps, values."""

from __future__ import annotations

from safewriter.findings.catalogue.layout import program
from safewriter.findings.code import Code, Kind, Symptom

CODES = (
    Code(
        code="SW401",
        name="not-finite",
        kind=Kind.WARNING,
        when="A value is NaN or infinite: the tag, the first step and the count are reported.",
        symptom=Symptom(
            sees="The line breaks off and comes back, or never does",
            means="Values are NaN or infinite.",
            fix="Look at what feeds the tag at the step that the message names.",
            reports=("tensorflow/tensorflow#4592", "lanpa/tensorboardX#377"),
        ),
        why=(
            "TensorFlow writes such a value as it is, and TensorBoard draws no line through it. The chart stops, or "
            "is empty, and the run goes on to train a model that has diverged."
        ),
        fix="Look at the first step in the message: a logarithm of zero, a division by zero, a learning rate too high.",
        bad=program("""
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter

            tf.disable_eager_execution()
            likelihood = tf.placeholder(tf.float32)
            summary = tf.summary.scalar("loss", -tf.log(likelihood))
            with tf.Session() as sess, SafeFileWriter("logs") as writer:
                for step in range(5):
                    writer.add_summary(sess.run(summary, {likelihood: 1.0 - step / 4}), step)
        """),
        good=program("""
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter

            tf.disable_eager_execution()
            likelihood = tf.placeholder(tf.float32)
            summary = tf.summary.scalar("loss", -tf.log(tf.maximum(likelihood, 1e-7)))
            with tf.Session() as sess, SafeFileWriter("logs") as writer:
                for step in range(5):
                    writer.add_summary(sess.run(summary, {likelihood: 1.0 - step / 4}), step)
        """),
        bad_tf2=program("""
            import tensorflow as tf
            import safewriter

            with safewriter.create_file_writer("logs").as_default():
                for step in range(5):
                    likelihood = tf.constant(1.0 - step / 4)
                    tf.summary.scalar("loss", -tf.math.log(likelihood), step=step)
        """),
        good_tf2=program("""
            import tensorflow as tf
            import safewriter

            with safewriter.create_file_writer("logs").as_default():
                for step in range(5):
                    likelihood = tf.constant(1.0 - step / 4)
                    tf.summary.scalar("loss", -tf.math.log(tf.maximum(likelihood, 1e-7)), step=step)
        """),
    ),
    Code(
        code="SW402",
        name="no-step",
        kind=Kind.WARNING,
        when="A tag is written again without a `global_step`.",
        symptom=Symptom(
            sees="One dot per tag",
            means="The step is missing: every point is on step 0, and the last one is shown.",
            fix="`writer.add_summary(summary, global_step=step)`",
            reports=("lanpa/tensorboardX#49", "dmlc/tensorboard#46"),
        ),
        why=(
            "Without a step an event is stored at step 0. All points of the tag lie on one spot: TensorBoard's "
            "default loader shows a single point, whatever the number of adds."
        ),
        fix="Pass the step: `writer.add_summary(summary, global_step=step)`.",
        bad=program("""
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter

            tf.disable_eager_execution()
            loss = tf.placeholder(tf.float32)
            summary = tf.summary.scalar("loss", loss)
            with tf.Session() as sess, SafeFileWriter("logs") as writer:
                for step in range(5):
                    writer.add_summary(sess.run(summary, {loss: 0.9**step}))
        """),
        good=program("""
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter

            tf.disable_eager_execution()
            loss = tf.placeholder(tf.float32)
            summary = tf.summary.scalar("loss", loss)
            with tf.Session() as sess, SafeFileWriter("logs") as writer:
                for step in range(5):
                    writer.add_summary(sess.run(summary, {loss: 0.9**step}), step)
        """),
    ),
    Code(
        code="SW403",
        name="step-backwards",
        kind=Kind.WARNING,
        when="The step of a tag went down within one writer.",
        symptom=Symptom(
            sees="Early points vanish when later ones arrive",
            means="The step went back within one writer: TensorBoard takes that for a restart.",
            fix="Count steps on over the epochs: `epoch * batches + batch`.",
            reports=("lanpa/tensorboardX#6",),
        ),
        why=(
            "TensorBoard takes a lower step for a run that was restarted from a checkpoint, and its default loader "
            "drops the points that were overtaken: of steps 0 to 9 followed by 3 to 5, six points are left."
        ),
        fix="Count steps over the whole run: `step = epoch * steps_per_epoch + batch`.",
        bad=program("""
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter

            tf.disable_eager_execution()
            loss = tf.placeholder(tf.float32)
            summary = tf.summary.scalar("loss", loss)
            with tf.Session() as sess, SafeFileWriter("logs") as writer:
                for epoch in range(2):
                    for batch in range(5):
                        writer.add_summary(sess.run(summary, {loss: 0.9**batch}), batch)
        """),
        good=program("""
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter

            tf.disable_eager_execution()
            loss = tf.placeholder(tf.float32)
            summary = tf.summary.scalar("loss", loss)
            with tf.Session() as sess, SafeFileWriter("logs") as writer:
                for epoch in range(2):
                    for batch in range(5):
                        writer.add_summary(sess.run(summary, {loss: 0.9**batch}), epoch * 5 + batch)
        """),
        bad_tf2=program("""
            import tensorflow as tf
            import safewriter

            with safewriter.create_file_writer("logs").as_default():
                for epoch in range(2):
                    for batch in range(5):
                        tf.summary.scalar("loss", 0.9**batch, step=batch)
        """),
        good_tf2=program("""
            import tensorflow as tf
            import safewriter

            with safewriter.create_file_writer("logs").as_default():
                for epoch in range(2):
                    for batch in range(5):
                        tf.summary.scalar("loss", 0.9**batch, step=epoch * 5 + batch)
        """),
    ),
    Code(
        code="SW404",
        name="step-frozen",
        kind=Kind.WARNING,
        when="A tag was written more than 10 times at one and the same step.",
        symptom=Symptom(
            sees="One dot, though a step is passed",
            means="The step never changes: nobody increments it.",
            fix="`optimizer.minimize(loss, global_step=step)`, or count in the loop.",
            reports=("sogou/SogouMRCToolkit#24", "tensorflow/tensorflow#43568"),
        ),
        why=(
            "TensorFlow accepts any step. Points of one tag at one step lie on each other, and TensorBoard's default "
            "loader shows one of them. Usually the step is a Python number that nobody counts up."
        ),
        fix="Count the step up in the loop, or fetch the global step variable in the same `sess.run`.",
        bad=program("""
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter

            tf.disable_eager_execution()
            loss = tf.placeholder(tf.float32)
            summary = tf.summary.scalar("loss", loss)
            step = 1
            with tf.Session() as sess, SafeFileWriter("logs") as writer:
                for batch in range(20):
                    writer.add_summary(sess.run(summary, {loss: 0.9**batch}), step)
        """),
        good=program("""
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter

            tf.disable_eager_execution()
            loss = tf.placeholder(tf.float32)
            summary = tf.summary.scalar("loss", loss)
            step = 1
            with tf.Session() as sess, SafeFileWriter("logs") as writer:
                for batch in range(20):
                    writer.add_summary(sess.run(summary, {loss: 0.9**batch}), step)
                    step += 1
        """),
        bad_tf2=program("""
            import tensorflow as tf
            import safewriter

            writer = safewriter.create_file_writer("logs")
            step = tf.Variable(0, dtype=tf.int64)


            @tf.function
            def train(loss):
                tf.summary.scalar("loss", loss, step=step)


            with writer.as_default():
                for batch in range(20):
                    train(tf.constant(0.9**batch))
        """),
        good_tf2=program("""
            import tensorflow as tf
            import safewriter

            writer = safewriter.create_file_writer("logs")
            step = tf.Variable(0, dtype=tf.int64)


            @tf.function
            def train(loss):
                tf.summary.scalar("loss", loss, step=step)
                step.assign_add(1)


            with writer.as_default():
                for batch in range(20):
                    train(tf.constant(0.9**batch))
        """),
    ),
    Code(
        code="SW405",
        name="tag-kind-changed",
        kind=Kind.WARNING,
        when="One tag is used for two kinds of summary: a scalar, later a histogram.",
        symptom=Symptom(
            sees="One of two charts of a name is missing",
            means="A tag is used for two kinds; TensorBoard keeps the first.",
            fix="A name for each kind: `weights`, `weights/histogram`.",
            reports=("awslabs/mxboard#14",),
        ),
        why=(
            "TensorFlow writes both without a word, and TensorBoard shows only one kind of summary under a tag: the "
            "other is in the file and on no page."
        ),
        fix="A tag for each kind: `weights/mean` and `weights/histogram`.",
        bad=program("""
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter

            tf.disable_eager_execution()
            mean = tf.Summary.Value(tag="weights", simple_value=0.5)
            counts = tf.HistogramProto(min=0, max=1, num=2, sum=1, sum_squares=1, bucket_limit=[1.0], bucket=[2.0])
            with SafeFileWriter("logs") as writer:
                writer.add_summary(tf.Summary(value=[mean]), 0)
                writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag="weights", histo=counts)]), 1)
        """),
        good=program("""
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter

            tf.disable_eager_execution()
            mean = tf.Summary.Value(tag="weights/mean", simple_value=0.5)
            counts = tf.HistogramProto(min=0, max=1, num=2, sum=1, sum_squares=1, bucket_limit=[1.0], bucket=[2.0])
            with SafeFileWriter("logs") as writer:
                writer.add_summary(tf.Summary(value=[mean]), 0)
                writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag="weights/histogram", histo=counts)]), 1)
        """),
        bad_tf2=program("""
            import tensorflow as tf
            import safewriter

            weights = tf.constant([0.4, 0.6])
            with safewriter.create_file_writer("logs").as_default():
                tf.summary.scalar("weights", tf.reduce_mean(weights), step=0)
                tf.summary.histogram("weights", weights, step=1)
        """),
        good_tf2=program("""
            import tensorflow as tf
            import safewriter

            weights = tf.constant([0.4, 0.6])
            with safewriter.create_file_writer("logs").as_default():
                tf.summary.scalar("weights/mean", tf.reduce_mean(weights), step=0)
                tf.summary.histogram("weights/histogram", weights, step=1)
        """),
    ),
    Code(
        code="SW406",
        name="step-not-whole",
        kind=Kind.WARNING,
        when="A step is not a whole number, or is negative.",
        symptom=Symptom(
            sees="Points on the wrong steps: 2.9 on 2, some on negative ones",
            means="The step is no whole number, or is negative.",
            fix="Count steps with an `int`.",
        ),
        why=(
            "An event holds its step as a whole number, and TensorFlow cuts the rest off without a word: 2.9 becomes "
            "2. Several points fall on one step, and TensorBoard's default loader shows one of them."
        ),
        fix="Count in whole steps, from 0: `//` instead of `/`, or a finer unit.",
        bad=program("""
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter

            tf.disable_eager_execution()
            loss = tf.placeholder(tf.float32)
            summary = tf.summary.scalar("loss", loss)
            with tf.Session() as sess, SafeFileWriter("logs") as writer:
                for images in range(0, 600, 100):
                    writer.add_summary(sess.run(summary, {loss: 0.99**images}), images / 64)  # batches of 64
        """),
        good=program("""
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter

            tf.disable_eager_execution()
            loss = tf.placeholder(tf.float32)
            summary = tf.summary.scalar("loss", loss)
            with tf.Session() as sess, SafeFileWriter("logs") as writer:
                for images in range(0, 600, 100):
                    writer.add_summary(sess.run(summary, {loss: 0.99**images}), images)
        """),
        bad_tf2=program("""
            import tensorflow as tf
            import safewriter

            with safewriter.create_file_writer("logs").as_default():
                for step in range(-1, 5):  # a warm-up before step 0
                    tf.summary.scalar("loss", 0.9, step=step)
        """),
        good_tf2=program("""
            import tensorflow as tf
            import safewriter

            with safewriter.create_file_writer("logs").as_default():
                for step in range(6):
                    tf.summary.scalar("loss", 0.9, step=step)
        """),
    ),
)
