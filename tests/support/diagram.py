"""The way of one event through the rooms of safewriter, as SVG: ``docs/pictures/path.svg``."""

import html

_WIDTH, _HEIGHT = 960, 430
_BOX, _TALL = 150, 74

#: name: (x, y, what it is called, lines below, colour of its edge)
_BOXES = {
    "program": (20, 60, "your program", ("add_summary(…)", "tf.summary.scalar(…)"), "#64748b"),
    "writer": (210, 60, "writer", ("accepts the event,", "asks the judges"), "#2f7d4f"),
    "recording": (400, 60, "recording", ("chooses a backend,", "keeps the accounts"), "#2f7d4f"),
    "eventfile": (590, 60, "eventfile", ("a record with", "two checksums"), "#2f7d4f"),
    "disk": (780, 60, "disk", ("one write; looked at", "again at each flush"), "#64748b"),
    "desk": (20, 210, "findings", ("the desk: strict,", "ignore, your line"), "#c2410c"),
    "checks": (305, 210, "checks", ("the judges: facts in,", "findings out"), "#c2410c"),
    "facts": (590, 210, "facts, system", ("TensorFlow's graph; the", "directory, the process"), "#c2410c"),
    "audit": (590, 330, "audit", ("reads files at rest,", "no TensorFlow needed"), "#1d6fb8"),
    "shown": (305, 330, "cli, tab", ("the command, and the", "tab in TensorBoard"), "#1d6fb8"),
}

#: from, to, colour, label: ``right``, ``left``, ``down`` and ``up`` are the sides that the arrow joins
_ARROWS = (
    ("program", "right", "writer", "left", "#2f7d4f"),
    ("writer", "right", "recording", "left", "#2f7d4f"),
    ("recording", "right", "eventfile", "left", "#2f7d4f"),
    ("eventfile", "right", "disk", "left", "#2f7d4f"),
    ("writer", "down", "checks", "up", "#c2410c"),
    ("facts", "left", "checks", "right", "#c2410c"),
    ("checks", "left", "desk", "right", "#c2410c"),
    ("desk", "up", "program", "down", "#c2410c"),
    ("disk", "down", "audit", "right", "#1d6fb8"),
    ("audit", "left", "shown", "right", "#1d6fb8"),
    ("audit", "up left", "checks", "down right", "#1d6fb8"),
)
_LABELS = (
    (20, 34, "An event goes its way: on disk when the call returns", "#2f7d4f"),
    (104, 182, "warning, error, report", "#c2410c"),
    (396, 182, "facts about it are judged", "#c2410c"),
    (742, 318, "read back later", "#1d6fb8"),
)


def draw():
    """The whole picture."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">',
        "<title>The way of one event through safewriter</title>",
        "<style>text{font:14px sans-serif;fill:#334155}.name{font-weight:700;font-size:16px;fill:#0f172a}"
        ".line{font-size:13px}.label{font-weight:600;font-size:14px}</style>",
        "<defs>",
        *(
            f'<marker id="tip{colour[1:]}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
            f'orient="auto"><path d="M0 0 8 4 0 8z" fill="{colour}"/></marker>'
            for colour in sorted({arrow[4] for arrow in _ARROWS})
        ),
        "</defs>",
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" rx="10" fill="#f8fafc"/>',
    ]
    parts += [_arrow(*arrow) for arrow in _ARROWS]
    for x, y, name, lines, colour in _BOXES.values():
        middle = x + _BOX / 2
        parts.append(
            f'<rect x="{x}" y="{y}" width="{_BOX}" height="{_TALL}" rx="8" fill="#fff" stroke="{colour}" '
            'stroke-width="2"/>'
        )
        parts.append(f'<text x="{middle:g}" y="{y + 24}" text-anchor="middle" class="name">{html.escape(name)}</text>')
        parts += [
            f'<text x="{middle:g}" y="{y + 44 + 17 * at}" text-anchor="middle" class="line">{html.escape(line)}</text>'
            for at, line in enumerate(lines)
        ]
    parts += [
        f'<text x="{x}" y="{y}" class="label" style="fill:{colour}">{html.escape(text)}</text>'
        for x, y, text, colour in _LABELS
    ]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _point(name, side):
    x, y = _BOXES[name][:2]
    return {
        "left": (x, y + _TALL / 2),
        "right": (x + _BOX, y + _TALL / 2),
        "up": (x + _BOX / 2, y),
        "down": (x + _BOX / 2, y + _TALL),
        "up left": (x + 20, y),
        "down right": (x + _BOX - 20, y + _TALL),
    }[side]


def _arrow(start, leaves, end, enters, colour):
    (x1, y1), (x2, y2) = _point(start, leaves), _point(end, enters)
    if leaves == "down" and enters == "right":
        path = f"M{x1:g} {y1:g} V{y2:g} H{x2 + 4:g}"
    elif leaves == "down" and enters == "up":
        middle = (y1 + y2) / 2 + 14
        path = f"M{x1:g} {y1:g} V{middle:g} H{x2:g} V{y2 - 4:g}"
    else:
        path = f"M{x1:g} {y1:g} L{x2:g} {y2:g}"
    dash = "" if colour == "#2f7d4f" else ' stroke-dasharray="6 4"'
    return f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="2"{dash} marker-end="url(#tip{colour[1:]})"/>'


def rooms():
    """What the boxes are called."""
    return [box[2] for box in _BOXES.values()]
