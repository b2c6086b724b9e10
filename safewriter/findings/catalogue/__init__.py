"""Every code, once. ``docs/codes.md`` and ``safewriter explain`` are made from here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from safewriter.findings.catalogue import distribution, file, graph, internal, landing, logdir, values
from safewriter.findings.code import Code

CATALOGUE: Mapping[str, Code] = MappingProxyType(
    {
        entry.code: entry
        for module in (logdir, distribution, graph, values, landing, file, internal)
        for entry in module.CODES
    }
)
