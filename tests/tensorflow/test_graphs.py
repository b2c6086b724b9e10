"""The accounts of summary ops over whole programs: real graphs and sessions, several writers and graphs."""

import gc
import os
import sys
import tempfile
import threading
import weakref

import pytest
import tensorflow as tf

import safewriter.writer  # noqa: F401 - notes the writers of TensorFlow's own that come later
from safewriter.facts.graph import graph_view
from safewriter.facts.stock import StockTags
from safewriter.findings import Desk, Place, Policy
from safewriter.recording.graphs import Graphs

v1 = tf.compat.v1
summary = v1.summary


class Writer:
    """What a writer tells the accounts; it keeps no file."""

    def __init__(self, accounts, graph=None):
        self.accounts = accounts
        self.key = object()
        self.adds = 0
        self.tags = set()
        self.desk = Desk(Policy(), Place("train.py", 1))
        view = graph_view(graph or v1.get_default_graph())
        self.accounts.open(view, self.key, self.desk, explicit=graph is not None)

    def add(self, *summaries):
        found = []
        for data in summaries:
            self.adds += 1
            found += self.accounts.look(self.key, self.adds)
            self.accounts.attach(graph_view(v1.get_default_graph()), self.key)
            for value in v1.Summary.FromString(data).value:
                if value.tag not in self.tags:
                    self.tags.add(value.tag)
                    self.accounts.wrote(self.key, value.tag)
        return reported(found)

    def run(self, sess, fetch, steps=1):
        return [line for _ in range(steps) for line in self.add(sess.run(fetch))]

    def by_hand(self, *tags):
        return self.add(*(v1.Summary(value=[{"tag": tag, "simple_value": 1.0}]).SerializeToString() for tag in tags))

    def close(self, **options):
        return reported(self.accounts.close(self.key, self.adds, **options))


def reported(findings):
    return [
        f"{finding.code} {finding.data.get('cause', '')}: {' '.join(op['tag'] for op in finding.data['ops'])}"
        for finding in findings
    ]


def at_end(accounts, adds=None):
    """What is reported when the program ends in the normal way."""
    return reported(finding for _, finding in accounts.finish(adds or {}, broken_off=False))


@pytest.fixture
def accounts():
    return Graphs(StockTags())


@pytest.fixture
def graph():
    with tf.Graph().as_default() as graph:
        yield graph


@pytest.fixture
def sess(graph):
    with v1.Session(graph=graph) as sess:
        yield sess


# Each program gets the accounts, the graph, which is the default one, and a session;
# it returns what was reported at its closes. Beside it: that, and what is reported at the end.


def never_merged(accounts, graph, sess):
    w = Writer(accounts, graph)
    summary.scalar("a", 1.0)
    summary.histogram("b", [1.0])
    return w.close()


def never_added(accounts, graph, sess):
    summary.scalar("a", 1.0)
    merged = summary.merge_all()
    w = Writer(accounts, graph)
    for _ in range(3):
        sess.run(merged)
    return w.close()


def never_closed(accounts, graph, sess):
    summary.scalar("a", 1.0)
    summary.merge_all()
    Writer(accounts, graph)
    return []


def only_by_hand(accounts, graph, sess):
    summary.scalar("a", 1.0)
    summary.merge_all()
    w = Writer(accounts, graph)
    w.by_hand("x", "x", "y")
    return w.close()


def only_by_hand_without_graph(accounts, graph, sess):
    summary.scalar("a", 1.0)
    summary.merge_all()
    w = Writer(accounts)
    w.by_hand("x")
    return w.close()


def without_graph_nothing_added(accounts, graph, sess):
    summary.scalar("a", 1.0)
    return Writer(accounts).close()


def after_the_merge(accounts, graph, sess):
    summary.scalar("a", 1.0)
    merged = summary.merge_all()
    summary.scalar("late", 1.0)
    w = Writer(accounts, graph)
    w.run(sess, merged, 3)
    return w.close()


def other_collection(accounts, graph, sess):
    summary.scalar("a", 1.0)
    summary.scalar("val", 1.0, collections=["validation"])
    w = Writer(accounts, graph)
    w.run(sess, summary.merge_all())
    return w.close()


def forgotten_in_list(accounts, graph, sess):
    a = summary.scalar("a", 1.0)
    summary.scalar("b", 1.0)
    w = Writer(accounts, graph)
    w.run(sess, summary.merge([a]))
    return w.close()


def test_writer_never_used(accounts, graph, sess):
    train, test = summary.merge([summary.scalar("a", 1.0)]), summary.merge([summary.scalar("b", 1.0)])
    assert test is not None
    w, x = Writer(accounts, graph), Writer(accounts, graph)
    w.run(sess, train, 3)
    return w.close() + x.close()


def eval_graph_of_equal_tags(accounts, graph, sess):
    a = summary.scalar("loss", 1.0)
    w = Writer(accounts, graph)
    w.run(sess, a)
    with tf.Graph().as_default() as other:
        summary.scalar("loss", 1.0)
        summary.merge_all()
        x = Writer(accounts, other)
    return x.close() + w.close()


def sweep_of_default_graphs(accounts, graph, sess):
    lines = []
    for trial in range(3):
        with tf.Graph().as_default(), v1.Session() as each:
            merged = summary.merge([summary.scalar("loss", 1.0)])
            w = Writer(accounts)
            if trial != 1:
                w.run(each, merged)
            lines += w.close()
    return lines


def graph_added_later(accounts, graph, sess):
    w = Writer(accounts)
    with tf.Graph().as_default() as other:
        summary.scalar("a", 1.0)
    accounts.attach(graph_view(other), w.key, explicit=True)
    return w.close()


def used_in_another_default_graph(accounts, graph, sess):
    w = Writer(accounts)
    with tf.Graph().as_default(), v1.Session() as each:
        a = summary.scalar("a", 1.0)
        merged = summary.merge_all()
        summary.scalar("late", 1.0)
        assert a is not None
        w.run(each, merged)
    return w.close()


def graph_only_and_never_more(accounts, graph, sess):
    summary.scalar("a", 1.0)
    return Writer(accounts, graph).close(at_creation_line=True)


BROKEN = [
    (never_merged, ["SW301 never-merged: a b"]),
    (never_added, ["SW302 never-written: a"]),
    (never_closed, ["SW302 never-written: a"]),
    (only_by_hand, ["SW302 never-written: a"]),
    (only_by_hand_without_graph, ["SW302 never-written: a"]),
    (without_graph_nothing_added, ["SW301 never-merged: a"]),
    (after_the_merge, ["SW303 after-the-merge: late"]),
    (other_collection, ["SW303 other-collection: val"]),
    (forgotten_in_list, ["SW303 left-out: b"]),
    (test_writer_never_used, ["SW302 never-written: b"]),
    (eval_graph_of_equal_tags, ["SW302 never-written: loss"]),
    (sweep_of_default_graphs, ["SW302 never-written: loss"]),
    (graph_added_later, ["SW301 never-merged: a"]),
    (used_in_another_default_graph, ["SW303 after-the-merge: late"]),
    (graph_only_and_never_more, ["SW301 never-merged: a"]),
]
test_writer_never_used.__test__ = False


@pytest.mark.parametrize(("program", "expected"), BROKEN, ids=lambda each: getattr(each, "__name__", ""))
def test_broken(accounts, graph, sess, program, expected):
    """What a broken program loses is reported once, at its end: until then a later line may still write it."""
    assert program(accounts, graph, sess) == []
    assert at_end(accounts) == expected
    assert at_end(accounts) == []


@pytest.mark.parametrize("program", [program for program, _ in BROKEN], ids=lambda each: each.__name__)
def test_broken_off(accounts, graph, sess, program):
    """Of a run that an exception or a failing status ended, nothing is said: what is missing is a consequence."""
    program(accounts, graph, sess)
    assert accounts.finish({}, broken_off=True) == []


def test_a_block_that_an_exception_left(accounts, graph, sess):
    """The graphs of a writer whose block was left by an exception get no verdict, until a later writer ends well."""
    a = summary.scalar("a", 1.0)
    w = Writer(accounts, graph)
    w.close(broken_off=True)
    assert at_end(accounts) == []
    x = Writer(accounts, graph)
    summary.scalar("b", 1.0)
    x.run(sess, a)
    x.close()
    assert at_end(accounts) == ["SW303 no-merge: b"]


@pytest.mark.parametrize("keeps", ["alive", "closed", "gone", "cached", "session"])
def test_written_by_tensorflows_own_writer(accounts, graph, sess, tmp_path, keeps):
    """An op that a writer of TensorFlow's own wrote is written, whatever became of that writer."""
    a, b = summary.scalar("a", 1.0), summary.scalar("b", 1.0)
    w = Writer(accounts, graph)
    w.run(sess, a)
    if keeps == "cached":
        stock = summary.FileWriterCache.get(str(tmp_path))
    else:
        stock = summary.FileWriter(str(tmp_path), session=sess if keeps == "session" else None)
    stock.add_summary(sess.run(b), 1)
    if keeps != "alive":
        stock.close()
    if keeps == "cached":
        summary.FileWriterCache.clear()
    if keeps != "alive":
        del stock
        gc.collect()
    w.close()
    assert at_end(accounts) == []


def test_at_a_prompt(accounts, graph, monkeypatch):
    """Where no end of a program is ever seen, a graph of which nothing was written is judged at the last close."""
    monkeypatch.setattr(sys, "ps1", ">>> ", raising=False)
    summary.scalar("a", 1.0)
    assert Writer(accounts, graph).close(at_creation_line=True) == []
    assert Writer(accounts, graph).close() == ["SW301 never-merged: a"]
    assert at_end(accounts) == []


def plain(accounts, graph, sess):
    w = Writer(accounts, graph)
    summary.scalar("a", 1.0)
    summary.image("i", tf.zeros([2, 4, 4, 3]))
    summary.image("one", tf.zeros([1, 4, 4, 3]), max_outputs=1)
    summary.audio("s", tf.zeros([2, 9, 1]), 8000)
    summary.text("t", tf.constant("hello"))
    w.run(sess, summary.merge_all(), 3)
    return w.close()


def train_and_test_writers(accounts, graph, sess):
    merged = summary.merge([summary.scalar("a", 1.0)])
    w, x = Writer(accounts, graph), Writer(accounts)
    w.run(sess, merged)
    lines = w.close()
    x.run(sess, merged)
    return lines + x.close()


def train_then_test_writer(accounts, graph, sess):
    train, test = summary.merge([summary.scalar("a", 1.0)]), summary.merge([summary.scalar("b", 1.0)])
    w = Writer(accounts, graph)
    w.run(sess, train)
    lines = w.close()
    x = Writer(accounts, graph)
    x.run(sess, test)
    return lines + x.close()


def train_then_merge_all_for_test(accounts, graph, sess):
    summary.scalar("a", 1.0)
    train = summary.merge_all()
    summary.scalar("b", 1.0)
    test = summary.merge_all()
    lines = []
    for fetch in (train, test):
        w = Writer(accounts, graph)
        w.run(sess, fetch)
        lines += w.close()
    return lines


def run_one_by_one_by_two_writers(accounts, graph, sess):
    lines = []
    for op in [summary.scalar("a", 1.0), summary.scalar("b", 1.0)]:
        w = Writer(accounts, graph)
        w.run(sess, op)
        lines += w.close()
    return lines


def writer_per_epoch(accounts, graph, sess):
    merged = summary.merge([summary.scalar("a", 1.0)])
    lines = []
    for _ in range(5):
        w = Writer(accounts, graph)
        w.run(sess, merged, 2)
        lines += w.close()
    return lines


def graph_first_summaries_later(accounts, graph, sess):
    merged = summary.merge([summary.scalar("a", 1.0)])
    lines = Writer(accounts, graph).close(at_creation_line=True)
    w = Writer(accounts, graph)
    w.run(sess, merged)
    return lines + w.close()


def settings_first_summaries_later(accounts, graph, sess):
    merged = summary.merge([summary.scalar("a", 1.0)])
    settings = Writer(accounts)
    settings.by_hand("learning_rate")
    lines = settings.close()
    w = Writer(accounts)
    w.run(sess, merged)
    return lines + w.close()


def one_writer_for_two_graphs(accounts, graph, sess):
    a = summary.scalar("loss", 1.0)
    w = Writer(accounts, graph)
    w.run(sess, a)
    with tf.Graph().as_default(), v1.Session() as other:
        w.run(other, summary.scalar("loss", 1.0))
        w.run(other, summary.scalar("eval", 1.0))
    return w.close()


def two_graphs_of_equal_tags(accounts, graph, sess):
    lines = []
    for _ in range(2):
        with tf.Graph().as_default() as each, v1.Session() as session:
            w = Writer(accounts, each)
            w.run(session, summary.scalar("loss", 1.0))
            lines += w.close()
    return lines


def writers_without_any_summary_op(accounts, graph, sess):
    w = Writer(accounts, graph)
    w.by_hand("a")
    return w.close() + Writer(accounts, graph).close()


def defined_when_no_writer_is_open(accounts, graph, sess):
    w = Writer(accounts, graph)
    w.run(sess, summary.scalar("a", 1.0))
    lines = w.close()
    summary.scalar("later", 1.0)
    return lines


def input_queues(accounts, graph, sess):
    v1.train.batch([tf.constant(1)], 2)
    w = Writer(accounts, graph)
    w.by_hand("a")
    return w.close()


def tensorflows_hook_writes(accounts, graph, sess):
    """A ``MonitoredTrainingSession`` writes the summaries with a writer of its own; ours gets others."""
    summary.scalar("a", 1.0)
    count = v1.assign_add(v1.train.get_or_create_global_step(), 1)
    w = Writer(accounts, graph)
    with tempfile.TemporaryDirectory() as directory:
        with v1.train.MonitoredTrainingSession(checkpoint_dir=directory, save_summaries_steps=1) as monitored:
            monitored.run(count)
            monitored.run(count)
        w.by_hand("mine")
        lines = w.close()
        lines += at_end(accounts)
        summary.FileWriterCache.clear()
    return lines


def hook_with_our_writer(accounts, graph, sess):
    """A ``SummarySaverHook`` that was given the writer, in a session that TensorFlow merges for."""
    merged = summary.merge([summary.scalar("a", 1.0)])
    count = v1.assign_add(v1.train.get_or_create_global_step(), 1)
    w = Writer(accounts, graph)
    w.add_summary = lambda data, step: w.add(data)
    w.add_session_log = lambda log, step: None
    w.flush = lambda: None
    hook = v1.train.SummarySaverHook(save_steps=1, summary_writer=w, summary_op=merged)
    with v1.train.MonitoredTrainingSession(hooks=[hook]) as monitored:
        monitored.run(count)
    return w.close()


def inside_a_function(accounts, graph, sess):
    @tf.function
    def traced():
        Writer(accounts)
        summary.scalar("a", 1.0)
        return 1

    sess.run(traced())
    return []


CORRECT = [
    plain,
    train_and_test_writers,
    train_then_test_writer,
    train_then_merge_all_for_test,
    run_one_by_one_by_two_writers,
    writer_per_epoch,
    graph_first_summaries_later,
    settings_first_summaries_later,
    one_writer_for_two_graphs,
    two_graphs_of_equal_tags,
    writers_without_any_summary_op,
    defined_when_no_writer_is_open,
    input_queues,
    tensorflows_hook_writes,
    hook_with_our_writer,
    inside_a_function,
]


@pytest.mark.parametrize("program", CORRECT)
def test_correct(accounts, graph, sess, program):
    """A correct program is reported nothing, neither at a close nor at the end."""
    assert program(accounts, graph, sess) == []
    assert at_end(accounts) == []


def test_adds_of_all_writers(accounts, graph):
    """The graph is judged with the adds of all its writers, and reported by the last of them."""
    summary.scalar("a", 1.0)
    w, x = Writer(accounts, graph), Writer(accounts, graph)
    w.by_hand("x", "y")
    x.by_hand("z")
    assert w.close() == x.close() == []
    ((desk, finding),) = accounts.finish({}, broken_off=False)
    assert desk is x.desk
    assert finding.data["adds"] == 3


def test_line_outlives_the_graph(accounts):
    """What is undecided at the last close is reported at the end with its line, though the graph is gone."""
    with tf.Graph().as_default() as graph, v1.Session() as sess:
        a = summary.scalar("a", 1.0)
        summary.scalar("b", 1.0)
        w = Writer(accounts, graph)
        w.run(sess, summary.merge([a]))
        assert w.close() == []
    alive = weakref.ref(graph)
    del graph, sess, a
    gc.collect()
    assert alive() is None
    ((_, finding),) = accounts.finish({}, broken_off=False)
    assert [op["tag"] for op in finding.data["ops"]] == ["b"]
    assert f"{os.path.basename(__file__)}:" in finding.message


def test_graph_is_kept_while_a_writer_is_open(accounts):
    """A graph that only its writer knows is still judged at the end."""
    with tf.Graph().as_default() as graph:
        summary.scalar("a", 1.0)
        w = Writer(accounts, graph)
    del graph
    gc.collect()
    ((_, finding),) = accounts.finish({w.key: 7}, broken_off=False)
    assert reported([finding]) == ["SW301 never-merged: a"]
    assert finding.data["adds"] == 7


def test_graphs_that_are_done_are_dropped(accounts):
    """A sweep over many graphs leaves nothing behind once they are gone."""
    for _ in range(20):
        with tf.Graph().as_default() as graph, v1.Session() as sess:
            w = Writer(accounts, graph)
            w.run(sess, summary.scalar("a", 1.0))
            assert w.close() == []
            accounts.forget(w.key)
        del graph, sess
        gc.collect()
    assert len(accounts._known) + len(accounts._left) < 3
    assert not accounts._closed


def test_discarded(accounts, graph):
    """A writer whose constructor failed leaves nothing to judge."""
    summary.scalar("a", 1.0)
    w = Writer(accounts, graph)
    accounts.discard(w.key)
    assert w.close() == []
    assert at_end(accounts) == []


def test_nothing_is_told_twice(accounts, graph, sess):
    """A later writer of the graph brings up only what no earlier finding named."""
    a = summary.scalar("a", 1.0)
    merged = summary.merge([a])
    summary.scalar("b", 1.0)
    w = Writer(accounts, graph)
    w.run(sess, merged)
    w.close()
    assert at_end(accounts) == ["SW303 after-the-merge: b"]
    x = Writer(accounts, graph)
    summary.scalar("c", 1.0)
    x.close()
    assert at_end(accounts) == ["SW303 after-the-merge: c"]
    assert at_end(accounts) == []


def test_reopened(accounts, graph, sess):
    """A writer that is opened again under its key goes on accounting."""
    a = summary.scalar("a", 1.0)
    w = Writer(accounts, graph)
    assert w.close(at_creation_line=True) == []
    accounts.open(graph_view(graph), w.key, w.desk, explicit=True)
    w.run(sess, a, 3)
    assert w.close() == []
    accounts.open(graph_view(graph), w.key, w.desk, explicit=True)
    summary.scalar("b", 1.0)
    w.run(sess, a, 2)
    ((_, finding),) = accounts.finish({w.key: w.adds}, broken_off=False)
    assert finding.data["adds"] == 5
    assert w.close() == []


def test_never_written(accounts, graph, sess):
    """A report lists what was not written so far, while the writer is open and after its close."""
    a = summary.scalar("a", 1.0)
    summary.scalar("b", 1.0)
    w = Writer(accounts, graph)
    assert [tag for tag, _ in accounts.never_written(w.key)] == ["a", "b"]
    w.run(sess, a)
    w.close()
    ((tag, line),) = accounts.never_written(w.key)
    assert tag == "b"
    assert f"{os.path.basename(__file__)}:" in line
    accounts.forget(w.key)
    assert accounts.never_written(w.key) == ()


def test_unknown_writer(accounts, graph):
    """A writer that was never opened, or was the parent's before a fork, is no fault."""
    key = object()
    accounts.attach(graph_view(graph), key)
    accounts.wrote(key, "a")
    accounts.forget(key)
    assert accounts.look(key, 1) == accounts.close(key, 1) == []
    assert accounts.never_written(key) == ()


def test_defined_in_the_loop(accounts, graph, sess):
    """SW304: a summary op that is defined again at every step."""
    w = Writer(accounts, graph)
    lines = [line for _ in range(8) for line in w.run(sess, summary.scalar("loss", 1.0))]
    assert lines == ["SW304 : loss_1 loss_2 loss_3"]
    assert w.close() == []


def test_loop_without_growth(accounts, graph, sess):
    """An op built lazily in the middle of the run, and other ops that come and go, are no loop of summaries."""
    w = Writer(accounts, graph)
    a = summary.scalar("a", 1.0)
    lines = w.run(sess, a)
    val = summary.scalar("val", 1.0)
    for _ in range(8):
        tf.constant(1.0)
        lines += w.run(sess, a) + w.run(sess, val)
    assert lines == []


def test_growth_with_two_writers(accounts, graph, sess):
    """Two writers of one graph tell its growth once."""
    w, x = Writer(accounts, graph), Writer(accounts, graph)
    lines = []
    for _ in range(8):
        op = summary.scalar("loss", 1.0)
        lines += w.run(sess, op) + x.run(sess, op)
    assert len(lines) == 1


def test_threads(accounts):
    """Graphs and writers of several threads do not mix."""

    def program(broken):
        for _ in range(10):
            with tf.Graph().as_default() as graph, v1.Session() as sess:
                w = Writer(accounts, graph)
                op = summary.scalar("a", 1.0)
                if broken:
                    w.by_hand("x")
                else:
                    w.run(sess, op)
                w.close()

    threads = [threading.Thread(target=program, args=(number % 2 == 0,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert at_end(accounts) == ["SW301 never-merged: a"] * 20


def test_close_by_a_collection_in_the_midst(accounts, graph):
    """A writer that is collected while another is judged closes safely: the lock lets its own thread in."""
    summary.scalar("a", 1.0)
    w, x = Writer(accounts, graph), Writer(accounts, graph)
    with accounts._lock:
        assert w.close() == []
    assert x.close() == []
    assert at_end(accounts) == ["SW301 never-merged: a"]


def test_a_handler_beneath_what_another_thread_waits_for(accounts, graph):
    """A thread that looks at a graph waits for TensorFlow's lock; a handler of whoever has that one gets through."""
    summary.scalar("a", 1.0)
    w = Writer(accounts, graph)
    looking = threading.Thread(target=lambda: accounts.never_written(w.key))
    with graph._lock:  # as within a call of TensorFlow's that a signal interrupts
        looking.start()
        while looking.is_alive() and accounts._lock.acquire(blocking=False):  # until the thread has it
            accounts._lock.release()
        assert [tag for tag, _ in accounts.never_written(w.key)] == ["a"]
    looking.join()
    w.close()
    assert at_end(accounts) == ["SW301 never-merged: a"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # forking with threads is what is tested
def test_forked_child_says_nothing_of_its_parents_graphs(accounts, graph):
    """The child neither waits for a lock of the parent's nor judges the parent's graphs; new ones it does."""
    summary.scalar("a", 1.0)
    w = Writer(accounts, graph)
    held, done = threading.Event(), threading.Event()

    def hold():
        with accounts._lock:
            held.set()
            done.wait()

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            accounts.after_fork()
            silent = at_end(accounts) == [] and accounts.close(w.key, 0) == []
            silent = silent and Writer(accounts, graph).close() == [] and at_end(accounts) == []
            with tf.Graph().as_default() as own:
                summary.scalar("b", 1.0)
                Writer(accounts, own).close()
                speaks = at_end(accounts) == ["SW301 never-merged: b"]
            status = 0 if silent and speaks else 2
        finally:
            os._exit(status)
    done.set()
    holder.join()
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    w.close()
    assert at_end(accounts) == ["SW301 never-merged: a"]
