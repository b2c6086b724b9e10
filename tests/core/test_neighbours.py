"""SW203: other processes' event files in the directory, from evidence alone; and what file names say."""

import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
from hypothesis import given, strategies as st

from safewriter.checks.distribution import Neighbour, Role, judge_directory
from safewriter.eventfile.names import EventFileName, new_name, parse_name
from safewriter.system.holders import lives
from safewriter.system.neighbours import INTERVAL, Neighbours, process_began

HOST = socket.gethostname()
linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="what others have open is read from /proc")


# File names.


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("events.out.tfevents.1700000000.node-1", EventFileName(1700000000, "node-1")),  # TensorFlow, v1
        ("events.out.tfevents.1700000000.node-1.4321.0.v2", EventFileName(1700000000, "node-1", 4321)),
        ("events.out.tfevents.1700000000.node-1.4321.7", EventFileName(1700000000, "node-1", 4321)),  # PyTorch
        ("events.out.tfevents.1700000000.gpu.example.org", EventFileName(1700000000, "gpu.example.org")),
        ("events.out.tfevents.1700000000.10.0.0.1.4321.0", EventFileName(1700000000, "10.0.0.1", 4321)),
        ("events.out.tfevents.1700000000.a.4321.0001.train", EventFileName(1700000000, "a", 4321)),
        ("run7.out.tfevents.1700000000.a", EventFileName(1700000000, "a")),
        ("tfevents.1700000000.a", EventFileName(1700000000, "a")),
        ("events.out.tfevents.profile-empty", None),
        ("my.tfevents", None),
        ("events.out.tfevents.", None),
        ("checkpoint", None),
    ],
)
def test_names_of_all_writers_are_understood(name, expected):
    """Seconds, host and process are found in the names that writers of the field give."""
    assert parse_name(name) == expected


@pytest.mark.parametrize(
    ("name", "host", "expected"),
    [
        ("events.out.tfevents.17.node.train", "node", EventFileName(17, "node")),
        ("events.out.tfevents.17.node_train", "node", EventFileName(17, "node")),
        ("events.out.tfevents.17.10.0.0.1", "10.0.0.1", EventFileName(17, "10.0.0.1")),
        ("events.out.tfevents.17.node.5.0.1.2", "node", EventFileName(17, "node", 5)),
        ("events.out.tfevents.17.node12", "node1", EventFileName(17, "node12")),
        ("events.out.tfevents.17.node-b.5.0", "node", EventFileName(17, "node-b", 5)),
    ],
)
def test_a_known_host_leaves_nothing_to_guess(name, host, expected):
    """Dots and digits in a host's name or a suffix do not mislead where the host is known."""
    assert parse_name(name, host) == expected


@given(suffix=st.from_regex(r"(\.[a-z]\w*)?", fullmatch=True))
def test_our_own_names_are_understood(suffix):
    """What new_name writes, parse_name reads."""
    parsed = parse_name(new_name(suffix), HOST)
    assert (parsed.host, parsed.pid) == (HOST, os.getpid())


@given(st.text(max_size=60))
def test_any_name_is_taken(name):
    """No name of a file is an error."""
    parse_name("events.out.tfevents." + name, HOST)
    parse_name(name)


def test_tensorflows_writers_name_files_so(tf, tmp_path):
    """TensorFlow's v1 writer leaves the process out, its v2 writer puts it in."""
    with tf.Graph().as_default():
        writer = tf.summary.FileWriter(str(tmp_path / "v1"), filename_suffix=".mine")
        writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag="a", simple_value=1)]), 0)
        writer.close()
    import tensorflow as tf2

    tf2.summary.create_file_writer(str(tmp_path / "v2")).close()
    (v1,), (v2,) = os.listdir(tmp_path / "v1"), os.listdir(tmp_path / "v2")
    first, second = parse_name(v1, HOST), parse_name(v2, HOST)
    assert (first.host, first.pid) == (HOST, None)
    assert (second.host, second.pid) == (HOST, os.getpid())


# Looks at a directory.


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


#: A process that writes as it is reported: "open NAME" ({pid} is replaced), "grow", "close"; it answers each line.
WRITER = """
import os, sys
file = None
for line in sys.stdin:
    word, _, name = line.strip().partition(" ")
    if word == "open":
        file = open(name.replace("{pid}", str(os.getpid())), "ab", buffering=0)
        file.write(b"begin")
    elif word == "grow":
        file.write(b"more")
    elif word == "close":
        file.close()
    print("done", flush=True)
"""


class OtherProcess:
    def __init__(self, directory, **environment):
        self.child = subprocess.Popen(
            [sys.executable, "-c", WRITER],
            cwd=directory,
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.pid = self.child.pid

    def __call__(self, command):
        self.child.stdin.write(command + "\n")
        self.child.stdin.flush()
        assert self.child.stdout.readline() == "done\n"

    def end(self):
        self.child.kill()
        self.child.communicate()


@contextmanager
def other_process(directory, **environment):
    other = OtherProcess(directory, **environment)
    try:
        yield other
    finally:
        other.end()


def write(directory, name, size=10):
    with open(os.path.join(directory, name), "ab") as file:
        file.write(b"x" * size)
    return name


def evidence(neighbours):
    return [(neighbour.file, neighbour.evidence) for neighbour in neighbours]


def here(seconds=None, pid="{pid}", number=0):
    return f"events.out.tfevents.{int(time.time()) if seconds is None else seconds}.{HOST}.{pid}.{number}"


@pytest.fixture
def looks(tmp_path):
    return Neighbours(str(tmp_path))


def test_an_empty_directory_has_no_neighbours(looks):
    """Nothing there, nothing said."""
    assert looks.look([]) == []


def test_finished_runs_are_silent(tmp_path, looks):
    """Files that nobody writes any more are no alarm, whatever their names and however many."""
    for number in range(100):
        write(tmp_path, f"events.out.tfevents.{1700000000 + number}.far.{number}.0")
    write(tmp_path, f"events.out.tfevents.1700000000.{HOST}")
    for _ in range(10):
        assert looks.look([]) == []


def test_a_file_of_another_host_that_grows_is_told_once(tmp_path, looks):
    """Growth between two looks is evidence, and one look tells it."""
    name = write(tmp_path, "events.out.tfevents.1700000000.far.77.0", 10)
    assert evidence(looks.look([])) == []
    write(tmp_path, name, 5)
    (reported,) = looks.look([])
    assert (reported.host, reported.pid, reported.same_host, reported.size_before, reported.size) == (
        "far",
        77,
        False,
        10,
        15,
    )
    write(tmp_path, name, 5)
    assert evidence(looks.look([])) == []


def test_the_other_hosts_clock_does_not_matter(tmp_path, looks):
    """A name from the future, or times from the past, are neither evidence nor an excuse."""
    ahead = write(tmp_path, "events.out.tfevents.4000000000.ahead.1.0")
    behind = write(tmp_path, "events.out.tfevents.0000000001.behind.1.0")
    os.utime(tmp_path / ahead, (4e9, 4e9))
    assert evidence(looks.look([])) == []
    assert evidence(looks.look([])) == []
    write(tmp_path, behind)
    os.utime(tmp_path / behind, (1, 1))
    assert evidence(looks.look([])) == [(behind, "grew")]


def test_a_file_without_a_process_in_its_name_is_known_by_growth(tmp_path, looks):
    """TensorFlow's v1 writer on another host."""
    name = write(tmp_path, "events.out.tfevents.1700000000.far")
    looks.look([])
    write(tmp_path, name)
    assert evidence(looks.look([])) == [(name, "grew")]


def test_a_file_that_appears_is_reported(tmp_path, looks):
    """What was not there at the first look was made by somebody since."""
    looks.look([])
    name = write(tmp_path, "events.out.tfevents.1700000000.far.1.0")
    assert evidence(looks.look([])) == [(name, "appeared")]


def test_a_file_that_appears_empty_is_told_when_it_grows(tmp_path, looks):
    """An empty file is not yet a curve."""
    looks.look([])
    name = write(tmp_path, "events.out.tfevents.1700000000.far.1.0", 0)
    assert evidence(looks.look([])) == []
    write(tmp_path, name)
    assert evidence(looks.look([])) == [(name, "grew")]


def test_files_of_this_process_are_its_own(tmp_path, looks):
    """Neither the files of our writers nor those of others in this process are an alarm."""
    own = write(tmp_path, "events.out.tfevents.1700000000.odd-name")
    same = write(tmp_path, here(pid=os.getpid()))
    looks.look([str(tmp_path / own)])
    for name in (own, same):
        write(tmp_path, name)
    later = write(tmp_path, here(pid=os.getpid(), number=1))
    assert evidence(looks.look([own])) == []
    assert (tmp_path / later).exists()


def test_two_files_of_one_process_are_one_neighbour(tmp_path, looks):
    """A process that begins a second file is not reported again."""
    looks.look([])
    write(tmp_path, "events.out.tfevents.1700000000.far.1.0")
    write(tmp_path, "events.out.tfevents.1700000000.far.1.1")
    assert len(looks.look([])) == 1


@linux_only
def test_a_worker_that_started_with_us_is_told_at_once(tmp_path, looks):
    """A living process of this host that has made a file since we started, and has it open, needs no second look."""
    config = '{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 1}}'
    with other_process(tmp_path, TF_CONFIG=config) as other:
        other("open " + here())
        (reported,) = looks.look([])
        assert (reported.pid, reported.evidence, reported.role) == (other.pid, "open", "worker 1 of 2 (TF_CONFIG)")


@linux_only
def test_an_idle_process_with_an_old_file_is_silent_until_it_writes(tmp_path, looks):
    """A notebook that never closed yesterday's writer is no alarm; when it writes again, it is."""
    name = here(seconds=int(process_began()) - 100)
    with other_process(tmp_path) as other:
        other("open " + name)
        assert evidence(looks.look([])) == []
        assert evidence(looks.look([])) == []
        other("grow")
        assert evidence(looks.look([])) == [(name.format(pid=other.pid), "grew")]


def test_a_living_process_that_closed_its_file_is_silent(tmp_path, looks):
    """A process that lives on after its run is finished is no neighbour."""
    with other_process(tmp_path) as other:
        other("open " + here())
        other("close")
        assert evidence(looks.look([])) == []
        assert evidence(looks.look([])) == []


def test_a_living_process_that_comes_later_is_reported(tmp_path, looks):
    """A second run that starts in the directory of the first is reported in the first."""
    looks.look([])
    with other_process(tmp_path) as other:
        other("open " + here())
        (reported,) = looks.look([])
        assert (reported.pid, reported.same_host, reported.evidence) == (other.pid, True, "appeared")


def test_a_process_of_this_host_that_has_ended_is_silent(tmp_path, looks):
    """What came and went between two looks is a finished run."""
    looks.look([])
    with other_process(tmp_path) as other:
        other("open " + here())
    assert not lives(other.pid)
    assert evidence(looks.look([])) == []
    assert evidence(looks.look([])) == []


def test_a_killed_worker_that_is_started_again_is_told_anew(tmp_path, looks):
    """The worker before and the one after are two processes: each is reported once."""
    looks.look([])
    with other_process(tmp_path) as first:
        first("open " + here())
        assert [reported.pid for reported in looks.look([])] == [first.pid]
    assert looks.look([]) == []
    with other_process(tmp_path) as second:
        second("open " + here())
        assert [reported.pid for reported in looks.look([])] == [second.pid]


def test_a_container_that_shares_our_hosts_name_is_known_by_growing_on(tmp_path, looks):
    """Its process is not among ours, so that a file which goes on growing is the evidence."""
    with other_process(tmp_path) as gone:
        pass
    name = write(tmp_path, here(pid=gone.pid))
    looks.look([])
    write(tmp_path, name)
    assert evidence(looks.look([])) == []  # it may have ended just after
    write(tmp_path, name)
    assert evidence(looks.look([])) == [(name, "grew")]


@linux_only
def test_a_reader_is_not_taken_for_the_writer(tmp_path, looks):
    """A file without a process in its name is its writer's, not that of a TensorBoard which has it open to read."""
    name = f"events.out.tfevents.1700000000.{HOST}"
    write(tmp_path, name)
    looks.look([])
    reads = "import sys; file = open(sys.argv[1], 'rb'); print('reading', flush=True); input()"
    command = [sys.executable, "-c", reads, str(tmp_path / name)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as reader:
        reader.stdout.readline()
        write(tmp_path, name)
        assert evidence(looks.look([])) == []
        reader.communicate(b"\n")


@linux_only
def test_a_stock_writer_of_this_process_is_not_taken_for_another(tmp_path, looks):
    """TensorFlow's v1 writer leaves the process out of the name; who has the file open is looked up."""
    looks.look([])
    with open(tmp_path / f"events.out.tfevents.1700000000.{HOST}", "ab", buffering=0) as file:
        file.write(b"begin")
        assert evidence(looks.look([])) == []
        file.write(b"more")
        assert evidence(looks.look([])) == []


@linux_only
def test_a_stock_writer_of_another_process_is_found(tmp_path, looks):
    """The process that a v1 name leaves out is named all the same."""
    looks.look([])
    with other_process(tmp_path) as other:
        other(f"open events.out.tfevents.1700000000.{HOST}")
        assert [reported.pid for reported in looks.look([])] == [other.pid]


#: In a process of its own: one that has imported TensorFlow has threads, and should not fork.
FORKS = """
import os, sys
from safewriter.system.neighbours import Neighbours
looks = Neighbours(".")
looks.look([])
open("events.out.tfevents.1700000000.far.1.0", "w").write("begin")
child = os.fork()
found = len(looks.look([]))
if child == 0:
    os._exit(found)
print(os.waitpid(child, 0)[1], found)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_child_does_not_look(tmp_path):
    """The parent's file grows beside the child's, of which SW505 speaks already; the parent looks on."""
    output = subprocess.check_output([sys.executable, "-c", FORKS], cwd=tmp_path, text=True)
    assert output.split() == ["0", "1"]


def test_looks_keep_their_distance(tmp_path):
    """On flush, nothing is looked at before ten seconds have passed."""
    clock = Clock()
    looks = Neighbours(str(tmp_path), clock)
    looks.look([])
    name = write(tmp_path, "events.out.tfevents.1700000000.far.1.0")
    clock.now = INTERVAL - 0.1
    assert evidence(looks.look([], at_most_every=INTERVAL)) == []
    clock.now = INTERVAL
    assert evidence(looks.look([], at_most_every=INTERVAL)) == [(name, "appeared")]


def test_among_many_files_each_gets_its_turn(tmp_path, looks):
    """A living file is found among a thousand finished ones, wherever its name sorts."""
    for number in range(1000):
        write(tmp_path, f"events.out.tfevents.{1700000000 + number}.far.{number}.0")
    old, new = ("events.out.tfevents.1700000003.far.3.0", "events.out.tfevents.1700000999.far.999.0")
    looks.look([])
    found = []
    for _ in range(140):
        write(tmp_path, old)
        write(tmp_path, new)
        found += evidence(looks.look([]))
    assert found == [(new, "grew"), (old, "grew")]


def test_nothing_is_left_in_the_directory(tmp_path, looks):
    """No lock, no marker."""
    for _ in range(3):
        looks.look([])
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("directory", ["gs://bucket/logs", "/nowhere/at/all"])
def test_a_directory_that_cannot_be_listed_is_no_error(directory):
    """Of a remote directory, or one that is gone, nothing is known."""
    looks = Neighbours(directory)
    assert looks.look([]) == looks.look([]) == []


def test_a_file_that_goes_away_is_no_error(tmp_path, looks):
    """Files may be deleted between two looks."""
    name = write(tmp_path, "events.out.tfevents.1700000000.far.1.0")
    looks.look([])
    (tmp_path / name).unlink()
    assert evidence(looks.look([])) == []


# What is said of it.


def neighbour(**changes):
    facts = {
        "file": "f",
        "host": "far",
        "pid": 7,
        "same_host": False,
        "evidence": "grew",
        "size_before": 1000,
        "size": 2000,
    }
    return Neighbour(**{**facts, **changes})


def test_the_message_names_process_host_evidence_and_role():
    """Who it is, how that is known, and who we are."""
    found = [neighbour(role="worker 1 of 2 (TF_CONFIG)")]
    (finding,) = judge_directory("logs", found, Role("worker", 0, 2, "TF_CONFIG", True))
    assert finding.code == "SW203"
    assert "into logs: process 7 on far, worker 1 of 2 (TF_CONFIG): f grew from 1,000 to 2,000 bytes" in finding.message
    assert "Role of this process: worker 0 of 2 (TF_CONFIG)" in finding.message
    assert "`writer = SafeFileWriter(logdir) if chief else None`" in finding.hint


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"pid": None}, "an unnamed process on far: f grew"),
        ({"same_host": True}, "process 7 on far (this host): f grew"),
        ({"evidence": "appeared"}, "f appeared after this writer was created and holds 2,000 bytes"),
        ({"evidence": "open"}, "f is held open by it"),
    ],
)
def test_each_kind_of_evidence_has_its_words(changes, words):
    """The message says how it is known."""
    (finding,) = judge_directory("logs", [neighbour(**changes)], Role())
    assert words in finding.message


def test_many_neighbours_are_one_finding():
    """Of sixty-four workers, three are named, all are in the data, and one warning is given."""
    (finding,) = judge_directory("logs", [neighbour(pid=pid) for pid in range(64)], Role())
    assert "process 2 on far" in finding.message
    assert "process 3 on far" not in finding.message
    assert "and 61 more" in finding.message
    assert (finding.count, finding.subject, len(finding.data["neighbours"])) == (64, "logs", 64)


def test_where_nothing_says_who_we_are_the_hint_says_so():
    """A process without a role is reported where a role would come from."""
    (finding,) = judge_directory("logs", [neighbour()], Role())
    assert "TF_CONFIG" in finding.hint


def test_no_neighbours_no_finding():
    """A look that shows nothing says nothing."""
    assert judge_directory("logs", [], Role()) == []


def test_this_process_lives():
    """Liveness is known of ourselves, and of a number that no process has; zero is no process."""
    assert lives(os.getpid())
    assert lives(0)
    assert not lives(2**22 + 1)


@linux_only
def test_this_process_began_a_while_ago():
    """The time of our start is of the same clock as the seconds in our files' names."""
    assert time.time() - 86400 < process_began() <= time.time()
