"""A finding is data: one object serves the warning, the report, JSON and the tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from safewriter.findings.catalogue import CATALOGUE
from safewriter.findings.code import Kind


@dataclass(frozen=True)
class Finding:
    """Something that is lost, or will be, and what to change.

    Attributes:
        code: A key of the catalogue, such as ``"SW302"``.
        message: What happened, with its numbers, in whole sentences.
        hint: What to change, in code where possible.
        subject: What it is about, its path where nothing else is named; findings of one code and subject are one
            finding, counted.
        count: How often it happened.
        created_at: ``file:line`` where the writer was created, or None at rest.
        path: The event file or the directory, where there is one.
        data: The evidence, in values that JSON can hold.
        raises: The built-in exception which the error is as well (kind *error*, or *warning* under ``strict``).
    """

    code: str
    message: str
    hint: str = ""
    subject: str = ""
    count: int = 1
    created_at: str | None = None
    path: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict, hash=False)
    raises: type[Exception] | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "subject", self.subject or self.path or "")

    @property
    def name(self) -> str:
        """The code in words: ``summaries-never-written``."""
        return CATALOGUE[self.code].name

    @property
    def kind(self) -> Kind:
        """How it leaves safewriter: raised, warned or listed."""
        return CATALOGUE[self.code].kind

    def at(self, created_at: str) -> Finding:
        """The same finding, of the writer that was created at ``file:line``."""
        return replace(self, created_at=created_at)

    def as_dict(self) -> dict[str, Any]:
        """The finding in values that JSON can hold."""
        return {
            "code": self.code,
            "name": self.name,
            "kind": self.kind.value,
            "message": self.message,
            "hint": self.hint,
            "subject": self.subject,
            "count": self.count,
            "created_at": self.created_at,
            "path": self.path,
            "data": dict(self.data),
        }

    def __str__(self) -> str:
        lines = [f"{self.code} {self.name}: {self.message}"]
        if self.hint:
            lines.append(f"  Hint: {self.hint}")
        if self.created_at:
            lines.append(f"  Writer created at {self.created_at}")
        lines.append(f"  More: safewriter explain {self.code}")
        return "\n".join(lines)
