"""Two workers, and each fits with the callback on the same directory."""

import json
import os
import subprocess
import sys

import numpy as np
import tensorflow as tf

from safewriter.keras import TensorBoard

if len(sys.argv) == 1:
    cluster = {"worker": ["localhost:1", "localhost:2"]}
    config = json.dumps({"cluster": cluster, "task": {"type": "worker", "index": 1}})
    os.environ["TF_CONFIG"] = json.dumps({"cluster": cluster, "task": {"type": "worker", "index": 0}})
    command = [sys.executable, "-W", "ignore", os.path.abspath(__file__), "worker"]
    worker = subprocess.Popen(
        command, env={**os.environ, "TF_CONFIG": config}, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    worker.stdout.readline()


class WithTheOther(tf.keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        if epoch == 0 and len(sys.argv) > 1:
            print("ready", flush=True)
            sys.stdin.readline()


model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
model.compile("sgd", "mse")
x, y = np.zeros((8, 2)), np.zeros((8, 1))
callbacks = [TensorBoard("logs", write_graph=False), WithTheOther()]
model.fit(x, y, epochs=2, verbose=0, callbacks=callbacks)  # reported: SW203
if len(sys.argv) == 1:
    worker.communicate(b"go on\n", timeout=60)
