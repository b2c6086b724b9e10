"""A flag that was never set."""

import argparse

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
parser = argparse.ArgumentParser()
parser.add_argument("--logdir")
writer = FileWriter(parser.parse_args().logdir)  # raised: SW101
