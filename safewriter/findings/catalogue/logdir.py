"""SW1xx: the log directory."""

from __future__ import annotations

from safewriter.findings.catalogue.layout import program
from safewriter.findings.code import Code, Kind, Symptom

CODES = (
    Code(
        code="SW101",
        name="logdir-invalid",
        kind=Kind.ERROR,
        when="The log directory is None, empty, holds a NUL character, or is not a path at all.",
        symptom=Symptom(
            sees="No run, and a directory called `None` beside the program",
            means="The setting that holds the path was not set.",
            fix="Give the setting a default, or check it before training.",
        ),
        why=(
            "TensorFlow turns whatever it gets into a string: `FileWriter(None)` fills a directory called `None`, "
            "`FileWriter(b'logs')` one called `b'logs'`, and an empty string means the working directory. The run "
            "succeeds, and TensorBoard looks elsewhere. Bytes and `os.PathLike` objects are fine "
            "here and mean what they say."
        ),
        fix="Pass a path. A setting that may be missing needs a default, or a check before the training starts.",
        bad=program("""
            import os
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter

            tf.disable_eager_execution()
            with SafeFileWriter(os.environ.get("RUN_DIR")) as writer:  # not set: None
                writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag="loss", simple_value=0.5)]), 0)
        """),
        good=program("""
            import os
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter

            tf.disable_eager_execution()
            with SafeFileWriter(os.environ.get("RUN_DIR", "logs")) as writer:
                writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag="loss", simple_value=0.5)]), 0)
        """),
        bad_tf2=program("""
            import os
            import tensorflow as tf
            import safewriter

            writer = safewriter.create_file_writer(os.environ.get("RUN_DIR"))  # not set: None
            with writer.as_default():
                tf.summary.scalar("loss", 0.5, step=0)
        """),
        good_tf2=program("""
            import os
            import tensorflow as tf
            import safewriter

            writer = safewriter.create_file_writer(os.environ.get("RUN_DIR", "logs"))
            with writer.as_default():
                tf.summary.scalar("loss", 0.5, step=0)
        """),
    ),
    Code(
        code="SW102",
        name="logdir-not-a-directory",
        kind=Kind.ERROR,
        when="The log directory, or one of the directories above it, is a file.",
        symptom=Symptom(
            sees="The program stops: “is not a directory”",
            means="A part of the path is a file.",
            fix="Move the file that the message names, or choose another path.",
            reports=("bitsandbytes-foundation/bitsandbytes#783",),
        ),
        why=(
            "No event file can be created below a file. TensorFlow raises here as well, with an error class of its "
            "own that `except OSError` does not catch; this one is also a `NotADirectoryError`, says which part of "
            "the path is the file, and is raised before anything is written."
        ),
        fix="Choose another directory, or move the file that is in the way.",
        bad=program("""
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter

            tf.disable_eager_execution()
            with open("runs", "w") as notes:
                notes.write("learning rate 0.1\\n")
            with SafeFileWriter("runs/first") as writer:
                writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag="loss", simple_value=0.5)]), 0)
        """),
        good=program("""
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter

            tf.disable_eager_execution()
            with open("notes.txt", "w") as notes:
                notes.write("learning rate 0.1\\n")
            with SafeFileWriter("runs/first") as writer:
                writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag="loss", simple_value=0.5)]), 0)
        """),
        bad_tf2=program("""
            import tensorflow as tf
            import safewriter

            with open("runs", "w") as notes:
                notes.write("learning rate 0.1\\n")
            writer = safewriter.create_file_writer("runs/first")
            with writer.as_default():
                tf.summary.scalar("loss", 0.5, step=0)
        """),
        good_tf2=program("""
            import tensorflow as tf
            import safewriter

            with open("notes.txt", "w") as notes:
                notes.write("learning rate 0.1\\n")
            writer = safewriter.create_file_writer("runs/first")
            with writer.as_default():
                tf.summary.scalar("loss", 0.5, step=0)
        """),
    ),
    Code(
        code="SW103",
        name="logdir-not-writable",
        kind=Kind.ERROR,
        when=(
            "The event file can't be created in the log directory: no permission, a read-only or full disk, no file "
            "descriptor left, a name that is too long. The message names the operating system's reason."
        ),
        symptom=Symptom(
            sees="No event file, no error in Python",
            means="This user may not write into the directory. TensorFlow says so in its C++ log only.",
            fix="The message names the owner, the mode and the `chmod` that helps.",
            reports=("JWSoh/MZSR#22", "sbi-dev/sbi#1634"),
        ),
        why=(
            "TensorFlow's writer opens its file in a thread, at the first flush, and reports a failure to the "
            "standard error stream of its C++ part only. On a directory without write permission the constructor, "
            "every `add_summary`, `flush` and `close` succeed, and nothing is on disk. safewriter creates the event "
            "file in the constructor, so the file itself is the proof."
        ),
        fix=(
            "Do what the message says about the directory in the way: its owner and mode are named, and so is the "
            "user this process runs as. In a container, mount the volume writable for that user."
        ),
        bad=program("""
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter

            tf.disable_eager_execution()
            settings = ",".join(f"layer{n}=relu-dropout-0.{n}" for n in range(30))  # 600 characters
            with SafeFileWriter(f"logs/{settings}") as writer:
                writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag="loss", simple_value=0.5)]), 0)
        """),
        good=program("""
            import os
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter

            tf.disable_eager_execution()
            settings = ",".join(f"layer{n}=relu-dropout-0.{n}" for n in range(30))
            with SafeFileWriter("logs/run1") as writer:
                writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag="loss", simple_value=0.5)]), 0)
            with open(os.path.join("logs", "run1", "settings.txt"), "w") as file:
                file.write(settings)
        """),
        bad_tf2=program("""
            import tensorflow as tf
            import safewriter

            settings = ",".join(f"layer{n}=relu-dropout-0.{n}" for n in range(30))  # 600 characters
            writer = safewriter.create_file_writer(f"logs/{settings}")
            with writer.as_default():
                tf.summary.scalar("loss", 0.5, step=0)
        """),
        good_tf2=program("""
            import tensorflow as tf
            import safewriter

            settings = ",".join(f"layer{n}=relu-dropout-0.{n}" for n in range(30))
            writer = safewriter.create_file_writer("logs/run1")
            with writer.as_default():
                tf.summary.text("settings", settings, step=0)
                tf.summary.scalar("loss", 0.5, step=0)
        """),
    ),
    Code(
        code="SW104",
        name="logdir-literal",
        kind=Kind.WARNING,
        when=(
            "The path holds something that a shell would have replaced or dropped: a `~`, a `$VARIABLE` or "
            "`%VARIABLE%`, a quote or a blank at one end."
        ),
        symptom=Symptom(
            sees="No run at all, though the program wrote to `~/logs` or `$RUN/logs`",
            means="Python expands neither `~` nor `$RUN`: the files are in a directory of that name.",
            fix="`os.path.expanduser(logdir)` or `expandvars`",
            reports=("tensorflow/tensorboard#289", "tensorflow/tensorflow#1587"),
        ),
        why=(
            "Neither Python nor TensorFlow expands these. `FileWriter('~/logs')` makes a directory that is really "
            "called `~`, below the working directory, and `tensorboard --logdir ~/logs`, which the "
            "shell does expand, shows nothing."
        ),
        fix=(
            "Expand the path before it is used: `os.path.expanduser(path)`, `os.path.expandvars(path)`, `path.strip()`."
        ),
        bad=program("""
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter

            tf.disable_eager_execution()
            with SafeFileWriter("~/logs") as writer:
                writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag="loss", simple_value=0.5)]), 0)
        """),
        good=program("""
            import os
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter

            tf.disable_eager_execution()
            with SafeFileWriter(os.path.expanduser("~/logs")) as writer:
                writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag="loss", simple_value=0.5)]), 0)
        """),
        bad_tf2=program("""
            import tensorflow as tf
            import safewriter

            with safewriter.create_file_writer("~/logs").as_default():
                tf.summary.scalar("loss", 0.5, step=0)
        """),
        good_tf2=program("""
            import os
            import tensorflow as tf
            import safewriter

            with safewriter.create_file_writer(os.path.expanduser("~/logs")).as_default():
                tf.summary.scalar("loss", 0.5, step=0)
        """),
    ),
    Code(
        code="SW105",
        name="filesystem-unknown",
        kind=Kind.ERROR,
        when=(
            "The path begins with a scheme, such as `s3://` or `gs://`, for which TensorFlow has no file system loaded."
        ),
        symptom=Symptom(
            sees="A local directory called `s3:`, or “file system scheme not implemented”",
            means="TensorFlow has no file system for this scheme loaded.",
            fix="Import `tensorflow_io` first; keep the path a string, not a `pathlib.Path`.",
            reports=("tensorflow/tensorflow#40302", "pytorch/pytorch#36056"),
        ),
        why=(
            "TensorFlow's file systems other than the local disk come from plug-ins, and most of them from a package "
            "of their own. Without it TensorFlow raises an error that names the scheme and not the package; writers "
            "built on Python's own files make a local directory called `s3:` instead and say nothing."
        ),
        fix="Install and import the package that the message names, or write to a local directory and copy it.",
        bad=program("""
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter

            tf.disable_eager_execution()
            with SafeFileWriter("s3://bucket/logs") as writer:
                writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag="loss", simple_value=0.5)]), 0)
        """),
        good=program("""
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter

            tf.disable_eager_execution()
            with SafeFileWriter("logs") as writer:  # copied to the bucket when the run is over
                writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag="loss", simple_value=0.5)]), 0)
        """),
        bad_tf2=program("""
            import tensorflow as tf
            import safewriter

            with safewriter.create_file_writer("s3://bucket/logs").as_default():
                tf.summary.scalar("loss", 0.5, step=0)
        """),
        good_tf2=program("""
            import tensorflow as tf
            import safewriter

            with safewriter.create_file_writer("logs").as_default():  # copied to the bucket when the run is over
                tf.summary.scalar("loss", 0.5, step=0)
        """),
    ),
    Code(
        code="SW106",
        name="disk-almost-full",
        kind=Kind.WARNING,
        when="Less than 100 MB are free for the log directory when the writer is created.",
        symptom=Symptom(
            sees="Nothing yet; the disk is nearly full",
            means="Less than 100 MB are left where the events go.",
            fix="Free space before the run, not in the middle of it.",
            reports=("tensorflow/tensorflow#8745",),
        ),
        why=(
            "A checkpoint or two fill such a disk in mid-run. TensorFlow's writer then raises one RuntimeError, at "
            "some flush, after thousands of adds that had seemed to work, and drops every later event without a word. "
            "safewriter raises at each add that can't be written, but the space is better made before the run."
        ),
        fix="Make room, or log to another disk.",
        bad=program("""
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter

            tf.disable_eager_execution()
            # "small" is a disk of 50 MB; as root on Linux: mount -t tmpfs -o size=50m tmpfs small
            with SafeFileWriter("small/logs") as writer:
                writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag="loss", simple_value=0.5)]), 0)
        """),
        good=program("""
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter

            tf.disable_eager_execution()
            with SafeFileWriter("logs") as writer:
                writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag="loss", simple_value=0.5)]), 0)
        """),
        bad_tf2=program("""
            import tensorflow as tf
            import safewriter

            # "small" is a disk of 50 MB; as root on Linux: mount -t tmpfs -o size=50m tmpfs small
            with safewriter.create_file_writer("small/logs").as_default():
                tf.summary.scalar("loss", 0.5, step=0)
        """),
        good_tf2=program("""
            import tensorflow as tf
            import safewriter

            with safewriter.create_file_writer("logs").as_default():
                tf.summary.scalar("loss", 0.5, step=0)
        """),
    ),
    Code(
        code="SW107",
        name="logdir-holds-earlier-run",
        kind=Kind.WARNING,
        when=(
            "The directory holds events of an earlier run, and this run writes one of their tags "
            "at a step they had reached."
        ),
        symptom=Symptom(
            sees="After a restart, the first run's points are gone, or the line goes back",
            means="The new run writes steps that the directory has already.",
            fix="A directory for each run, or `resume_step=` when it goes on from a checkpoint.",
            reports=("tensorflow/tensorflow#45274", "tensorflow/tensorboard#5448"),
        ),
        why=(
            "TensorBoard reads all event files of a directory as one run. Its default loader drops the points that "
            "were overtaken, its older one draws a line that zigzags between both runs. Neither "
            "says that two runs are mixed."
        ),
        fix=(
            "Give each run a directory of its own. Where a run goes on from a checkpoint, say so: "
            "`SafeFileWriter(logdir, resume_step=step)` tells TensorBoard to drop the points after that step."
        ),
        bad=program("""
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter

            tf.disable_eager_execution()
            for learning_rate in (0.1, 0.01):
                with SafeFileWriter("logs") as writer:  # the second run writes over the steps of the first
                    for step in range(10):
                        loss = tf.Summary.Value(tag="loss", simple_value=(1.0 - learning_rate) ** step)
                        writer.add_summary(tf.Summary(value=[loss]), step)
        """),
        good=program("""
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter

            tf.disable_eager_execution()
            for learning_rate in (0.1, 0.01):
                with SafeFileWriter(f"logs/rate-{learning_rate}") as writer:
                    for step in range(10):
                        loss = tf.Summary.Value(tag="loss", simple_value=(1.0 - learning_rate) ** step)
                        writer.add_summary(tf.Summary(value=[loss]), step)
        """),
        bad_tf2=program("""
            import numpy as np
            import tensorflow as tf
            from safewriter.keras import TensorBoard

            x, y = np.zeros((32, 2)), np.zeros((32, 1))
            for learning_rate in (0.1, 0.01):
                model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
                model.compile(tf.keras.optimizers.SGD(learning_rate), "mse")
                model.fit(x, y, epochs=3, verbose=0, callbacks=[TensorBoard("logs")])  # each time steps 0 to 2
        """),
        good_tf2=program("""
            import numpy as np
            import tensorflow as tf
            from safewriter.keras import TensorBoard

            x, y = np.zeros((32, 2)), np.zeros((32, 1))
            for learning_rate in (0.1, 0.01):
                model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
                model.compile(tf.keras.optimizers.SGD(learning_rate), "mse")
                model.fit(x, y, epochs=3, verbose=0, callbacks=[TensorBoard(f"logs/rate-{learning_rate}")])
        """),
    ),
)
