"""The tests here run where TensorFlow is not installed."""

import pytest


@pytest.fixture
def tf():
    """TensorFlow, for the few tests that hold our reading against TensorFlow's own."""
    return pytest.importorskip("tensorflow.compat.v1", reason="compares with TensorFlow, which is not installed here")


@pytest.fixture
def graph(tf):
    """A fresh graph of TensorFlow 1, the default one during the test."""
    with tf.Graph().as_default() as graph:
        yield graph
