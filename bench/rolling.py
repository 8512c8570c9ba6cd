#!/usr/bin/env python3
"""Counts the requests that a rolling restart of two gateways loses: 100,000 behind a TCP round
robin that follows readiness, and as many behind HAProxy, where installed. Ends with status 1 where
one is lost. SKANU_REQUESTS sets another number.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

from bench import REPO

sys.path.insert(0, str(REPO / "tests" / "blackbox"))
os.environ.setdefault("SKANU_BIN", str(REPO / "build" / "release" / "skanu"))

from rest import wait_until  # noqa: E402
from rolling import Load, RoundRobin, restart  # noqa: E402
from test_haproxy import HAPROXY, answers, front_of  # noqa: E402
from test_leaving import Gateways, last_state  # noqa: E402

REQUESTS = int(os.environ.get("SKANU_REQUESTS", "100000"))


def measure(name, gateways, port, settle):
    wait_until(lambda: answers(port), "the front has found the gateways")
    load, restarts, began = Load(port, clients=16), 0, time.monotonic()
    while load.sent < REQUESTS:
        restart(gateways.both, settle)
        restarts += 2
    load.stop()
    took = time.monotonic() - began
    with gateways.shop.client() as client:
        stored = client.get("/orders").json()["page"]["totalElements"]
    print(f"{name:12} {load.sent:7} requests in {took:.0f} s, {restarts} restarts, "
          f"lost {sum(load.lost.values())} {dict(load.lost) or ''}, "
          f"{load.placed} orders placed, {stored} stored")
    return not load.lost and stored == load.placed


def main():
    good = []
    with tempfile.TemporaryDirectory() as folder, Gateways(Path(folder), "1s") as gateways:
        with RoundRobin([gateway.port for gateway in gateways.both]) as front:
            good.append(measure("round robin", gateways, front.port, lambda gateway: wait_until(
                lambda: gateway.port in front.ready, "it is taken in again")))
    if not HAPROXY:
        print("haproxy      not measured: it is not installed")
        return all(good)
    with tempfile.TemporaryDirectory() as folder, Gateways(Path(folder), "5s") as gateways:
        with front_of(gateways.both, Path(folder)) as port:
            log = Path(folder) / "haproxy.log"
            good.append(measure("haproxy", gateways, port, lambda gateway: wait_until(
                lambda: last_state(log.read_text(), gateway.data.name) == "UP", "it is back")))
    return all(good)


sys.exit(0 if main() else 1)
