#!/usr/bin/env python3
"""Measures a node per service against one process, and how soon it notices and catches up.

Six nodes and one process take turns: three rounds of orders each (wrk, 64 connections), every
commit flushed. Then payment is killed and frozen, and stamp is away for 60 s at 1,000 payments a
second. Prints one table; ends with status 1 where a bar is missed.
"""

import http.client
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from bench import LOAD_SCRIPT, ORDER, REPO, Server

sys.path.insert(0, str(REPO / "tests" / "blackbox"))
os.environ.setdefault("SKANU_BIN", str(REPO / "build" / "release" / "skanu"))

from cluster import Cluster  # noqa: E402

ROUNDS, ROUND_S = 3, 5
AWAY_S = int(os.environ.get("SKANU_AWAY_S", "60"))
PAYMENTS_PER_S, USERS, ACCOUNTS = 1_000, 16, 50


def call(client, method, path, body=None):
    client.request(
        method, path, json.dumps(body) if body else None, {"Content-Type": "application/json"})
    answer = client.getresponse()
    return answer.status, answer.read()


def connect(port):
    return http.client.HTTPConnection("127.0.0.1", port, timeout=30)


def orders_per_second(port):
    with tempfile.NamedTemporaryFile("w", suffix=".paths") as paths:
        paths.write("/orders\n")
        paths.flush()
        run = subprocess.run(
            ["wrk", "-t1", "-c64", f"-d{ROUND_S}s", "-s", str(LOAD_SCRIPT),
             f"http://127.0.0.1:{port}/", "--", "POST", paths.name, json.dumps(ORDER), "0"],
            check=True, capture_output=True, text=True)
    result = json.loads(run.stdout.splitlines()[-1])
    assert result["bad_status"] + result["broken"] == 0, result
    return result["requests"] / result["seconds"]


def notice(cluster, lose, bring_back):
    """Seconds until the gateway reports payment away."""
    client = connect(cluster.port)
    began = time.monotonic()
    lose("payment")
    while True:
        shown = json.loads(call(client, "GET", "/actuator/health")[1])["components"]["payment"]
        if shown["status"] == "DOWN":
            break
        time.sleep(0.005)
    took = time.monotonic() - began
    bring_back("payment")
    cluster.wait_up()
    return took


def pay_orders(cluster, share, pace_s, counted, failures):
    """Pays a share of the orders, one each `pace_s`."""
    client = connect(cluster.port)
    due = time.monotonic()
    for order in share:
        due += pace_s
        time.sleep(max(0, due - time.monotonic()))
        status, _ = call(client, "PATCH", f"/payments/{order}", {
            "paymentStatus": "END", "phoneNumber": f"0105550{order % ACCOUNTS:04d}"})
        if status == 200:
            counted.append(order)
        else:
            failures.append(status)


def catch_up(cluster):
    """(payments a second while stamp was away, seconds until all stamps were there)"""
    client = connect(cluster.port)
    first = json.loads(call(client, "POST", "/orders", ORDER)[1])["id"]
    wanted = PAYMENTS_PER_S * AWAY_S
    made = first
    while made < first + wanted:
        orders_per_second(cluster.port)
        made = json.loads(call(client, "POST", "/orders", ORDER)[1])["id"]
    listed = []
    following = f"/orders?size=1000&after={first}"
    while following and len(listed) < wanted:
        page = json.loads(call(client, "GET", following)[1])
        listed += [o["id"] for o in page["_embedded"]["orders"]]
        following = page["_links"].get("next", {}).get("href")
    cluster.kill("stamp")
    counted, failures = [], []
    began = time.monotonic()
    users = [
        threading.Thread(target=pay_orders, args=(
            cluster, listed[n:wanted:USERS], USERS / PAYMENTS_PER_S, counted, failures))
        for n in range(USERS)
    ]
    for u in users:
        u.start()
    for u in users:
        u.join()
    away = time.monotonic() - began
    assert not failures, failures[:10]
    client = connect(cluster.port)  # an idle connection is kept for 60 s
    back = time.monotonic()
    cluster.again("stamp")
    while True:
        status, body = call(client, "GET", f"/stamps?size={2 * ACCOUNTS}")
        if status == 200 and sum(
                a["stampQty"] for a in json.loads(body)["_embedded"]["stamps"]) == len(counted):
            break
        assert time.monotonic() < back + 120, "the stamps do not come"
        time.sleep(0.02)
    return len(counted) / away, time.monotonic() - back


def main():
    with tempfile.TemporaryDirectory(dir=REPO / "build", prefix="cluster-") as folder:
        folder = Path(folder)
        alone = Server(
            [os.environ["SKANU_BIN"], "serve", "--http", "127.0.0.1:0", "--data", folder / "one"],
            folder / "log")
        ones, sixes = [], []
        with Cluster(folder / "nodes") as cluster:
            for _ in range(ROUNDS):
                ones.append(orders_per_second(alone.port))
                sixes.append(orders_per_second(cluster.port))
            alone.stop()
            killed = notice(cluster, cluster.kill, cluster.again)
            frozen = notice(cluster, cluster.freeze, cluster.thaw)
            rate, caught_up = catch_up(cluster)
    ratio = statistics.median(six / one for one, six in zip(ones, sixes))
    rows = [
        ("orders/s, one process", f"{statistics.median(ones):,.0f}", "", True),
        ("orders/s, six nodes", f"{statistics.median(sixes):,.0f}", "", True),
        ("ratio", f"{ratio:.2f}", "0.40", ratio >= 0.40),
        ("a killed node is noticed after", f"{1000 * killed:.0f} ms", "1,000 ms", killed <= 1),
        ("a frozen node is noticed after", f"{1000 * frozen:.0f} ms", "3,000 ms", frozen <= 3),
        (f"payments/s while stamp was away ({AWAY_S} s)", f"{rate:,.0f}", "1,000", rate >= 990),
        ("all stamps are there after its return in", f"{caught_up:.1f} s", "5 s", caught_up <= 5),
    ]
    print("\n| | measured | bar |\n| --- | --: | --: |")
    for what, measured, bar, _ in rows:
        print(f"| {what} | {measured} | {bar} |")
    sys.exit(0 if all(good for *_, good in rows) else 1)


if __name__ == "__main__":
    signal.signal(signal.SIGALRM, lambda *_: sys.exit("bench: a server did not become ready"))
    main()
