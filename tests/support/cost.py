"""The bars of docs/cost.md, drawn from the figures of its table: ``docs/pictures/cost.svg``."""

import html
import re

import shown

_BAR, _LEFT, _SCALE, _WIDTH = 16, 220, 330, 730
_WRITERS = (("FileWriter", "#9aa5b1"), ("SafeFileWriter", "#2f7d4f"))


def figures():
    """``(payload, microseconds of FileWriter, of SafeFileWriter)`` of each row of the table."""
    rows = re.findall(r"^\| (.+?) \| ([\d.]+) µs \| ([\d.]+) µs \|", shown.read("docs/cost.md"), re.MULTILINE)
    return [(name, float(stock), float(ours)) for name, stock, ours in rows]


def draw():
    """The whole picture."""
    title = "CPU time of one add_summary"
    parts, y = [], 44
    for name, *costs in figures():
        parts.append(
            f'<text x="{_LEFT - 10}" y="{y + _BAR + 5}" text-anchor="end" class="name">{html.escape(name)}</text>'
        )
        for (writer, colour), cost in zip(_WRITERS, costs, strict=True):
            width = round(_SCALE * cost / max(costs))
            parts.append(f'<rect x="{_LEFT}" y="{y}" width="{width}" height="{_BAR}" rx="2" fill="{colour}"/>')
            parts.append(f'<text x="{_LEFT + width + 6}" y="{y + _BAR - 3}">{cost:.1f} µs {writer}</text>')
            y += _BAR + 2
        y += 14
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {y}" role="img">',
            f"<title>{title}</title>",
            "<style>text{font:12px sans-serif;fill:#334155}.name{font-weight:600}</style>",
            f'<rect width="{_WIDTH}" height="{y}" rx="10" fill="#f8fafc"/>',
            f'<text x="16" y="26" class="name">{title}</text>',
            *parts,
            "</svg>\n",
        ]
    )
