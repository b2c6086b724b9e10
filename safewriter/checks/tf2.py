"""What TF2 programs lose before a writer sees it: SW205, SW307 to SW311, SW507."""

from __future__ import annotations

import enum
from dataclasses import replace

from safewriter.findings import Finding
from safewriter.findings.wording import plural, were


class Silence(enum.Enum):
    """Why a writer ended without one event, as far as the writer alone can know."""

    NEVER_DEFAULT = "it was never made the default writer, so no `tf.summary` call could find it"
    NOTHING_CAME = "it was the default writer, but no `tf.summary` call wrote to it"
    NOT_INITIALISED = "in graph mode a writer has no file before `sess.run(writer.init())`, and that was never run"


def never_recorded(logdir: str, how: Silence) -> Finding:
    """SW307, or SW311 in graph mode: a writer ended without one event."""
    hints = {
        Silence.NEVER_DEFAULT: "Write inside `with writer.as_default():`. Calling `writer.as_default()` without `with` "
        "does nothing.",
        Silence.NOTHING_CAME: "Look for a `tf.function` that was traced before the writer was the default (it never "
        "writes), for `tf.summary.record_if` with a condition that is never true, and for summaries in another thread, "
        "where this writer is not the default. `safewriter run` names the line.",
        Silence.NOT_INITIALISED: "Run `writer.init()` in the session before the first summary op, and "
        "`writer.flush()` after the last.",
    }
    return Finding(
        "SW311" if how is Silence.NOT_INITIALISED else "SW307",
        f"The writer on {logdir} ended without one summary: {how.value}.",
        hints[how],
        subject="never-recorded",
        path=logdir,
        data={"cause": how.name.lower().replace("_", "-")},
    )


def no_default_writer(place: str, calls: int, why: str) -> Finding:
    """SW307: a line calls ``tf.summary`` where no writer is the default.

    Args:
        place: The line.
        calls: How often it was run, or traced.
        why: What is known of the cause, as the end of a sentence.
    """
    return Finding(
        "SW307",
        f"{plural(calls, 'summary', 'summaries')} at {place} went nowhere: {why}.",
        "Call it inside `with writer.as_default():`, in the same thread. A `tf.function` must be traced, which is its "
        "first call, inside that block too.",
        subject=f"no default writer: {place}",
        count=calls,
        data={"place": place, "calls": calls},
    )


def baked_step(finding: Finding, place: str) -> Finding:
    """SW308 in the place of SW404: the step of a tag became a constant when its function was traced.

    Args:
        finding: SW404, for the tag.
        place: The line that wrote it.
    """
    return replace(
        finding,
        code="SW308",
        message=f"{finding.message} The step was a Python number when the `tf.function` around {place} was traced, and "
        "has been a constant of the function since.",
        hint="Pass the step to the function as a tensor (`train_step(x, tf.constant(step, tf.int64))`), or keep it in "
        "a `tf.Variable(0, dtype=tf.int64)` that is incremented each step.",
    )


def captured_writer(place: str, events: int, captured: str, default: str) -> Finding:
    """SW309: a function wrote into another writer than the default one.

    Args:
        place: The line of a summary in the function, where known.
        events: How many events went there.
        captured: The line that created the writer that got them.
        default: The line that created the default writer.
    """
    return Finding(
        "SW309",
        f"{plural(events, 'event')} {were(events)} written to the writer created at {captured} while the one created "
        f"at {default} was the default: the `tf.function` around {place} was traced under the former and writes there "
        "for good.",
        "Trace one function for each writer, `tf.function(train_step)` for training and another for testing, or "
        "return the values and write them outside of the function.",
        subject=f"{captured} for {default}",
        count=events,
        data={"captured": captured, "default": default, "events": events, "place": place},
    )


def baked_condition(place: str, value: bool, condition: str) -> Finding:
    """SW310: a Python condition of ``record_if`` became a constant when a function was traced.

    Args:
        place: The line of the summary.
        value: What the condition was then.
        condition: Where the condition is defined; empty where that is not known.
    """
    where = f" (defined at {condition})" if condition else ""
    then = "so each call records" if value else "so no call records anything"
    return Finding(
        "SW310",
        f"The condition of `tf.summary.record_if`{where} was asked once, when the `tf.function` "
        f"around {place} was traced: it was {value}, {then}.",
        "Let the condition give a tensor, such as `lambda: tf.equal(step_variable % 100, 0)`; or decide outside of "
        "the function and pass the answer as a tensor.",
        subject=f"condition: {place}",
        data={"place": place, "value": value, "condition": condition},
    )


def switched_off(place: str, calls: int) -> Finding:
    """SW310: the ``update_freq`` of Keras' callback switched recording off each time that a line was run."""
    return Finding(
        "SW310",
        f"{plural(calls, 'summary', 'summaries')} at {place} went nowhere: Keras' TensorBoard callback has switched "
        "recording off there. With a number as its `update_freq` it records at each so many batches only, and what is "
        "written at the end of an epoch, its own epoch metrics too, falls between them.",
        "Use `safewriter.keras.TensorBoard`, which records at the end of each epoch besides; or `update_freq='epoch'` "
        "and a writer of your own for your summaries.",
        subject=f"switched off: {place}",
        count=calls,
        data={"place": place, "calls": calls},
    )


def replica_value(place: str, replicas: int) -> Finding:
    """SW205: a summary in a replica function; only the first replica's value is kept."""
    return Finding(
        "SW205",
        f"The summary at {place} is written in a replica function of {replicas} replicas: TensorFlow records the value "
        "of replica 0 only.",
        "Fine for what is the same in all replicas, such as a learning rate. For a loss, return it, and write "
        "`strategy.reduce('MEAN', loss, axis=None)` outside of the replica function.",
        subject=place,
        data={"place": place, "replicas": replicas},
    )


def left_default(place: str) -> Finding:
    """SW507: a summary of the user's went to the writer of a ``fit`` that was interrupted."""
    return Finding(
        "SW507",
        f"The summary at {place} goes into the file of Keras' TensorBoard callback: a `fit` was interrupted, and left "
        "its writer as the default one.",
        "Use `with writer.as_default():` around summaries of your own. Where `fit` is caught and goes on, call "
        "`callback.on_train_end()` in the handler.",
        subject="left default",
        data={"place": place},
    )


_IN_TF2 = (
    ("SafeFileWriter(", "safewriter.create_file_writer("),
    ("then `writer.add_summary(summary, step)`", "then `tf.summary.scalar('loss', loss, step=step)`"),
    ("`writer.add_summary(summary, step)`", "`tf.summary.scalar('loss', loss, step=step)`"),
    ("tf.compat.v1.summary.FileWriter", "tf.summary.create_file_writer"),
    ("FileWriter would lose its first events and then hang", "TensorFlow's writer would write into the parent's file"),
)


def in_tf2_words(finding: Finding) -> Finding:
    """A finding that v1 writers have too, with the calls of TF2 in its hint."""
    message, hint = finding.message, finding.hint
    for v1, v2 in _IN_TF2:
        message, hint = message.replace(v1, v2), hint.replace(v1, v2)
    return (
        finding if (message, hint) == (finding.message, finding.hint) else replace(finding, message=message, hint=hint)
    )
