"""Audits thousands of runs on a Dask cluster, a local one here; any engine that maps and reduces will do.

Run: python examples/audit_on_dask.py [LOGDIR]      (without LOGDIR it makes twelve runs, two of them damaged)
"""

import json
import os
import subprocess
import sys
import tempfile

from dask.distributed import Client, LocalCluster

from safewriter import AuditReport, audit_file
from safewriter.audit import find_event_files
from safewriter.eventfile.messages import Event
from safewriter.eventfile.record import record_of


def make_runs(logdir, runs=12, steps=200):
    for number in range(runs):
        events = [Event(wall_time=1.0, file_version="brain.Event:2")]
        for step in range(steps):
            event = Event(wall_time=2.0 + step, step=step)
            event.summary.value.add(
                tag="loss", simple_value=float("nan") if number == 3 and step > 100 else 1 / (step + 1)
            )
            events.append(event)
        content = b"".join(record_of(event.SerializeToString()) for event in events)
        path = os.path.join(logdir, f"run{number:02}", "events.out.tfevents.1700000000.host")
        os.makedirs(os.path.dirname(path))
        with open(path, "wb") as file:
            file.write(content[:5000] + b"?" + content[5001:] if number == 7 else content)


def audit_on(client, paths):
    """Each file is one task; reports are joined where they are, in pairs, so that no worker holds all but the last."""
    reports = client.map(audit_file, paths, pure=False)
    while len(reports) > 1:
        pairs = [reports[at : at + 2] for at in range(0, len(reports), 2)]
        reports = [client.submit(AuditReport.merge, *pair, pure=False) if len(pair) == 2 else pair[0] for pair in pairs]
    return reports[0].result() if reports else AuditReport()


def main(logdir):
    paths = [source.path for source in find_event_files(logdir)]
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as client:
        report = audit_on(client, paths)
    for finding in report.findings:
        print(f"{os.path.relpath(finding.path, logdir)}: {finding.code} {finding.name}: {finding.message}")
    command = [sys.executable, "-m", "safewriter", "audit", "--json", logdir]
    reported = json.loads(subprocess.run(command, capture_output=True, text=True).stdout)
    same = reported == json.loads(json.dumps(report.as_dict()))
    print(f"{len(report.runs)} runs, {report.events:,} events: {'the same as' if same else 'other than'} the command's")
    return 0 if same else 1


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.exit(main(sys.argv[1]))
    with tempfile.TemporaryDirectory() as directory:
        make_runs(directory)
        sys.exit(main(directory))
