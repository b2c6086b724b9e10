"""SW101 to SW106: a wrong log directory raises when the writer is created, names what is in the way, leaves nothing."""

import errno
import os
import pathlib
import subprocess
import sys

import pytest
import tensorflow as tf
from pyfakefs.fake_filesystem import OSType
from pyfakefs.helpers import reset_ids, set_gid, set_uid

from safewriter import SafeFileWriter, SafeWriterError, SafeWriterWarning
from safewriter.checks.logdir import (
    ALMOST_FULL,
    Obstacle,
    judge_failure,
    judge_free_space,
    judge_given,
    judge_literal,
    judge_scheme,
    scheme_of,
)
from safewriter.system.logdir import free_bytes, obstacle

v1 = tf.compat.v1


def refused(logdir, code, builtin, number=None):
    """The error of a writer that can't be created; it is of all its classes, and carries the errno and the path."""
    with pytest.raises(SafeWriterError) as caught:
        SafeFileWriter(logdir)
    error = caught.value
    assert error.finding.code == code
    assert isinstance(error, builtin)
    if number is not None:
        assert error.errno == number
        assert error.filename == logdir
        assert errno.errorcode[number] in str(error) or code == "SW102"
    return error


def tree(root):
    """All that there is below a directory."""
    return sorted(
        os.path.relpath(os.path.join(where, name), root)
        for where, directories, files in os.walk(root)
        for name in (*directories, *files)
    )


class TestGiven:
    """SW101: what can't mean a directory."""

    @pytest.mark.parametrize(
        "given", [None, 5, 0.5, ["logs"], {"a": 1}, True, object()], ids=lambda given: repr(given)[:9]
    )
    def test_other_types(self, graph, tmp_path, monkeypatch, given):
        """What is no path is a TypeError, and no directory of that name is made."""
        monkeypatch.chdir(tmp_path)
        error = refused(given, "SW101", TypeError)
        assert type(given).__name__ in str(error) or given is None
        assert tree(tmp_path) == []

    def test_none_says_that_nothing_was_set(self, graph):
        """None is most often a flag that was not set."""
        assert "never set" in str(refused(None, "SW101", TypeError))

    def test_tensor(self, graph):
        """A tensor is no path."""
        refused(tf.constant("logs"), "SW101", TypeError)

    @pytest.mark.parametrize("given", ["", b"", "a\0b", b"a\0b"], ids=repr)
    def test_no_name(self, graph, tmp_path, monkeypatch, given):
        """An empty path, or one with a NUL character, is a ValueError."""
        monkeypatch.chdir(tmp_path)
        refused(given, "SW101", ValueError)
        assert tree(tmp_path) == []

    @pytest.mark.parametrize(
        "given", ["logs", b"logs", pathlib.Path("logs"), pathlib.PurePosixPath("a/b"), "."], ids=repr
    )
    def test_paths(self, given):
        """Text, bytes and path objects are paths."""
        assert judge_given(given) == []


class TestLiteral:
    """SW104: what a shell would have replaced."""

    @pytest.mark.parametrize(
        ("text", "fix"),
        [
            ("~", "expanduser"),
            ("~/logs", "expanduser"),
            ("~me/logs", "expanduser"),
            ("$HOME/logs", "expandvars"),
            ("logs/${RUN}/x", "expandvars"),
            ("%TEMP%\\logs", "expandvars"),
            ("'logs'", "strip"),
            ('"logs"', "strip"),
            ("logs'", "strip"),
            ("`pwd`", "strip"),
            ("\u201clogs\u201d", "strip"),
            (" logs", "strip"),
            ("logs ", "strip"),
            ("logs\n", "strip"),
            ("s3:/bucket/logs", "str, not a Path"),
            ("gs:/bucket", "str, not a Path"),
            ("~/'logs' ", "expanduser"),
        ],
    )
    def test_reported(self, text, fix):
        """The message names the path as it is, and the hint the call that fixes it."""
        (finding,) = judge_literal(text)
        assert finding.code == "SW104"
        assert repr(text) in finding.message
        assert fix in finding.hint

    @pytest.mark.parametrize(
        "text",
        [
            "logs",
            "/tmp/logs-2024.01.01_12:00",
            "C:\\Users\\me\\logs",
            "C:/logs",
            "a~b",
            "logs/~backup",
            "rate=90%",
            "cost$",
            "$5",
            "with blank/and more",
            "it's",
            "\u65e5\u672c\u8a9e",
            "gs_bucket/logs",
            "a:/b",
            "..",
        ],
    )
    def test_not_reported(self, text):
        """Names that mean what they say are left alone."""
        assert judge_literal(text) == []

    def test_the_directory_is_called_so(self, graph, tmp_path, monkeypatch):
        """It is a warning: the writer works, at the user's line, and the directory bears that name."""
        monkeypatch.chdir(tmp_path)
        with pytest.warns(SafeWriterWarning, match=r"SW104.*begins with `~`") as caught:
            writer = SafeFileWriter("~/logs")
        assert caught[0].filename == __file__
        writer.close()
        assert os.path.isdir(tmp_path / "~" / "logs")

    def test_strict(self, graph, tmp_path, monkeypatch):
        """Under strict it is raised before anything is made."""
        monkeypatch.chdir(tmp_path)
        with pytest.raises(SafeWriterError, match="SW104"):
            SafeFileWriter("$HOME/logs", strict=True)
        assert tree(tmp_path) == []


class TestScheme:
    """SW105: remote storage that nobody provides."""

    @pytest.mark.parametrize(
        ("text", "scheme"),
        [
            ("s3://bucket/logs", "s3"),
            ("gs://bucket", "gs"),
            ("GS://bucket", "gs"),
            ("a+b.c-d://x", "a+b.c-d"),
            ("file:///tmp/logs", ""),
            ("/tmp/logs", ""),
            ("C://logs", ""),
            ("s3:/bucket", ""),
            ("logs/s3://x", ""),
            ("://x", ""),
        ],
    )
    def test_scheme_of(self, text, scheme):
        """A scheme is what stands before ``://``, but for files and the letters of Windows drives."""
        assert scheme_of(text) == scheme

    @pytest.mark.parametrize(
        ("text", "package"),
        [
            ("s3://bucket/logs", "tensorflow-io"),
            ("hdfs://host/logs", "tensorflow-io"),
            ("gs://bucket/logs", "tensorflow-io-gcs-filesystem"),
            ("az://bucket/logs", "tensorflow-io"),
            ("unheardof://x", None),
        ],
    )
    def test_reported(self, text, package):
        """The package that provides it is named, where one is known."""
        (finding,) = judge_scheme(text, frozenset(["", "ram", "file"]))
        assert (finding.code, finding.data["package"]) == ("SW105", package)
        assert (f"pip install {package}" in finding.hint) == (package is not None)
        assert text in finding.message

    def test_registered(self):
        """What TensorFlow has a file system for is left alone, as are local paths."""
        assert judge_scheme("gs://bucket", frozenset(["gs"])) == []
        assert judge_scheme("logs", frozenset()) == []

    @pytest.mark.parametrize("logdir", ["s3://bucket/logs", "unheardof://x/y"])
    def test_raised(self, graph, tmp_path, monkeypatch, logdir):
        """It is raised at once, without a local directory called like the scheme."""
        monkeypatch.chdir(tmp_path)
        refused(logdir, "SW105", OSError)
        assert tree(tmp_path) == []

    def test_memory_file_system(self, graph):
        """TensorFlow's own ``ram://`` works."""
        with SafeFileWriter("ram://safewriter-logdir/logs") as writer:
            writer.add_summary(v1.Summary(value=[v1.Summary.Value(tag="a", simple_value=1)]), 1)
        (name,) = tf.io.gfile.listdir("ram://safewriter-logdir/logs")
        assert tf.io.gfile.stat("ram://safewriter-logdir/logs/" + name).length > 50


class TestInTheWay:
    """SW102 and SW103 on the real file system."""

    @pytest.mark.parametrize("below", ["", "run", "run/train"], ids=["itself", "parent", "grandparent"])
    def test_file(self, graph, tmp_path, below):
        """A file in the way is named, as the directory itself and as a parent, and stays as it is."""
        (tmp_path / "logs").write_text("kept")
        logdir = os.path.join(tmp_path, "logs", below).rstrip("/")
        error = refused(logdir, "SW102", NotADirectoryError, errno.ENOTDIR)
        assert str(tmp_path / "logs") in str(error)
        assert error.finding.data["in_the_way"] == str(tmp_path / "logs")
        assert (tmp_path / "logs").read_text() == "kept"

    def test_device(self, graph):
        """A device is no directory."""
        refused(os.devnull, "SW102", NotADirectoryError)

    def test_link_in_a_circle(self, graph, tmp_path):
        """Links that lead to each other: ELOOP, as the directory and as a parent."""
        os.symlink("b", tmp_path / "a")
        os.symlink("a", tmp_path / "b")
        assert "points back to itself" in str(refused(str(tmp_path / "a"), "SW103", OSError, errno.ELOOP))
        refused(str(tmp_path / "a" / "logs"), "SW103", OSError, errno.ELOOP)
        assert tree(tmp_path) == ["a", "b"]

    def test_link_to_nothing(self, graph, tmp_path):
        """A dangling link: ENOENT, and nothing is made where it points."""
        os.symlink("gone", tmp_path / "logs")
        error = refused(str(tmp_path / "logs"), "SW103", FileNotFoundError, errno.ENOENT)
        assert "dangling link" in str(error)
        assert tree(tmp_path) == ["logs"]

    @pytest.mark.parametrize("name", ["x" * 300, "/".join(["y" * 200] * 25)], ids=["name", "path"])
    def test_too_long(self, graph, tmp_path, name):
        """A name or a path that is too long says how long it is; the parents that could be made are gone again."""
        logdir = str(tmp_path / "new" / name)
        error = refused(logdir, "SW103", OSError, errno.ENAMETOOLONG)
        assert f"{len(logdir)} bytes" in str(error)
        assert tree(tmp_path) == []

    def test_suffix_too_long(self, graph, tmp_path):
        """A file name that its suffix makes too long: the directory is gone again."""
        with pytest.raises(SafeWriterError, match="ENAMETOOLONG"):
            SafeFileWriter(str(tmp_path / "a" / "b"), filename_suffix="." + "x" * 250)
        assert tree(tmp_path) == []

    def test_suffix_with_a_directory(self, graph, tmp_path):
        """A suffix that names a directory is not followed."""
        with pytest.raises(SafeWriterError, match="SW103"):
            SafeFileWriter(str(tmp_path / "a"), filename_suffix="/x")
        assert tree(tmp_path) == []

    def test_system_directory(self, graph):
        """Where the system lets nobody make anything, its own reason is reported."""
        if not os.path.isdir("/proc/self"):
            pytest.skip("this system has no /proc")
        with pytest.raises(SafeWriterError, match="SW103") as caught:
            SafeFileWriter("/proc/logs")
        assert isinstance(caught.value, OSError)

    def test_next_writer_works(self, graph, tmp_path, read_points):
        """After a refusal nothing is kept of it: the next writer works, and is the only one."""
        (tmp_path / "file").write_text("")
        refused(str(tmp_path / "file"), "SW102", NotADirectoryError)
        with SafeFileWriter(str(tmp_path / "logs"), strict=True) as writer:
            writer.add_summary(v1.Summary(value=[v1.Summary.Value(tag="a", simple_value=1)]), 1)
        assert read_points(tmp_path / "logs") == {"a": [(1, 1.0)]}

    def test_session(self, graph, tmp_path):
        """With ``session=`` too, where TensorFlow would not have said a word."""
        (tmp_path / "file").write_text("")
        with v1.Session() as sess, pytest.raises(NotADirectoryError, match="SW102"):
            SafeFileWriter(str(tmp_path / "file" / "logs"), session=sess)
        assert tree(tmp_path) == ["file"]


PERMISSIONS = """
import os, sys
import tensorflow.compat.v1 as tf
tf.disable_eager_execution()
from safewriter import SafeFileWriter, SafeWriterError
for case in sys.argv[1:]:
    logdir, _, session = case.partition("|")
    try:
        with tf.Session() as sess:
            SafeFileWriter(logdir, session=sess if session else None)
    except PermissionError as error:
        text = str(error).replace("\\n", " ")
        print("PermissionError", isinstance(error, SafeWriterError), error.errno, error.filename, text)
    else:
        print("made")
"""


class TestAsAnotherUser:
    """SW103 on the real file system, as a user that owns nothing."""

    def run(self, run_forked, root, *logdirs):
        outcome = run_forked(PERMISSIONS, *logdirs, cwd=root, unprivileged=True)
        assert outcome.exit_code == 0, outcome.stderr
        return outcome.stdout.splitlines()

    def test_directory_of_somebody_else(self, run_forked, open_path):
        """Path, errno, who we are, owner and mode of the directory in the way; nothing is left behind."""
        os.mkdir(f"{open_path}/theirs")
        os.chmod(f"{open_path}/theirs", 0o555)
        before = tree(open_path)
        lines = self.run(
            run_forked, open_path, f"{open_path}/theirs", f"{open_path}/theirs/run/train", f"{open_path}/theirs|session"
        )
        for line, logdir in zip(lines, ("theirs", "theirs/run/train", "theirs"), strict=True):
            assert line.startswith(f"PermissionError True {errno.EACCES} {open_path}/{logdir} SW103 ")
            assert "EACCES" in line
            assert f"{open_path}/theirs" in line
            assert "mode dr-xr-xr-x" in line
            owner, us = line.split(" belongs to ")[1].split(", mode"), line.split("this process is ")[1]
            assert f"uid {os.geteuid()}" in owner[0]
            assert "uid 65534" in us or f"uid {os.geteuid()}" in us
            assert "chmod" in line
        assert sorted(set(tree(open_path)) - {"program.py"}) == before

    def test_directory_that_can_not_be_entered(self, run_forked, open_path):
        """Behind a closed door nothing can be seen: the door is named."""
        os.makedirs(f"{open_path}/closed/logs")
        os.chmod(f"{open_path}/closed", 0o000)
        lines = self.run(run_forked, open_path, f"{open_path}/closed/logs", f"{open_path}/closed")
        assert all("mode d---------" in line and f"{open_path}/closed" in line for line in lines)

    def test_directories_made_on_the_way_are_gone_again(self, run_forked, open_path):
        """Parents that could be made are taken away where the file can't be."""
        os.makedirs(f"{open_path}/mine")
        os.chmod(f"{open_path}/mine", 0o777)
        lines = self.run(run_forked, open_path, f"{open_path}/mine/a/b/" + "x" * 10)
        assert lines == ["made"]
        os.makedirs(f"{open_path}/readable/logs")
        os.chmod(f"{open_path}/readable/logs", 0o755)
        self.run(run_forked, open_path, f"{open_path}/readable/logs/a/b")
        assert os.listdir(f"{open_path}/readable/logs") == []


class TestDescriptors:
    def test_none_left(self, run_forked, tmp_path):
        """EMFILE: the hint names the limit, and the directories made on the way are gone again."""
        outcome = run_forked("""
import errno, os, resource
import tensorflow.compat.v1 as tf
tf.disable_eager_execution()
from safewriter import SafeFileWriter, SafeWriterError
with tf.Session() as sess:
    sess.run(tf.constant(1))
SafeFileWriter("before").close()
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
kept = []
try:
    while True:
        kept.append(os.open(os.devnull, os.O_RDONLY))
except OSError:
    pass
try:
    SafeFileWriter("logs/run")
except SafeWriterError as error:
    reported = error
for each in kept:
    os.close(each)
print(reported.errno == errno.EMFILE, "ulimit -n" in str(reported), sorted(os.listdir()))
SafeFileWriter("logs/run").close()
""")
        assert outcome.exit_code == 0, outcome.stderr
        assert outcome.stdout == "True True ['before', 'program.py']\n"


@pytest.fixture
def small_disk(tmp_path):
    """Mounts disks of a few megabytes; skips where the tests may not mount any."""
    mounted = []

    def mount(size, options=""):
        where = tmp_path / f"disk{len(mounted)}"
        where.mkdir()
        if not sys.platform.startswith("linux"):
            pytest.skip("a small disk is mounted on Linux only")
        call = ["mount", "-t", "tmpfs", "-o", f"size={size}{options}", "tmpfs", str(where)]
        done = subprocess.run(call, capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"mounting a small disk is not permitted here: {done.stderr.strip()}")
        mounted.append(where)
        return where

    yield mount
    for where in mounted:
        subprocess.run(["umount", str(where)], check=True)


class TestDisk:
    def test_almost_full(self, graph, small_disk):
        """SW106: a disk of few megabytes is reported with its number, at the user's line; the writer works."""
        disk = small_disk("3m")
        with pytest.warns(SafeWriterWarning, match=r"SW106 .*Only 3 MB are free") as caught:
            writer = SafeFileWriter(str(disk / "logs"))
        assert caught[0].filename == __file__
        writer.close()

    def test_full(self, graph, small_disk):
        """A full disk: ENOSPC at construction, and nothing is left behind."""
        disk = small_disk("1m")
        with open(disk / "filler", "wb", buffering=0) as file:
            file.write(b"x" * 2**21)  # as much of it as fits
        error = refused(str(disk / "logs" / "run"), "SW103", OSError, errno.ENOSPC)
        assert "free space" in str(error)
        assert tree(disk) == ["filler"]

    def test_no_inodes(self, graph, small_disk):
        """A disk that has room, but for no further file."""
        disk = small_disk("200m", ",nr_inodes=3")
        error = refused(str(disk / "a" / "b" / "c"), "SW103", OSError, errno.ENOSPC)
        assert "disk is full" in str(error)
        assert tree(disk) == []

    def test_read_only(self, graph, small_disk):
        """A read-only disk: EROFS."""
        disk = small_disk("1m", ",ro")
        error = refused(str(disk / "logs"), "SW103", OSError, errno.EROFS)
        assert "read-only" in str(error)

    @pytest.mark.parametrize(
        ("free", "reported"), [(0, True), (ALMOST_FULL - 1, True), (ALMOST_FULL, False), (10**15, False)]
    )
    def test_free_space(self, free, reported):
        """Less than 100 MB is reported."""
        assert [finding.code for finding in judge_free_space("/logs", free)] == ["SW106"] * reported

    def test_free_bytes(self, tmp_path):
        """What the system says; nothing where it says nothing."""
        assert free_bytes(str(tmp_path)) > 0
        assert free_bytes(str(tmp_path / "gone")) is None
        if sys.platform.startswith("linux"):  # a file system without a size
            assert free_bytes("/proc") is None

    def test_disk_that_says_nothing(self, monkeypatch, tmp_path):
        """Some mounts report no blocks at all: that is no full disk."""
        empty = os.statvfs_result([4096, 4096, 0, 0, 0, 0, 0, 0, 0, 255])
        monkeypatch.setattr(os, "statvfs", lambda path: empty)
        assert free_bytes(str(tmp_path)) is None


class TestFakeFileSystem:
    """What the real file system of this machine can't show."""

    @pytest.fixture
    def as_user(self, fs):
        yield lambda: (set_uid(1234), set_gid(1234))
        reset_ids()

    def test_home_of_somebody_else(self, fs, graph, as_user):
        """A home that only its owner may write to."""
        fs.create_dir("/home/ada", perm_bits=0o755)
        os.chown("/home/ada", 1000, 1000)
        as_user()
        error = refused("/home/ada/logs", "SW103", PermissionError, errno.EACCES)
        assert "/home/ada, belongs to" in str(error)
        assert "uid 1000" in str(error)
        assert "mode drwxr-xr-x" in str(error)
        assert error.finding.data["in_the_way"] == "/home/ada"
        assert not os.path.exists("/home/ada/logs")

    def test_group_may_write(self, fs, graph, as_user):
        """Where the group may write, the writer works."""
        fs.create_dir("/scratch")
        os.chmod("/scratch", 0o775)
        os.chown("/scratch", 0, 1234)
        as_user()
        with SafeFileWriter("/scratch/logs"):
            assert len(os.listdir("/scratch/logs")) == 1

    def test_full_disk(self, fs, graph):
        """A disk that fills up with the first event."""
        fs.create_dir("/small")
        fs.add_mount_point("/small/disk", total_size=10)
        error = refused("/small/disk/logs", "SW103", OSError, errno.ENOSPC)
        assert "The disk is full" in str(error)
        assert os.listdir("/small/disk") == []

    def test_windows_path(self, fs, graph):
        """Windows paths are paths: the drive's letter is no scheme, and parents are made."""
        fs.os = OSType.WINDOWS
        for logdir in ("C:\\runs\\one", "C:/runs/two"):
            with SafeFileWriter(logdir) as writer:
                assert writer.get_logdir() == logdir
            assert len(os.listdir(logdir)) == 1

    def test_windows_file_in_the_way(self, fs, graph):
        """A file in the way, on Windows."""
        fs.os = OSType.WINDOWS
        fs.create_file("C:\\runs")
        refused("C:\\runs\\one", "SW102", NotADirectoryError, errno.ENOTDIR)


class TestFailure:
    """The messages of failures that can't be made to happen here."""

    @pytest.mark.parametrize(
        ("number", "hint"),
        [
            (errno.EDQUOT, "quota"),
            (errno.ENFILE, "The system has no file descriptors"),
            (errno.EPERM, "may write to"),
            (errno.EIO, "storage"),
        ],
    )
    def test_hints(self, number, hint):
        """Each errno has its hint; one that is not known, the general one."""
        finding = judge_failure(
            "/logs", OSError(number, os.strerror(number)), Obstacle("/logs", True, "me", "drwx", "me")
        )
        assert finding.code == "SW103"
        assert errno.errorcode[number] in finding.message
        assert hint in finding.hint

    def test_remote(self):
        """Of remote storage no directory in the way is known."""
        finding = judge_failure("gs://bucket/logs", OSError("no such bucket"), None)
        assert "gs://bucket/logs" in finding.message
        assert "belongs to" not in finding.message
        assert finding.raises is OSError

    def test_obstacle(self, tmp_path):
        """The innermost part that exists, with its owner and mode."""
        os.chmod(tmp_path, 0o750)
        found = obstacle(str(tmp_path / "a" / "b"))
        assert (found.path, found.is_directory, found.mode) == (str(tmp_path), True, "drwxr-x---")
        assert f"uid {os.geteuid()}" in found.us
        assert found.owner == found.us

    def test_user_without_a_name(self, tmp_path):
        """An owner that no user has is named by its number."""
        from children import is_root

        if not is_root():
            pytest.skip("only root gives files away")
        os.chown(tmp_path, 54321, 54321)
        assert obstacle(str(tmp_path)).owner == "uid 54321"
