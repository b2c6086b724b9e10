"""A writer for each of many runs, one after the other, never closed."""

import tensorflow as tf

import safewriter


def run(number):
    with safewriter.create_file_writer(f"logs/{number}").as_default():
        tf.summary.scalar("score", 0.5, step=number)


for number in range(50):
    run(number)
