"""What the property tests of both writers share: what is found of a story's events, and rules that may be left out."""

import collections
import functools
import glob
import os

import tensorflow.compat.v1 as tf


def number_of(value):
    """The number in a value of a summary, of TensorFlow 1 or 2."""
    return int(tf.make_ndarray(value.tensor) if value.HasField("tensor") else value.simple_value)


def reported_lost(findings):
    return sum(finding.data["lost"] for finding in findings if finding.code in ("SW502", "SW503"))


def read_numbers(directory, ours, foreign):
    """How often each number is in a directory's event files, by TensorFlow's reader; ours must be whole."""
    found = collections.Counter()
    for path in sorted(set(glob.glob(os.path.join(directory, "*tfevents*"))) - foreign):
        try:
            for event in tf.train.summary_iterator(path):
                found.update(number_of(value) for value in event.summary.value if value.tag == "number")
        except tf.errors.DataLossError:
            assert path not in ours, f"{path} can't be read to its end"
    return found


def only_if(condition):
    """Leaves a rule out where it makes no sense.

    Not a precondition: those steer what hypothesis draws, which must not depend on how quick a thread is.
    """

    def wrap(step):
        @functools.wraps(step)
        def maybe(self, **drawn):
            if condition(self):
                step(self, **drawn)

        return maybe

    return wrap
