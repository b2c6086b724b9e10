"""``install()``: every writer of a program, without an edit of it."""

import sys

import pytest
import tensorflow as tf
from tensorflow.python.summary.writer import writer as stock_module

import safewriter
from safewriter.patching.patches import Patches

FileWriter = tf.compat.v1.summary.FileWriter


@pytest.fixture(autouse=True)
def in_graph():
    """Graph mode, and no installation left behind."""
    with tf.Graph().as_default():
        yield
    safewriter.uninstall()


def state():
    """What an installation may change."""
    names = ("FileWriter", "FileWriterCache")
    return (
        dict(vars(stock_module.FileWriter)),
        {name: getattr(tf.compat.v1.summary, name) for name in names},
        dict(vars(tf.summary)),
        list(sys.meta_path),
    )


def test_it_leaves_no_trace(tmp_path):
    """After the block, and after ``uninstall``, everything is as it was, and TensorFlow's writers are its own."""
    before = state()
    with safewriter.install():
        assert isinstance(FileWriter(str(tmp_path / "a")), safewriter.SafeFileWriter)
        with safewriter.install(strict=True):
            pass
        assert isinstance(FileWriter(str(tmp_path / "b")), safewriter.SafeFileWriter)
    assert state() == before
    safewriter.install()
    safewriter.install()
    safewriter.uninstall()
    assert state() == before
    stock = FileWriter(str(tmp_path / "c"))
    assert type(stock) is FileWriter
    stock.close()


def test_options_hold_for_all_writers(tmp_path):
    """``strict`` and ``ignore`` are those of the innermost installation; a wrong code is refused at once."""
    nan = tf.compat.v1.Summary(value=[tf.compat.v1.Summary.Value(tag="a", simple_value=float("nan"))])
    with safewriter.install(strict=True), FileWriter(str(tmp_path / "a")) as writer:
        with pytest.raises(safewriter.SafeWriterError, match="SW401"):
            writer.add_summary(nan, 1)
        with safewriter.install(ignore="SW401"), FileWriter(str(tmp_path / "b")) as other:
            other.add_summary(nan, 1)
    with pytest.raises(ValueError, match="SW999"):
        safewriter.install(ignore="SW999")
    assert type(FileWriter.__init__).__name__ == "function"


def test_stock_construction_goes_on_as_ever(tmp_path):
    """A writer that exists already stays TensorFlow's; a safe one that is created by name is created once."""
    stock = FileWriter(str(tmp_path / "a"))
    with safewriter.install():
        assert type(stock) is FileWriter
        stock.close()
        with safewriter.SafeFileWriter(str(tmp_path / "b")) as writer:
            assert type(writer) is safewriter.SafeFileWriter
    assert len(list((tmp_path / "b").iterdir())) == 1


def test_somebody_elses_patch_over_ours_stays(tmp_path):
    """A tool that wraps the constructor after us keeps its wrapper, and it goes on to TensorFlow's own."""
    seen = []
    installation = safewriter.install()
    ours = FileWriter.__init__

    def wrapper(self, *args, **keywords):
        seen.append(args)
        ours(self, *args, **keywords)

    patches = Patches()
    patches.set(FileWriter, "__init__", wrapper)
    installation.__exit__(None, None, None)
    assert FileWriter.__init__ is wrapper
    writer = FileWriter(str(tmp_path))
    assert type(writer) is FileWriter
    writer.close()
    assert seen == [(str(tmp_path),)]
    patches.undo()
    FileWriter.__init__ = ours.__wrapped__


def test_the_fault_of_a_subclass_is_its_own(tmp_path):
    """A subclass whose layout can't take part is left to TensorFlow, as it was."""

    class Sealed(FileWriter):
        def __init_subclass__(cls, **options):
            raise TypeError("no subclasses, please")

    with safewriter.install():
        writer = Sealed(str(tmp_path))
        writer.close()
    assert type(writer) is Sealed
