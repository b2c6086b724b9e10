"""SW201 and SW202: where in a strategy, a replica function or a trace a writer is created."""

import pickle
import threading

import pytest
import strategy_table
import tensorflow as tf
from tensorflow.python.framework import func_graph, ops

from safewriter.checks.distribution import Role, StrategyFacts, judge_creation
from safewriter.facts import strategy as facts_module
from safewriter.facts.strategy import public_name, strategy_facts

STRATEGIES = (
    "OneDeviceStrategy",
    "MirroredStrategy",
    "CentralStorageStrategy",
    "MultiWorkerMirroredStrategy",
    "ParameterServerStrategy",
)


@pytest.fixture(scope="module")
def table():
    """What was reported in each place of each strategy, in processes that had nothing else to do."""
    return strategy_table.both_modes()


@pytest.fixture
def one_device():
    return tf.distribute.OneDeviceStrategy("/cpu:0")


@pytest.mark.parametrize("mode", strategy_table.MODES)
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_each_place_of_each_strategy_is_told_for_what_it_is(table, strategy, mode):
    """A scope is a risk, a replica function and a trace are a loss, and all else is silent."""
    if strategy + mode not in table:
        assert mode, "in eager mode, each strategy has its row"
        return
    expected = {
        "before": [],
        "thread": [],
        "scope": ["SW201"],
        "scope_graph": ["SW201"],
        "py_function": ["RuntimeError"],
    }
    assert table[strategy + mode] == {place: expected.get(place, ["SW202"]) for place in table[strategy + mode]}


@pytest.mark.parametrize("mode", strategy_table.MODES)
def test_the_default_strategy_is_silent(table, mode):
    """Without a strategy, only traces are reported, and what raises with the stock writer raises."""
    traces = {"function": ["SW202"], "run_function": ["SW202"], "map": ["SW202"], "py_function": ["RuntimeError"]}
    found = table["default strategy" + mode]
    assert found == {place: traces.get(place, []) for place in found}


def test_the_page_shows_the_table(table):
    """What docs/distributed.md calls reported or silent is so; renew it with the command in its comment."""
    with open(strategy_table.PAGE, encoding="utf-8") as file:
        page = file.read()
    assert strategy_table.BEGIN + strategy_table.as_markdown(table) + strategy_table.END in page


def test_a_scope_behind_a_graph_is_seen(one_device):
    """TensorFlow's own question is answered with False there; ours isn't."""
    with one_device.scope(), tf.Graph().as_default():
        assert not tf.distribute.has_strategy()
        facts = strategy_facts()
    assert (facts.strategy, facts.in_scope, facts.scope_behind_graph) == ("OneDeviceStrategy", True, True)


def test_a_scope_in_sight_is_not_called_hidden(one_device):
    """The message speaks of a graph only where there is one."""
    with one_device.scope():
        facts = strategy_facts()
    assert facts.in_scope
    assert not facts.scope_behind_graph
    assert "behind a graph" not in judge_creation(facts)[0].message


def test_a_scope_that_was_left_is_over(one_device):
    """Before and after the scope nothing is reported."""
    with one_device.scope():
        pass
    assert strategy_facts() == StrategyFacts()
    assert judge_creation(strategy_facts()) == []


def test_a_graph_function_in_a_graph_in_a_trace_is_still_the_trace(one_device):
    """A graph entered inside a traced function does not hide the trace."""
    seen = []

    @tf.function
    def train_step():
        with tf.Graph().as_default():
            seen.append(strategy_facts())

    train_step()
    assert seen[0].tracing == "train_step"


def test_the_outermost_trace_is_named():
    """Of a branch inside a function, it is the function that the user knows."""
    seen = []

    def branch():
        seen.append(strategy_facts().tracing)
        return 1

    @tf.function
    def evaluate(x):
        return tf.cond(x > 0, branch, lambda: 0)

    evaluate(tf.constant(1))
    assert seen == ["evaluate"]


def test_scopes_are_per_thread(one_device):
    """A thread that was started inside a scope is not in it, for TensorFlow and for us."""
    seen = []
    with one_device.scope():
        thread = threading.Thread(target=lambda: seen.append(strategy_facts()))
        thread.start()
        thread.join()
    assert seen == [StrategyFacts()]


def test_replica_and_merge_call_are_told_apart(one_device):
    """The message says in which of the two the line is."""
    seen = []

    def replica():
        seen.append(strategy_facts())
        tf.distribute.get_replica_context().merge_call(lambda _: seen.append(strategy_facts()))

    one_device.run(replica)
    assert [(facts.in_replica, facts.in_merge_call) for facts in seen] == [(True, False), (True, True)]
    messages = [judge_creation(facts)[0].message for facts in seen]
    assert "in a replica function of OneDeviceStrategy (1 replica)" in messages[0]
    assert "in a function given to merge_call" in messages[1]


def test_tensorflow_keeps_its_scopes_where_we_look(one_device):
    """The private names that the facts are read from are there."""
    assert isinstance(ops._default_graph_stack.stack, list)
    assert hasattr(ops._default_graph_stack, "_global_default_graph")
    assert issubclass(func_graph.FuncGraph, ops.Graph)
    with one_device.scope():
        (mode,) = tf.compat.v1.get_default_graph()._distribution_strategy_stack
    assert mode.strategy is one_device
    assert mode.cross_replica_context is one_device
    assert mode.replica_context is None


class _OddOps:
    """``tensorflow.python.framework.ops`` of a version that keeps its graphs elsewhere."""


def test_another_tensorflow_is_no_error(one_device, monkeypatch):
    """Where the private names are gone, the public ones tell what they can."""
    monkeypatch.setattr(facts_module, "ops", _OddOps)
    monkeypatch.delattr(ops.Graph, "_distribution_strategy_stack")
    assert strategy_facts() == StrategyFacts()
    monkeypatch.setattr(tf.distribute, "has_strategy", lambda: True)
    monkeypatch.setattr(tf.distribute, "get_strategy", lambda: one_device)
    monkeypatch.setattr(tf.distribute, "in_cross_replica_context", lambda: True)
    monkeypatch.setattr(tf.distribute, "get_replica_context", lambda: None)
    facts = strategy_facts()
    assert (facts.strategy, facts.in_scope, facts.in_replica) == ("OneDeviceStrategy", True, False)


@pytest.mark.parametrize(
    ("class_name", "name"),
    [
        ("CollectiveAllReduceStrategy", "MultiWorkerMirroredStrategy"),
        ("_CollectiveAllReduceStrategyExperimental", "MultiWorkerMirroredStrategy"),
        ("ParameterServerStrategyV2", "ParameterServerStrategy"),
        ("MirroredStrategyV1", "MirroredStrategy"),
        ("TPUStrategy", "TPUStrategy"),
    ],
)
def test_strategies_have_the_names_that_users_know(class_name, name):
    """Classes of TensorFlow carry versions, and one another name."""
    assert public_name(type(class_name, (), {})()) == name


def in_scope(**changes):
    facts = {"strategy": "MultiWorkerMirroredStrategy", "replicas": 2, "in_scope": True, "should_save_summary": False}
    (finding,) = judge_creation(StrategyFacts(**{**facts, "role": Role("worker", 1, 2, "TF_CONFIG", False), **changes}))
    return finding


def test_the_message_names_strategy_replicas_and_role():
    """Who created the writer, and where, is all in the message."""
    finding = in_scope()
    assert finding.code == "SW201"
    assert "inside the scope of MultiWorkerMirroredStrategy (2 replicas)." in finding.message
    assert "Role of this process: worker 1 of 2 (TF_CONFIG)" in finding.message
    assert "the strategy says that it should save no summaries" in finding.message


def test_the_words_are_exact():
    """A scope is a risk for several processes; a trace is a loss now."""
    assert "Every process that enters the scope creates a writer" in in_scope().message
    assert "once per trace, not once per step: later steps write nothing" in in_scope(tracing="step").message
    assert "once for each of 2 replicas at each call of strategy.run" in in_scope(in_replica=True).message


@pytest.mark.parametrize(
    ("changes", "hint"),
    [
        ({}, "in the chief alone"),
        ({}, "os.path.join(logdir, f'worker{index}')"),
        ({"strategy": "ParameterServerStrategy", "role": Role()}, "in the coordinator's program"),
        ({"strategy": "MirroredStrategy", "role": Role()}, "then `with strategy.scope(): …`"),
        ({"in_replica": True}, "return the value from the replica function"),
        ({"strategy": None, "in_scope": False, "tracing": "train_step"}, "Create the writer outside of 'train_step'"),
    ],
)
def test_the_hint_shows_where_the_line_belongs(changes, hint):
    """Each strategy has its place."""
    assert hint in in_scope(**changes).hint


def test_wrong_settings_are_told_with_it():
    """What is wrong with TF_CONFIG stands in the message."""
    finding = in_scope(role=Role(problems=("TF_CONFIG is not JSON.",)))
    assert finding.message.endswith("TF_CONFIG is not JSON.")
    assert finding.data["role"]["problems"] == ("TF_CONFIG is not JSON.",)


def test_findings_survive_pickling():
    """A finding can travel between processes, facts and all."""
    finding = in_scope()
    assert pickle.loads(pickle.dumps(finding)) == finding
