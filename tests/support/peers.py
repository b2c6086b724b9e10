"""Other writers and readers of event files: what they write, and what they say of it. Run in a process of its own.

python tests/support/peers.py write DIRECTORY   lets each writer that is installed write a run, and prints their names
python tests/support/peers.py read FILE…        prints what each installed reader says of each file, and the table
python tests/support/peers.py table             prints the table of damaged files in docs/audit.md
"""

import contextlib
import io
import json
import os
import sys
import tempfile
import warnings

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

STEPS = 12


# Writers: each writes one run, with what a user of it would write


def stock(directory):
    import numpy as np
    import tensorflow.compat.v1 as tf

    with tf.Graph().as_default() as graph, tf.Session() as session:
        numbers = tf.placeholder(tf.float32, [16])
        merged = tf.summary.merge(
            [
                tf.summary.scalar("loss", tf.reduce_sum(numbers)),
                tf.summary.histogram("weights", numbers),
                tf.summary.image("digit", tf.reshape(numbers, [1, 4, 4, 1])),
                tf.summary.text("note", tf.constant("hello")),
                tf.summary.tensor_summary("tensor", numbers),
            ]
        )
        with tf.summary.FileWriter(directory, graph) as writer:
            for step in range(STEPS):
                writer.add_summary(session.run(merged, {numbers: np.arange(16.0) + step}), step)


def tf_summary(directory):
    import numpy as np
    import tensorflow as tf

    writer = tf.summary.create_file_writer(directory)
    with writer.as_default():
        for step in range(STEPS):
            tf.summary.scalar("loss", 1 / (step + 1), step=step)
            tf.summary.histogram("weights", np.arange(50.0), step=step)
            tf.summary.image("digit", np.zeros((3, 4, 4, 1)), step=step)
            tf.summary.text("note", "hello", step=step)
    writer.close()


def keras(directory):
    import numpy as np
    import tensorflow as tf

    model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    board = tf.keras.callbacks.TensorBoard(directory, histogram_freq=1, update_freq=1)
    model.fit(np.zeros((32, 2)), np.zeros((32, 1)), epochs=3, verbose=0, validation_split=0.5, callbacks=[board])


def _write_with(writer):
    import numpy as np

    for step in range(STEPS):
        writer.add_scalar("loss", 1 / (step + 1), step)
        writer.add_histogram("weights", np.arange(50.0), step)
        writer.add_image("digit", np.zeros((3, 4, 4)), step)
        writer.add_text("note", "hello", step)
    writer.add_hparams({"lr": 0.1}, {"accuracy": 1.0})
    writer.close()


def tensorboardx(directory):
    import tensorboardX

    _write_with(tensorboardX.SummaryWriter(directory))


def torch(directory):
    from torch.utils.tensorboard import SummaryWriter

    _write_with(SummaryWriter(directory))


WRITERS = (stock, tf_summary, keras, tensorboardx, torch)


# Readers: how many events, or values by tag, and what they raise


def by_tensorflow(path):
    import tensorflow.compat.v1 as tf

    events, values = 0, {}
    try:
        for event in tf.train.summary_iterator(path):
            events += 1
            for value in event.summary.value:
                values[value.tag] = values.get(value.tag, 0) + 1
    except Exception as error:
        return {"events": events, "values": values, "error": type(error).__name__}
    return {"events": events, "values": values, "error": None}


def by_tensorboard(path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    kinds = {
        "scalars": "Scalars",
        "histograms": "Histograms",
        "images": "Images",
        "audio": "Audio",
        "tensors": "Tensors",
    }
    accumulator = EventAccumulator(path, size_guidance=dict.fromkeys([*kinds, "compressedHistograms"], 0))
    values = {}
    error = None
    try:
        accumulator.Reload()
        tags = accumulator.Tags()
        for kind, method in kinds.items():
            for tag in tags[kind]:
                values[tag] = len(getattr(accumulator, method)(tag))
    except Exception as raised:
        error = type(raised).__name__
    return {"values": values, "error": error}


def by_tbparse(path):
    import tbparse

    values = {}
    error = None
    try:
        reader = tbparse.SummaryReader(path)
        for frame in (reader.scalars, reader.histograms, reader.images, reader.audio, reader.text, reader.tensors):
            for tag in frame["tag"] if len(frame) else ():
                values[tag] = values.get(tag, 0) + 1
    except Exception as raised:
        error = type(raised).__name__
    return {"values": values, "error": error}


READERS = {"tensorflow": by_tensorflow, "tensorboard": by_tensorboard, "tbparse": by_tbparse}


def read(paths):
    reported = {}
    for name, reader in READERS.items():
        with contextlib.suppress(ModuleNotFoundError):
            for path in paths:
                reported.setdefault(path, {})[name] = reader(path)
    return reported


# Damaged files


def damaged_files():
    """``{what happened: bytes}``: a file with 50 points, one a step, and something done to it."""
    from safewriter.eventfile.messages import Event
    from safewriter.eventfile.record import record_of

    pieces = [record_of(Event(wall_time=1.0, file_version="brain.Event:2").SerializeToString())]
    for step in range(50):
        event = Event(wall_time=2.0 + step, step=step)
        event.summary.value.add(tag="loss", simple_value=1.0)
        pieces.append(record_of(event.SerializeToString()))
    content = b"".join(pieces)
    tenth = sum(map(len, pieces[:11]))

    def flipped(offset):
        return content[:offset] + bytes([content[offset] ^ 1]) + content[offset + 1 :]

    return {
        "nothing": content,
        "the last record cut short": content[:-9],
        "one bit of the 11th point's data flipped": flipped(tenth + 20),
        "one bit of its length flipped": flipped(tenth),
        "its bytes replaced by zeros": content[:tenth] + bytes(len(pieces[11])) + content[tenth + len(pieces[11]) :],
        "its second half missing": content[: tenth + 20] + content[tenth + len(pieces[11]) :],
        "its data is no event, its checksums are right": content[:tenth]
        + record_of(b"\xff" * 30)
        + content[tenth + len(pieces[11]) :],
        "zeros appended": content + bytes(200),
        "the version record missing": content[len(pieces[0]) :],
        "only the version record": pieces[0],
        "empty": b"",
        "a text": b"step,loss\n" + b"1,0.5\n" * 50,
    }


def table():
    """What each reader says of each damaged file, as Markdown."""
    from safewriter import audit_file

    rows = [
        "| what happened to 50 points | TensorFlow's `summary_iterator` | TensorBoard's `EventAccumulator` | tbparse "
        "| safewriter |",
        "|---|---|---|---|---|",
    ]
    with tempfile.TemporaryDirectory() as directory:
        for number, (what, content) in enumerate(damaged_files().items()):
            path = os.path.join(directory, f"{number}.tfevents")
            with open(path, "wb") as file:
                file.write(content)
            os.utime(path, (0, 0))
            reported = read([path])[path]
            report = audit_file(path)
            points = sum(tag.count for run in report.runs for tag in run.tags.values())
            codes = ", ".join(finding.code for finding in report.findings) or "nothing is wrong"
            cells = [_cell(reported[name]) for name in READERS]
            rows.append(f"| {what} | {' | '.join(cells)} | {points} points, {codes} |")
    return "\n".join(rows) + "\n"


def _cell(reported):
    points = f"{sum(reported['values'].values())} points"
    return f"{points}, `{reported['error']}`" if reported["error"] else points


def main(arguments):
    warnings.simplefilter("ignore")  # theirs, not ours
    command, *rest = arguments
    printed = io.StringIO()
    with contextlib.redirect_stdout(sys.stderr):  # some of them print
        if command == "write":
            written = []
            for writer in WRITERS:
                with contextlib.suppress(ModuleNotFoundError):
                    writer(os.path.join(rest[0], writer.__name__))
                    written.append(writer.__name__)
            print(json.dumps(written), file=printed)
        elif command == "read":
            reported = read(rest)
            complete = all(len(each) == len(READERS) for each in reported.values())
            print(json.dumps({"files": reported, "table": table() if complete else None}), file=printed)
        else:
            print(table(), file=printed, end="")
    sys.stdout.write(printed.getvalue())


if __name__ == "__main__":
    main(sys.argv[1:])
