"""Plugin metadata: it says which dashboard of TensorBoard a tag belongs to."""

from __future__ import annotations

from typing import Any

#: Stands in each serialized summary that carries metadata: Summary.Value.metadata is field 9, length-delimited
#: (tensorflow/core/framework/summary.proto).
FIELD_KEY = b"J"


def carries_metadata(summary: Any) -> bool:
    """Whether a value of a summary does."""
    for value in summary.value[:]:  # noqa: SIM110 - each histogram comes here; a generator takes twice as long
        if value.HasField("metadata"):
            return True
    return False


class PluginMetadata:
    """Keeps the metadata of each tag once in each event file.

    TensorBoard needs it with the first value of a tag; repeated, it only takes room. The stock writer strips it from
    the message of the caller, and does not repeat it in the file that ``reopen`` begins.

    Attributes:
        of_tag: The metadata of each tag that came with some, serialized.
    """

    def __init__(self) -> None:
        self.of_tag: dict[str, bytes] = {}
        self._contents: dict[bytes, bytes] = {}  # most tags of a plugin have the same metadata: it is kept once
        self._missing: set[str] = set()  # tags whose metadata the file lacks
        self._generation = 0

    def settle(self, summary: Any, generation: int) -> list[str]:
        """Strips metadata that the file has already, and adds what a new file lacks.

        Args:
            summary: Our own copy of the message; it is changed.
            generation: Number of the file that it goes to.

        Returns:
            The tags whose metadata this summary carries; for ``take_back``.
        """
        if generation != self._generation:
            self._generation = generation
            self._missing = set(self.of_tag)
        placed = []
        for value in summary.value:
            tag = value.tag
            has, known = value.HasField("metadata"), tag in self.of_tag
            if has and not known:
                content = value.metadata.SerializeToString()
                self.of_tag[tag] = self._contents.setdefault(content, content)
            elif tag in self._missing:
                if not has:
                    value.metadata.MergeFromString(self.of_tag[tag])
                self._missing.remove(tag)
            else:
                if has:
                    value.ClearField("metadata")
                continue
            placed.append(tag)
        return placed

    def carry(self, summary: Any) -> None:
        """Adds what is known of each tag to a summary that may begin a file of its own; nothing is booked."""
        for value in summary.value:
            known = self.of_tag.get(value.tag)
            if known is not None and not value.HasField("metadata"):
                value.metadata.MergeFromString(known)

    def take_back(self, placed: list[str]) -> None:
        """The summary was not written: its metadata is not in the file."""
        self._missing.update(placed)
