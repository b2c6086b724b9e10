"""Who this process is, and what is wrong with the settings that say so."""

import json
from dataclasses import asdict

import pytest

from safewriter.checks.distribution import Role
from safewriter.system.role import LAUNCHERS, role

CLUSTER = {"worker": ["a:1", "b:1", "c:1"]}


def tf_config(task, cluster=CLUSTER):
    return {"TF_CONFIG": json.dumps({"cluster": cluster, "task": task})}


class TFConfigClusterResolver:
    """As much of TensorFlow's resolver as a role is read from."""

    def __init__(self, task_type="", task_id=None, cluster=None):
        self.task_type, self.task_id, self._cluster = task_type, task_id, cluster or {}

    def cluster_spec(self):
        return self

    def as_dict(self):
        return self._cluster


class KubernetesClusterResolver(TFConfigClusterResolver):
    """A resolver whose cluster is asked for over the network."""

    def cluster_spec(self):
        raise AssertionError("a network call for a word in a message")


class Strategy:
    def __init__(self, resolver, saves=None):
        self.cluster_resolver = resolver
        self.extended = type("Extended", (), {"should_save_summary": saves})


def test_nothing_set_is_a_single_process():
    """Without any setting, a process is one of one."""
    found = role(environment={})
    assert (found, str(found)) == (Role(), "single process")


@pytest.mark.parametrize(
    ("environment", "words", "chief"),
    [
        (tf_config({"type": "worker", "index": 1}), "worker 1 of 3 (TF_CONFIG)", False),
        (tf_config({"type": "worker", "index": 0}), "worker 0 of 3 (TF_CONFIG)", True),
        (tf_config({"type": "worker", "index": "2"}), "worker 2 of 3 (TF_CONFIG)", False),
        (tf_config({"type": "worker", "index": 0}, {**CLUSTER, "chief": ["d:1"]}), "worker 0 of 3 (TF_CONFIG)", False),
        (tf_config({"type": "chief", "index": 0}, {**CLUSTER, "chief": ["d:1"]}), "chief 0 of 1 (TF_CONFIG)", True),
        (tf_config({"type": "evaluator", "index": 0}), "evaluator 0 (TF_CONFIG)", False),
        (tf_config({"type": "ps", "index": 0}, {**CLUSTER, "ps": ["p:1"]}), "ps 0 of 1 (TF_CONFIG)", False),
        ({"HOROVOD_RANK": "3", "HOROVOD_SIZE": "4"}, "rank 3 of 4 (Horovod)", False),
        ({"OMPI_COMM_WORLD_RANK": "0", "OMPI_COMM_WORLD_SIZE": "4"}, "rank 0 of 4 (Open MPI)", True),
        ({"PMI_RANK": "1", "PMI_SIZE": "2"}, "rank 1 of 2 (PMI)", False),
        ({"SLURM_PROCID": "2", "SLURM_STEP_NUM_TASKS": "8"}, "rank 2 of 8 (SLURM)", False),
        ({"RANK": "1", "WORLD_SIZE": "2"}, "rank 1 of 2 (torchrun)", False),
    ],
)
def test_each_source_is_understood(environment, words, chief):
    """TF_CONFIG and the ranks of the launchers give a role, without complaint."""
    found = role(environment=environment)
    assert (str(found), found.chief, found.problems) == (words, chief, ())


@pytest.mark.parametrize(
    "environment",
    [
        {"RANK": "1"},  # somebody else's variable
        {"WORLD_SIZE": "4"},
        {"SLURM_PROCID": "0", "SLURM_NTASKS": "8"},  # a batch script before any srun: it runs once
        {"RANK": "0", "WORLD_SIZE": "1"},
        {"TF_CONFIG": ""},
        {"TF_CONFIG": "{}"},
    ],
)
def test_what_says_nothing_is_left_alone(environment):
    """Half a pair, a world of one and an empty setting are neither a role nor a problem."""
    assert role(environment=environment) == Role()


@pytest.mark.parametrize(
    ("environment", "problem"),
    [
        ({"TF_CONFIG": "{'cluster': 1}"}, "TF_CONFIG is not JSON"),
        ({"TF_CONFIG": "[]"}, "TF_CONFIG is a JSON list"),
        ({"TF_CONFIG": '{"cluster": ["a:1"], "task": {"type": "worker", "index": 0}}'}, "must be objects"),
        ({"TF_CONFIG": '{"cluster": {"worker": ["a:1"]}}'}, "no 'task'"),
        (tf_config({"type": "worker"}), "needs a 'type' and a whole 'index'"),
        (tf_config({"type": "worker", "index": "one"}), "needs a 'type' and a whole 'index'"),
        (tf_config({"type": "worker", "index": True}), "needs a 'type' and a whole 'index'"),
        (tf_config({"index": 1}), "needs a 'type' and a whole 'index'"),
        (tf_config({"type": "worker", "index": 3}), "calls this worker 3, but its cluster has 3"),
        (tf_config({"type": "worker", "index": -1}), "calls this worker -1"),
        (tf_config({"type": "chief", "index": 0}), "is a 'chief', which its 'cluster' (worker) does not have"),
        ({"RANK": "4", "WORLD_SIZE": "4"}, "RANK=4 and WORLD_SIZE=4 name no rank"),
        ({"PMI_RANK": "x", "PMI_SIZE": "4"}, "PMI_RANK=x and PMI_SIZE=4 name no rank"),
    ],
)
def test_wrong_settings_are_reported(environment, problem):
    """A wrong setting is reported in words, and nothing is raised or guessed."""
    (reported,) = role(environment=environment).problems
    assert problem in reported


@pytest.mark.parametrize(
    "environment",
    [
        {"RANK": "0", "WORLD_SIZE": "2", "SLURM_PROCID": "1", "SLURM_STEP_NUM_TASKS": "2"},
        {**tf_config({"type": "worker", "index": 0}), "RANK": "2", "WORLD_SIZE": "3"},
    ],
)
def test_contradictions_are_reported(environment):
    """Two sources that count as many processes must give this one the same place."""
    (reported,) = role(environment=environment).problems
    assert reported.startswith("Settings contradict each other: this process is ")


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        # torchrun with 4 processes on each of 2 nodes that srun started
        ({"RANK": "5", "WORLD_SIZE": "8", "SLURM_PROCID": "1", "SLURM_STEP_NUM_TASKS": "2"}, "rank 5 of 8 (torchrun)"),
        (
            {"HOROVOD_RANK": "1", "HOROVOD_SIZE": "2", "OMPI_COMM_WORLD_RANK": "1", "OMPI_COMM_WORLD_SIZE": "2"},
            "rank 1 of 2 (Horovod)",
        ),
        ({**tf_config({"type": "worker", "index": 1}), "RANK": "1", "WORLD_SIZE": "3"}, "worker 1 of 3 (TF_CONFIG)"),
    ],
)
def test_a_launcher_within_a_launcher_is_no_contradiction(environment, words):
    """The inner launcher's rank counts, and the outer one's is right too."""
    found = role(environment=environment)
    assert (str(found), found.problems) == (words, ())


def test_the_strategy_goes_first():
    """In a scope, the strategy's resolver says who this process is, and whether it saves."""
    strategy = Strategy(TFConfigClusterResolver("worker", 1, CLUSTER), saves=False)
    found = role(strategy, tf_config({"type": "worker", "index": 1}))
    assert (str(found), found.chief, found.problems) == ("worker 1 of 3 (TF_CONFIG)", False, ())


def test_a_setting_that_changed_since_is_reported():
    """A strategy keeps the TF_CONFIG that it was made with."""
    strategy = Strategy(TFConfigClusterResolver("worker", 1, CLUSTER))
    (reported,) = role(strategy, tf_config({"type": "worker", "index": 2})).problems
    assert "worker 1 of 3" in reported
    assert "worker 2 of 3" in reported


def test_a_strategy_without_tf_config_is_reported():
    """A MultiWorkerMirroredStrategy without TF_CONFIG takes every process for the only one."""
    found = role(Strategy(TFConfigClusterResolver()), {})
    assert found.task is None
    assert found.problems == (
        "TF_CONFIG is not set, so the strategy takes each process for the only one: every worker is a chief.",
    )


def test_no_resolver_is_asked_over_the_network():
    """Where a cluster has to be asked for, only what the resolver remembers is used."""
    found = role(Strategy(KubernetesClusterResolver("worker", 0)), {})
    assert str(found) == "worker 0 (KubernetesClusterResolver)"


@pytest.mark.parametrize("launcher", LAUNCHERS, ids=lambda launcher: launcher[0])
def test_roles_are_json(launcher):
    """A role is data that the report can hold."""
    _, rank, size = launcher
    found = role(environment={rank: "1", size: "2"})
    assert json.loads(json.dumps(asdict(found)))["index"] == 1


def test_the_report_tells_what_is_wrong():
    """In words, a role carries the problems of its settings."""
    found = role(environment=tf_config({"type": "worker", "index": 3}))
    assert found.in_words() == (
        "worker 3 of 3 (TF_CONFIG). TF_CONFIG calls this worker 3, but its cluster has 3 of them, counted from 0."
    )
