"""The tab in TensorBoard: its routes, what it says of each run, and which points are not shown."""

import argparse
import configparser
import math
import os
import random
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings, strategies as st

from safewriter.audit import Point

pytest.importorskip("tensorboard", reason="TensorBoard is not installed here")

from tensorboard_server import IMPATIENT, scalar, serve, version, write

from safewriter.tab.emptiness import reasons
from safewriter.tab.fates import Fate, Held, StandstillJudge, fates
from safewriter.tab.loader import Loader, Tab
from safewriter.tab.service import Service

ROOT = Path(__file__).parents[2]


def point(step, value=1.0, wall_time=None, behind=False):
    return Point(step, 1000.0 + step if wall_time is None else wall_time, value, "scalar", "file", 0, behind)


class TestFates:
    """A pure function of what is on disk and what TensorBoard holds."""

    def test_each_fate(self):
        """Every reason is found in one curve, and what is held is shown."""
        points = [
            point(0), point(1, math.nan), point(2), point(5, wall_time=1002.5),
            point(3), point(4), point(6), point(7, behind=True),
        ]  # fmt: skip
        held = [Held(each.step, each.wall_time) for each in (points[0], points[1], points[4], points[5])]
        assert fates(points, held) == [
            Fate.SHOWN, Fate.NOT_FINITE, Fate.SAMPLED_AWAY, Fate.OVERTAKEN, Fate.SHOWN, Fate.SHOWN, Fate.NOT_LOADED,
            Fate.BEHIND_DAMAGE,
        ]  # fmt: skip

    def test_one_point_held_of_two_alike(self):
        """Of twenty points at one step and time TensorBoard holds one: one is shown, the others are overtaken."""
        points = [point(0, wall_time=1000.0)] * 20
        found = fates(points, [Held(0, 1000.0)])
        assert (found.count(Fate.SHOWN), found.count(Fate.OVERTAKEN)) == (1, 19)

    @given(st.lists(st.tuples(st.integers(0, 30), st.floats(), st.booleans()), max_size=40), st.data())
    @settings(max_examples=200)
    def test_as_many_are_shown_as_are_held(self, drawn, data):
        """Each point has one fate, and no more are shown than TensorBoard holds."""
        points = [point(step, value, 1000.0 + place, behind) for place, (step, value, behind) in enumerate(drawn)]
        some = data.draw(st.lists(st.sampled_from(points), max_size=40)) if points else []
        found = fates(points, [Held(each.step, each.wall_time) for each in some])
        assert len(found) == len(points)
        assert found.count(Fate.SHOWN) <= len(some)
        for each, fate in zip(points, found, strict=True):
            assert (fate is Fate.BEHIND_DAMAGE) == each.behind_damage


class TestStandstill:
    """That TensorBoard stopped is said late, and never of a run that is well."""

    def test_after_its_patience(self):
        """TensorBoard stands still behind the disk for over 30 s and three reload intervals: then, till it moves."""
        for interval, patience in ((5, 30), (20, 60)):
            judge = StandstillJudge(interval)

            def look(now, held, judge=judge):
                return judge.look({"run": {"loss": Held(9, 1009.0)}}, {"run": {"loss": held}}, 100, now)

            assert not look(0.0, Held(3, 1003.0))
            assert not look(1.0, Held(3, 1003.0))
            assert not look(patience - 1.0, Held(3, 1003.0))
            assert look(patience + 0.1, Held(3, 1003.0)) == {"run": ["loss"]}
            assert not look(patience + 1.0, Held(4, 1004.0))
            assert not look(patience + 2.0, Held(9, 1009.0))

    @pytest.mark.parametrize(
        ("interval", "disk", "held"),
        [
            (5, {"run": {"a": Held(9, 1009.0)}}, {"run": {"a": Held(9, 1008.0)}}),  # at the same step
            (5, {"run": {"a": Held(12, 1008.0)}}, {"run": {"a": Held(9, 1009.0)}}),  # not later
            (0, {"run": {"a": Held(9, 1009.0)}}, {}),  # it loads once
            (5, {"run": {"a": Held(9, 1009.0)}}, {"/run": {"a": Held(3, 1003.0)}}),  # under other names
            (5, {"run": {"a": Held(9, 1e3), "b": Held(9, 1e3)}}, {"run": {"b": Held(9, 1e3)}}),  # of another kind
        ],
    )
    def test_nothing_is_said_of_what_is_not_behind(self, interval, disk, held):
        """Nor of what can't be compared, nor where TensorBoard is set to load once."""
        judge = StandstillJudge(interval)
        assert not any(judge.look(disk, held, 100, now) for now in range(0, 1000, 10))

    def test_while_tensorboard_is_busy_with_other_runs(self):
        """In its first load TensorBoard comes to a live run again after half an hour: no run is marked meanwhile."""
        judge, runs = StandstillJudge(5), [f"run-{number}" for number in range(100)]
        held, marks = {}, []
        for now in range(0, 7200, 5):
            disk = {run: {"loss": Held(9, 500.0)} for run in runs}
            disk["live"] = {"loss": Held(now, float(now))}
            if now == 0 or now > 2000:
                held["live"] = disk["live"]
            if now and now % 20 == 0 and now <= 2000:
                held[runs[now // 20 - 1]] = {"loss": Held(9, 500.0)}
            marks += judge.look(disk, {run: dict(fronts) for run, fronts in held.items()}, 10_000, now)
        assert marks == []

    def test_until_everything_can_have_been_read_once(self):
        """A directory of a gigabyte takes TensorBoard minutes: what it has not come to by then is not marked."""
        judge = StandstillJudge(5)
        disk = {"run": {"loss": Held(9, 1009.0)}}
        marked = [now for now in range(0, 1000, 5) if judge.look(disk, {}, 1_000_000_000, now)]
        assert marked[0] == 505

    @pytest.mark.parametrize("rate", [1, 10, 100])
    @pytest.mark.parametrize("interval", [1, 5, 30])
    def test_a_live_run_is_never_marked(self, rate, interval):
        """An hour of a run that writes at this rate, which TensorBoard reads late and irregularly: no mark."""
        judge, late = StandstillJudge(interval), random.Random(rate * 100 + interval)
        held, next_load, marks, now = {}, 0.0, [], 0.0
        while now < 3600:
            now += late.uniform(1.5, 6.0)  # a look of the page
            while next_load <= now:
                held = {"run": {"loss": Held(int(next_load * rate), next_load)}}
                next_load += interval * late.uniform(1.0, 1.6)
            marks += judge.look({"run": {"loss": Held(int(now * rate), now)}}, held, 100, now)
        assert marks == []


class TestLoading:
    """Nothing of ours keeps TensorBoard from starting, or slows its start."""

    def test_only_the_base_plugin_is_imported(self):
        """The entry point's module imports TensorBoard's base class and none of the rooms of safewriter."""
        program = (
            "import sys, tensorboard.plugins.base_plugin\nbefore = set(sys.modules)\nimport safewriter.tab.loader\n"
            "new, ours = set(sys.modules) - before, ('safewriter', 'google', 'tensor')\n"
            "print(*sorted(name for name in new if name.startswith(ours)))"
        )
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, check=True
        )
        assert done.stdout.split() == ["safewriter", "safewriter.tab", "safewriter.tab.loader"]

    def test_it_is_declared(self):
        """The package declares the entry point that TensorBoard looks for, and it names the loader."""
        parser = configparser.ConfigParser()
        parser.read(ROOT / "setup.cfg")
        assert (
            parser["options.entry_points"]["tensorboard_plugins"].strip() == "safewriter = safewriter.tab.loader:Loader"
        )

    def test_the_flag(self):
        """``--safewriter_tab=false`` switches it off; anything else than a truth value is refused by the parser."""
        parser = argparse.ArgumentParser()
        Loader().define_flags(parser)
        context = lambda *flags: SimpleNamespace(flags=parser.parse_args(flags), logdir="", data_provider=None)  # noqa: E731
        assert Loader().load(context("--safewriter_tab=false")) is None
        assert isinstance(Loader().load(context()), Tab)
        assert isinstance(Loader().load(context("--safewriter_tab")), Tab)
        with pytest.raises(SystemExit):
            context("--safewriter_tab=perhaps")

    def test_a_fault_in_each_hook_leaves_tensorboard_alone(self, monkeypatch):
        """Where our own code fails, there is no flag, no tab, or no number; an exception never leaves."""
        Loader().define_flags(None)
        assert Loader().load(None) is None
        tab = Tab(SimpleNamespace(flags=None))
        monkeypatch.setattr(Service, "__init__", lambda self, context: 1 / 0)
        assert tab.frontend_metadata().tab_name == "Safewriter"
        assert tab.is_active()


class TestEmptiness:
    """Why nothing is there: the path, as it was meant and as it was taken."""

    def test_a_mistyped_name(self, tmp_path):
        """A sibling of a similar name that has event files is named; one without is not."""
        write(tmp_path / "logs" / "run")
        (tmp_path / "log").mkdir()
        found = list(reasons(str(tmp_path / "lgos"), "lgos"))
        assert found == [
            "There is no such directory.",
            f"A directory of a similar name has event files: {tmp_path / 'logs'}",
        ]

    @pytest.mark.parametrize(
        ("given", "says"),
        [
            (" logs", "blank"),
            ("=logs", "'='"),
            ("~x/logs", "'~'"),
            ("$HOME/logs", "'$'"),
            ("", "without a log directory"),
            ("a", "neither"),
        ],
    )
    def test_what_is_odd_in_a_path(self, given, says, tmp_path):
        """A blank, an equals sign, a literal ``~`` or ``$`` is pointed at, and an empty directory called so."""
        (tmp_path / "a").mkdir()
        assert any(says in each for each in reasons(str(tmp_path / given), given))


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    """A log directory with a run of each kind."""
    top = tmp_path_factory.mktemp("logs")
    write(top / "sound", *(scalar(step, step / 2) for step in range(20)))
    write(top / "nan", *(scalar(step, math.nan if step > 5 else 1.0) for step in range(10)))
    whole = [scalar(step, 1.0) for step in range(10)]
    write(top / "damaged", *whole[:5], b"?" * 40, *whole[5:])
    write(
        top / "back",
        *(scalar(step, 1.0, wall_time=1000.0 + place) for place, step in enumerate([*range(20), *range(5, 15)])),
    )
    write(top / "long", *(scalar(step, 1.0) for step in range(3000)))
    write(top / "<img src=x onerror=alert(1)>", scalar(1, 1.0, tag="<b>tag</b>"))
    return top


@pytest.fixture(scope="module", params=["--load_fast=false", "--load_fast=true"])
def server(request, logs):
    """TensorBoard over it, with each loader."""
    if request.param == "--load_fast=true" and not _has_fast_loader():
        pytest.skip("this TensorBoard has no fast loader here")
    with serve(f"--logdir={logs}", request.param, "--reload_interval=1", "--path_prefix=/p") as server:
        yield server


def _has_fast_loader():
    try:
        import tensorboard_data_server

        return tensorboard_data_server.server_binary() is not None
    except ImportError:
        return False


class TestRoutes:
    """Real requests to a real TensorBoard, below a path prefix."""

    def test_the_runs(self, server):
        """Each run has its verdict, its findings with hints, and its steps on disk beside those in TensorBoard."""
        answer = server.audit(lambda answer: answer["by_run"].get("sound", {}).get("held_step") == 19)
        verdicts = {name: run["verdict"] for name, run in answer["by_run"].items()}
        assert verdicts == {
            "long": "sound", "sound": "sound", "nan": "look", "damaged": "damaged", "back": "look",
            "<img src=x onerror=alert(1)>": "sound",
        }  # fmt: skip
        sound = server.audit(lambda answer: answer["by_run"]["sound"]["held_points"] == 20)["by_run"]["sound"]
        assert (sound["disk_points"], sound["disk_step"], sound["events"]) == (20, 19, 21)
        assert [finding["code"] for finding in answer["by_run"]["nan"]["findings"]] == ["SW401"]
        assert answer["by_run"]["nan"]["findings"][0]["hint"]
        server.audit(lambda answer: "runs" not in server.tab(f"audit?since={answer['version']}"))

    def test_the_number_in_the_tab(self, server):
        """The tab is listed with the number of runs that have findings."""
        server.audit()
        listed = server.get("data/plugins_listing")["safewriter"]
        assert listed["tab_name"] == "Safewriter (3)"
        assert listed["enabled"]

    def test_fates_of_real_curves(self, server):
        """NaN, what stands behind damage, and what a restart overtook, as the loader at hand shows it."""
        server.audit(lambda answer: (answer["by_run"].get("back", {}).get("held_step") or 0) >= 14)
        assert server.tab("series?run=nan&tag=loss")["counts"]["not finite"] == 4
        damaged = server.tab("series?run=damaged&tag=loss")["counts"]
        assert (damaged["shown"], damaged["behind damage"]) == (5, 5)
        back = server.tab("series?run=back&tag=loss")
        assert back["on_disk"] == 30
        assert back["counts"]["shown"] == back["held"]
        assert back["counts"]["overtaken"] == 30 - back["held"]
        server.audit(lambda answer: answer["by_run"]["long"]["held_step"] == 2999)
        assert server.tab("series?run=long&tag=loss")["counts"] == {
            **dict.fromkeys(back["counts"], 0), "shown": 1000, "sampled away": 2000
        }  # fmt: skip

    @pytest.mark.parametrize(
        "path",
        [
            "audit?since=x",
            "audit?since=--1",
            "series",
            "series?run=sound",
            "series?run=../../etc&tag=loss",
            "series?run=sound&tag=x",
            "explain?code=SW999",
            "explain",
        ],
    )
    def test_bad_parameters(self, server, path):
        """A parameter that is wrong is a 400 with a sentence, and paths are no runs."""
        server.audit()
        assert server.tab(path, expect=400)["error"].endswith(".")

    def test_other_methods(self, server):
        """Nothing but GET is answered."""
        for method in ("POST", "PUT", "DELETE"):
            assert server.tab("audit", expect=405, method=method)["error"]

    def test_files_and_explanations(self, server):
        """The module comes from the package with its style sheet inside; a code is explained as in the catalogue."""
        module = server.tab("index.js")
        assert "export async function render" in module
        assert "--back" in module
        assert server.tab("explain?code=SW401")["name"] == "not-finite"


@pytest.mark.parametrize("loader", ["--load_fast=false", "--load_fast=true"])
def test_a_file_that_tensorboard_gave_up(loader, tmp_path):
    """Zeros at the tail that are filled in later: the file is sound, TensorBoard stays behind, and the tab says so."""
    whole = [scalar(step, 1.0) for step in range(20)]
    path = write(tmp_path / "run", *whole[:10], bytes(len(b"".join(whole[10:]))))
    patience = {
        "PYTHONPATH": os.pathsep.join([str(tmp_path / "site"), *os.environ.get("PYTHONPATH", "").split(os.pathsep)])
    }
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(IMPATIENT)
    with serve(f"--logdir={tmp_path}", loader, "--reload_interval=1", environment=patience) as server:
        server.audit(lambda answer: answer["by_run"].get("run", {}).get("held_step") == 9)
        with open(path, "r+b") as file:
            file.seek(-len(b"".join(whole[10:])), os.SEEK_END)
            file.write(b"".join(whole[10:]))
        answer = server.audit(lambda answer: answer["by_run"]["run"]["verdict"] == "not shown")
        (finding,) = answer["by_run"]["run"]["findings"]
        assert "up to step 19; TensorBoard stands at step 9" in finding["message"]
        assert "Restart TensorBoard" in finding["hint"]
        assert server.tab("series?run=run&tag=loss")["counts"]["not loaded"] == 10
        assert server.get("data/plugins_listing")["safewriter"]["tab_name"] == "Safewriter (1)"


def test_named_roots_and_growth(tmp_path):
    """With ``--logdir_spec`` runs are called as in TensorBoard; a file that grows is followed."""
    path = write(tmp_path / "one", *(scalar(step, 1.0) for step in range(5)))
    write(tmp_path / "two" / "inner", scalar(0, 1.0))
    spec = f"--logdir_spec=first:{tmp_path / 'one'},second:{tmp_path / 'two'}"
    with serve(spec, "--load_fast=false", "--reload_interval=1") as server:
        answer = server.audit(
            lambda answer: len(answer["by_run"]) == 2 and answer["by_run"]["first/."]["held_step"] == 4
        )
        assert set(answer["by_run"]) == {"first/.", "second/inner"}
        with open(path, "ab") as file:
            file.write(scalar(5, 1.0))
        server.audit(lambda answer: answer["by_run"]["first/."]["held_step"] == 5)


def test_an_empty_directory(tmp_path):
    """Where nothing is, the answer says where TensorBoard looks, where it was started, and what was probably meant."""
    write(tmp_path / "logs" / "run", scalar(0, 1.0))
    with serve("--logdir=lgos", "--load_fast=false", cwd=tmp_path) as server:
        answer = server.audit()
        assert answer["runs"] == []
        (root,) = answer["roots"]["paths"]
        assert root["path"] == str(tmp_path / "lgos")
        assert root["reasons"][1].endswith(str(tmp_path / "logs"))
        assert answer["roots"]["working_directory"] == str(tmp_path)


def test_a_directory_that_is_not_local(tmp_path):
    """A URL whose file system is missing is one clear sentence, and TensorBoard lives."""
    service = Service(
        SimpleNamespace(
            flags=SimpleNamespace(logdir="nowhere://bucket/logs", reload_interval=5), logdir=None, data_provider=None
        )
    )
    service.round()
    (root,) = service.audit(-1)["roots"]["paths"]
    assert root["path"] == "nowhere://bucket/logs"
    assert root["problem"]


def test_a_fault_in_the_audit_is_shown(tmp_path, monkeypatch):
    """An exception in the thread becomes a sentence in the answer; the routes go on."""
    service = Service(
        SimpleNamespace(flags=SimpleNamespace(logdir=str(tmp_path), reload_interval=5), logdir=None, data_provider=None)
    )
    monkeypatch.setattr(service._audit, "update", lambda progress: 1 / 0)
    service.audit(-1)
    service._thread.join(20)
    assert "ZeroDivisionError" in service.audit(-1)["error"]


@pytest.mark.parametrize("route", ["/audit", "/series?run=a&tag=b", "/explain?code=SW401", "/index.js"])
def test_a_fault_in_each_route_is_an_answer(route, monkeypatch):
    """An exception behind a route is a sentence in its answer, or nothing that concerns it; none leaves."""
    from werkzeug.test import Client

    monkeypatch.setattr(Service, "__init__", lambda self, context: 1 / 0)
    path, _, query = route.partition("?")
    app = Tab(SimpleNamespace(flags=None)).get_plugin_apps()[path]
    answer = Client(app).get(path, query_string=query)
    assert answer.status_code == 200
    if path in ("/audit", "/series"):
        assert "ZeroDivisionError" in answer.get_json()["error"]


def test_a_directory_that_fsspec_reaches():
    """A log directory of a remote file system is read through fsspec, and runs are called as TensorBoard calls them."""
    fsspec = pytest.importorskip("fsspec", reason="fsspec is not installed here")
    with fsspec.open("memory://tab/logs/run/events.out.tfevents.1000.host", "wb") as file:
        file.write(b"".join((version(), *(scalar(step, math.nan) for step in range(3)))))
    flags = SimpleNamespace(logdir="memory://tab/logs", reload_interval=5)
    service = Service(SimpleNamespace(flags=flags, logdir=None, data_provider=None))
    service.round()
    (row,) = service.audit(-1)["runs"]
    assert (row["run"], row["verdict"], row["disk_points"]) == ("run", "look", 3)
    assert service.series("run", "loss")["counts"]["not finite"] == 3
