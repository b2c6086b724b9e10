"""MultiWorkerMirroredStrategy with two processes, and only the chief writes."""

import json
import os
import socket
import subprocess
import sys

import numpy as np

import safewriter

if len(sys.argv) == 1:
    sockets = [socket.socket() for _ in range(2)]
    for each in sockets:
        each.bind(("localhost", 0))
    addresses = [f"localhost:{each.getsockname()[1]}" for each in sockets]
    for each in sockets:
        each.close()
    ended = []
    for index in range(2):
        config = json.dumps({"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}})
        environment = {**os.environ, "TF_CONFIG": config}
        ended.append(subprocess.Popen([sys.executable, os.path.abspath(__file__), "worker"], env=environment))
    sys.exit(max(each.wait(90) for each in ended))

import tensorflow as tf

strategy = tf.distribute.MultiWorkerMirroredStrategy()
chief = strategy.cluster_resolver.task_id == 0
writer = safewriter.create_file_writer("logs") if chief else tf.summary.create_noop_writer()
with strategy.scope():
    weight = tf.Variable(1.0)


@tf.function
def train():
    return strategy.reduce("SUM", strategy.run(lambda: weight * 0.5), axis=None)


for step in range(5):
    loss = train()
    with writer.as_default():
        tf.summary.scalar("loss", loss, step=step)
assert np.isclose(loss, 1.0)
