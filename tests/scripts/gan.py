"""A GAN: a summary of the generator and one of the discriminator in each step.

reported: SW303
"""

import sys

import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()


class Gan:
    def __init__(self):
        self.z = tf.placeholder(tf.float32, [None, 4])
        self.real = tf.placeholder(tf.float32, [None, 4])
        with tf.variable_scope("generator"):
            self.fake = self.dense(self.z, 4)
        d_real, d_fake = self.discriminate(self.real), self.discriminate(self.fake)
        self.d_loss = tf.reduce_mean(d_fake) - tf.reduce_mean(d_real)
        self.g_loss = -tf.reduce_mean(d_fake)
        d_real_sum = tf.summary.histogram("d_real", d_real)
        d_fake_sum = tf.summary.histogram("d_fake", d_fake)
        d_loss_sum = tf.summary.scalar("d_loss", self.d_loss)
        g_loss_sum = tf.summary.scalar("g_loss", self.g_loss)
        self.g_sum = tf.summary.merge([d_fake_sum, g_loss_sum])  # broken: self.g_sum = tf.summary.merge([d_fake_sum])
        self.d_sum = tf.summary.merge([d_real_sum, d_loss_sum])
        variables = tf.trainable_variables()
        of = {name: [v for v in variables if v.name.startswith(name)] for name in ("discriminator", "generator")}
        self.d_optim = tf.train.GradientDescentOptimizer(0.01).minimize(self.d_loss, var_list=of["discriminator"])
        self.g_optim = tf.train.GradientDescentOptimizer(0.01).minimize(self.g_loss, var_list=of["generator"])

    def discriminate(self, image):
        with tf.variable_scope("discriminator", reuse=tf.AUTO_REUSE):
            return self.dense(image, 1)

    def dense(self, inputs, units):
        return tf.matmul(inputs, tf.get_variable("kernel", [4, units], initializer=tf.ones_initializer()))

    def train(self, sess, log):
        self.writer = tf.summary.FileWriter(log, sess.graph)
        random = np.random.RandomState(0)
        for counter in range(1, 11):
            batch = {self.z: random.rand(4, 4), self.real: random.rand(4, 4)}
            _, summary_str = sess.run([self.d_optim, self.d_sum], batch)
            self.writer.add_summary(summary_str, counter)
            _, summary_str = sess.run([self.g_optim, self.g_sum], batch)
            self.writer.add_summary(summary_str, counter)
        d_loss, g_loss = sess.run([self.d_loss, self.g_loss], batch)
        print(f"d_loss: {d_loss:.6f}, g_loss: {g_loss:.6f}")
        self.writer.close()


gan = Gan()
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    gan.train(sess, sys.argv[1])
