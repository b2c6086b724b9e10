"""From what a user sees in TensorBoard to the code that names its cause.

The table of the documentation's start page, the first line of each code's page and that of ``safewriter explain`` are
made from here. One symptom has several causes and one cause may show itself in several ways, which is why this is a
table of its own and no part of the catalogue's entries.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Symptom:
    """One row: what is seen, and one cause of it.

    Attributes:
        sees: What TensorBoard or the terminal shows.
        means: What happened.
        code: The code that names it.
        fix: What to change, in one line.
        reports: Public reports of it, as ``owner/repository#number``.
    """

    sees: str
    means: str
    code: str
    fix: str
    reports: tuple[str, ...] = ()


#: The rows of the start page, by what TensorBoard looks like.
SYMPTOMS: dict[str, tuple[Symptom, ...]] = {
    "TensorBoard is empty: “No dashboards are active”": (
        Symptom(
            sees="No run at all, though the program wrote to `~/logs` or `$RUN/logs`",
            means="Python expands neither `~` nor `$RUN`: the files are in a directory of that name.",
            code="SW104",
            fix="`os.path.expanduser(logdir)` or `expandvars`",
            reports=("tensorflow/tensorboard#289", "tensorflow/tensorflow#1587"),
        ),
        Symptom(
            sees="No run, and a directory called `None` beside the program",
            means="The setting that holds the path was not set.",
            code="SW101",
            fix="Give the setting a default, or check it before training.",
        ),
        Symptom(
            sees="No event file, no error in Python",
            means="This user may not write into the directory. TensorFlow says so in its C++ log only.",
            code="SW103",
            fix="The message names the owner, the mode and the `chmod` that helps.",
            reports=("JWSoh/MZSR#22", "sbi-dev/sbi#1634"),
        ),
        Symptom(
            sees="The program stops: “is not a directory”",
            means="A part of the path is a file.",
            code="SW102",
            fix="Move the file that the message names, or choose another path.",
            reports=("bitsandbytes-foundation/bitsandbytes#783",),
        ),
        Symptom(
            sees="A local directory called `s3:`, or “file system scheme not implemented”",
            means="TensorFlow has no file system for this scheme loaded.",
            code="SW105",
            fix="Import `tensorflow_io` first; keep the path a string, not a `pathlib.Path`.",
            reports=("tensorflow/tensorflow#40302", "pytorch/pytorch#36056"),
        ),
        Symptom(
            sees="A run with a graph, or with nothing, and no chart",
            means="The file holds no summary.",
            code="SW603",
            fix="Run the program with safewriter: it names each summary that never arrived.",
            reports=("tensorflow/tensorflow#393", "roboflow/rf-detr#234"),
        ),
        Symptom(
            sees="Files that TensorBoard ignores or can't read",
            means="They are named like event files and are none, or lack their beginning.",
            code="SW605",
            fix="Delete them, or run `safewriter repair`.",
            reports=("tensorflow/tensorboard#1272",),
        ),
    ),
    "The graph is there, the scalars are not": (
        Symptom(
            sees="“No scalar data was found”; summaries are defined",
            means="No merge op holds them, and no session runs them.",
            code="SW301",
            fix="`merged = tf.summary.merge_all()`, run it, pass the result to `add_summary`.",
            reports=("tensorflow/tensorflow#2353", "tensorflow/tensorflow#2189"),
        ),
        Symptom(
            sees="“No scalar data was found”; summaries are merged",
            means="What the merge returns is never written.",
            code="SW302",
            fix="`writer.add_summary(sess.run(merged), step)`",
            reports=("luckycallor/InsightFace-tensorflow#17",),
        ),
        Symptom(
            sees="Some charts are there, one is missing",
            means="That summary was defined after the merge, or in another collection.",
            code="SW303",
            fix="Move `merge_all()` below the last summary.",
        ),
        Symptom(
            sees="Steps were written, and their charts are missing",
            means="A summary without a value was added.",
            code="SW306",
            fix="Look at what builds the summary: it puts no value in.",
        ),
        Symptom(
            sees="The program stops: `'list' object has no attribute 'value'`, “must be instance of Summary”",
            means="`add_summary` got a list, None, a Tensor or a number.",
            code="SW305",
            fix="Pass what `sess.run(merged)` returns, not `sess.run([merged])`.",
            reports=("tensorflow/models#764", "tensorflow/tensorflow#8011", "tensorflow/benchmarks#69"),
        ),
        Symptom(
            sees="Charts of a distributed or `tf.function` program hold one point, or none",
            means="The writer is created where code runs once per trace, not once per step.",
            code="SW202",
            fix="Create the writer before, return the value, and write it in the loop.",
            reports=("tensorflow/tensorflow#26980",),
        ),
    ),
    "TF2 and Keras: the run is there, `tf.summary` left nothing": (
        Symptom(
            sees="A run without a chart; `tf.summary.scalar` returns False",
            means="No writer is the default there: outside the `with`, in another thread, in a `py_function`.",
            code="SW307",
            fix="`with writer.as_default():` around the calls, in the thread that makes them.",
            reports=("tensorflow/tensorflow#26409", "tensorflow/tensorflow#38772"),
        ),
        Symptom(
            sees="No event file at all, with eager execution disabled",
            means="`writer.init()` was never run in a session.",
            code="SW311",
            fix="`sess.run(writer.init())`, and run the summary ops.",
            reports=("tensorflow/tensorflow#43584", "tensorflow/tensorflow#51584"),
        ),
        Symptom(
            sees="No points, or all of them, whatever `record_if` says; epoch metrics of Keras missing",
            means="The condition was asked once, while the function was traced; or `update_freq` switched it off.",
            code="SW310",
            fix="Give `record_if` a tensor, or a callable that returns one.",
            reports=("tensorflow/tensorflow#25385", "tensorflow/minigo#343"),
        ),
        Symptom(
            sees="The points are in another run than the one that was meant",
            means="A `tf.function` writes into the writer under which it was traced.",
            code="SW309",
            fix="One function per writer, or enter the writer inside of the function.",
            reports=("tensorflow/tensorflow#26409",),
        ),
        Symptom(
            sees="No points; the code calls `tf.compat.v1.summary` in eager mode",
            means="An op of TF1 needs a session to run it, and there is none.",
            code="SW312",
            fix="`tf.summary.scalar(name, value, step=step)` in `with writer.as_default():`",
        ),
        Symptom(
            sees="The Graphs page is empty, though `tf.summary.trace_on` was called",
            means="The trace was never written.",
            code="SW313",
            fix="`tf.summary.trace_export(name, step)` in `with writer.as_default():`",
        ),
        Symptom(
            sees="After an interrupted `fit`, points are in the wrong run, or “resource does not exist”",
            means="The writer of Keras' callback is still the default one.",
            code="SW507",
            fix="`from safewriter.keras import TensorBoard`",
            reports=("tensorflow/tensorflow#24632", "tensorflow/tensorflow#46252"),
        ),
        Symptom(
            sees="With several replicas, the curve is that of one of them",
            means="TensorFlow keeps the first replica's value only.",
            code="SW205",
            fix="Reduce over the replicas, and write the result outside of `strategy.run`.",
            reports=("tensorflow/tensorflow#26980",),
        ),
    ),
    "One dot, or a vertical line, where a curve should be": (
        Symptom(
            sees="One dot per tag",
            means="The step is missing: every point is on step 0, and the last one is shown.",
            code="SW402",
            fix="`writer.add_summary(summary, global_step=step)`",
            reports=("lanpa/tensorboardX#49", "dmlc/tensorboard#46"),
        ),
        Symptom(
            sees="One dot, though a step is passed",
            means="The step never changes: nobody increments it.",
            code="SW404",
            fix="`optimizer.minimize(loss, global_step=step)`, or count in the loop.",
            reports=("sogou/SogouMRCToolkit#24", "tensorflow/tensorflow#43568"),
        ),
        Symptom(
            sees="One dot, and the summary is in a `tf.function`",
            means="The step was a Python number when the function was traced: now it is a constant.",
            code="SW308",
            fix="Pass the step as a tensor, or keep it in a `tf.Variable`.",
            reports=("tensorflow/tensorflow#34481",),
        ),
        Symptom(
            sees="Charts `loss`, `loss_1`, `loss_2`… with one dot each; training slows down",
            means="The summary op is defined again in each step.",
            code="SW304",
            fix="Move `tf.summary.scalar` out of the loop.",
            reports=("tensorflow/tensorflow#8265", "tensorflow/tensorflow#26684"),
        ),
        Symptom(
            sees="Points on the wrong steps: 2.9 on 2, some on negative ones",
            means="The step is no whole number, or is negative.",
            code="SW406",
            fix="Count steps with an `int`.",
        ),
        Symptom(
            sees="One of two charts of a name is missing",
            means="A tag is used for two kinds; TensorBoard keeps the first.",
            code="SW405",
            fix="A name for each kind: `weights`, `weights/histogram`.",
            reports=("awslabs/mxboard#14",),
        ),
    ),
    "A zigzag, or points that disappear": (
        Symptom(
            sees="Train and test are one curve, or only one of them is there",
            means="Two writers of the program share a directory, which TensorBoard takes for one run.",
            code="SW204",
            fix="`FileWriter('logs/train')`, `FileWriter('logs/test')`",
            reports=("tensorflow/tensorflow#9512", "pytorch/pytorch#23771"),
        ),
        Symptom(
            sees="A cluster's curve jumps, or one worker's points are shown",
            means="Several processes write into one directory.",
            code="SW203",
            fix="Only the chief writes, or `logs/worker{task_id}` for each.",
            reports=("tensorflow/tensorboard#1011", "horovod/horovod#99", "Lightning-AI/pytorch-lightning#230"),
        ),
        Symptom(
            sees="The same, and the writer is created under `with strategy.scope():`",
            means="Every process that enters the scope creates a writer.",
            code="SW201",
            fix="Move the line to before the scope; let the chief alone create it.",
        ),
        Symptom(
            sees="After a restart, the first run's points are gone, or the line goes back",
            means="The new run writes steps that the directory has already.",
            code="SW107",
            fix="A directory for each run, or `resume_step=` when it goes on from a checkpoint.",
            reports=("tensorflow/tensorflow#45274", "tensorflow/tensorboard#5448"),
        ),
        Symptom(
            sees="Early points vanish when later ones arrive",
            means="The step went back within one writer: TensorBoard takes that for a restart.",
            code="SW403",
            fix="Count steps on over the epochs: `epoch * batches + batch`.",
            reports=("lanpa/tensorboardX#6",),
        ),
        Symptom(
            sees="One file's points, though the directory has several files",
            means="They were written at the same time, with the same tags and steps.",
            code="SW604",
            fix="A directory for each writer.",
            reports=("HazyResearch/metal#120", "tensorflow/tensorboard#3570", "tensorflow/tensorboard#5958"),
        ),
    ),
    "The end of the curve is missing, or it stopped": (
        Symptom(
            sees="The last points are missing; a short run left nothing",
            means="The writer was never closed or flushed; TensorFlow's still held them in memory.",
            code="SW501",
            fix="`with FileWriter(logdir) as writer:`",
            reports=("tensorflow/tensorflow#1671", "tensorflow/tensorboard#1338"),
        ),
        Symptom(
            sees="The curve stops while training goes on; the file is gone",
            means="Someone deleted, moved, replaced or truncated the event file.",
            code="SW503",
            fix="Keep clean-up and sync jobs away from the directory.",
            reports=("tensorflow/tensorboard#845", "mlflow/mlflow#2644"),
        ),
        Symptom(
            sees="The curve stops; the disk was full",
            means="Writes fail. TensorFlow's writer raises once, then drops everything.",
            code="SW502",
            fix="Free space; an add that raised can be repeated.",
            reports=("tensorflow/tensorflow#8745", "tensorflow/tensorboard#6167"),
        ),
        Symptom(
            sees="Nothing yet; the disk is nearly full",
            means="Less than 100 MB are left where the events go.",
            code="SW106",
            fix="Free space before the run, not in the middle of it.",
            reports=("tensorflow/tensorflow#8745",),
        ),
        Symptom(
            sees="“Attempting to use a closed FileWriter”, once; nothing after it",
            means="Something closed the writer, and the loop goes on adding.",
            code="SW504",
            fix="Close it after the last add: the message says which line did.",
            reports=("tensorflow/tensorflow#40115", "tensorflow/tensorflow#25707"),
        ),
        Symptom(
            sees="A worker process hangs, or its points are missing",
            means="It uses the writer of its parent, whose thread it does not have.",
            code="SW505",
            fix="Create the writer in the child.",
            reports=("pfnet/pfrl#88", "lanpa/tensorboardX#123"),
        ),
        Symptom(
            sees="“Too many open files” after hours",
            means="Writers are created in a loop and never closed.",
            code="SW506",
            fix="One writer for the run; `with` closes it.",
            reports=("keras-team/keras#4533", "dhwajraj/NER-RNN#1"),
        ),
        Symptom(
            sees="The curve stops in the middle, the file is larger than it shows",
            means="A record is damaged; TensorBoard reads no further.",
            code="SW602",
            fix="`safewriter repair FILE --output DIR`",
            reports=("tensorflow/tensorboard#6971", "tensorflow/tensorboard#5588"),
        ),
        Symptom(
            sees="The last event is half there",
            means="The program was killed, or the disk was full, in the middle of a write.",
            code="SW601",
            fix="`safewriter repair FILE --output DIR`; write with `SafeFileWriter`.",
            reports=("allenai/allennlp#4653",),
        ),
    ),
    "A gap in the curve": (
        Symptom(
            sees="The line breaks off and comes back, or never does",
            means="Values are NaN or infinite.",
            code="SW401",
            fix="Look at what feeds the tag at the step that the message names.",
            reports=("tensorflow/tensorflow#4592", "lanpa/tensorboardX#377"),
        ),
    ),
}


def seen(code: str) -> str:
    """What is seen where this code is reported, as one line of Markdown; empty for one that nothing shows."""
    rows = [row for rows in SYMPTOMS.values() for row in rows if row.code == code]
    return "; ".join(row.sees for row in rows)
