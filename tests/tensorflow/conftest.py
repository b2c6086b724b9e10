"""What tests with TensorFlow share: fresh graphs, and TensorFlow's own reader."""

import glob
import os
import warnings

import pytest

with warnings.catch_warnings():
    # TensorFlow 2.12 imports a name that the newest JAX for it deprecates.
    warnings.simplefilter("ignore")
    import tensorflow.compat.v1 as tf


@pytest.fixture
def graph():
    """A fresh graph of TensorFlow 1, the default one during the test."""
    with tf.Graph().as_default() as graph:
        yield graph


def _read_events(place):
    place = os.fspath(place)
    pattern = os.path.join(glob.escape(place), "*tfevents*")
    files = sorted(glob.glob(pattern)) if os.path.isdir(place) else [place]
    return [
        event
        for file in files
        for event in tf.train.summary_iterator(file)
        if event.WhichOneof("what") != "file_version"
    ]


@pytest.fixture(scope="session")
def read_events():
    """Reads the events of a file, or of a directory's event files, with TensorFlow's reader; no version records."""
    return _read_events


@pytest.fixture(scope="session")
def read_points():
    """Reads the scalars of a file or directory with TensorFlow's reader, as ``{tag: [(step, value), …]}``."""

    def read(place):
        points = {}
        for event in _read_events(place):
            for value in event.summary.value:
                points.setdefault(value.tag, []).append((event.step, value.simple_value))
        return points

    return read
