"""SW107: an earlier run's events in the directory, at steps that this run writes again."""

from __future__ import annotations

from typing import Protocol

from safewriter.findings import Finding


class LastSteps(Protocol):
    """What the judge knows of the event files that were there before; ``system.earlier.EarlierRun`` is one."""

    @property
    def finished(self) -> bool:
        """Whether no more will be learned."""

    def last_step(self, tag: str) -> tuple[int, str] | None:
        """The last step of a tag and the file it is in, or None where no such tag was found so far."""


class EarlierJudge:
    """Compares the first step of each tag with the last one of an earlier run.

    Exempt: a run that goes on at the next step; a tag whose only point is at step 0, such as a text with the settings
    that is written again at each start; and what ``resume_step`` makes TensorBoard drop.

    Args:
        logdir: The log directory.
        earlier: The last steps of the files that were there.
        resume_step: The step from which this run goes on, or None: points after it are dropped by TensorBoard.
    """

    def __init__(self, logdir: str, earlier: LastSteps, resume_step: int | None = None) -> None:
        self._logdir = logdir
        self._earlier = earlier
        self._resume_step = resume_step
        self._waiting: dict[str, int] = {}
        self._overtaken: dict[str, dict[str, int]] = {}

    @property
    def finished(self) -> bool:
        """Whether neither ``settle`` nor a tag of the earlier run can bring anything more."""
        return self._earlier.finished and not self._waiting

    def observe(self, tag: str, step: int) -> Finding | None:
        """Judges the first write of a tag; to be called for no other.

        Returns:
            SW107, or None. Where the earlier files aren't read so far that this is certain, ``settle`` goes on.
        """
        finding = self._judge(tag, step)
        if finding is None and not self._earlier.finished:
            self._waiting[tag] = step
        return finding

    def settle(self) -> list[Finding]:
        """Judges again what ``observe`` could not yet; to be called on flush and close."""
        findings = []
        for tag, step in list(self._waiting.items()):
            finding = self._judge(tag, step)
            if finding is not None:
                findings.append(finding)
            if finding is not None or self._earlier.finished:
                del self._waiting[tag]
        return findings

    def _judge(self, tag: str, step: int) -> Finding | None:
        found = self._earlier.last_step(tag)
        if found is None:
            return None
        last, file = found
        kept = last if self._resume_step is None else min(last, self._resume_step)
        if step > kept or last <= 0:
            return None
        self._overtaken[tag] = {"earlier_last_step": last, "step": step}
        what = f"An earlier run in {self._logdir} wrote {tag!r} up to step {last} ({file})"
        if kept == last:
            what += f", and this run writes it at step {step}."
        else:
            what += f"; resume_step={kept} drops its points after step {kept}, but this run writes it at step {step}."
        fresh = "`SafeFileWriter(os.path.join(logdir, time.strftime('%Y%m%d-%H%M%S')))`"
        example = f"resume_step={step - 1}" if step > 0 else "resume_step=N"
        return Finding(
            "SW107",
            f"{what} TensorBoard takes both for one run: its default loader drops the earlier points from step {step} "
            "on; with --load_fast=false the curve goes back and is drawn twice.",
            f"Give each run a directory of its own: {fresh}. Or, where it goes on from a checkpoint, say from which "
            f"step: `SafeFileWriter(logdir, {example})`; both of TensorBoard's loaders then drop this tag's "
            "earlier points after it.",
            path=self._logdir,
            data={"file": file, "tags": dict(self._overtaken), "resume_step": self._resume_step},
        )
