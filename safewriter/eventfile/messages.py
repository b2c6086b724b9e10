"""The messages in event files, without TensorFlow: ``Event`` and what hangs on it.

They are built here at import from the table below, in a pool of their own, so that they get along with TensorFlow's
and TensorBoard's messages in one process and with each protobuf from 4.25 to 7. Only what is judged is spelt out;
the rest stays in the message as unknown fields.

Source of names and numbers: TensorFlow, ``tensorflow/core/util/event.proto``,
``tensorflow/core/framework/{summary,histogram,tensor}.proto``.
"""

from __future__ import annotations

from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

FILE_VERSION: Final = "brain.Event:2"  #: what a file begins with (tensorflow/core/util/events_writer.cc)
START: Final = 1  #: SessionLog.SessionStatus: a session begins, or goes on, at this step

# message: (name, number, type, "repeated" or the oneof it is in). A type is a scalar's name or one of these messages.
_TABLE: Final[dict[str, tuple[tuple[str, int, str, str], ...]]] = {
    "Event": (
        ("wall_time", 1, "double", ""),
        ("step", 2, "int64", ""),
        ("file_version", 3, "string", "what"),
        ("graph_def", 4, "bytes", "what"),
        ("summary", 5, "Summary", "what"),
        ("log_message", 6, "bytes", "what"),
        ("session_log", 7, "SessionLog", "what"),
        ("tagged_run_metadata", 8, "bytes", "what"),
        ("meta_graph_def", 9, "bytes", "what"),
    ),
    "SessionLog": (("status", 1, "int32", ""),),
    "Summary": (("value", 1, "Value", "repeated"),),
    "Value": (
        ("tag", 1, "string", ""),
        ("simple_value", 2, "float", "value"),
        ("obsolete_old_style_histogram", 3, "bytes", "value"),
        ("image", 4, "bytes", "value"),
        ("histo", 5, "HistogramProto", "value"),
        ("audio", 6, "bytes", "value"),
        ("node_name", 7, "string", ""),
        ("tensor", 8, "TensorProto", "value"),
        ("metadata", 9, "SummaryMetadata", ""),
    ),
    "SummaryMetadata": (("plugin_data", 1, "PluginData", ""),),
    "PluginData": (("plugin_name", 1, "string", ""), ("content", 2, "bytes", "")),
    "HistogramProto": (
        ("min", 1, "double", ""),
        ("max", 2, "double", ""),
        ("num", 3, "double", ""),
        ("sum", 4, "double", ""),
        ("sum_squares", 5, "double", ""),
        ("bucket_limit", 6, "double", "repeated"),
        ("bucket", 7, "double", "repeated"),
    ),
    "TensorProto": (
        ("dtype", 1, "int32", ""),
        ("tensor_content", 4, "bytes", ""),
        ("float_val", 5, "float", "repeated"),
        ("double_val", 6, "double", "repeated"),
        ("scomplex_val", 9, "float", "repeated"),
        ("dcomplex_val", 12, "double", "repeated"),
        ("half_val", 13, "int32", "repeated"),
    ),
}
_PACKAGE: Final = "safewriter.eventfile"
_Field = descriptor_pb2.FieldDescriptorProto


class NotAnEventError(ValueError):
    """The bytes of a record are not a serialized ``Event``, although its checksum is right."""


def _file_descriptor() -> Any:
    file = descriptor_pb2.FileDescriptorProto(name="safewriter/eventfile.proto", package=_PACKAGE, syntax="proto3")
    for name, fields in _TABLE.items():
        message = file.message_type.add(name=name)
        for field_name, number, type_name, belongs in fields:
            field = message.field.add(name=field_name, number=number, label=_Field.LABEL_OPTIONAL)
            if type_name in _TABLE:
                field.type = _Field.TYPE_MESSAGE
                field.type_name = f".{_PACKAGE}.{type_name}"
            else:
                field.type = _Field.Type.Value(f"TYPE_{type_name.upper()}")
            if belongs == "repeated":
                field.label = _Field.LABEL_REPEATED
            elif belongs:
                if not message.oneof_decl:
                    message.oneof_decl.add(name=belongs)
                field.oneof_index = 0
    return file


_pool = descriptor_pool.DescriptorPool()
_pool.Add(_file_descriptor())


def _message(name: str) -> Any:
    return message_factory.GetMessageClass(_pool.FindMessageTypeByName(f"{_PACKAGE}.{name}"))


Event: Final = _message("Event")
Summary: Final = _message("Summary")


def parse_event(data: bytes) -> Any:
    """The event in the data of one record.

    Raises:
        NotAnEventError: The bytes are something else.
    """
    try:
        return Event.FromString(data)
    except DecodeError:
        raise NotAnEventError(f"{len(data)} bytes with a right checksum are no event") from None
