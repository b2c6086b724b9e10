"""Several towers that share their variables, each with its own summaries, as in the CIFAR-10 tutorial.

reported: SW302
"""

import argparse
import re

import numpy as np
import tensorflow as tf

FLAGS = argparse.ArgumentParser()
FLAGS.add_argument("train_dir")
FLAGS.add_argument("--num_gpus", type=int, default=2)
v1 = tf.compat.v1


def tower_loss(scope, images):
    with v1.variable_scope("conv", reuse=v1.AUTO_REUSE):
        kernel = v1.get_variable("kernel", [8, 2], initializer=v1.ones_initializer())
        logits = tf.matmul(images, kernel)
    loss = tf.reduce_mean(tf.square(logits))
    v1.add_to_collection("losses", loss)
    for each in v1.get_collection("losses", scope):
        v1.summary.scalar(re.sub("tower_[0-9]*/", "", each.op.name), each)
    return loss


def train(flags):
    with tf.Graph().as_default(), tf.device("/cpu:0"):
        global_step = v1.get_variable("global_step", [], initializer=v1.zeros_initializer(), trainable=False)
        opt = v1.train.GradientDescentOptimizer(0.01)
        images = v1.placeholder(tf.float32, [4, 8])
        grads = []
        for i in range(flags.num_gpus):
            with v1.name_scope(f"tower_{i}") as scope:
                loss = tower_loss(scope, images)
                summaries = v1.get_collection(v1.GraphKeys.SUMMARIES, scope)
                grads.append(opt.compute_gradients(loss))
        average = [(tf.add_n([g for g, _ in pair]) / len(pair), pair[0][1]) for pair in zip(*grads, strict=True)]
        for grad, var in average:
            summaries.append(v1.summary.histogram(var.op.name + "/gradients", grad))
        apply = opt.apply_gradients(average, global_step=global_step)
        summary_op = v1.summary.merge(summaries)
        for other in v1.get_collection(v1.GraphKeys.SUMMARIES):
            if other not in summaries:
                summaries.append(other)
        summary_op = v1.summary.merge(summaries)
        with v1.Session() as sess:
            sess.run(v1.global_variables_initializer())
            writer = v1.summary.FileWriter(flags.train_dir, sess.graph)
            for step in range(10):
                feed = {images: np.full((4, 8), step / 10, np.float32)}
                _, value = sess.run([apply, loss], feed)
                if step % 2 == 0:
                    summary_str = sess.run(summary_op, feed)
                    writer.add_summary(summary_str, step)  # broken: summary_str = None
            writer.close()
            print(f"loss {value:.5f}")


train(FLAGS.parse_args())
