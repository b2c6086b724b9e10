"""Graph, meta graph, run metadata, session log and a bare event beside the summaries."""

import time

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter as FileWriter

tf.disable_eager_execution()
x = tf.placeholder(tf.float32)
tf.summary.scalar("loss", x)
merged = tf.summary.merge_all()
with tf.Session() as sess:
    writer = FileWriter("logs", graph=sess.graph, max_queue=5, flush_secs=1, filename_suffix=".train")
    writer.add_meta_graph(tf.train.export_meta_graph())
    writer.add_session_log(tf.SessionLog(status=tf.SessionLog.START), global_step=0)
    for step in range(5):
        options, metadata = tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE), tf.RunMetadata()
        summary = sess.run(merged, {x: step}, options=options, run_metadata=metadata)
        writer.add_run_metadata(metadata, f"step{step}", step)
        writer.add_summary(summary, step)
        writer.flush()
    writer.add_event(tf.Event(wall_time=time.time(), step=5))
    writer.close()
