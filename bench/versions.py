#!/usr/bin/env python3
"""Measures this program against an earlier build of it, in the same minutes.

Both serve side by side, each its own data on a real disk. In every round each row is driven by wrk
once against either; who is first alternates. A ratio is this program's figure by the other's, the
median over the rounds. At the end both audit the same number of orders, in turn.
"""

import argparse
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import bench


def parse_options():
    parser = argparse.ArgumentParser(prog="./dev bench --against PROGRAM",
                                     description=__doc__.splitlines()[0])
    parser.add_argument("--against", type=Path, required=True, help="the earlier build's program")
    parser.add_argument("--program", type=Path,
                        default=bench.REPO / "build" / "release" / "skanu")
    parser.add_argument("--rounds", type=int, default=10, help="rounds (default 10)")
    parser.add_argument("--seconds", type=int, default=3,
                        help="seconds of each run of a round (default 3)")
    parser.add_argument("--orders", type=int, default=200_000, help="orders to audit")
    return parser.parse_args()


class Side:
    """One of the two programs: its runs need no more of `Bench` than a program and a folder."""

    def __init__(self, name, program, options, folder):
        self.name = name
        self.program = program
        self.bench = bench.Bench(
            argparse.Namespace(program=program, seconds=options.seconds), folder)
        self.data = folder / name
        self.audits = []

    def run(self, server, arguments):
        return self.bench.wrk(server, **arguments)

    def audit(self):
        started = time.monotonic()
        subprocess.run([self.program, "audit", "--data", self.data], check=True,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.audits.append(time.monotonic() - started)


def in_turn(sides, number):
    return sides if number % 2 == 0 else reversed(sides)


def rounds(sides, servers, options):
    """row -> one dictionary per round, of each side's requests per second and p99."""
    rows = {side.name: side.bench.rows(servers[side.name]) for side in sides}
    names = list(rows[sides[0].name])
    runs = {name: [] for name in names}
    for number in range(-1, options.rounds):  # round -1 warms up
        for name in names:
            bench.progress(f"round {number + 1} of {options.rounds}: {name}")
            figures = {side.name: side.run(servers[side.name], rows[side.name][name][2]())
                       for side in in_turn(sides, number)}
            if number >= 0:
                runs[name].append(figures)
    return runs


def audits(sides, options):
    for side in sides:
        with side.bench.running(side.bench.skanu(side.data)) as server:
            bench.progress(f"{options.orders} more orders for the audit of {side.name}")
            side.bench.wrk(server, "POST", ["/orders"], bench.ORDER, limit=options.orders)
    for number in range(5):
        for side in in_turn(sides, number):
            side.audit()


def report(sides, runs):
    earlier, this = (side.name for side in sides)
    lines = ["| | earlier/s | this/s | ratio | least and most | p99 ms, earlier and this "
             "| errors |",
             "| --- | --: | --: | --: | --: | --: | --: |"]
    for name, figures in runs.items():
        ratios = [run[this]["per_second"] / run[earlier]["per_second"] for run in figures]

        def median(side, key, figures=figures):
            return statistics.median(run[side][key] for run in figures)

        errors = sum(run[side]["errors"] for run in figures for side in (earlier, this))
        lines.append(
            f"| {name} | {median(earlier, 'per_second'):,.0f} | {median(this, 'per_second'):,.0f} "
            f"| {statistics.median(ratios):.3f} | {min(ratios):.2f}, {max(ratios):.2f} "
            f"| {median(earlier, 'p99_ms'):.1f}, {median(this, 'p99_ms'):.1f} | {errors} |")
    audit_ratios = [new / old for old, new in zip(sides[0].audits, sides[1].audits)]
    lines.append(f"| audit, seconds | {statistics.median(sides[0].audits):.2f} "
                 f"| {statistics.median(sides[1].audits):.2f} "
                 f"| {statistics.median(audit_ratios):.3f} "
                 f"| {min(audit_ratios):.2f}, {max(audit_ratios):.2f} | | |")
    return "\n".join(lines)


def main():
    options = parse_options()
    signal.signal(signal.SIGALRM, bench.alarm)
    signal.signal(signal.SIGTERM, bench.terminate)
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=bench.REPO / "build"))
    try:
        sides = [Side("earlier", options.against, options, folder),
                 Side("this", options.program, options, folder)]
        with sides[0].bench.running(sides[0].bench.skanu(sides[0].data)) as first, \
                sides[1].bench.running(sides[1].bench.skanu(sides[1].data)) as second:
            runs = rounds(sides, {"earlier": first, "this": second}, options)
        audits(sides, options)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(report(sides, runs))
    if any(run[side]["errors"] for figures in runs.values() for run in figures for side in run):
        sys.exit("bench: there were errors; see build/bench.log")


if __name__ == "__main__":
    main()
