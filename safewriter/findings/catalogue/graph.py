"""SW3xx: summary ops."""

from __future__ import annotations

from safewriter.findings.catalogue.layout import program
from safewriter.findings.code import Code, Kind, Symptom

CODES = (
    Code(
        code="SW301",
        name="summaries-never-merged",
        kind=Kind.WARNING,
        when="Summary ops are defined, no merge op holds them, and none of them was written.",
        symptom=Symptom(
            sees="“No scalar data was found”; summaries are defined",
            means="No merge op holds them, and no session runs them.",
            fix="`merged = tf.summary.merge_all()`, run it, pass the result to `add_summary`.",
            reports=("tensorflow/tensorflow#2353", "tensorflow/tensorflow#2189"),
        ),
        why=(
            "A summary op only computes a summary, and only when a session runs it. Nothing in a training step "
            "depends on it, so a session that is asked for the training op leaves it out. The file holds the graph "
            "and no points, which TensorFlow has no reason to find strange."
        ),
        fix=(
            "Merge the ops once with `tf.summary.merge_all()`, run the merged op beside the training op, and pass the "
            "result to `add_summary`."
        ),
        bad=program("""
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter

            tf.disable_eager_execution()
            loss = tf.Variable(1.0)
            train = loss.assign(loss * 0.9)
            tf.summary.scalar("loss", loss)
            with tf.Session() as sess, SafeFileWriter("logs", sess.graph) as writer:
                sess.run(tf.global_variables_initializer())
                for step in range(10):
                    sess.run(train)
        """),
        good=program("""
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter

            tf.disable_eager_execution()
            loss = tf.Variable(1.0)
            train = loss.assign(loss * 0.9)
            tf.summary.scalar("loss", loss)
            merged = tf.summary.merge_all()
            with tf.Session() as sess, SafeFileWriter("logs", sess.graph) as writer:
                sess.run(tf.global_variables_initializer())
                for step in range(10):
                    summary, _ = sess.run([merged, train])
                    writer.add_summary(summary, step)
        """),
    ),
    Code(
        code="SW302",
        name="summaries-never-written",
        kind=Kind.WARNING,
        when="Summary ops are merged, but the value of the merge never reached `add_summary`.",
        symptom=Symptom(
            sees="“No scalar data was found”; summaries are merged",
            means="What the merge returns is never written.",
            fix="`writer.add_summary(sess.run(merged), step)`",
            reports=("luckycallor/InsightFace-tensorflow#17",),
        ),
        why=(
            "Running the merged op gives bytes and writes nothing; only `add_summary` writes. A program that drops "
            "the value, or never runs the op, looks and trains the same."
        ),
        fix="Pass what `sess.run(merged)` returns to `writer.add_summary(summary, step)`.",
        bad=program("""
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter

            tf.disable_eager_execution()
            loss = tf.Variable(1.0)
            train = loss.assign(loss * 0.9)
            tf.summary.scalar("loss", loss)
            merged = tf.summary.merge_all()
            with tf.Session() as sess, SafeFileWriter("logs", sess.graph) as writer:
                sess.run(tf.global_variables_initializer())
                for step in range(10):
                    summary, _ = sess.run([merged, train])  # and then?
        """),
        good=program("""
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter

            tf.disable_eager_execution()
            loss = tf.Variable(1.0)
            train = loss.assign(loss * 0.9)
            tf.summary.scalar("loss", loss)
            merged = tf.summary.merge_all()
            with tf.Session() as sess, SafeFileWriter("logs", sess.graph) as writer:
                sess.run(tf.global_variables_initializer())
                for step in range(10):
                    summary, _ = sess.run([merged, train])
                    writer.add_summary(summary, step)
        """),
    ),
    Code(
        code="SW303",
        name="summary-not-in-merge",
        kind=Kind.WARNING,
        when=(
            "Other summaries of the graph are written, but this one was defined after the merge, or in a collection "
            "that was not merged."
        ),
        symptom=Symptom(
            sees="Some charts are there, one is missing",
            means="That summary was defined after the merge, or in another collection.",
            fix="Move `merge_all()` below the last summary.",
        ),
        why=(
            "`merge_all()` takes the ops that its collection holds at that moment. What is added later is no part of "
            "it, and its chart is simply missing."
        ),
        fix="Call `merge_all()` after the last summary is defined, with the collection (`key=`) that holds them all.",
        bad=program("""
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter

            tf.disable_eager_execution()
            loss = tf.placeholder(tf.float32)
            tf.summary.scalar("loss", loss)
            merged = tf.summary.merge_all()
            tf.summary.scalar("accuracy", 1.0 - loss)  # too late for the merge
            with tf.Session() as sess, SafeFileWriter("logs") as writer:
                for step in range(10):
                    writer.add_summary(sess.run(merged, {loss: 0.9**step}), step)
        """),
        good=program("""
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter

            tf.disable_eager_execution()
            loss = tf.placeholder(tf.float32)
            tf.summary.scalar("loss", loss)
            tf.summary.scalar("accuracy", 1.0 - loss)
            merged = tf.summary.merge_all()
            with tf.Session() as sess, SafeFileWriter("logs") as writer:
                for step in range(10):
                    writer.add_summary(sess.run(merged, {loss: 0.9**step}), step)
        """),
    ),
    Code(
        code="SW304",
        name="summaries-defined-in-loop",
        kind=Kind.WARNING,
        when="The number of summary ops grows between adds: `loss`, `loss_1`, `loss_2`, …",
        symptom=Symptom(
            sees="Charts `loss`, `loss_1`, `loss_2`… with one dot each; training slows down",
            means="The summary op is defined again in each step.",
            fix="Move `tf.summary.scalar` out of the loop.",
            reports=("tensorflow/tensorflow#8265", "tensorflow/tensorflow#26684"),
        ),
        why=(
            "Each call of `tf.summary.scalar` adds an op to the graph, under a new name because the old one is taken. "
            "TensorBoard shows one chart with one point for each, memory grows, and every step "
            "is slower than the last."
        ),
        fix="Define the summary once, before the loop, and run it in the loop.",
        bad=program("""
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter

            tf.disable_eager_execution()
            loss = tf.placeholder(tf.float32)
            with tf.Session() as sess, SafeFileWriter("logs") as writer:
                for step in range(10):
                    summary = tf.summary.scalar("loss", loss)
                    writer.add_summary(sess.run(summary, {loss: 0.9**step}), step)
        """),
        good=program("""
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter

            tf.disable_eager_execution()
            loss = tf.placeholder(tf.float32)
            summary = tf.summary.scalar("loss", loss)
            with tf.Session() as sess, SafeFileWriter("logs") as writer:
                for step in range(10):
                    writer.add_summary(sess.run(summary, {loss: 0.9**step}), step)
        """),
    ),
    Code(
        code="SW305",
        name="not-a-summary",
        kind=Kind.ERROR,
        when=(
            "`add_summary` got something that is no summary: a Tensor that was not run, None, a list, a string, bytes "
            "that do not parse."
        ),
        symptom=Symptom(
            sees="The program stops: `'list' object has no attribute 'value'`, “must be instance of Summary”",
            means="`add_summary` got a list, None, a Tensor or a number.",
            fix="Pass what `sess.run(merged)` returns, not `sess.run([merged])`.",
            reports=("tensorflow/models#764", "tensorflow/tensorflow#8011", "tensorflow/benchmarks#69"),
        ),
        why=(
            "TensorFlow fails here too, with words about something else: `'Tensor' object has no attribute 'value'`, "
            "or `Error parsing message`. The message of safewriter says what it got and what was probably meant. "
            "Nothing is written for this call; the writer goes on."
        ),
        fix=(
            "Run the op and pass the result: `writer.add_summary(sess.run(merged), step)`. None comes from a "
            "`merge_all()` that found no summary op in the current graph. A list comes from `sess.run([merged])`."
        ),
        bad=program("""
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter

            tf.disable_eager_execution()
            loss = tf.placeholder(tf.float32)
            summary = tf.summary.scalar("loss", loss)
            with tf.Session() as sess, SafeFileWriter("logs") as writer:
                for step in range(10):
                    writer.add_summary(sess.run(summary, {loss: 0.9**step}), step)
                writer.add_summary(summary, 10)  # the op, not its value
        """),
        good=program("""
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter

            tf.disable_eager_execution()
            loss = tf.placeholder(tf.float32)
            summary = tf.summary.scalar("loss", loss)
            with tf.Session() as sess, SafeFileWriter("logs") as writer:
                for step in range(10):
                    writer.add_summary(sess.run(summary, {loss: 0.9**step}), step)
        """),
    ),
    Code(
        code="SW306",
        name="empty-summary",
        kind=Kind.WARNING,
        when="A summary without a single value was added.",
        symptom=Symptom(
            sees="Steps were written, and their charts are missing",
            means="A summary without a value was added.",
            fix="Look at what builds the summary: it puts no value in.",
        ),
        why=(
            "Empty bytes parse as an empty summary, so TensorFlow writes an event with nothing in it. The file grows "
            "and no chart does."
        ),
        fix=(
            "Look at what fills the summary: a condition that is never true, a dictionary of metrics that stays empty."
        ),
        bad=program("""
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter

            tf.disable_eager_execution()
            metrics = {}  # filled by nobody
            with SafeFileWriter("logs") as writer:
                values = [tf.Summary.Value(tag=name, simple_value=value) for name, value in metrics.items()]
                writer.add_summary(tf.Summary(value=values), 0)
        """),
        good=program("""
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter

            tf.disable_eager_execution()
            metrics = {"loss": 0.5, "accuracy": 0.8}
            with SafeFileWriter("logs") as writer:
                values = [tf.Summary.Value(tag=name, simple_value=value) for name, value in metrics.items()]
                writer.add_summary(tf.Summary(value=values), 0)
        """),
    ),
    Code(
        code="SW307",
        name="no-default-writer",
        kind=Kind.WARNING,
        when=(
            "TF2: a writer ended without one summary; or, under `install()` or `safewriter run`, `tf.summary` was "
            "called where no writer is the default. The lines and the cause are named as far as they were seen."
        ),
        symptom=Symptom(
            sees="A run without a chart; `tf.summary.scalar` returns False",
            means="No writer is the default there: outside the `with`, in another thread, in a `py_function`.",
            fix="`with writer.as_default():` around the calls, in the thread that makes them.",
            reports=("tensorflow/tensorflow#26409", "tensorflow/tensorflow#38772"),
        ),
        why=(
            "`tf.summary.scalar` writes to the default writer of its thread. Where there is none it returns False "
            "and does nothing, also in a function that was traced there: that one never looks again."
        ),
        fix=(
            "Write inside `with writer.as_default():`, in the thread that writes, and call a `tf.function` for "
            "the first time inside it too."
        ),
        bad=program("""
            import tensorflow as tf
            import safewriter

            writer = safewriter.create_file_writer("logs")
            writer.as_default()
            for step in range(10):
                tf.summary.scalar("loss", 0.9**step, step=step)
        """),
        good=program("""
            import tensorflow as tf
            import safewriter

            writer = safewriter.create_file_writer("logs")
            with writer.as_default():
                for step in range(10):
                    tf.summary.scalar("loss", 0.9**step, step=step)
        """),
    ),
    Code(
        code="SW308",
        name="step-baked-in",
        kind=Kind.WARNING,
        when=(
            "TF2: more than 10 writes of a tag at one step, which was a Python number when the `tf.function` that "
            "writes it was traced. Seen under `install()` or `safewriter run`; elsewhere it is SW404."
        ),
        symptom=Symptom(
            sees="One dot, and the summary is in a `tf.function`",
            means="The step was a Python number when the function was traced: now it is a constant.",
            fix="Pass the step as a tensor, or keep it in a `tf.Variable`.",
            reports=("tensorflow/tensorflow#34481",),
        ),
        why=(
            "A `tf.function` runs its Python code once, when it is traced. A Python number is a constant of the "
            "function from then on, so every call writes to the same step and TensorBoard shows one point."
        ),
        fix="Pass the step as a tensor, or keep it in a `tf.Variable` that is incremented each step.",
        bad=program("""
            import safewriter

            safewriter.install()  # or `safewriter run program.py`, without this line
            import tensorflow as tf

            writer = safewriter.create_file_writer("logs")
            step = 0


            @tf.function
            def train(loss):
                tf.summary.scalar("loss", loss, step=step)


            with writer.as_default():
                for step in range(20):
                    train(tf.constant(0.9**step))
        """),
        good=program("""
            import safewriter

            safewriter.install()  # or `safewriter run program.py`, without this line
            import tensorflow as tf

            writer = safewriter.create_file_writer("logs")


            @tf.function
            def train(loss, step):
                tf.summary.scalar("loss", loss, step=step)


            with writer.as_default():
                for step in range(20):
                    train(tf.constant(0.9**step), tf.constant(step, tf.int64))
        """),
    ),
    Code(
        code="SW309",
        name="writer-captured",
        kind=Kind.WARNING,
        when=(
            "TF2: a `tf.function` writes into the writer that it was traced under, while another one is the "
            "default. The line in the function is named under `install()` or `safewriter run`."
        ),
        symptom=Symptom(
            sees="The points are in another run than the one that was meant",
            means="A `tf.function` writes into the writer under which it was traced.",
            fix="One function per writer, or enter the writer inside of the function.",
            reports=("tensorflow/tensorflow#26409",),
        ),
        why=(
            "The default writer is looked up when the function is traced, and is a part of the function from then "
            "on. Test summaries of a shared function so end up among those of the training."
        ),
        fix=("Make one function for each writer, or return the values and write them outside of the function."),
        bad=program("""
            import safewriter

            safewriter.install()  # or `safewriter run program.py`, without this line
            import tensorflow as tf

            train_writer = tf.summary.create_file_writer("logs/train")
            test_writer = tf.summary.create_file_writer("logs/test")


            @tf.function
            def evaluate(loss, step):
                tf.summary.scalar("loss", loss, step=step)


            with train_writer.as_default():
                evaluate(tf.constant(1.0), tf.constant(0, tf.int64))
            for step in range(1, 5):
                with test_writer.as_default():
                    tf.summary.scalar("accuracy", 1 - 0.9**step, step=step)
                    evaluate(tf.constant(0.9**step), tf.constant(step, tf.int64))
        """),
        good=program("""
            import safewriter

            safewriter.install()  # or `safewriter run program.py`, without this line
            import tensorflow as tf

            train_writer = tf.summary.create_file_writer("logs/train")
            test_writer = tf.summary.create_file_writer("logs/test")


            def evaluate(loss, step):
                tf.summary.scalar("loss", loss, step=step)


            on_train, on_test = tf.function(evaluate), tf.function(evaluate)
            with train_writer.as_default():
                on_train(tf.constant(1.0), tf.constant(0, tf.int64))
            for step in range(1, 5):
                with test_writer.as_default():
                    tf.summary.scalar("accuracy", 1 - 0.9**step, step=step)
                    on_test(tf.constant(0.9**step), tf.constant(step, tf.int64))
        """),
    ),
    Code(
        code="SW310",
        name="recording-off",
        kind=Kind.WARNING,
        when=(
            "TF2: a condition of `tf.summary.record_if` was a plain value when a `tf.function` was traced, and changed "
            "later, or was never true; or Keras' callback leaves a summary out. Seen under `install()` or "
            "`safewriter run`; by `safewriter.keras.TensorBoard` for what it leaves out."
        ),
        symptom=Symptom(
            sees="No points, or all of them, whatever `record_if` says; epoch metrics of Keras missing",
            means="The condition was asked once, while the function was traced; or `update_freq` switched it off.",
            fix="Give `record_if` a tensor, or a callable that returns one.",
            reports=("tensorflow/tensorflow#25385", "tensorflow/minigo#343"),
        ),
        why=(
            "In a function, a condition that gives True or False in Python is asked when the function is traced and "
            "never again: all points are recorded, or none. The `update_freq` of Keras' callback is such a condition, "
            "and it holds for summaries at the end of an epoch too."
        ),
        fix=("Let the condition give a tensor: `lambda: tf.equal(step % 100, 0)` with a `tf.Variable` as the step."),
        bad=program("""
            import safewriter

            safewriter.install()  # or `safewriter run program.py`, without this line
            import tensorflow as tf

            writer = tf.summary.create_file_writer("logs")
            step = 0


            @tf.function
            def train(loss, at):
                with tf.summary.record_if(lambda: step % 5 == 0):
                    tf.summary.scalar("loss", loss, step=at)


            with writer.as_default():
                for step in range(20):
                    train(tf.constant(0.9**step), tf.constant(step, tf.int64))
        """),
        good=program("""
            import safewriter

            safewriter.install()  # or `safewriter run program.py`, without this line
            import tensorflow as tf

            writer = tf.summary.create_file_writer("logs")
            step = tf.Variable(0, dtype=tf.int64)


            @tf.function
            def train(loss):
                with tf.summary.record_if(lambda: tf.equal(step % 5, 0)):
                    tf.summary.scalar("loss", loss, step=step)


            with writer.as_default():
                for _ in range(20):
                    train(tf.constant(0.9))
                    step.assign_add(1)
        """),
    ),
    Code(
        code="SW311",
        name="writer-not-initialised",
        kind=Kind.WARNING,
        when=("TF2's writer in graph mode: `writer.init()` was never run in a session, so there is no event file."),
        symptom=Symptom(
            sees="No event file at all, with eager execution disabled",
            means="`writer.init()` was never run in a session.",
            fix="`sess.run(writer.init())`, and run the summary ops.",
            reports=("tensorflow/tensorflow#43584", "tensorflow/tensorflow#51584"),
        ),
        why=(
            "In graph mode the writer is an op. Without `sess.run(writer.init())` it has no file, and the summary "
            "ops that were made under it have nothing to write to."
        ),
        fix="Run `writer.init()` before the first summary op and `writer.flush()` after the last.",
        bad=program("""
            import tensorflow as tf
            import safewriter

            tf.compat.v1.disable_eager_execution()
            writer = safewriter.create_file_writer("logs")
            with writer.as_default():
                tf.summary.scalar("loss", 0.5, step=1)
            with tf.compat.v1.Session() as sess:
                sess.run(tf.constant(1))
        """),
        good=program("""
            import tensorflow as tf
            import safewriter

            tf.compat.v1.disable_eager_execution()
            writer = safewriter.create_file_writer("logs")
            with writer.as_default():
                tf.summary.scalar("loss", 0.5, step=1)
            with tf.compat.v1.Session() as sess:
                sess.run(writer.init())
                sess.run(tf.compat.v1.summary.all_v2_summary_ops())
                sess.run(writer.flush())
        """),
    ),
    Code(
        code="SW312",
        name="summary-op-in-eager-code",
        kind=Kind.WARNING,
        when=(
            "TF2: a `tf.compat.v1.summary` op was called in eager code, without a default writer of TF2 or without a "
            "step. Seen under `install()` or `safewriter run`."
        ),
        symptom=Symptom(
            sees="No points; the code calls `tf.compat.v1.summary` in eager mode",
            means="An op of TF1 needs a session to run it, and there is none.",
            fix="`tf.summary.scalar(name, value, step=step)` in `with writer.as_default():`",
        ),
        why=(
            "In eager code there is no session to run the op. TensorFlow hands the value to the default writer of "
            "TF2 where there is one and a step is set; else it logs one line, and each value goes nowhere."
        ),
        fix="Use `tf.summary.scalar(name, value, step=step)` inside `with writer.as_default():`.",
        bad=program("""
            import safewriter

            safewriter.install()  # or `safewriter run program.py`, without this line
            import tensorflow as tf

            writer = tf.summary.create_file_writer("logs")
            with writer.as_default():
                for step in range(10):
                    tf.compat.v1.summary.scalar("loss", 0.9**step)
        """),
        good=program("""
            import safewriter

            safewriter.install()  # or `safewriter run program.py`, without this line
            import tensorflow as tf

            writer = tf.summary.create_file_writer("logs")
            with writer.as_default():
                for step in range(10):
                    tf.summary.scalar("loss", 0.9**step, step=step)
        """),
    ),
    Code(
        code="SW313",
        name="trace-not-exported",
        kind=Kind.WARNING,
        when="TF2: `tf.summary.trace_on` began a trace that was neither exported nor ended by `trace_off`.",
        symptom=Symptom(
            sees="The Graphs page is empty, though `tf.summary.trace_on` was called",
            means="The trace was never written.",
            fix="`tf.summary.trace_export(name, step)` in `with writer.as_default():`",
        ),
        why=(
            "`trace_on` collects the graph, or a profile, in memory. Only `trace_export` writes it to the default "
            "writer; without it TensorBoard's Graphs page stays empty, and nothing is said."
        ),
        fix="Call `tf.summary.trace_export(name, step)` inside `with writer.as_default():`, after the function ran.",
        bad=program("""
            import tensorflow as tf
            import safewriter

            writer = safewriter.create_file_writer("logs")
            double = tf.function(lambda x: 2 * x)
            tf.summary.trace_on(graph=True)
            with writer.as_default():
                tf.summary.scalar("result", double(tf.constant(1.0)), step=0)
        """),
        good=program("""
            import tensorflow as tf
            import safewriter

            writer = safewriter.create_file_writer("logs")
            double = tf.function(lambda x: 2 * x)
            tf.summary.trace_on(graph=True)
            with writer.as_default():
                tf.summary.scalar("result", double(tf.constant(1.0)), step=0)
                tf.summary.trace_export("graph", step=0)
        """),
    ),
)
