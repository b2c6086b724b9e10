"""A log directory set up wrong: not writable, a literal ``~``, never flushed; each beside its fixed form.

Everything happens in a temporary directory.
"""

import contextlib
import os
import tempfile

import tensorflow.compat.v1 as tf

from safewriter import SafeFileWriter

tf.disable_eager_execution()


def write(writer):
    for step in range(20):
        loss = tf.Summary.Value(tag="loss", simple_value=0.9**step)
        writer.add_summary(tf.Summary(value=[loss]), step)


@contextlib.contextmanager
def unprivileged():
    """Root may write anywhere; here it acts for a while as a user without rights."""
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    if is_root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)


def not_writable():
    os.mkdir("results")
    os.chmod("results", 0o555)
    with unprivileged():
        try:
            SafeFileWriter("results")
        except PermissionError as error:  # as the error of any file that can't be created
            print(f"{type(error).__name__}: {error}", flush=True)


def not_writable_fixed():
    os.chmod("results", 0o755)
    with SafeFileWriter("results") as writer:
        write(writer)


def literal_tilde():
    with SafeFileWriter("~/logs") as writer:
        write(writer)


def literal_tilde_fixed():
    os.environ["HOME"] = os.environ["USERPROFILE"] = os.getcwd()  # this example writes nothing into your home
    with SafeFileWriter(os.path.expanduser("~/logs")) as writer:
        write(writer)


def never_flushed():
    write(SafeFileWriter("unflushed"))


def never_flushed_fixed():
    with SafeFileWriter("flushed") as writer:
        write(writer)


def main():
    for program in (not_writable, literal_tilde, never_flushed):
        print(f"\n== {program.__name__}", flush=True)
        program()
        print(f"\n== {program.__name__}_fixed", flush=True)
        globals()[f"{program.__name__}_fixed"]()
        print("Nothing was reported.", flush=True)


if __name__ == "__main__":
    start = os.getcwd()
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        os.chdir(directory)
        main()
        os.chdir(start)
