"""SW201, SW202, SW203: strategies, replicas and the processes that share a directory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from safewriter.findings import Finding
from safewriter.findings.wording import plural


@dataclass(frozen=True)
class Role:
    """Who this process is among the processes of its run.

    Attributes:
        task: ``"chief"``, ``"worker"``, ``"ps"``, ``"evaluator"``… of a TensorFlow cluster, ``"rank"`` of a launcher,
            or None for a process that nothing says to be one of several.
        index: Which one, counted from 0.
        size: How many there are of this task, where known.
        source: What says so: ``"TF_CONFIG"``, ``"SLURM"``, ``"MultiWorkerMirroredStrategy"``…
        chief: Whether this is the process that writes for all; None where nothing says so.
        problems: Settings that are wrong or contradict each other, in sentences.
    """

    task: str | None = None
    index: int | None = None
    size: int | None = None
    source: str | None = None
    chief: bool | None = None
    problems: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.task is None:
            return "single process"
        which = "" if self.index is None else f" {self.index}"
        of = "" if self.size is None else f" of {self.size}"
        return f"{self.task}{which}{of} ({self.source})"

    def in_words(self) -> str:
        """The role, and what is wrong with the settings that it was read from."""
        return ". ".join([str(self), " ".join(self.problems)]) if self.problems else str(self)


@dataclass(frozen=True)
class StrategyFacts:
    """Where, in TensorFlow's terms, the line is that creates a writer.

    Attributes:
        strategy: Public name of the strategy in whose scope or replica function it is, or None.
        replicas: How many replicas that strategy keeps in step.
        in_scope: Inside ``strategy.scope()``, a replica function or not.
        scope_behind_graph: The scope is hidden from ``tf.distribute.has_strategy()`` by a graph entered inside it.
        in_replica: Inside a function that ``strategy.run`` runs, or that such a function handed to ``merge_call``.
        in_merge_call: The latter.
        tracing: Name of the function that is being traced (``tf.function``, ``Dataset.map``, …), or None.
        should_save_summary: What the strategy says of summaries in this process; None without one.
        role: Who this process is.
    """

    strategy: str | None = None
    replicas: int = 1
    in_scope: bool = False
    scope_behind_graph: bool = False
    in_replica: bool = False
    in_merge_call: bool = False
    tracing: str | None = None
    should_save_summary: bool | None = None
    role: Role = field(default_factory=Role)


@dataclass(frozen=True)
class Neighbour:
    """An event file in the directory that another process writes.

    Attributes:
        file: Its name.
        host: Host in the name, or None where the name has none.
        pid: Process in the name, or None (TensorFlow's v1 writer leaves it out).
        same_host: It is this host.
        evidence: ``"grew"`` (between two looks), ``"appeared"`` (after the first look) or ``"open"`` (that process
            has it open, and made it after this process had started).
        size_before: Bytes at the earlier look.
        size: Bytes at this look.
        role: What that process's environment says it is, where it can be read.
    """

    file: str
    host: str | None
    pid: int | None
    same_host: bool
    evidence: str
    size_before: int
    size: int
    role: str | None = None

    def __str__(self) -> str:
        pid = "an unnamed process" if self.pid is None else f"process {self.pid}"
        host = "" if self.host is None else f" on {self.host}" + (" (this host)" if self.same_host else "")
        rank = f", {self.role}" if self.role else ""
        how = {
            "grew": f"grew from {self.size_before:,} to {self.size:,} bytes while this writer was open",
            "appeared": f"appeared after this writer was created and holds {self.size:,} bytes",
            "open": "is held open by it",
        }[self.evidence]
        return f"{pid}{host}{rank}: {self.file} {how}"


def judge_creation(facts: StrategyFacts) -> list[Finding]:
    """SW202 in a replica function or a trace, else SW201 in a strategy's scope, else nothing.

    Exempt: the default strategy, a line before the scope, a thread that was started inside the scope (TensorFlow's
    scopes are per thread), ``tf.compat.v1.py_func`` (it runs once per step).
    """
    role = f"Role of this process: {facts.role}"
    problems = _problems(facts.role)
    strategy = f"{facts.strategy or 'a strategy'} ({plural(facts.replicas, 'replica')})"
    if facts.in_replica or facts.tracing is not None:
        subject = facts.tracing or facts.strategy or ""
        message = f"{_in_replica(facts, strategy)} {role}.{problems}"
        return [Finding("SW202", message, _replica_hint(facts), subject=subject, data=asdict(facts))]
    if not facts.in_scope:
        return []
    hidden = ", behind a graph that hides it from tf.distribute.has_strategy()" if facts.scope_behind_graph else ""
    if facts.should_save_summary is False:
        role += "; the strategy says that it should save no summaries"
    example = "`writer = SafeFileWriter(logdir)`, then `with strategy.scope(): …`."
    if _several(facts):
        example = (
            "`writer = SafeFileWriter(logdir) if chief else None`. A worker that should write too gets a directory of "
            "its own: `SafeFileWriter(os.path.join(logdir, f'worker{index}'))`."
        )
    return [
        Finding(
            "SW201",
            f"The writer was created inside the scope of {strategy}{hidden}. Every process that enters the scope "
            "creates a writer there; on one directory, TensorBoard would draw the curves of all "
            f"of them as one run. {role}.{problems}",
            f"Move the line to before the scope{_where(facts)}: {example}",
            subject=facts.strategy or "",
            data=asdict(facts),
        )
    ]


_SHOWN = 3  #: neighbours that a message names; ``data`` holds all


def judge_directory(logdir: str, neighbours: Sequence[Neighbour], role: Role) -> list[Finding]:
    """SW203 where a look found files that other processes write, each reported once over all looks; else nothing.

    Exempt: files of finished runs, of this process, and whatever did not change between two looks.
    """
    if not neighbours:
        return []
    shown = "; ".join(str(neighbour) for neighbour in neighbours[:_SHOWN])
    more = len(neighbours) - _SHOWN
    own = "os.path.join(logdir, f'worker{index}')"
    hint = (
        f"Write in the chief alone (`writer = SafeFileWriter(logdir) if chief else None`), or give each process a "
        f"directory of its own: `SafeFileWriter({own})`."
    )
    if role.task is None:
        hint = (
            f"Give each process a directory of its own (`SafeFileWriter({own})`), or create the writer in one process "
            "only. Nothing in this process's environment says which of several it is (TF_CONFIG, or a launcher's rank)."
        )
    return [
        Finding(
            "SW203",
            f"Another process writes event files into {logdir}: {shown}"
            f"{f'; and {more} more' if more > 0 else ''}. Role of this process: {role}. TensorBoard takes a directory "
            "for one run: of two curves of one tag its default loader shows the later file's only, the other loader a "
            f"zigzag.{_problems(role)}",
            hint,
            count=len(neighbours),
            path=logdir,
            data={"neighbours": [asdict(each) for each in neighbours], "role": asdict(role)},
        )
    ]


def _in_replica(facts: StrategyFacts, strategy: str) -> str:
    """Where the writer was created, and how often that runs."""
    place = "" if facts.tracing is None else f" while {facts.tracing!r} was traced"
    if facts.in_merge_call:
        place += f" in a function given to merge_call, in a replica of {strategy}"
    elif facts.in_replica:
        place += f" in a replica function of {strategy}"
    elif facts.in_scope:
        place += f", in the scope of {strategy}"
    if facts.tracing is not None:
        runs = "once per trace, not once per step: later steps write nothing."
    else:
        times = "once" if facts.in_merge_call or facts.replicas == 1 else f"once for each of {facts.replicas} replicas"
        runs = (
            f"{times} at each call of strategy.run: in graph mode that is while the graph is built, so that later "
            "steps write nothing; in eager mode each call opens writers anew."
        )
    return f"The writer was created{place}. Python code in there runs {runs}"


def _replica_hint(facts: StrategyFacts) -> str:
    if facts.strategy is None:
        return (
            f"Create the writer outside of {facts.tracing!r}, return the values that it should record, and write them "
            "in the Python loop, once per step: `writer.add_summary(summary, step)`."
        )
    return (
        f"Create the writer before the scope{_where(facts)}, return the value from the replica function, and write it "
        "in the Python loop, once per step: `loss = strategy.reduce('MEAN', strategy.run(train_step), axis=None)`, "
        "then `writer.add_summary(summary, step)`."
    )


def _where(facts: StrategyFacts) -> str:
    """Which process should run the line, where there are several."""
    if facts.strategy == "ParameterServerStrategy":
        return (
            ", in the coordinator's program (workers and parameter servers only run `tf.distribute.Server(…).join()`)"
        )
    return ", in the chief alone" if _several(facts) else ""


def _several(facts: StrategyFacts) -> bool:
    return facts.strategy == "MultiWorkerMirroredStrategy" or (facts.role.size or 1) > 1


def _problems(role: Role) -> str:
    return "".join(f" {problem}" for problem in role.problems)


def shared_by_writers(logdir: str, created: str, others: list[str], *, shared_resource: bool = False) -> Finding:
    """SW204: two open writers of this process write into one directory.

    Args:
        logdir: The directory, with links resolved.
        created: ``file:line`` of the newer writer.
        others: The same of the writers that were open before it.
        shared_resource: They write through one summary resource of a session.
    """
    more = f" (and {len(others) - 1} more)" if len(others) > 1 else ""
    same = " (the same line)" if others[0] == created else ""
    what = "Each writes a file of its own, but"
    if shared_resource:
        what = (
            "In one session both write through one summary resource of TensorFlow's, and closing "
            "either closes it for both; besides,"
        )
    return Finding(
        "SW204",
        f"This process has another open writer on {logdir}, created at {others[0]}{same}{more}. {what} {_ONE_RUN}",
        "Use one writer for both, a directory for each (`logs/train`, `logs/test`), or close the first before the "
        "second is created.",
        path=logdir,
        data={"others": others},
    )


def shared_with_tensorflow(logdir: str, cached: bool) -> Finding:
    """SW204: a writer of TensorFlow's own, cached in its ``FileWriterCache`` or not, is open on our directory."""
    whose = "A FileWriter of TensorFlow's own"
    hint = "Use one writer for both, or a directory for each."
    if cached:
        whose = "TensorFlow's cached FileWriter, which MonitoredTrainingSession and summary hooks create,"
        hint = (
            "Give this writer a directory of its own, such as `os.path.join(checkpoint_dir, 'mine')`; or let the hooks "
            "write it all: `tf.compat.v1.train.SummarySaverHook`, or `save_summaries_steps=None` to switch theirs off."
        )
    return Finding(
        "SW204",
        f"{whose} is open on {logdir} too. Each writes a file of its own, but {_ONE_RUN}",
        hint,
        subject=f"{logdir}: TensorFlow's",
        path=logdir,
        data={"others": [], "cached": cached},
    )


_ONE_RUN = (
    "TensorBoard takes a directory for one run and shows tags that both write as one curve, or the later file's only."
)
