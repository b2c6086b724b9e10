"""Where a writer is created, in the terms of ``tf.distribute`` and ``tf.function``.

Source of facts: TensorFlow keeps a stack of modes (cross-replica, in replica) on each graph, per thread
(``ops.Graph._distribution_strategy_stack``); the public functions look at the innermost default graph alone. All
private names are read here, each with a fallback, and pinned by tests.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf
from tensorflow.python.framework import func_graph, ops

from safewriter.checks.distribution import StrategyFacts
from safewriter.system.role import role
from safewriter.system.stack import outwards

#: Classes whose public name is another.
_PUBLIC_NAMES = {"CollectiveAllReduceStrategy": "MultiWorkerMirroredStrategy"}
_DEFAULT = "_DefaultDistributionStrategy"
_DISTRIBUTE = os.path.join("tensorflow", "python", "distribute") + os.sep


def strategy_facts(environment: Mapping[str, str] = os.environ) -> StrategyFacts:
    """What TensorFlow knows of the line that is running in this thread.

    To be called in the constructor of a writer. Without a strategy it costs a few microseconds. It never raises for a
    version of TensorFlow that keeps its scopes elsewhere: then less is known.
    """
    graphs = _graphs()
    tracing = _tracing(graphs)
    modes = _modes(graphs)
    if not modes:
        return StrategyFacts(tracing=tracing, role=role(environment=environment))
    strategy = modes[-1].strategy
    in_replica = any(getattr(mode, "replica_context", None) is not None for mode in modes)
    cross_replica = getattr(modes[-1], "cross_replica_context", None) is not None
    in_merge_call = cross_replica and (in_replica or _inside_run())
    return StrategyFacts(
        strategy=public_name(strategy),
        replicas=_number(strategy, "num_replicas_in_sync"),
        in_scope=True,
        scope_behind_graph=not tf.distribute.has_strategy(),
        in_replica=in_replica or in_merge_call,
        in_merge_call=in_merge_call,
        tracing=tracing,
        should_save_summary=_saves(strategy),
        role=role(strategy, environment),
    )


def public_name(strategy: object) -> str:
    """The name by which users know a strategy's class, such as ``MultiWorkerMirroredStrategy``."""
    name = type(strategy).__name__
    for ending in ("V1", "V2", "Experimental"):
        name = name.removesuffix(ending)
    name = name.lstrip("_")
    return _PUBLIC_NAMES.get(name, name)


def _graphs() -> list[Any]:
    """The default graphs of this thread, outermost first: the global one, then those that were entered."""
    try:
        stack = ops._default_graph_stack
        outermost = stack._global_default_graph
        return ([] if outermost is None else [outermost]) + list(stack.stack)
    except AttributeError:
        return [tf.compat.v1.get_default_graph()]


def _modes(graphs: Sequence[Any]) -> list[Any]:
    """What the strategies in scope have pushed, outermost first, on all graphs; the default strategy is none."""
    modes = [
        mode
        for graph in graphs
        for mode in getattr(graph, "_distribution_strategy_stack", ())
        if not type(mode.strategy).__name__.startswith(_DEFAULT)
    ]
    if not modes and tf.distribute.has_strategy():
        return [_PublicMode()]
    return modes


class _PublicMode:
    """The same, from public functions alone."""

    def __init__(self) -> None:
        self.strategy = tf.distribute.get_strategy()
        self.replica_context = tf.distribute.get_replica_context()
        self.cross_replica_context = self.strategy if tf.distribute.in_cross_replica_context() else None


def _inside_run() -> bool:
    """Whether ``strategy.run`` is among this thread's callers.

    ``MirroredStrategy`` runs the function given to ``merge_call`` in the thread that called ``run``, where nothing
    on the stack of modes distinguishes it from the scope.
    """
    callers = (frame.f_code for frame in outwards(sys._getframe(1)))
    return any(code.co_name == "_call_for_each_replica" and _DISTRIBUTE in code.co_filename for code in callers)


def _tracing(graphs: Sequence[Any]) -> str | None:
    """Name of the outermost function that is being traced: the one that the user wrote."""
    for graph in graphs:
        if isinstance(graph, func_graph.FuncGraph):
            return str(getattr(graph, "name", "") or "a function")
    return None


def _number(strategy: Any, name: str) -> int:
    try:
        return int(getattr(strategy, name))
    except Exception:  # noqa: BLE001 - a strategy of a third party; the number only stands in a message
        return 1


def _saves(strategy: Any) -> bool | None:
    try:
        return bool(strategy.extended.should_save_summary)
    except Exception:  # noqa: BLE001 - a strategy of a third party; the fact only stands in a message
        return None
