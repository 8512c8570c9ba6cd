#!/usr/bin/env python3
"""Measures SKANU against a bare cpp-httplib server on the same machine in the same minutes.

Rounds alternate: for every row first the bare server, then SKANU, both driven by wrk. A ratio is
the median of the rounds' ratios, everything else the median over the rounds. Data lies on a real
disk, below build/, and every commit is flushed. Prints markdown tables; writes build/bench.json.
"""

import argparse
import contextlib
import http.client
import json
import os
import random
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
LOAD_SCRIPT = Path(__file__).resolve().parent / "load.lua"
ORDER = {"productId": 1, "qty": 1, "paymentType": "cash", "cost": 1000, "productName": "Coffee"}
STAMP = {"phoneNumber": "01012341234", "stampQty": 2}
START_DEADLINE_S = 60
STOP_DEADLINE_S = 60


class Server:
    """A started server process; ready, with `port` set, when the constructor returns."""

    def __init__(self, command, log):
        self._log = open(log, "ab")
        started = time.monotonic()
        self._process = subprocess.Popen(
            [str(part) for part in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=self._log, text=True)
        try:
            # A server that hangs before it is ready is ended by the alarm's exception.
            signal.setitimer(signal.ITIMER_REAL, START_DEADLINE_S)
            line = self._process.stdout.readline()
            signal.setitimer(signal.ITIMER_REAL, 0)
            self.start_seconds = time.monotonic() - started
            ready = re.search(r"ready http(?:=|://)[^ ]*:(\d+)$", line.strip())
            if not ready:
                raise RuntimeError(f"{command[0]} said {line!r} instead of being ready; see {log}")
        except BaseException:
            self._process.kill()
            self._process.wait()
            raise
        self.port = int(ready.group(1))

    @property
    def pid(self):
        return self._process.pid

    def stop(self):
        """Ends the process; prints a warning unless the process ends by itself and well."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            code = self._process.wait(STOP_DEADLINE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        self._process.stdout.close()
        self._log.close()
        return code

    def get(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        with contextlib.closing(connection):
            connection.request("GET", path)
            response = connection.getresponse()
            body = response.read().decode()
            if response.status != 200:
                raise RuntimeError(f"GET {path}: {response.status} {body[:300]}")
            return body

    def counters(self, names):
        """The sums of these LMDB journal counters, or None where the server has no such metric."""
        metrics = self.get("/actuator/prometheus")
        sums = {}
        for name in names:
            values = re.findall(rf'^{name}\{{[^}}]*journal="lmdb"[^}}]*\}} (\S+)', metrics, re.M)
            sums[name] = sum(float(value) for value in values) if values else None
        return sums

    def memory_kib(self):
        status = Path(f"/proc/{self.pid}/status").read_text()
        return {name: int(re.search(rf"^{name}:\s+(\d+) kB", status, re.M).group(1))
                for name in ("RssAnon", "VmRSS")}

    def cpu_seconds(self):
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Bench:
    def __init__(self, options, folder):
        self.options = options
        self.folder = folder
        self.log = REPO / "build" / "bench.log"
        self.log.write_bytes(b"")
        self.result = {}

    # --- Processes -------------------------------------------------------------------------

    def skanu(self, data):
        data.mkdir(parents=True, exist_ok=True)
        return Server([self.options.program, "serve", "--http", "127.0.0.1:0", "--data", data],
                      self.log)

    @contextlib.contextmanager
    def running(self, server, end=0):
        try:
            yield server
        finally:
            code = server.stop()
            if code != end:
                print(f"bench: a server ended with {code}; see {self.log}", file=sys.stderr)

    def wrk(self, server, method, paths, body=None, connections=64, limit=0, seconds=None):
        """One run of wrk; `limit` responses, or else `seconds` (default: a round's)."""
        with tempfile.NamedTemporaryFile("w", dir=self.folder, suffix=".paths") as file:
            file.write("".join(f"{path}\n" for path in paths))
            file.flush()
            duration = seconds or (3600 if limit else self.options.seconds)
            command = ["wrk", "-t1", f"-c{connections}", f"-d{duration}s", "--timeout", "10s",
                       "-s", str(LOAD_SCRIPT), f"http://127.0.0.1:{server.port}/", "--", method,
                       file.name, json.dumps(body) if body else "", str(limit)]
            run = self.run_wrk(command)
        run["per_second"] = run["requests"] / run["seconds"]
        run["errors"] = run.pop("bad_status") + run.pop("broken")
        return run

    def run_wrk(self, command):
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              text=True) as wrk:
            try:
                for line in wrk.stdout:
                    if line == "limit reached\n":
                        wrk.send_signal(signal.SIGINT)  # wrk would sleep until the end of its run
            except BaseException:
                wrk.kill()
                raise
        if wrk.returncode != 0:
            raise RuntimeError(f"wrk ended with {wrk.returncode}: {' '.join(command)}")
        return json.loads(line)

    def item_paths(self, server, collection, most):
        """The paths of up to `most` random items of a collection, in random order."""
        def page(query):
            return json.loads(server.get(f"/{collection}?{query}"))

        first, last = page("size=1&sort=id,asc"), page("size=1&sort=id,desc")
        total = first["page"]["totalElements"]
        low = first["_embedded"][collection][0]["id"]
        high = last["_embedded"][collection][0]["id"]
        if high - low + 1 <= total:  # more may have come between the two requests
            return [f"/{collection}/{i}" for i in
                    random.sample(range(low, high + 1), min(most, high - low + 1))]
        ids = []
        following = f"/{collection}?size=1000&sort=id,asc"
        while following:
            answer = json.loads(server.get(following))
            ids += [item["id"] for item in answer["_embedded"][collection]]
            following = answer["_links"].get("next", {}).get("href")
        return [f"/{collection}/{i}" for i in random.sample(ids, min(most, len(ids)))]

    # --- Throughput --------------------------------------------------------------------------

    def rows(self, server):
        """name -> (bar, echo's wrk arguments, SKANU's), SKANU's paths found anew at each round."""
        def fetch(collection):
            return lambda: {"method": "GET", "paths": self.item_paths(server, collection, 20000)}

        echo_get = {"method": "GET", "paths": ["/echo"]}

        def post(path, body, connections):
            return {"method": "POST", "paths": [path], "body": body, "connections": connections}

        return {
            "orders": (0.33, post("/echo", ORDER, 64), lambda: post("/orders", ORDER, 64)),
            "reads by id": (1.20, echo_get, fetch("orders")),
            "traces": (1.20, echo_get, fetch("orderTraces")),
            "hot stamp account, 64": (0.55, post("/echo", STAMP, 64),
                                      lambda: post("/stamps", STAMP, 64)),
            "hot stamp account, 200": (0.55, post("/echo", STAMP, 200),
                                       lambda: post("/stamps", STAMP, 200)),
        }

    def throughput(self, data):
        journal = ("skanu_journal_flush_duration_seconds_count", "skanu_journal_commits_total")
        echo_server = Server([self.options.echo, 0], self.log)
        with self.running(echo_server, end=-signal.SIGTERM) as echo, \
                self.running(self.skanu(data)) as server:
            self.result["memory at start"] = server.memory_kib()
            rows = self.rows(server)
            for name, (_, echo_arguments, arguments) in rows.items():
                progress(f"warming up: {name}")
                self.wrk(echo, **echo_arguments, seconds=1)
                self.wrk(server, **arguments(), seconds=1)
            runs = {name: [] for name in rows}
            for number in range(self.options.rounds):
                for name, (_, echo_arguments, arguments) in rows.items():
                    progress(f"round {number + 1} of {self.options.rounds}: {name}")
                    bare = self.wrk(echo, **echo_arguments)
                    chosen = arguments()
                    before = server.counters(journal)
                    run = self.wrk(server, **chosen)
                    after = server.counters(journal)
                    if None not in before.values() and chosen["method"] == "POST":
                        flushes, commits = (after[key] - before[key] for key in journal)
                        run["flushes_per_second"] = flushes / run["seconds"]
                        run["commits_per_flush"] = commits / flushes if flushes else 0
                    runs[name].append({"echo": bare, "skanu": run,
                                       "ratio": run["per_second"] / bare["per_second"]})
            self.result["memory after the rounds"] = server.memory_kib()
            progress(f"idle for {self.options.idle} s")
            self.result["idle CPU"] = self.idle_cpu(server)
        self.result["rows"] = {name: self.summary(rows[name][0], of) for name, of in runs.items()}

    def summary(self, bar, runs):
        def median(side, key):
            values = [run[side][key] for run in runs if key in run[side]]
            return statistics.median(values) if values else None

        return {
            "bar": bar,
            "ratio": statistics.median(run["ratio"] for run in runs),
            "echo_per_second": median("echo", "per_second"),
            "echo_p99_ms": median("echo", "p99_ms"),
            **{key: median("skanu", key) for key in
               ("per_second", "p50_ms", "p99_ms", "flushes_per_second", "commits_per_flush")},
            "max_ms": max(run["skanu"]["max_ms"] for run in runs),
            "errors": sum(run["skanu"]["errors"] for run in runs),
            "rounds": runs,
        }

    def idle_cpu(self, server):
        """The share of one core used by the idle server."""
        before = server.cpu_seconds()
        time.sleep(self.options.idle)
        return (server.cpu_seconds() - before) / self.options.idle

    # --- Size ----------------------------------------------------------------------------------

    def large(self, data):
        """Start time, memory and read latency with many orders stored, beside a small store's."""
        wanted = self.options.orders
        small_data = self.folder / "small"
        with self.running(self.skanu(data)) as server:
            stored = json.loads(server.get("/orders?size=1"))["page"]["totalElements"]
            if stored < wanted:
                progress(f"placing {wanted - stored} orders")
                self.wrk(server, "POST", ["/orders"], ORDER, limit=wanted - stored)
            self.result["orders stored"] = json.loads(
                server.get("/orders?size=1"))["page"]["totalElements"]
        with self.running(self.skanu(small_data)) as server:
            self.wrk(server, "POST", ["/orders"], ORDER, limit=1000)

        progress("starting on an empty and on the large directory")
        self.result["start, empty"] = self.start_times(
            lambda number: self.folder / f"empty{number}")
        self.result["start, large"] = self.start_times(lambda number: data)

        progress("reading from the small and from the large store")
        with self.running(self.skanu(small_data)) as small, \
                self.running(self.skanu(data)) as server:
            p99 = {"small": [], "large": []}
            sources = {"small": (small, self.item_paths(small, "orders", 1000)),
                       "large": (server, self.item_paths(server, "orders", 100000))}
            for _ in range(self.options.rounds):
                for name, (which, paths) in sources.items():
                    p99[name].append(self.wrk(which, "GET", paths)["p99_ms"])
            self.result["read p99"] = {name: statistics.median(of) for name, of in p99.items()}

        changes = min(100000, wanted)
        progress(f"cancelling {changes} random orders")
        with self.running(self.skanu(data)) as server:
            paths = self.item_paths(server, "orders", changes)
            run = self.wrk(server, "DELETE", paths, limit=len(paths))
            self.result["changed"] = len(paths)
            self.result["change errors"] = run["errors"]
            self.result["memory after changes"] = server.memory_kib()

        progress("auditing")
        started = time.monotonic()
        audit = subprocess.run([self.options.program, "audit", "--data", data],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                               check=False)
        self.result["audit"] = {"exit": audit.returncode, "seconds": time.monotonic() - started,
                                "output": audit.stdout[-4000:]}

    def start_times(self, directory_of):
        times = []
        for number in range(5):
            server = self.skanu(directory_of(number))
            times.append(server.start_seconds)
            server.stop()
        return statistics.median(times)


def progress(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def number(value, digits=0):
    return "–" if value is None else f"{value:,.{digits}f}"


def report(result, options):
    lines = [
        f"{result['commit']}, {result['cpu']}, {result['cores']} cores, {result['file_system']}, "
        f"{options.rounds} rounds of {options.seconds} s each", "",
        "| | bare/s | SKANU/s | ratio | bar | p50 ms | p99 ms | bare p99 ms | errors "
        "| flushes/s | commits per flush |",
        "| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: |"]
    for name, row in result["rows"].items():
        lines.append(
            f"| {name} | {number(row['echo_per_second'])} | {number(row['per_second'])} "
            f"| {number(row['ratio'], 2)} | {number(row['bar'], 2)} | {number(row['p50_ms'], 1)} "
            f"| {number(row['p99_ms'], 1)} | {number(row['echo_p99_ms'], 1)} | {row['errors']} "
            f"| {number(row['flushes_per_second'])} | {number(row['commits_per_flush'], 1)} |")

    def memory(key):
        kib = result[key]
        return f"{kib['RssAnon'] / 1024:.0f} MiB anonymous, {kib['VmRSS'] / 1024:.0f} MiB resident"

    stored, p99 = result["orders stored"], result["read p99"]
    lines += [
        "", "| | |", "| --- | --- |",
        f"| memory at start | {memory('memory at start')} |",
        f"| memory after the rounds | {memory('memory after the rounds')} |",
        f"| memory after {result['changed']:,} of {stored:,} orders were cancelled "
        f"| {memory('memory after changes')}; {result['change errors']} errors |",
        f"| start on an empty directory | {result['start, empty'] * 1e3:.0f} ms |",
        f"| start with {stored:,} orders | {result['start, large'] * 1e3:.0f} ms |",
        f"| read p99 with 1,000 orders, with {stored:,} "
        f"| {p99['small']:.2f} ms, {p99['large']:.2f} ms "
        f"({p99['large'] / p99['small']:.2f} ×) |",
        f"| CPU when idle ({options.idle} s) | {result['idle CPU'] * 100:.2f} % of one core |",
        f"| audit of it all | exit {result['audit']['exit']}, {result['audit']['seconds']:.1f} s |"]
    return "\n".join(lines)


def machine():
    def output(*command):
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                              cwd=REPO, check=False)
        return done.stdout.strip() or "unknown"

    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return {"date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "commit": output("git", "describe", "--always", "--dirty"),
            "cpu": model.group(1) if model else "unknown CPU", "cores": os.cpu_count(),
            "file_system": output("stat", "-f", "-c", "%T", str(REPO / "build"))}


def parse_options():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="3 rounds of 2 s: a first impression")
    parser.add_argument("--million", action="store_true",
                        help="store 1,000,000 orders instead of 100,000 for the large directory")
    parser.add_argument("--rounds", type=int, help="rounds (default 5)")
    parser.add_argument("--seconds", type=int, help="seconds of each run of a round (default 5)")
    parser.add_argument("--program", type=Path, default=REPO / "build" / "release" / "skanu")
    parser.add_argument("--echo", type=Path, default=REPO / "build" / "release" / "echo_server")
    options = parser.parse_args()
    options.rounds = options.rounds or (3 if options.quick else 5)
    options.seconds = options.seconds or (2 if options.quick else 5)
    options.orders = 1_000_000 if options.million else 100_000
    options.idle = 5 if options.quick else 60
    return options


def alarm(_signal, _frame):
    raise TimeoutError(f"a server was not ready within {START_DEADLINE_S} s")


def terminate(_signal, _frame):
    sys.exit(143)


def main():
    options = parse_options()
    signal.signal(signal.SIGALRM, alarm)
    signal.signal(signal.SIGTERM, terminate)
    result = machine()
    if result["file_system"] == "tmpfs":
        sys.exit("bench: build/ lies in memory; durable figures need a disk")
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=REPO / "build"))
    try:
        bench = Bench(options, folder)
        bench.result = result
        bench.throughput(folder / "data")
        bench.large(folder / "data")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    (REPO / "build" / "bench.json").write_text(json.dumps(result, indent=1) + "\n")
    print(report(result, options))
    errors = sum(row["errors"] for row in result["rows"].values()) + result["change errors"]
    if errors or result["audit"]["exit"] != 0:
        sys.exit(f"bench: {errors} errors, audit {result['audit']['exit']}; see {bench.log}")
    bench.log.unlink()  # a line for every request: long, and of no use when all went well


if __name__ == "__main__":
    main()
