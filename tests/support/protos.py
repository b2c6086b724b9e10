"""The messages of event files as TensorBoard brings them: for tests that run without TensorFlow."""

from tensorboard.compat.proto.event_pb2 import Event as Event, SessionLog as SessionLog
from tensorboard.compat.proto.histogram_pb2 import HistogramProto as HistogramProto
from tensorboard.compat.proto.summary_pb2 import Summary as Summary, SummaryMetadata as SummaryMetadata
