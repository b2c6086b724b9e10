"""SW6xx: event files at rest."""

from __future__ import annotations

from safewriter.findings.catalogue.layout import program
from safewriter.findings.code import Code, Kind, Symptom

CODES = (
    Code(
        code="SW601",
        name="torn-tail",
        kind=Kind.FINDING,
        when="The file ends inside a record: the offset and the number of whole events before it are reported.",
        symptom=Symptom(
            sees="The last event is half there",
            means="The program was killed, or the disk was full, in the middle of a write.",
            fix="`safewriter repair FILE --output DIR`; write with `SafeFileWriter`.",
            reports=("allenai/allennlp#4653",),
        ),
        why=(
            "Whoever wrote it was stopped in the middle of a write: killed, out of disk, or copied too early. A "
            "reader takes an incomplete last record for a run that is still going on and waits without a word, so "
            "what was in it, and in the buffer behind it, is missing and nobody says so."
        ),
        fix=(
            "Nothing, where the run is alive: the rest is on its way. Otherwise `safewriter repair FILE --output DIR` "
            "writes a copy of the whole records. `SafeFileWriter` leaves no half record when it is killed."
        ),
        bad=program("""
            import glob, os
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter, audit_file

            tf.disable_eager_execution()
            with SafeFileWriter("logs") as writer:
                for step in range(10):
                    loss = tf.Summary.Value(tag="loss", simple_value=0.9**step)
                    writer.add_summary(tf.Summary(value=[loss]), step)
            (path,) = glob.glob("logs/events*")
            os.truncate(path, os.path.getsize(path) - 5)  # killed in the middle of the last write
            for finding in audit_file(path).findings:
                print(finding)
        """),
        good=program("""
            import glob
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter, audit_file

            tf.disable_eager_execution()
            with SafeFileWriter("logs") as writer:
                for step in range(10):
                    loss = tf.Summary.Value(tag="loss", simple_value=0.9**step)
                    writer.add_summary(tf.Summary(value=[loss]), step)
            (path,) = glob.glob("logs/events*")
            for finding in audit_file(path).findings:
                print(finding)
        """),
    ),
    Code(
        code="SW602",
        name="corrupt-record",
        kind=Kind.FINDING,
        when=(
            "The checksum or the framing of a record is wrong: the offset and the number of events that TensorBoard "
            "will not show are reported."
        ),
        symptom=Symptom(
            sees="The curve stops in the middle, the file is larger than it shows",
            means="A record is damaged; TensorBoard reads no further.",
            fix="`safewriter repair FILE --output DIR`",
            reports=("tensorflow/tensorboard#6971", "tensorflow/tensorboard#5588"),
        ),
        why=(
            "TensorBoard stops at the first damaged record. One byte changed at offset 500 left 10 of 50 points; its "
            "default loader says so in one line of its log, the older one not at all. Two writers in one file and "
            "network file systems that lose a block are the usual causes."
        ),
        fix=(
            "Copy the file again from where it was written. Where that is the damaged one, "
            "`safewriter repair FILE --output DIR` writes a copy with every record that can be "
            "read, also behind the damage."
        ),
        bad=program("""
            import glob
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter, audit_file

            tf.disable_eager_execution()
            with SafeFileWriter("logs") as writer:
                for step in range(50):
                    loss = tf.Summary.Value(tag="loss", simple_value=0.9**step)
                    writer.add_summary(tf.Summary(value=[loss]), step)
            (path,) = glob.glob("logs/events*")
            with open(path, "r+b") as file:
                file.seek(500)
                byte = file.read(1)[0]
                file.seek(500)
                file.write(bytes([byte ^ 1]))  # a disk that forgets one bit
            for finding in audit_file(path).findings:
                print(finding)
        """),
        good=program("""
            import glob
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter, audit_file

            tf.disable_eager_execution()
            with SafeFileWriter("logs") as writer:
                for step in range(50):
                    loss = tf.Summary.Value(tag="loss", simple_value=0.9**step)
                    writer.add_summary(tf.Summary(value=[loss]), step)
            (path,) = glob.glob("logs/events*")
            for finding in audit_file(path).findings:
                print(finding)
        """),
    ),
    Code(
        code="SW603",
        name="no-summaries",
        kind=Kind.FINDING,
        when="The file holds its header, perhaps a graph, and not one summary.",
        symptom=Symptom(
            sees="A run with a graph, or with nothing, and no chart",
            means="The file holds no summary.",
            fix="Run the program with safewriter: it names each summary that never arrived.",
            reports=("tensorflow/tensorflow#393", "roboflow/rf-detr#234"),
        ),
        why=(
            "This is what an empty TensorBoard looks like from inside: the writer worked and was never given "
            "anything. The file is sound, so nothing complains."
        ),
        fix="Look at the program: are the summary ops merged, run, and passed to `add_summary`?",
        bad=program("""
            import glob
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter, audit_file

            tf.disable_eager_execution()
            SafeFileWriter("logs").close()
            (path,) = glob.glob("logs/events*")
            for finding in audit_file(path).findings:
                print(finding)
        """),
        good=program("""
            import glob
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter, audit_file

            tf.disable_eager_execution()
            with SafeFileWriter("logs") as writer:
                writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag="loss", simple_value=0.5)]), 0)
            (path,) = glob.glob("logs/events*")
            for finding in audit_file(path).findings:
                print(finding)
        """),
    ),
    Code(
        code="SW604",
        name="overlapping-files",
        kind=Kind.FINDING,
        when="Files that were written at the same time, in one directory, hold the same tag over the same steps.",
        symptom=Symptom(
            sees="One file's points, though the directory has several files",
            means="They were written at the same time, with the same tags and steps.",
            fix="A directory for each writer.",
            reports=("HazyResearch/metal#120", "tensorflow/tensorboard#3570", "tensorflow/tensorboard#5958"),
        ),
        why=(
            "TensorBoard reads the files of a directory as one run, one after the other. Of two workers that wrote the "
            "same tag and steps its default loader showed the later file only, the older one "
            "a line that jumps between both."
        ),
        fix="Move the files into a directory each: every directory appears as a run with its own colour.",
        bad=program("""
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter, audit_logdir

            tf.disable_eager_execution()
            quiet = ["SW204"]  # not reported live, to be found at rest
            with SafeFileWriter("logs", ignore=quiet) as train, SafeFileWriter("logs", ignore=quiet) as test:
                for step in range(10):
                    loss = tf.Summary.Value(tag="loss", simple_value=0.9**step)
                    train.add_summary(tf.Summary(value=[loss]), step)
                    test.add_summary(tf.Summary(value=[loss]), step)
            for finding in audit_logdir("logs").findings:
                print(finding)
        """),
        good=program("""
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter, audit_logdir

            tf.disable_eager_execution()
            with SafeFileWriter("logs/train") as train, SafeFileWriter("logs/test") as test:
                for step in range(10):
                    loss = tf.Summary.Value(tag="loss", simple_value=0.9**step)
                    train.add_summary(tf.Summary(value=[loss]), step)
                    test.add_summary(tf.Summary(value=[loss]), step)
            for finding in audit_logdir("logs").findings:
                print(finding)
        """),
    ),
    Code(
        code="SW605",
        name="not-an-event-file",
        kind=Kind.FINDING,
        when="The file is named like an event file, but its first record is no version record.",
        symptom=Symptom(
            sees="Files that TensorBoard ignores or can't read",
            means="They are named like event files and are none, or lack their beginning.",
            fix="Delete them, or run `safewriter repair`.",
            reports=("tensorflow/tensorboard#1272",),
        ),
        why=(
            "TensorBoard opens every file with `tfevents` in its name. A text file, another format or a file whose "
            "beginning was overwritten gives no points, and at most a line in a log."
        ),
        fix="Rename or remove the file; where it should be an event file, look for what overwrote its beginning.",
        bad=program("""
            from safewriter import audit_file

            path = "events.out.tfevents.1700000000.host"
            with open(path, "w") as file:
                file.write("step 0 loss 0.5\\n" * 20)
            for finding in audit_file(path).findings:
                print(finding)
        """),
        good=program("""
            import glob
            import tensorflow.compat.v1 as tf
            from safewriter import SafeFileWriter, audit_file

            tf.disable_eager_execution()
            with SafeFileWriter("logs") as writer:
                writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag="loss", simple_value=0.5)]), 0)
            (path,) = glob.glob("logs/events*")
            for finding in audit_file(path).findings:
                print(finding)
        """),
    ),
)
