#!/usr/bin/env python3
"""Measures the customers' view of a slow payment, and of a failing payment.

50 users for 30 s meet a payment that takes 400 to 620 ms; then payment refuses everything for 10 s.
Every answer is counted, none repeated. Prints two short tables; ends with status 1 where a bar is
missed.
"""

import collections
import http.client
import json
import sys
import tempfile
import threading
import time
from pathlib import Path

from bench import ORDER, REPO, Server

USERS, LOAD_S = 50, 30
FAILING_S = 10


class Client:
    def __init__(self, port):
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def call(self, method, path, body=None):
        """(status, seconds, body)"""
        began = time.monotonic()
        self._connection.request(
            method, path, json.dumps(body) if body else None, {"Content-Type": "application/json"})
        answer = self._connection.getresponse()
        content = answer.read()
        return answer.status, time.monotonic() - began, content


def serve(folder, fault):
    return Server(
        [REPO / "build/release/skanu", "serve", "--http", "127.0.0.1:0", "--data", folder / "data",
         "--fault", fault], folder / "log")


def quantile(seconds, part):
    return 1_000 * sorted(seconds)[min(len(seconds) - 1, int(part * len(seconds)))]


def slow_payment(folder):
    server = serve(folder, "payment-delay=400ms..620ms")
    answers = collections.Counter()
    lock = threading.Lock()
    end = time.monotonic() + LOAD_S

    def user():
        client = Client(server.port)
        while time.monotonic() < end:
            status, _, _ = client.call("POST", "/orders", ORDER)
            with lock:
                answers[status] += 1

    users = [threading.Thread(target=user) for _ in range(USERS)]
    for u in users:
        u.start()
    for u in users:
        u.join()
    server.stop()
    placed = 100 * answers[201] / answers.total()
    print(f"\npayment-delay=400ms..620ms, {USERS} users, {LOAD_S} s\n\n| | |\n| --- | --: |")
    print(f"| orders placed | {answers[201]:,} of {answers.total():,}: {placed:.2f} % |")
    print(f"| other answers | {dict(sorted(answers.items()))} |")
    return placed >= 99.5 and set(answers) <= {201, 503}


def failing_payment(folder):
    server = serve(folder, f"payment-fail=1@0s..{FAILING_S}s")
    ready = time.monotonic()
    client = Client(server.port)
    refusals, reads, cancels, statuses = [], [], [], collections.Counter()
    breaker, recovered = "CLOSED", None
    while time.monotonic() < ready + FAILING_S:
        status, seconds, _ = client.call("POST", "/orders", ORDER)
        statuses[status] += 1
        if breaker == "OPEN":
            refusals.append(seconds)
        reads.append(client.call("GET", "/orders?size=1")[1])
        view = json.loads(client.call("GET", "/actuator/circuitbreakers")[2])
        breaker = view["circuitBreakers"]["payment"]["state"]
    while recovered is None and time.monotonic() < ready + FAILING_S + 20:
        status, _, body = client.call("POST", "/orders", ORDER)
        if status == 201:
            recovered = time.monotonic() - ready - FAILING_S
            cancels.append(client.call("DELETE", f"/orders/{json.loads(body)['id']}")[:2])
        time.sleep(0.01)
    server.stop()
    refused = quantile(refusals, 0.95)
    print(f"\npayment-fail=1@0s..{FAILING_S}s, one client\n\n| | |\n| --- | --: |")
    print(f"| answers while it fails | {dict(statuses)} |")
    print(f"| refusals with the breaker open, p95 | {refused:.1f} ms of {len(refusals):,} |")
    print(f"| reads meanwhile, p95 | {quantile(reads, 0.95):.1f} ms |")
    print(f"| the first order after recovery | {recovered:.1f} s |")
    return (set(statuses) <= {503} and refused < 50 and recovered is not None and recovered < 6
            and cancels[0][0] == 204)


def main():
    with tempfile.TemporaryDirectory(dir=REPO / "build", prefix="faults-") as folder:
        good = True
        for measure in (slow_payment, failing_payment):
            own = Path(folder) / measure.__name__
            own.mkdir()
            good = measure(own) and good
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
