"""What a ``tf.Graph`` says of its summary ops: the facts that ``safewriter.checks.graph`` judges."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import tensorflow as tf

from safewriter.checks.summary_ops import GraphFacts, MergeOp, SummaryOp
from safewriter.facts.source import merge_names
from safewriter.findings.place import Place, is_users

_MERGE = "MergeSummary"
_TENSOR = "TensorSummaryV2"
#: Each type of summary op, and what it shows. ``TensorSummary`` has no tag of its own.
_KINDS = {
    "ScalarSummary": "scalar",
    "HistogramSummary": "histogram",
    "ImageSummary": "image",
    "AudioSummary": "audio",
    "AudioSummaryV2": "audio",
    "TensorSummary": "tensor",
    _TENSOR: "tensor",
}
_WANTED = frozenset((*_KINDS, _MERGE))

#: TensorBoard's plugins write every kind as a tensor; the plugin's name is at the start of the op's metadata.
_PLUGIN_KINDS = {"scalars": "scalar", "histograms": "histogram", "text": "text"}

#: TensorFlow's files that a call of a summary function passes through, whoever called it.
_OP_MAKERS = tuple(
    f"{os.sep}{part.replace('/', os.sep)}"
    for part in (
        "tensorflow/python/framework/",
        "tensorflow/python/ops/",
        "tensorflow/python/summary/",
        "tensorflow/python/util/",
        "site-packages/tensorboard/",
    )
)

_PACKAGES = f"-packages{os.sep}"
_NUMBERED = re.compile(r"_(\d+)(?=/|$)")  # what TensorFlow appends to a name, or to a scope, that is taken


class GraphView:
    """A graph, as the accounts of its summary ops ask for it. It holds the graph.

    Attributes:
        graph: The graph itself.
    """

    def __init__(self, graph: tf.Graph) -> None:
        self.graph = graph

    def version(self) -> int:
        """A number that grows with every op of the graph; cheap (0.2 µs)."""
        return int(self.graph.version)

    def ops_since(self, index: int) -> tuple[list[SummaryOp], int]:
        """The summary ops that were created after the first ``index`` ops of the graph.

        Their collections and merges are left empty. When nothing was created this costs a look at a number.

        Returns:
            The ops, and the index for the next call.
        """
        if self.version() == index:  # TensorFlow numbers the ops of a graph 1, 2, 3, …
            return [], index
        operations = self.graph.get_operations()
        created = enumerate(operations[index:], start=index)
        return [_summary_op(op, order) for order, op in created if op.type in _KINDS], len(operations)

    def facts(self, known: GraphFacts) -> GraphFacts:
        """Every summary op and merge op of the graph, in and out of collections.

        Args:
            known: Facts of the same graph, gathered earlier, or none but its label: what does not change is taken
                from there.
        """
        operations = [(order, op) for order, op in enumerate(self.graph.get_operations()) if op.type in _WANTED]
        old_ops: Mapping[str, SummaryOp] = {op.name: op for op in known.ops}
        merges = _merges(operations, {merge.name: merge for merge in known.merges})
        merged_by: dict[str, list[str]] = {}
        for merge in merges:
            for name in merge.holds:
                merged_by.setdefault(name, []).append(merge.name)
        found = [old_ops.get(op.name) or _summary_op(op, order) for order, op in operations if op.type != _MERGE]
        collections = _collections(self.graph, {op.name for op in found})
        return GraphFacts(
            ops=tuple(
                replace(
                    op,
                    collections=tuple(collections.get(op.name, ())),
                    merged_by=tuple(merged_by.get(op.name, ())),
                )
                for op in found
            ),
            merges=tuple(merges),
            label=known.label,
        )


def graph_view(value: object) -> GraphView | None:
    """A view of a graph that sessions run; None for the graph of a function, and for what is no graph."""
    return GraphView(value) if isinstance(value, tf.Graph) and not value.building_function else None


def _summary_op(op: tf.Operation, order: int) -> SummaryOp:
    tag = None if op.type == "TensorSummary" else _constant(op.inputs[0])
    # Only control flow of the old kind leaves its ops in the graph itself.
    context = getattr(op, "_get_control_flow_context", lambda: None)()
    return SummaryOp(
        name=op.name,
        tag=None if tag is None else tag.decode("utf-8", "replace"),
        kind=_kind(op),
        place=_shown(_line(op)),
        collections=(),
        order=order,
        conditional=context is not None,
        renumbered=_renumbered(op),
    )


def _kind(op: tf.Operation) -> str:
    if op.type != _TENSOR:
        return _KINDS[op.type]
    try:
        metadata = tf.compat.v1.SummaryMetadata.FromString(_constant(op.inputs[2]) or b"")
    except Exception:  # noqa: BLE001  a user may put any bytes there; protobuf's own error class differs by version
        return "tensor"
    return _PLUGIN_KINDS.get(str(metadata.plugin_data.plugin_name), "tensor")


def _constant(tensor: tf.Tensor) -> bytes | None:
    """The string that a tensor always has (the first, of several); None where only a run can tell."""
    op = tensor.op
    while op.type == "Identity":
        op = op.inputs[0].op
    if op.type != "Const":
        return None
    strings = op.get_attr("value").string_val
    return bytes(strings[0]) if strings else None


def _renumbered(op: tf.Operation) -> bool:
    """Whether TensorFlow put a number into the name of an op because the name that was asked for was taken.

    It counts how often it was asked for each name, in lower case: a ``layer_2`` of the program's own is the first of
    its name, but a ``loss_2`` that TensorFlow made stands for the third call that asked for ``loss``.
    """
    asked: Mapping[str, int] = getattr(op.graph, "_names_in_use", {})
    name = op.name.lower()
    return any(asked.get(name[: match.start()], 0) > int(match[1]) for match in _NUMBERED.finditer(name))


def _line(op: tf.Operation) -> tuple[str, int] | None:
    """The user's line that defined an op; None where no line of the user's asked for it."""
    frames = op.traceback or ()
    for index in range(len(frames) - 1, -1, -1):  # each frame costs, and the user's is near the end
        filename = frames[index].filename
        if is_users(filename):
            return filename, frames[index].lineno
        if _PACKAGES in filename and not any(part in filename for part in _OP_MAKERS):
            return None  # TensorFlow or Keras made it for itself, as TensorFlow's input queues do
    return None


def _shown(line: tuple[str, int] | None) -> str:
    return str(Place(*line)) if line else ""


def _merges(operations: Sequence[tuple[int, tf.Operation]], known: Mapping[str, MergeOp]) -> list[MergeOp]:
    """The merge ops in order of creation, each with all that it holds."""
    held: dict[str, tuple[str, ...]] = {}
    merges = []
    at_line: Counter[str] = Counter()
    for order, op in operations:
        if op.type != _MERGE:
            continue
        merge = known.get(op.name)
        if merge is None:
            line = _line(op)
            place = _shown(line)
            names = merge_names(*line) if line else ()
            variable = names[at_line[place] % len(names)] if names else ""
            merge = MergeOp(op.name, place, order, _held(op, held), variable)
        at_line[merge.place] += 1
        held[op.name] = merge.holds
        merges.append(merge)
    return merges


def _held(merge: tf.Operation, held: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The summary ops that reach a merge, in the order of its inputs.

    Directly, through another merge, or through what hands a string on: ``tf.identity``, a branch, a stack.
    """
    names: dict[str, None] = {}
    seen: set[str] = set()
    waiting = [tensor.op for tensor in reversed(merge.inputs)]
    while waiting:
        op = waiting.pop()
        if op.name in seen:
            continue
        seen.add(op.name)
        if op.type in _KINDS:
            names[op.name] = None
        elif op.name in held:
            names.update(dict.fromkeys(held[op.name]))
        else:
            waiting.extend(tensor.op for tensor in reversed(op.inputs) if tensor.dtype.base_dtype == tf.string)
    return tuple(names)


def _collections(graph: tf.Graph, names: set[str]) -> dict[str, list[str]]:
    """The collections that hold each of these ops."""
    found: dict[str, list[str]] = {}
    for key in graph.get_all_collection_keys():  # those that are strings: TensorFlow's own stores have others
        for item in graph.get_collection(key):
            name = _op_name(item)
            if name in names:
                found.setdefault(name, []).append(key)
    return {name: list(dict.fromkeys(keys)) for name, keys in found.items()}


def _op_name(item: Any) -> str:
    if isinstance(item, tf.Tensor):
        return str(item.op.name)
    return str(item.name) if isinstance(item, tf.Operation) else ""
