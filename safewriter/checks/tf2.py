"""What TF2 programs lose before a writer sees it: SW205, SW307 to SW313, SW507."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, replace

from safewriter.findings import Finding
from safewriter.findings.wording import plural, were


class Silence(enum.Enum):
    """Why a writer ended without one event, as far as the writer alone can know."""

    NEVER_DEFAULT = "it was never made the default writer, so no `tf.summary` call could find it"
    NOTHING_CAME = "it was the default writer, but no `tf.summary` call wrote to it"
    RECORDING_OFF = "each time that it was the default writer, `tf.summary.record_if` had switched recording off"
    NEVER_RUN = "it was the default writer of a graph, but no session ran a summary op of it"
    NOT_INITIALISED = "in graph mode a writer has no file before `sess.run(writer.init())`, and that was never run"


class Lost(enum.Enum):
    """Why a line that called ``tf.summary`` wrote nothing: what is said of it, and what to change."""

    TRACED = (
        "the function around it was traced, at its first call, where no writer was the default, and never looks again",
        "Call the function for the first time inside `with writer.as_default():`. A function of `Dataset.map` is "
        "traced when the dataset is built: build it inside that block.",
    )
    TRACED_BY_KERAS = (
        "Keras traced the function around it where no writer was the default",
        "Keras' TensorBoard callback makes its writer the default during batches only with a number as its "
        "`update_freq`, such as `TensorBoard(logs, update_freq=100)`; that of `safewriter.keras` gives each point the "
        "step of its batch. A writer of your own needs `with writer.as_default():` around the call, or around `fit` in "
        "the thread that runs it.",
    )
    FOREIGN_THREAD = (
        "it runs in a thread of TensorFlow's, as a `py_function` does, and no writer is the default there",
        "Enter the block inside the function that TensorFlow calls: `with writer.as_default():`.",
    )
    OTHER_THREAD = (
        "in thread {thread!r} no writer is the default; the one created at {created} is, in another thread",
        "The default writer is one of each thread: enter `with writer.as_default():` in this one too.",
    )
    INTERRUPTED = (
        "a `fit` was interrupted, and the writer of its TensorBoard callback was closed with it",
        "Write to a writer of your own, inside `with writer.as_default():`.",
    )
    IN_A_CALLBACK = (
        "no writer was the default there: Keras' TensorBoard callback makes its writer the default only with a number "
        "as its `update_freq`",
        "Use `safewriter.keras.TensorBoard`, whose writer is the default at the end of an epoch too; or write to a "
        "writer of your own, inside `with writer.as_default():`.",
    )
    ENDED = (
        "no writer was the default there: the `with` block of the one created at {created} had ended",
        "Move the call into the block, or enter another `with writer.as_default():` around it.",
    )
    NOT_YET = (
        "no writer was the default there: the one created at {created} had not been made so",
        "Write inside `with writer.as_default():`. Calling `writer.as_default()` without `with` does nothing.",
    )
    OUTSIDE = (
        "no writer was the default there",
        "Write inside `with writer.as_default():`.",
    )
    V1_WITHOUT_WRITER = (
        "in eager code a `tf.compat.v1.summary` op writes to the default writer of TF2, and there was none",
        "Use `tf.summary.scalar(name, value, step=step)` inside `with writer.as_default():`.",
    )
    V1_WITHOUT_STEP = (
        "in eager code a `tf.compat.v1.summary` op writes to the default writer of TF2 only where it has a step, and "
        "there was none",
        "Use `tf.summary.scalar(name, value, step=step)`; or give the op a step: `with writer.as_default(step=step):`, "
        "or `tf.compat.v1.train.create_global_step()`, which the loop then has to increment.",
    )
    OFF = (
        "`tf.summary.record_if` had switched recording off",
        "Look at the condition of `tf.summary.record_if`: it was never true where a summary was written.",
    )
    TRACED_OFF = (
        "the function around it was traced while `tf.summary.record_if` had switched recording off, and so it never "
        "records",
        "In a function the condition must be a tensor that is computed at each call, such as "
        "`tf.summary.record_if(lambda: tf.equal(step_variable % 100, 0))`; a Python value is a constant of the trace.",
    )
    OFF_BY_KERAS = (
        "Keras' TensorBoard callback had switched recording off: with a number as its `update_freq` it records at each "
        "so many batches only, and what is written at the end of an epoch, its own epoch metrics too, falls between "
        "them",
        "Use `safewriter.keras.TensorBoard`, which records at the end of each epoch besides; or `update_freq='epoch'` "
        "and a writer of your own for your summaries.",
    )
    TRACED_OFF_BY_KERAS = (
        "it was traced in a batch at which Keras' TensorBoard callback did not record, and in Keras 3 that is asked "
        "only once",
        "Use `safewriter.keras.TensorBoard`, which asks at each batch.",
    )
    EPOCHS_ONLY = (
        "with `update_freq='epoch'` the TensorBoard callback records at the end of an epoch only, and this line runs "
        "in each batch",
        "Give the callback a number: `TensorBoard(logs, update_freq=100)` records each hundredth batch.",
    )

    @property
    def code(self) -> str:
        """The code of a line that wrote nothing for this reason."""
        if self.name.startswith("V1"):
            return "SW312"
        return "SW310" if "OFF" in self.name or self is Lost.EPOCHS_ONLY else "SW307"


@dataclass(frozen=True)
class LostLine:
    """A line that called ``tf.summary``, and wrote nothing.

    Attributes:
        place: The line.
        reason: Why.
        calls: How often it was called, outside of functions.
        traced: It stands in a function that was traced: how often that is called is not known.
        created: Where the writer was created that the reason names.
        thread: The thread that the reason names.
    """

    place: str
    reason: Lost
    calls: int = 1
    traced: bool = False
    created: str = ""
    thread: str = ""

    def __str__(self) -> str:
        why = str(self.reason.value[0]).format(created=self.created, thread=self.thread)
        if self.traced:
            return f"The summary at {self.place} is written nowhere, however often it is called: {why}."
        return f"{plural(self.calls, 'summary', 'summaries')} at {self.place} went nowhere: {why}."

    def as_dict(self) -> dict[str, object]:
        """The same in values that JSON can hold."""
        return {"place": self.place, "reason": self.reason.name.lower().replace("_", "-"), "calls": self.calls}


_NAMED = 3  #: lines that a message names


_UNSEEN = (
    "Look for a `tf.function` that was traced before the writer was the default (it never writes), for "
    "`tf.summary.record_if` with a condition that is never true, and for summaries in another thread, where this "
    "writer is not the default. `safewriter run` names the line."
)
_NOT_CALLED = (
    "No line was seen to call `tf.summary` for this writer: look at the `if` around the call. In a `tf.function` an "
    "`if` on a Python value is decided once, when the function is traced: make the value a tensor, or use "
    "`tf.summary.record_if(lambda: tf.equal(step_variable % 100, 0))`."
)
_NEVER_TRUE = (
    "Look at the condition of `tf.summary.record_if`, or at the `if`, around that line: as a tensor it is asked at "
    "each call, and it was never true."
)


def never_recorded(
    logdir: str, how: Silence, lines: Sequence[LostLine] = (), *, watched: bool = False, traced: str = ""
) -> Finding:
    """A writer ended without one event: SW307, SW311 in graph mode, or the code of the cause where there is one.

    Args:
        logdir: The writer's.
        how: What the writer knows of it.
        lines: What is known of the lines that should have written.
        watched: Each call of ``tf.summary`` was looked at.
        traced: The line of a summary in a function that was traced under the writer, where there is one.
    """
    hints = {
        Silence.NEVER_DEFAULT: "Write inside `with writer.as_default():`. Calling `writer.as_default()` without `with` "
        "does nothing.",
        Silence.NOTHING_CAME: _NEVER_TRUE if traced else _NOT_CALLED if watched else _UNSEEN,
        Silence.RECORDING_OFF: "Look at the condition of `tf.summary.record_if` around the block.",
        Silence.NEVER_RUN: "Run the summary ops at each step: "
        "`sess.run(tf.compat.v1.summary.all_v2_summary_ops())`, and `sess.run(writer.flush())` at the end.",
        Silence.NOT_INITIALISED: "Run `writer.init()` in the session before the first summary op, and "
        "`writer.flush()` after the last.",
    }
    message, hint = f"The writer on {logdir} ended without one summary: {how.value}.", hints[how]
    if traced and not lines and how is Silence.NOTHING_CAME:
        message += f" The function around {traced} was traced with it, and its summary never ran or never recorded."
    if lines:
        more = f" And {plural(len(lines) - _NAMED, 'more line')}." if len(lines) > _NAMED else ""
        message = f"{message} {' '.join(map(str, lines[:_NAMED]))}{more}"
        if how is not Silence.NEVER_DEFAULT:
            hint = " ".join(dict.fromkeys(line.reason.value[1] for line in lines[:_NAMED]))
    codes = {line.reason.code for line in lines} if how is Silence.NOTHING_CAME else set()
    code = "SW310" if how is Silence.RECORDING_OFF else codes.pop() if len(codes) == 1 else "SW307"
    return Finding(
        "SW311" if how is Silence.NOT_INITIALISED else code,
        message,
        hint,
        subject="never-recorded",
        path=logdir,
        data={"cause": how.name.lower().replace("_", "-"), "lines": [line.as_dict() for line in lines]},
    )


def lost_line(line: LostLine) -> Finding:
    """SW307, SW310 or SW312: a line called ``tf.summary`` and never wrote anything."""
    return Finding(
        line.reason.code,
        str(line),
        line.reason.value[1],
        subject=f"lost: {line.place}",
        count=max(line.calls, 1),
        data=line.as_dict(),
    )


def baked_step(finding: Finding, places: Sequence[str]) -> Finding:
    """SW308 in the place of SW404: the step of a tag became a constant when its function was traced.

    Args:
        finding: SW404, for one or more tags.
        places: The lines that wrote them.
    """
    return replace(
        finding,
        code="SW308",
        message=f"{finding.message} The function around {' and '.join(places[:_NAMED])} was traced with a step that "
        "was a plain value at that moment: it has been a constant of the function since.",
        hint="Pass the step to the function as a tensor (`train_step(x, tf.constant(step, tf.int64))`), or keep it in "
        "a `tf.Variable(0, dtype=tf.int64)` that is incremented each step.",
    )


def captured_writer(place: str, events: int, captured: tuple[str, str], default: tuple[str, str]) -> Finding:
    """SW309: a function wrote into another writer than the default one.

    Args:
        place: The line of a summary in the function; empty where that is not known.
        events: How many events went there.
        captured: Log directory of the writer that got them, and the line that created it.
        default: The same of the default writer.
    """
    function = f"the function around {place}" if place else "a function"
    return Finding(
        "SW309",
        f"{plural(events, 'event')} {were(events)} written to the writer on {captured[0]} (created at {captured[1]}) "
        f"while the one on {default[0]} (created at {default[1]}) was the default: {function} was traced, at its first "
        "call, under the former, and writes there for good.",
        "Trace one function for each writer, `tf.function(train_step)` for training and another for testing, or "
        "return the values and write them outside of the function.",
        subject=f"{captured} for {default}",
        count=events,
        data={"captured": captured[1], "default": default[1], "events": events, "place": place},
    )


def baked_condition(place: str, value: bool, condition: str) -> Finding:
    """SW310: a condition of ``record_if`` became a constant when a function was traced, and changed afterwards.

    Args:
        place: The line of the summary.
        value: What the condition was when the function was traced.
        condition: The line of the condition; empty where that is not known.
    """
    where = f" at {condition}" if condition else ""
    then = "each call records" if value else "no call records anything"
    return Finding(
        "SW310",
        f"The condition of `tf.summary.record_if`{where} was {value} when the function around {place} was traced, and "
        f"that is a constant of the function: {then}, although the condition was {not value} later.",
        "In a function the condition must be a tensor that is computed at each call, such as "
        "`tf.summary.record_if(lambda: tf.equal(step_variable % 100, 0))`; or decide outside of the function and pass "
        "the answer to it as a tensor.",
        subject=f"condition: {place}",
        data={"place": place, "value": value, "condition": condition},
    )


def trace_not_exported(place: str) -> Finding:
    """SW313: ``trace_on`` without ``trace_export``."""
    where = f" at {place}" if place else ""
    return Finding(
        "SW313",
        f"`tf.summary.trace_on`{where} began a trace that was never exported: TensorBoard shows no graph and no "
        "profile of it.",
        "Call `tf.summary.trace_export(name='graph', step=0)` inside `with writer.as_default():`, after the function "
        "was called; or `tf.summary.trace_off()` where it isn't wanted.",
        subject="trace",
        data={"place": place},
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
    ("add call failed and its event is not", "event was refused or dropped by TensorFlow and is not"),
    ("add calls failed and their events are not", "events were refused or dropped by TensorFlow and are not"),
    ("FileWriter would lose its first events and then hang", "TensorFlow's writer would write into the parent's file"),
    (
        "such as sess.run(global_step) or a counter of your loop; a step that was read once before the loop, or while "
        "a function was traced, stays as it was.",
        "such as the counter of your loop, or a `tf.Variable` that is incremented (`step.assign_add(1)`). In a "
        "`tf.function` a Python number stays what it was when the function was traced: pass a tensor.",
    ),
)

#: What to change where Keras' callback created the writer.
_IN_KERAS = {
    "SW107": "Give each `fit` a directory of its own: `TensorBoard(os.path.join('logs', "
    "time.strftime('%Y%m%d-%H%M%S')))`. Where it goes on with a model that was trained before, begin where that ended: "
    "`fit(…, initial_epoch=N, epochs=M)`. Batch metrics begin at 0 in each `fit` all the same: leave them out, with "
    "`update_freq='epoch'`, or give that `fit` a directory of its own.",
    "SW203": "Write in the chief alone: `safewriter.keras.TensorBoard(logs, chief_only=True)`; or give each worker a "
    "directory of its own: `TensorBoard(os.path.join('logs', f'worker{index}'))`.",
    "SW204": "Use one TensorBoard callback for one `fit`, or give each a directory of its own. A writer of yours "
    "beside it also needs one that is neither `logs/train` nor `logs/validation`.",
    "SW308": "Use `safewriter.keras.TensorBoard`, which gives a layer's summary the step of its batch; or pass a step "
    "that is a `tf.Variable`, such as one that the layer increments.",
    "SW404": "Pass a step that rises with each write. In a layer or a `train_step` that is a `tf.Variable` that it "
    "increments; `safewriter.keras.TensorBoard` gives a layer's summary the step of its batch.",
}

_DROPPED = (
    "TensorFlow raises for small events, and drops larger ones without a word. Mostly the disk is full, or a limit on "
    "the size of files is reached: look at `df` and `ulimit -f`."
)
_EVALUATED_AGAIN = (
    "`evaluate` wrote its results to the step of the last validation. Give it a callback with a directory of its own, "
    "`evaluate(…, callbacks=[TensorBoard('logs/test')])`, or none."
)


def _in_keras_words(finding: Finding) -> str:
    for tag, steps in finding.data.get("tags", {}).items() if finding.code == "SW107" else ():
        if tag.startswith("evaluation_") and steps["step"] == steps["earlier_last_step"]:
            return _EVALUATED_AGAIN
    return _IN_KERAS.get(finding.code, finding.hint)


def in_tf2_words(finding: Finding, *, of_keras: bool = False) -> Finding:
    """A finding that v1 writers have too, with the calls of TF2 in its hint.

    Args:
        finding: What was found.
        of_keras: Keras' callback created the writer.
    """
    message, hint = finding.message, finding.hint
    for v1, v2 in _IN_TF2:
        message, hint = message.replace(v1, v2), hint.replace(v1, v2)
    if finding.code == "SW502":
        hint = hint or _DROPPED
    if of_keras and hint:
        hint = _in_keras_words(replace(finding, hint=hint))
    if (message, hint) == (finding.message, finding.hint):
        return finding
    return replace(finding, message=message, hint=hint)
