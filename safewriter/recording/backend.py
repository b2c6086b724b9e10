"""What stands below a writer: one protocol, and a backend each for local files, slow storage and TensorFlow's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from safewriter.findings import Finding


@dataclass
class Part:
    """The account of one event file.

    Attributes:
        path: Where it is; where it was created, if it is not known where it went.
        events: Events written to it, without the version record.
        landed: How many of them were found on disk at the last look, or can be read in what is left of the file.
        lost: How many went with the file.
        size: Bytes.
        final: ``landed`` and ``lost`` won't change any more: the file was finished, or given up.
    """

    path: str
    events: int = 0
    landed: int = 0
    lost: int = 0
    size: int = 0
    final: bool = False


class Backend(Protocol):
    """Takes events, which then land, or the user is warned how many did not.

    Its owner, an event writer, calls it from one thread at a time, with one exception: ``write_in_between`` and the
    account may be asked for by a signal handler in the middle of any other call.
    """

    @property
    def parts(self) -> Sequence[Part]:
        """Each event file, with what is in it."""

    @property
    def path(self) -> str:
        """The file that is written to, or was last; the log directory where there is none yet."""

    @property
    def generation(self) -> int:
        """How many files were begun so far."""

    @property
    def accepted(self) -> int:
        """Events that were taken."""

    @property
    def landed(self) -> int:
        """Events that were found on disk at the last look."""

    @property
    def lost(self) -> int:
        """Accepted events that can't land any more."""

    @property
    def pending(self) -> int:
        """Accepted events that only this process's memory holds: what a kill would lose."""

    def write(self, event: Any) -> None:
        """Takes one ``Event`` message.

        Raises:
            SafeWriterError: SW502, also an ``OSError``: the event was not taken.
        """

    def write_in_between(self, event: Any) -> None:
        """Takes one from a call that re-enters: it neither waits nor touches what the interrupted call works on."""

    def prepare(self) -> None:
        """Begins the file that the next event goes to, where there is none: afterwards ``generation`` counts it.

        Raises:
            SafeWriterError: SW502, as ``write`` would.
        """

    def flush(self, timeout: float | None = None) -> None:
        """Brings what was taken to where other programs see it, and looks whether it is there.

        Args:
            timeout: Seconds to wait for slow storage; None for as long as it takes.

        Raises:
            SafeWriterError: SW502: the storage refuses; the events stay in memory and are tried again.
        """

    def close(self, timeout: float | None = None) -> list[Finding]:
        """Brings everything to the storage and closes the file. A second call does nothing.

        Returns:
            SW502, summed up, where something could not be written.
        """

    def reopen(self) -> None:
        """Goes on in a new file after ``close``.

        Raises:
            OSError: It can't be created.
        """

    def remove(self) -> None:
        """Removes what a constructor that failed has created."""
