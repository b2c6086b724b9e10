"""The tests here run where TensorFlow is not installed."""

import pytest


@pytest.fixture
def tf():
    """TensorFlow, for the few tests that hold our reading against TensorFlow's own."""
    return pytest.importorskip("tensorflow.compat.v1", reason="compares with TensorFlow, which is not installed here")
