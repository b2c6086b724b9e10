"""The one door through which findings leave: warned, raised, captured or ignored, each subject once."""

import errno
import itertools
import json
import pickle
import signal
import subprocess
import sys
import threading
import warnings

import pytest
from hypothesis import given, strategies as st

import safewriter
from safewriter import Finding, SafeWriterError, SafeWriterWarning
from safewriter.findings import (
    CAPTURES,
    CATALOGUE,
    Desk,
    Kind,
    Place,
    Policy,
    desk as desk_module,
    error_for,
    select_codes,
    send,
    warning_for,
)
from safewriter.findings.desk import guarded

PLACE = Place("/elsewhere/train.py", 41)


def desk(strict=False, ignore=()):
    return Desk(Policy.of(strict, ignore, {}), PLACE)


def finding(code="SW402", subject="loss", **more):
    return Finding(code, "It happened.", "Change it.", subject=subject, **more)


class TestSelection:
    @pytest.mark.parametrize(
        ("selectors", "codes"),
        [
            ("SW402", {"SW402"}),
            ("sw402", {"SW402"}),
            ("no-step", {"SW402"}),
            ("No-Step", {"SW402"}),
            (("SW402", "no-step"), {"SW402"}),
            ("SW402, SW501", {"SW402", "SW501"}),
            (["SW402", "not-finite,never-flushed"], {"SW402", "SW401", "SW501"}),
            ("SW4", {code for code in CATALOGUE if code.startswith("SW4")}),
            ("SW", set(CATALOGUE)),
            ("", set()),
            (" , ,", set()),
            ((), set()),
        ],
    )
    def test_selected(self, selectors, codes):
        """Codes, names and prefixes, one or several, in any case of letters."""
        assert select_codes(selectors) == codes

    @pytest.mark.parametrize("selector", ["SW999", "SW4022", "no_step", "402", "step", "*", "S"])
    def test_unknown(self, selector):
        """An unknown one is an error that lists the right ones."""
        with pytest.raises(ValueError, match=r"SW402 no-step.*SW501 never-flushed") as caught:
            select_codes(("SW401", selector))
        assert repr(selector) in str(caught.value)

    @pytest.mark.parametrize(
        ("setting", "strict"), [("1", True), ("yes", True), ("TRUE", True), ("0", False), ("", False)]
    )
    def test_environment(self, setting, strict):
        """The environment's settings join those in code."""
        policy = Policy.of(False, "SW401", {"SAFEWRITER_STRICT": setting, "SAFEWRITER_IGNORE": "SW402"})
        assert policy == Policy(strict, frozenset({"SW401", "SW402"}))
        assert Policy.of(True, (), {"SAFEWRITER_STRICT": "0"}).strict


class TestReporting:
    def test_warning(self):
        """A finding is warned, as the leaf class of its hundred, at the user's line, with the writer's."""
        with pytest.warns(SafeWriterWarning) as caught:
            desk().report(finding())
        (warned,) = caught
        assert type(warned.message) is safewriter.ValuesWarning
        assert warned.filename == __file__
        assert warned.message.finding.created_at == str(PLACE)
        assert str(warned.message).splitlines() == [
            "SW402 no-step: It happened.",
            "  Hint: Change it.",
            "  Writer created at /elsewhere/train.py:41",
            "  More: safewriter explain SW402",
        ]

    def test_at_creation(self):
        """At exit the warning points at the line that created the writer."""
        with pytest.warns(SafeWriterWarning) as caught:
            desk().report(finding(), at_creation=True)
        assert (caught[0].filename, caught[0].lineno) == (PLACE.filename, 41)

    def test_from_no_line_of_the_users(self):
        """Where nothing of the user's is running, such as in an exit hook, it points there as well."""
        reported = []

        def show(message, category, filename, lineno, file=None, line=None):
            reported.append((filename, lineno))

        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.showwarning = show
            code = compile("desk.report(finding)", desk.__globals__["send"].__code__.co_filename, "exec")
            thread = threading.Thread(target=exec, args=(code, {"desk": desk(), "finding": finding()}))
            thread.start()
            thread.join()
        assert reported == [(PLACE.filename, 41)]

    def test_each_subject_once(self):
        """A subject is reported once and counted on; another one is reported."""
        mine = desk()
        with CAPTURES.capture() as reported:
            for subject in ("a", "b", "a", "a"):
                mine.report(finding(subject=subject, count=2))
        assert [each.subject for each in reported] == ["a", "b"]
        assert {each.subject: each.count for each in mine.findings} == {"a": 6, "b": 2}

    def test_again(self):
        """The sum at close is reported although its subject was, and takes the place of what was counted."""
        mine = desk()
        with CAPTURES.capture() as reported:
            mine.report(finding())
            mine.report(finding(count=7), again=True)
        assert [each.count for each in reported] == [1, 7]
        assert [each.count for each in mine.findings] == [7]

    def test_errors_are_raised(self):
        """Of kind error: raised, each time, whatever is ignored."""
        mine = desk(ignore=("SW305",))
        for _ in range(2):
            with pytest.raises(SafeWriterError, match="SW305"):
                mine.report(finding("SW305"))

    def test_strict(self):
        """Under strict a warning is raised, and not where none may be."""
        with pytest.raises(SafeWriterError) as caught:
            desk(strict=True).report(finding())
        assert caught.value.finding.code == "SW402"
        with pytest.warns(SafeWriterWarning, match="SW402"):
            desk(strict=True).report(finding(), may_raise=False)

    def test_ignored(self):
        """What is ignored is neither reported nor kept."""
        mine = desk(ignore="SW4")
        mine.report(finding())
        assert mine.findings == ()

    def test_several_of_which_two_are_raised(self):
        """The first is raised, and all the others are warned."""
        with pytest.warns(SafeWriterWarning) as caught, pytest.raises(SafeWriterError, match="SW401"):
            desk(strict=True).report_all([finding("SW401"), finding("SW402"), finding("SW403")])
        assert [each.message.finding.code for each in caught] == ["SW402", "SW403"]

    def test_filter_that_says_error(self, capsys):
        """A warning filter raises the warning at the call; where nothing may be raised, it is shown."""
        with warnings.catch_warnings():
            warnings.simplefilter("error", SafeWriterWarning)
            with pytest.raises(safewriter.ValuesWarning):
                desk().report(finding())
            desk().report(finding(), may_raise=False)
        assert "ValuesWarning: SW402 no-step" in capsys.readouterr().err

    @pytest.mark.parametrize("stream", ["closed", "none", "broken"])
    def test_nowhere_to_show_it(self, run_forked, stream):
        """Where standard error is closed, a finding is kept for the report, and nothing is raised."""
        outcome = run_forked("""
import io, sys, warnings
from safewriter.findings import Desk, Finding, Place, Policy
class Broken(io.StringIO):
    def write(self, text):
        raise BrokenPipeError
closed = io.StringIO()
closed.close()
sys.stderr = {"closed": closed, "none": None, "broken": Broken()}[sys.argv[1]]
for action in ("always", "error"):
    warnings.simplefilter(action)
    desk = Desk(Policy(), Place("train.py", 41))
    desk.report(Finding("SW402", "It happened."), may_raise=action == "always")
    desk.internal("nothing")
    print(action, *[finding.code for finding in desk.findings])
""", stream)  # fmt: skip
        printed = [line for line in outcome.stdout.splitlines() if line.startswith(("always", "error"))]
        assert printed == ["always SW402 SW901", "error SW402 SW901"], outcome

    def test_threads(self):
        """Threads that report one subject at a time report it once, and count each."""
        mine = desk()
        with CAPTURES.capture() as reported:
            threads = [
                threading.Thread(target=lambda: [mine.report(finding()) for _ in range(200)], daemon=True)
                for _ in range(8)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert len(reported) == 1
        assert [each.count for each in mine.findings] == [1600]

    @given(st.lists(st.tuples(st.sampled_from(["SW401", "SW402", "SW403"]), st.sampled_from("abc"), st.integers(1, 9))))
    def test_nothing_is_told_twice_and_nothing_is_forgotten(self, events):
        """Whatever comes: each code and subject is reported once, in order of its first, and the counts add up."""
        mine = desk(ignore="SW403")
        with CAPTURES.capture() as reported:
            for code, subject, count in events:
                mine.report(finding(code, subject, count=count))
        kept = [event for event in events if event[0] != "SW403"]
        assert [(each.code, each.subject) for each in reported] == list(dict.fromkeys(event[:2] for event in kept))
        assert sum(each.count for each in mine.findings) == sum(event[2] for event in kept)


class TestGuard:
    def test_fault(self):
        """A fault becomes SW901, with its traceback, once for each check."""
        mine = desk()
        with CAPTURES.capture() as reported:
            for _ in range(3):
                with mine.guard("values"):
                    raise ZeroDivisionError("by nought")
        (one,) = reported
        assert (one.code, one.subject) == ("SW901", "values")
        assert "ZeroDivisionError: by nought" in one.message
        assert mine.findings[0].count == 3

    def test_fault_under_strict(self):
        """Not even strict raises it."""
        with CAPTURES.capture() as reported, desk(strict=True).guard("values"):
            raise ZeroDivisionError
        assert [each.code for each in reported] == ["SW901"]

    @pytest.mark.parametrize("leaving", [error_for(finding("SW305")), warning_for(finding())], ids=["error", "warning"])
    def test_findings_go_through(self, leaving):
        """What is to be raised is raised."""
        with pytest.raises(type(leaving)), desk().guard("values"):
            raise leaving

    @pytest.mark.parametrize("leaving", [KeyboardInterrupt, SystemExit])
    def test_what_is_no_fault(self, leaving):
        """An interrupt is the user's."""
        with pytest.raises(leaving), desk().guard("values"):
            raise leaving

    @pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="Windows has other signals")
    @pytest.mark.parametrize("form", ["function", "method", "any arguments", "deeper"])
    def test_what_a_handler_raises(self, form):
        """A time limit that a signal handler sets is the program's, and no fault of the check that it interrupts."""

        def fail():
            raise TimeoutError

        class Limit:
            def method(self, number, frame):
                fail()

        def function(number, frame):
            raise TimeoutError

        def deeper(*arguments):
            function(*arguments[:1], None)

        handlers = {"function": function, "method": Limit().method, "any arguments": lambda *_: fail()}
        before = signal.signal(signal.SIGUSR1, handlers.get(form, deeper))
        try:
            with CAPTURES.capture() as reported, pytest.raises(TimeoutError), desk().guard("values"):
                signal.raise_signal(signal.SIGUSR1)
        finally:
            signal.signal(signal.SIGUSR1, before)
        assert reported == []

    def test_guarded(self):
        """A check that fails found nothing."""
        mine = desk()
        assert guarded(mine, "values", lambda: [finding()]) == [finding()]
        with CAPTURES.capture() as reported:
            assert guarded(mine, "values", lambda: [1 / 0]) == []
        assert [each.code for each in reported] == ["SW901"]


class TestCarriers:
    def test_leaf_classes(self):
        """Each hundred of codes has a warning of its own, under the name that users import."""
        for code, entry in CATALOGUE.items():
            warning = warning_for(finding(code))
            assert isinstance(warning, SafeWriterWarning)
            assert isinstance(warning, UserWarning)
            assert type(warning).__module__ == "safewriter"
            if entry.kind is Kind.WARNING:
                assert getattr(safewriter, type(warning).__name__) is type(warning)

    @pytest.mark.parametrize(
        ("number", "builtin"),
        [
            (errno.EACCES, PermissionError),
            (errno.ENOTDIR, NotADirectoryError),
            (errno.ENOENT, FileNotFoundError),
            (errno.ENOSPC, OSError),
        ],
    )
    def test_error_of_the_system(self, number, builtin):
        """An error with an errno is of the class that Python gives that number, and carries number and path."""
        error = error_for(finding("SW103", path="/logs", data={"errno": number}))
        assert isinstance(error, (SafeWriterError, builtin))
        assert isinstance(error, builtin)
        assert (error.errno, error.filename) == (number, "/logs")
        assert str(error).startswith("SW103 logdir-not-writable: It happened.")
        assert type(error).__name__ == f"SafeWriter{builtin.__name__}"

    def test_error_of_another_builtin(self):
        """A TypeError is one; without a builtin it is a SafeWriterError alone."""
        assert isinstance(error_for(finding("SW305", raises=TypeError)), TypeError)
        assert type(error_for(finding())) is SafeWriterError

    @pytest.mark.parametrize(
        "carrier",
        [
            error_for(finding("SW103", path="/logs", data={"errno": errno.EACCES})),
            error_for(finding("SW305", raises=TypeError)),
            warning_for(finding(data={"a": [1]})),
        ],
        ids=["os-error", "type-error", "warning"],
    )
    def test_pickle(self, carrier):
        """Errors and warnings cross process borders whole."""
        again = pickle.loads(pickle.dumps(carrier))
        assert type(again) is type(carrier)
        assert again.finding == carrier.finding
        assert str(again) == str(carrier)

    def test_finding_is_data(self):
        """A finding can be hashed, compared and stored as JSON."""
        one = finding(data={"steps": [1, 2]}, path="/logs")
        assert len({one, finding(data={"steps": [1, 2]}, path="/logs")}) == 1
        assert json.loads(json.dumps(one.as_dict()))["name"] == "no-step"

    def test_tell_without_a_desk(self):
        """The door is there without a writer too."""
        with pytest.warns(SafeWriterWarning, match="SW402") as caught:
            send(finding())
        assert caught[0].filename == __file__


class TestHostileSurroundings:
    """Hooks of the user's and signal handlers: no exception of theirs reaches the loop, and no finding is lost."""

    @pytest.mark.parametrize("may_raise", [True, False])
    def test_a_hook_that_raises(self, may_raise, monkeypatch, capfd):
        """An exception of ``showwarning`` stays where it is, and the finding is shown in a plain line."""

        def hook(*_, **__):
            raise LookupError("the hook's own")

        mine = desk()
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            monkeypatch.setattr(warnings, "showwarning", hook)
            monkeypatch.setattr(warnings, "formatwarning", hook)
            mine.report_all([finding(subject=each) for each in "abc"], may_raise=may_raise)
        assert capfd.readouterr().err.count("SW402 no-step: It happened.") == 3
        assert [each.count for each in mine.findings] == [1, 1, 1]

    def test_a_standard_error_that_raises(self):
        """Where standard error does not take a line, the interpreter's own does, for SW901 too."""
        program = """
import sys
from safewriter.findings import Desk, Finding, Place, Policy

class Busy:
    def write(self, text):
        raise RuntimeError("reentrant call inside <_io.BufferedWriter name='<stderr>'>")

    def flush(self):
        pass

sys.stderr = Busy()
desk = Desk(Policy(), Place("train.py", 1))
desk.report(Finding("SW402", "It happened.", subject="a"))
with desk.guard("check"):
    raise ArithmeticError("of ours")
print(*(each.code for each in desk.findings))
"""
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        assert done.stdout.split() == ["SW402", "SW901"]
        assert "SW402 no-step: It happened." in done.stderr
        assert "ArithmeticError: of ours" in done.stderr

    def test_no_standard_error_at_all(self, monkeypatch):
        """With both streams gone nothing is raised, and the report has the finding."""
        mine = desk()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            monkeypatch.setattr(sys, "stderr", None)
            monkeypatch.setattr(sys, "__stderr__", None)
            mine.report(finding(), may_raise=False)
        assert len(mine.findings) == 1

    def test_a_hook_that_reports(self, monkeypatch):
        """A hook that comes back with the same subject and with another is counted, and does not recurse."""
        mine, seen = desk(), []

        def hook(message, *_, **__):
            seen.append(message.finding.subject)
            mine.report(finding(subject="a"))
            mine.report(finding(subject="b"))

        with warnings.catch_warnings():
            warnings.simplefilter("always")
            monkeypatch.setattr(warnings, "showwarning", hook)
            mine.report(finding(subject="a"))
        assert seen == ["a", "b"]
        assert {each.subject: each.count for each in mine.findings} == {"a": 3, "b": 2}

    def test_a_handler_at_each_line_of_the_books(self):
        """A call in the middle of a booking, at whichever line, is counted, and neither waits nor undoes the other."""
        where = [
            desk_module.Desk._book.__code__,
            desk_module.Desk._count_left.__code__,
        ]
        lines = 0
        for line in itertools.count():
            mine, reached, busy = desk(), 0, False

            def trace(frame, event, _, mine=mine, line=line):
                nonlocal reached, busy
                if frame.f_code not in where:
                    return None
                if event == "line" and not busy:
                    if reached == line:
                        busy = True
                        mine.note(finding(subject="a"))
                        busy = False
                    reached += 1
                return trace

            mine.note(finding(subject="a"))
            before = sys.gettrace()
            sys.settrace(trace)
            try:
                mine.note(finding(subject="a"))
            finally:
                sys.settrace(before)
            if reached <= line:
                break
            lines += 1
            assert [each.count for each in mine.findings] == [3], line
        assert lines >= 6

    def test_a_warning_of_somebody_elses_in_a_check(self):
        """A warning that a filter turns into an error within one of our checks is SW901, and stays out of the loop."""
        mine = desk()
        with CAPTURES.capture() as reported, warnings.catch_warnings():
            warnings.simplefilter("error")
            with mine.guard("check"):
                warnings.warn("overflow encountered", RuntimeWarning, stacklevel=1)
        assert [each.code for each in reported] == ["SW901"]
