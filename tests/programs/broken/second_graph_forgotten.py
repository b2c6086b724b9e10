"""Two models in two graphs; the second's writer gets the graph and nothing else."""

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
graphs = {}
for name in ("generator", "discriminator"):
    with tf.Graph().as_default() as graph:
        x = tf.placeholder(tf.float32, name="x")
        tf.summary.scalar("loss", x)  # named: SW302
        graphs[name] = (graph, x, tf.summary.merge_all())

writers = {name: FileWriter("logs/" + name, graph) for name, (graph, _, _) in graphs.items()}  # reported: SW302
graph, x, merged = graphs["generator"]
with tf.Session(graph=graph) as sess:
    for step in range(5):
        writers["generator"].add_summary(sess.run(merged, {x: step}), step)
for writer in writers.values():
    writer.close()
