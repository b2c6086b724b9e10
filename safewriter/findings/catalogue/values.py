"""SW4xx: what is written: tags, steps, values."""

from __future__ import annotations

from safewriter.findings.code import Code, Kind

CODES = (
    Code(
        code="SW401",
        name="not-finite",
        kind=Kind.WARNING,
        when="NaN or ±Inf: tag, first step, count",
    ),
    Code(
        code="SW402",
        name="no-step",
        kind=Kind.WARNING,
        when="A tag is written again without ``global_step``: every point lands on step 0",
    ),
    Code(
        code="SW403",
        name="step-backwards",
        kind=Kind.WARNING,
        when="A tag's step went down within this writer",
    ),
    Code(
        code="SW404",
        name="step-frozen",
        kind=Kind.WARNING,
        when="More than 10 writes of a tag at one step",
    ),
    Code(
        code="SW405",
        name="tag-kind-changed",
        kind=Kind.WARNING,
        when="One tag used for two kinds (scalar, then histogram): TensorBoard shows one",
    ),
    Code(
        code="SW406",
        name="step-not-whole",
        kind=Kind.WARNING,
        when="A step that is not a whole number (2.9 is stored as 2), or is negative",
    ),
)
