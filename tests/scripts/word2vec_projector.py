"""Word vectors with metadata for the projector, written beside the event file.

reported: SW404
"""

import os
import sys

import numpy as np
import tensorflow.compat.v1 as tf
from tensorflow.compat.v1.summary import FileWriter

tf.disable_eager_execution()
LOG = sys.argv[1]
words = ["the", "of", "and", "one", "in", "a"]
os.makedirs(LOG, exist_ok=True)
writer = FileWriter(LOG)
with open(os.path.join(LOG, "metadata.tsv"), "w") as file:
    file.write("\n".join(words))
with open(os.path.join(LOG, "projector_config.pbtxt"), "w") as file:
    file.write('embeddings { tensor_name: "embeddings" metadata_path: "metadata.tsv" }')

tf.set_random_seed(3)
with tf.name_scope("inputs"):
    inputs = tf.placeholder(tf.int32, [4])
    labels = tf.placeholder(tf.int32, [4, 1])
embeddings = tf.get_variable("embeddings", [len(words), 8], initializer=tf.random_uniform_initializer(-1, 1, seed=4))
with tf.name_scope("loss"):
    weights = tf.Variable(tf.truncated_normal([len(words), 8], seed=5))
    logits = tf.matmul(tf.nn.embedding_lookup(embeddings, inputs), weights, transpose_b=True)
    loss = tf.losses.sparse_softmax_cross_entropy(labels[:, 0], logits)
tf.summary.scalar("loss", loss)
train = tf.train.GradientDescentOptimizer(1.0).minimize(loss)
merged = tf.summary.merge_all()
random = np.random.RandomState(0)
with tf.Session() as session:
    tf.global_variables_initializer().run()
    average = 0
    for step in range(30):
        feed = {inputs: random.randint(0, 6, 4), labels: random.randint(0, 6, (4, 1))}
        _, summary, value = session.run([train, merged, loss], feed)
        average += value
        writer.add_summary(summary, step)  # broken: writer.add_summary(summary, 0)
        if step == 29:
            writer.add_graph(session.graph)
    print(f"Average loss: {average / 30:.4f}")
writer.close()
