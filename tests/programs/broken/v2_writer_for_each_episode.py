"""A writer for each episode, and all are kept."""

import tensorflow as tf

import safewriter

episodes = []
for episode in range(40):
    episodes.append(safewriter.create_file_writer(f"logs/{episode}"))  # reported: SW506
    with episodes[-1].as_default():
        tf.summary.scalar("reward", float(episode), step=0)
