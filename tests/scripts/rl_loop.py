"""Reinforcement learning: values made by hand, episode by episode.

reported: SW401
"""

import random
import sys

import tensorflow as tf

random.seed(0)
writer = None


def log(tag, value, episode):
    summary = tf.compat.v1.Summary(value=[tf.compat.v1.Summary.Value(tag=tag, simple_value=value)])
    writer.add_summary(summary, episode)


with tf.Graph().as_default():
    writer = tf.compat.v1.summary.FileWriter(sys.argv[1], flush_secs=5)
    average = 0.0
    for episode in range(50):
        rewards = [random.random() for _ in range(random.randint(1, 9))]
        average = 0.9 * average + 0.1 * sum(rewards)
        log("reward", sum(rewards), episode)
        log("episode_length", len(rewards), episode)
        log("average", average, episode)  # broken: log("average", average / 0 if 0 else float("nan"), episode)
        if episode % 10 == 0:
            writer.flush()
            print("episode", episode, round(average, 4))
    writer.flush()
    writer.close()
