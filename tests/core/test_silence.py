"""What is said of a TF2 writer that ended without one summary."""

import pytest

from safewriter.checks.tf2 import Silence, never_recorded


@pytest.mark.parametrize(
    ("how", "known", "said"),
    [
        (Silence.NEVER_DEFAULT, {}, "inside `with writer.as_default():`"),
        (Silence.NOTHING_CAME, {}, "`safewriter run` names the line"),
        (Silence.NOTHING_CAME, {"watched": True}, "No line was seen to call `tf.summary`"),
        (Silence.NOTHING_CAME, {"watched": True, "traced": "train.py:7"}, "it was never true"),
        (Silence.RECORDING_OFF, {"watched": True}, "around the block"),
        (Silence.NEVER_RUN, {"watched": True}, "all_v2_summary_ops"),
        (Silence.NOT_INITIALISED, {}, "writer.init()"),
    ],
)
def test_the_hint_fits_what_is_known(how, known, said):
    """It names what can still be the cause, and sends nobody to ``run`` who is there already."""
    finding = never_recorded("logs", how, **known)
    assert said in finding.hint
    assert not (known and "safewriter run" in finding.hint)
    assert ("train.py:7" in finding.message) == ("traced" in known)
