"""SW5xx: the way to the disk."""

from __future__ import annotations

from safewriter.findings.catalogue.layout import program
from safewriter.findings.code import Code, Kind, Symptom

CODES = (
    Code(
        code="SW501",
        name="never-flushed",
        kind=Kind.WARNING,
        when="The program ended, or dropped the writer, without having flushed or closed it.",
        symptom=Symptom(
            sees="The last points are missing; a short run left nothing",
            means="The writer was never closed or flushed; TensorFlow's still held them in memory.",
            fix="`with FileWriter(logdir) as writer:`",
            reports=("tensorflow/tensorflow#1671", "tensorflow/tensorboard#1338"),
        ),
        why=(
            "TensorFlow's writer keeps up to ten events in a queue and the rest in a buffer that a thread empties "
            "every two minutes, and nothing waits for that thread when the program ends: of 20 short scripts 8 left "
            "no file at all. safewriter saved the events all the same."
        ),
        fix="Use the writer in a `with` block, or call `close()` in a `finally`.",
        bad=program("""
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter

            tf.disable_eager_execution()
            writer = SafeFileWriter("logs")
            for step in range(10):
                loss = tf.Summary.Value(tag="loss", simple_value=0.9**step)
                writer.add_summary(tf.Summary(value=[loss]), step)
        """),
        good=program("""
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter

            tf.disable_eager_execution()
            with SafeFileWriter("logs") as writer:
                for step in range(10):
                    loss = tf.Summary.Value(tag="loss", simple_value=0.9**step)
                    writer.add_summary(tf.Summary(value=[loss]), step)
        """),
    ),
    Code(
        code="SW502",
        name="events-lost",
        kind=Kind.WARNING,
        when="A write failed: the number of events, the operating system's reason and the file are reported.",
        symptom=Symptom(
            sees="The curve stops; the disk was full",
            means="Writes fail. TensorFlow's writer raises once, then drops everything.",
            fix="Free space; an add that raised can be repeated.",
            reports=("tensorflow/tensorflow#8745", "tensorflow/tensorboard#6167"),
        ),
        why=(
            "TensorFlow's writer raises one RuntimeError at some flush, thousands of events later, and drops "
            "everything after it in silence. Here the add that could not be written raises, as an `OSError` with its "
            "errno; the file is cut back to its last whole record, and the next add tries again. Where nothing can be "
            "raised, at exit or in the background, it is a warning with the sum."
        ),
        fix="Make room, or raise the limit that the message names. Events added after that land as before.",
        bad=program("""
            import resource  # Linux and macOS: a limit on the size of files stands in for a full disk
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter

            tf.disable_eager_execution()
            with SafeFileWriter("logs") as writer:
                resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
                for step in range(100):
                    loss = tf.Summary.Value(tag="loss", simple_value=0.9**step)
                    writer.add_summary(tf.Summary(value=[loss]), step)
        """),
        good=program("""
            import resource
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter

            tf.disable_eager_execution()
            with SafeFileWriter("logs") as writer:
                resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
                for step in range(100):
                    loss = tf.Summary.Value(tag="loss", simple_value=0.9**step)
                    writer.add_summary(tf.Summary(value=[loss]), step)
        """),
    ),
    Code(
        code="SW503",
        name="event-file-gone",
        kind=Kind.WARNING,
        when="The event file was deleted, replaced or truncated while the writer had it open.",
        symptom=Symptom(
            sees="The curve stops while training goes on; the file is gone",
            means="Someone deleted, moved, replaced or truncated the event file.",
            fix="Keep clean-up and sync jobs away from the directory.",
            reports=("tensorflow/tensorboard#845", "mlflow/mlflow#2644"),
        ),
        why=(
            "An open file can be written after its name is gone, so TensorFlow's add, flush and close all succeed and "
            "everything after the deletion is lost. Writing goes on in a new file, and the message says how many "
            "events had landed in the old one and went with it."
        ),
        fix=(
            "Find what removes or rewrites the directory: a clean-up at the start of another run, a second script "
            "with the same directory, a synchronisation that replaces files. Clear old runs "
            "before the writer is created."
        ),
        bad=program("""
            import shutil
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter

            tf.disable_eager_execution()
            with SafeFileWriter("logs") as writer:
                for step in range(10):
                    loss = tf.Summary.Value(tag="loss", simple_value=0.9**step)
                    writer.add_summary(tf.Summary(value=[loss]), step)
                shutil.rmtree("logs")  # meant for the logs of the last run
        """),
        good=program("""
            import shutil
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter

            tf.disable_eager_execution()
            shutil.rmtree("logs", ignore_errors=True)
            with SafeFileWriter("logs") as writer:
                for step in range(10):
                    loss = tf.Summary.Value(tag="loss", simple_value=0.9**step)
                    writer.add_summary(tf.Summary(value=[loss]), step)
        """),
        bad_tf2=program("""
            import shutil
            import tensorflow as tf
            import safewriter

            writer = safewriter.create_file_writer("logs")
            with writer.as_default():
                for step in range(10):
                    tf.summary.scalar("loss", 0.9**step, step=step)
            shutil.rmtree("logs")  # meant for the logs of the last run
            writer.close()
        """),
        good_tf2=program("""
            import shutil
            import tensorflow as tf
            import safewriter

            shutil.rmtree("logs", ignore_errors=True)
            writer = safewriter.create_file_writer("logs")
            with writer.as_default():
                for step in range(10):
                    tf.summary.scalar("loss", 0.9**step, step=step)
            writer.close()
        """),
    ),
    Code(
        code="SW504",
        name="used-after-close",
        kind=Kind.WARNING,
        when="Something was added after `close()`: the number of dropped events is reported at the end.",
        symptom=Symptom(
            sees="“Attempting to use a closed FileWriter”, once; nothing after it",
            means="Something closed the writer, and the loop goes on adding.",
            fix="Close it after the last add: the message says which line did.",
            reports=("tensorflow/tensorflow#40115", "tensorflow/tensorflow#25707"),
        ),
        why=(
            "A closed writer drops what it gets. TensorFlow warns in general terms, which Python shows once and "
            "points at a line inside TensorFlow; after a failed write its warning does not come at all."
        ),
        fix="Close the writer after the last add, or call `reopen()` before going on.",
        bad=program("""
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter

            tf.disable_eager_execution()
            writer = SafeFileWriter("logs")
            for step in range(10):
                loss = tf.Summary.Value(tag="loss", simple_value=0.9**step)
                writer.add_summary(tf.Summary(value=[loss]), step)
                writer.close()  # belongs after the loop
        """),
        good=program("""
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter

            tf.disable_eager_execution()
            writer = SafeFileWriter("logs")
            for step in range(10):
                loss = tf.Summary.Value(tag="loss", simple_value=0.9**step)
                writer.add_summary(tf.Summary(value=[loss]), step)
            writer.close()
        """),
    ),
    Code(
        code="SW505",
        name="used-after-fork",
        kind=Kind.WARNING,
        when="A forked child writes with the writer of its parent.",
        symptom=Symptom(
            sees="A worker process hangs, or its points are missing",
            means="It uses the writer of its parent, whose thread it does not have.",
            fix="Create the writer in the child.",
            reports=("pfnet/pfrl#88", "lanpa/tensorboardX#123"),
        ),
        why=(
            "Threads do not survive a fork. TensorFlow's queue is emptied by a thread, so the child's first ten adds "
            "are lost and the eleventh waits for ever; a child that merely exits can write its parent's buffer a "
            "second time. Here the child goes on in an event file of its own, and parent and child "
            "disturb each other no more."
        ),
        fix="Write in the parent only, or create a writer with a directory of its own in the child.",
        bad=program("""
            import os  # Linux and macOS: there is no fork on Windows
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter

            tf.disable_eager_execution()
            summary = tf.Summary(value=[tf.Summary.Value(tag="loss", simple_value=0.5)])
            with SafeFileWriter("logs") as writer:
                writer.add_summary(summary, 0)
                child = os.fork()
                if child == 0:
                    writer.add_summary(summary, 1)
                    os._exit(0)
                os.waitpid(child, 0)
        """),
        good=program("""
            import os
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter

            tf.disable_eager_execution()
            summary = tf.Summary(value=[tf.Summary.Value(tag="loss", simple_value=0.5)])
            with SafeFileWriter("logs/parent") as writer:
                writer.add_summary(summary, 0)
                child = os.fork()
                if child == 0:
                    with SafeFileWriter("logs/child") as own:
                        own.add_summary(summary, 1)
                    os._exit(0)
                os.waitpid(child, 0)
        """),
        bad_tf2=program("""
            import os  # Linux and macOS: there is no fork on Windows
            import tensorflow as tf
            import safewriter

            writer = safewriter.create_file_writer("logs")
            with writer.as_default():
                tf.summary.scalar("loss", 0.5, step=0)
            child = os.fork()
            if child == 0:
                with writer.as_default():
                    tf.summary.scalar("loss", 0.4, step=1)
                os._exit(0)
            os.waitpid(child, 0)
        """),
        good_tf2=program("""
            import os
            import tensorflow as tf
            import safewriter

            writer = safewriter.create_file_writer("logs/parent")
            with writer.as_default():
                tf.summary.scalar("loss", 0.5, step=0)
            child = os.fork()
            if child == 0:
                with safewriter.create_file_writer("logs/child").as_default():
                    tf.summary.scalar("loss", 0.4, step=1)
                os._exit(0)
            os.waitpid(child, 0)
        """),
    ),
    Code(
        code="SW506",
        name="too-many-writers",
        kind=Kind.WARNING,
        when="More than 32 writers of this process are open.",
        symptom=Symptom(
            sees="“Too many open files” after hours",
            means="Writers are created in a loop and never closed.",
            fix="One writer for the run; `with` closes it.",
            reports=("keras-team/keras#4533", "dhwajraj/NER-RNN#1"),
        ),
        why=(
            "Each open writer holds a file descriptor, and with TensorFlow's own class a thread too. A writer per "
            "epoch or per step that nobody closes ends hours later with `Too many open files`, in "
            "whatever opens the next one."
        ),
        fix="Create one writer before the loop, or close each one: `with SafeFileWriter(…) as writer:`.",
        bad=program("""
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter

            tf.disable_eager_execution()
            writers = []
            for epoch in range(40):
                writers.append(SafeFileWriter(f"logs/epoch{epoch}"))
                writers[-1].add_summary(tf.Summary(value=[tf.Summary.Value(tag="loss", simple_value=0.5)]), epoch)
            for writer in writers:
                writer.close()
        """),
        good=program("""
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter

            tf.disable_eager_execution()
            with SafeFileWriter("logs") as writer:
                for epoch in range(40):
                    writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag="loss", simple_value=0.5)]), epoch)
        """),
        bad_tf2=program("""
            import tensorflow as tf
            import safewriter

            writers = []
            for epoch in range(40):
                writers.append(safewriter.create_file_writer(f"logs/epoch{epoch}"))
                with writers[-1].as_default():
                    tf.summary.scalar("loss", 0.9**epoch, step=epoch)
        """),
        good_tf2=program("""
            import tensorflow as tf
            import safewriter

            writer = safewriter.create_file_writer("logs")
            for epoch in range(40):
                with writer.as_default():
                    tf.summary.scalar("loss", 0.9**epoch, step=epoch)
        """),
    ),
    Code(
        code="SW507",
        name="default-writer-left",
        kind=Kind.WARNING,
        when=(
            "TF2: a summary goes to the writer of a Keras callback whose `fit` was interrupted. Seen under "
            "`install()` or `safewriter run`."
        ),
        symptom=Symptom(
            sees="After an interrupted `fit`, points are in the wrong run, or “resource does not exist”",
            means="The writer of Keras' callback is still the default one.",
            fix="`from safewriter.keras import TensorBoard`",
            reports=("tensorflow/tensorflow#24632", "tensorflow/tensorflow#46252"),
        ),
        why=(
            "Keras' TensorBoard callback makes its writer the default when `fit` begins, and takes it back when "
            "`fit` ends. Where an exception ends it, the writer stays open and stays the default, and later "
            "summaries of the program go into its file."
        ),
        fix=(
            "Use `with writer.as_default():` for summaries of your own, and call `callback.on_train_end()` where "
            "`fit` was interrupted."
        ),
        bad=program("""
            import safewriter

            safewriter.install()  # or `safewriter run program.py`, without this line
            import tensorflow as tf

            import numpy as np


            class Stop(tf.keras.callbacks.Callback):
                def on_epoch_end(self, epoch, logs=None):
                    raise KeyboardInterrupt


            model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
            model.compile("sgd", "mse")
            callback = tf.keras.callbacks.TensorBoard("logs", write_graph=False, update_freq=1)
            try:
                model.fit(np.zeros((8, 2)), np.zeros((8, 1)), verbose=0, callbacks=[callback, Stop()])
            except KeyboardInterrupt:
                print("interrupted")
            tf.summary.scalar("score", 1.0, step=1)
        """),
        good=program("""
            import safewriter

            safewriter.install()  # or `safewriter run program.py`, without this line
            import tensorflow as tf

            import numpy as np


            class Stop(tf.keras.callbacks.Callback):
                def on_epoch_end(self, epoch, logs=None):
                    raise KeyboardInterrupt


            model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
            model.compile("sgd", "mse")
            callback = tf.keras.callbacks.TensorBoard("logs", write_graph=False, update_freq=1)
            try:
                model.fit(np.zeros((8, 2)), np.zeros((8, 1)), verbose=0, callbacks=[callback, Stop()])
            except KeyboardInterrupt:
                callback.on_train_end()
            with tf.summary.create_file_writer("logs/scores").as_default():
                tf.summary.scalar("score", 1.0, step=1)
        """),
    ),
)
