"""The hyperparameters page: a run for each setting, by the plugin of TensorBoard."""

import tensorflow as tf
from tensorboard.plugins.hparams import api as hp

import safewriter

units = hp.HParam("units", hp.Discrete([4, 8]))
with safewriter.create_file_writer("logs/hparams").as_default():
    hp.hparams_config(hparams=[units], metrics=[hp.Metric("accuracy", display_name="Accuracy")])
for number, value in enumerate(units.domain.values):
    with safewriter.create_file_writer(f"logs/hparams/run-{number}").as_default():
        hp.hparams({units: value})
        tf.summary.scalar("accuracy", 0.5 + 0.1 * number, step=1)
