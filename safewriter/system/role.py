"""Who this process is: from the strategy in scope, ``TF_CONFIG``, or the rank that its launcher set.

A role appears in messages and in the report. It never decides alone that something is wrong: a worker that writes
into a directory of its own is right.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from safewriter.checks.distribution import Role

#: Launchers and the variables in which they tell a process its rank and the number of ranks, innermost first: where
#: one launcher was started by another (torchrun by srun, Horovod by mpirun), the rank of the inner one is ours.
#: SLURM_STEP_NUM_TASKS is what TensorFlow's own resolver reads; unlike SLURM_NTASKS it is not set in a batch script
#: that runs once, before any srun.
LAUNCHERS = (
    ("Horovod", "HOROVOD_RANK", "HOROVOD_SIZE"),
    ("torchrun", "RANK", "WORLD_SIZE"),
    ("Open MPI", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),
    ("PMI", "PMI_RANK", "PMI_SIZE"),
    ("SLURM", "SLURM_PROCID", "SLURM_STEP_NUM_TASKS"),
)

VARIABLES = ("TF_CONFIG", *(name for _, *names in LAUNCHERS for name in names))

#: Resolvers that answer from memory or the environment; others ask a service over the network.
_LOCAL_RESOLVERS = frozenset({"TFConfigClusterResolver", "SimpleClusterResolver"})


def role(strategy: object | None = None, environment: Mapping[str, str] = os.environ) -> Role:
    """Who this process is.

    Args:
        strategy: The strategy in scope, or None. Only attributes that cost nothing are read.
        environment: Where ``TF_CONFIG`` and ranks are looked up.

    Returns:
        The first that is said by: the strategy's cluster resolver, ``TF_CONFIG``, a launcher. Never raises: what is
        wrong or contradicts itself is reported in ``problems``.
    """
    configured, problems = _from_tf_config(environment.get("TF_CONFIG"))
    launched, troubles = _from_launchers(environment)
    by_strategy = _from_strategy(strategy)
    problems += troubles + _contradictions([each for each in (by_strategy, configured, *launched) if each is not None])
    problems += _not_configured(strategy, environment)
    found = by_strategy or configured or (launched[0] if launched else Role())
    return replace(found, problems=tuple(problems))


def _from_strategy(strategy: object | None) -> Role | None:
    resolver = getattr(strategy, "cluster_resolver", None)
    task = getattr(resolver, "task_type", None)
    if not task:
        return None
    index = _whole(getattr(resolver, "task_id", None))
    cluster = _cluster_of(resolver)
    source = "TF_CONFIG" if type(resolver).__name__ == "TFConfigClusterResolver" else type(resolver).__name__
    saves = getattr(getattr(strategy, "extended", None), "should_save_summary", None)
    chief = saves if isinstance(saves, bool) else _is_chief(str(task), index, cluster)
    return Role(str(task), index, _count(cluster.get(str(task))), source, chief)


def _cluster_of(resolver: object) -> Mapping[str, Any]:
    if type(resolver).__name__ not in _LOCAL_RESOLVERS:
        return {}
    try:
        spec = resolver.cluster_spec()  # type: ignore[attr-defined]
        return dict(spec.as_dict())
    except Exception:  # noqa: BLE001 - TF_CONFIG may be broken since the strategy read it; reported elsewhere
        return {}


def _from_tf_config(text: str | None) -> tuple[Role | None, list[str]]:
    if not text or not text.strip():
        return None, []
    try:
        config = json.loads(text)
    except ValueError as error:
        return None, [f"TF_CONFIG is not JSON ({error}), so it says nothing."]
    if not isinstance(config, dict):
        return None, [f"TF_CONFIG is a JSON {type(config).__name__}, not an object with 'cluster' and 'task'."]
    cluster, task = config.get("cluster") or {}, config.get("task") or {}
    if not isinstance(cluster, dict) or not isinstance(task, dict):
        return None, ["TF_CONFIG's 'cluster' and 'task' must be objects."]
    if not task:
        return None, (
            ["TF_CONFIG has a 'cluster' but no 'task': it does not say which process this is."] if cluster else []
        )
    return _task_role(cluster, task)


def _task_role(cluster: Mapping[str, Any], task: Mapping[str, Any]) -> tuple[Role | None, list[str]]:
    kind, index = task.get("type"), _whole(task.get("index"))
    if not isinstance(kind, str) or not kind or index is None:
        return None, [f"TF_CONFIG's 'task' is {dict(task)!r}: it needs a 'type' and a whole 'index'."]
    size, problems = _count(cluster.get(kind)), []
    if cluster and size is None and kind != "evaluator":  # an evaluator may stand outside of the cluster
        problems.append(
            f"TF_CONFIG's 'task' is a {kind!r}, which its 'cluster' ({', '.join(map(str, cluster))}) does not have."
        )
    if index < 0 or (size is not None and index >= size):
        problems.append(f"TF_CONFIG calls this {kind} {index}, but its cluster has {size} of them, counted from 0.")
    return Role(kind, index, size, "TF_CONFIG", _is_chief(kind, index, cluster)), problems


def _is_chief(task: str, index: int | None, cluster: Mapping[str, Any]) -> bool | None:
    """TensorFlow's rule: the chief (formerly master), or where there is none, worker 0.

    Source: TensorFlow, ``tensorflow/python/distribute/multi_worker_util.py``, ``is_chief``.
    """
    if task in ("chief", "master"):
        return True
    if not cluster:
        return None
    return task == "worker" and index == 0 and not {"chief", "master"} & set(cluster)


def _from_launchers(environment: Mapping[str, str]) -> tuple[list[Role], list[str]]:
    roles, problems = [], []
    for launcher, rank_name, size_name in LAUNCHERS:
        rank_text, size_text = environment.get(rank_name), environment.get(size_name)
        if rank_text is None or size_text is None:  # half of a pair is somebody else's variable
            continue
        rank, size = _whole(rank_text), _whole(size_text)
        if rank is None or size is None or not 0 <= rank < size:
            problems.append(f"{rank_name}={rank_text} and {size_name}={size_text} name no rank.")
        elif size > 1:
            roles.append(Role("rank", rank, size, launcher, rank == 0))
    return roles, problems


def _contradictions(roles: list[Role]) -> list[str]:
    """Sources that know of as many processes, but not of this one's place among them.

    Where the numbers of processes differ, one launcher runs inside another, and both are right.
    """
    problems = []
    first = roles[0] if roles else None
    for other in roles[1:]:
        if first is None or (first.task, first.index, first.size) == (other.task, other.index, other.size):
            continue
        same_world = first.size == other.size or (first.source == other.source)
        same_place = first.index == other.index and "rank" in (first.task, other.task)
        if same_world and not same_place:
            problems.append(f"Settings contradict each other: this process is {first}, and it is {other}.")
    return problems


def _not_configured(strategy: object | None, environment: Mapping[str, str]) -> list[str]:
    resolver = getattr(strategy, "cluster_resolver", None)
    unset = type(resolver).__name__ == "TFConfigClusterResolver" and not environment.get("TF_CONFIG", "").strip()
    if not unset:
        return []
    return ["TF_CONFIG is not set, so the strategy takes each process for the only one: every worker is a chief."]


def _whole(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        return None
    try:
        return int(value)
    except ValueError:
        return None


def _count(tasks: object) -> int | None:
    return len(tasks) if isinstance(tasks, (list, tuple, dict)) else None
