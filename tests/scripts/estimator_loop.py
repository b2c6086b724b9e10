"""An Estimator with hooks: it trains, evaluates, and trains again.

reported: SW303
"""

import sys

import numpy as np
import tensorflow as tf

v1 = tf.compat.v1


def input_fn():
    data = np.random.RandomState(0).rand(32, 4).astype(np.float32)
    return tf.data.Dataset.from_tensor_slices(({"x": data}, data.sum(1))).batch(8)


def model_fn(features, labels, mode):
    with v1.variable_scope("model"):
        weights = v1.get_variable("weights", [4, 1], initializer=v1.ones_initializer())
    predictions = tf.matmul(features["x"], weights)[:, 0]
    loss = v1.losses.mean_squared_error(labels, predictions)
    v1.summary.scalar("batch_error", loss)
    v1.summary.histogram("weights", weights)
    train_op = v1.train.GradientDescentOptimizer(0.01).minimize(loss, v1.train.get_global_step())
    metrics = {"mean_error": v1.metrics.mean(loss)}
    extra = v1.summary.scalar("extra", loss, collections=["extra"])
    hook = v1.train.SummarySaverHook(save_steps=2, output_dir=sys.argv[1] + "/extra", summary_op=extra)
    hooks = [hook]  # broken: hooks = []
    return tf.estimator.EstimatorSpec(
        mode, loss=loss, train_op=train_op, eval_metric_ops=metrics, training_hooks=hooks, predictions=predictions
    )


config = tf.estimator.RunConfig(model_dir=sys.argv[1], save_summary_steps=2, tf_random_seed=1)
estimator = tf.estimator.Estimator(model_fn, config=config)
estimator.train(input_fn)
result = estimator.evaluate(input_fn)
estimator.train(input_fn)
print(f"mean error {result['mean_error']:.5f}")
