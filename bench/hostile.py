#!/usr/bin/env python3
"""Measures what an honest client notices of hostile ones.

First the honest client alone, then with the others at it: idle connections, senders of one byte a
second, header lines, header names and chunked bodies without end, compressed bodies, pipelined
requests, half-closed sockets, Content-Length with Transfer-Encoding, CR and LF in values, readers
that do not read. Prints a table; ends with status 1 where a bar is missed, or an answer was not the
one that belongs to its request. The others run in a process of their own, on the same processors.
"""

import argparse
import collections
import concurrent.futures
import contextlib
import gzip
import multiprocessing
import re
import resource
import shutil
import socket
import sys
import tempfile
import time
from pathlib import Path

from bench import ORDER, REPO, Server
from streams import memory_mib

sys.path.insert(0, str(REPO / "tests" / "blackbox"))

from rest import Client  # noqa: E402

MOST_MORE_MIB = 64
HONEST_PER_S = 100
ATTACKS_PER_S = 30
SLOWEST_FACTOR = 2.0
NOT_READING = 20


# -------------------------------------------------------------------------------- hostile clients


JSON_POST = b"POST /orders HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
HEADER_LINE = b"GET /orders HTTP/1.1\r\nHost: localhost\r\nX-A: " + b"a" * 200_000
HEADER_NAMES = b"GET /orders HTTP/1.1\r\nHost: localhost\r\n" + b"".join(
    b"x%d: y\r\n" % i for i in range(20_000)
)
CHUNK = b"1000\r\n" + b" " * 4096 + b"\r\n"
CHUNKS = JSON_POST + b"Transfer-Encoding: chunked\r\n\r\n" + CHUNK * 100
BOMB = gzip.compress(b" " * 10_000_000)
COMPRESSED = JSON_POST + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(BOMB) + BOMB


class Attack:
    """One client against a port; `orders` are existing ids. Requests are prepared beforehand, to
    leave the shared processors to the server."""

    def __init__(self, port, orders):
        self.port, self.orders = port, orders

    def connect(self, timeout_s=5):
        return socket.create_connection(("127.0.0.1", self.port), timeout=timeout_s)

    def answer(self, request, shut=False):
        """All bytes received until the server closes, or until two seconds pass without a byte."""
        with self.connect() as s:
            with contextlib.suppress(OSError):  # it may close before all is sent
                s.sendall(request)
                if shut:
                    s.shutdown(socket.SHUT_WR)
            got = b""
            s.settimeout(2)
            with contextlib.suppress(OSError):
                while more := s.recv(65536):
                    got += more
            return got

    @staticmethod
    def expect(status, got):
        assert got.startswith(b"HTTP/1.1 %d " % status), f"wanted {status}, got {got[:80]!r}"

    def endless_header_line(self):
        self.expect(431, self.answer(HEADER_LINE))

    def endless_header_names(self):
        self.expect(431, self.answer(HEADER_NAMES))

    def chunked_without_end(self):
        self.expect(413, self.answer(CHUNKS))

    def compressed_body(self):
        self.expect(415, self.answer(COMPRESSED))

    def pipelined(self):
        """Demands the answer of each request, in the order of the requests."""
        wanted = self.orders[:40]
        *requests, last = (b"GET /orders/%d HTTP/1.1\r\nHost: localhost\r\n" % i for i in wanted)
        ends = b"Connection: close\r\n\r\n"
        got = self.answer(b"".join(one + b"\r\n" for one in requests) + last + ends)
        assert [int(i) for i in re.findall(rb'\r\n\r\n{"id":(\d+),', got)] == wanted, got[:200]

    def half_closed(self):
        whole = b"GET /orders/%d HTTP/1.1\r\nHost: localhost\r\n\r\n" % self.orders[0]
        self.expect(200, self.answer(whole, shut=True))
        self.expect(400, self.answer(whole[:20], shut=True))

    def two_lengths(self):
        got = self.answer(
            b"POST /orders HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
            b"GET /orders HTTP/1.1\r\nHost: localhost\r\n\r\n"
        )
        self.expect(400, got)
        assert got.count(b"HTTP/1.1 ") == 1, "what stood behind it was taken for a request"

    def line_ends_in_values(self):
        evil = b"%0d%0aX-Injected:%20yes%0d%0a%0d%0a"
        for request in (
            b"GET /orders/" + evil + b" HTTP/1.1\r\nHost: localhost\r\n",
            b"GET /orders?status=" + evil + b" HTTP/1.1\r\nHost: localhost\r\n",
            b"GET /orders HTTP/1.1\r\nHost: localhost\r\nOrigin: " + evil + b"\r\n",
            b"GET /orderTraces/stream?lastEventId=" + evil + b" HTTP/1.1\r\nHost: localhost\r\n",
        ):
            got = self.answer(request + b"Connection: close\r\n\r\n")
            head = got.split(b"\r\n\r\n")[0].lower()
            assert b"\r\nx-injected" not in head, head
            assert got.count(b"HTTP/1.1 ") == 1, got[:200]

    KINDS = (endless_header_line, endless_header_names, chunked_without_end, compressed_body,
             pipelined, half_closed, two_lengths, line_ends_in_values)  # fmt: skip


class SlowSenders:
    """Each sender sends a byte a second of an endless header block, and reconnects when cut off."""

    def __init__(self, port, count):
        self.port, self.sockets, self.cut_off = port, [None] * count, 0

    def step(self, part, parts):
        """Sends the bytes due in one part of a second."""
        for i in range(part, len(self.sockets), parts):
            try:
                if self.sockets[i] is None:
                    s = self.sockets[i] = socket.create_connection(("127.0.0.1", self.port), 5)
                    s.sendall(b"GET /orders HTTP/1.1\r\nX-Slow: ")
                    s.setblocking(False)
                self.sockets[i].send(b"a")
                with contextlib.suppress(BlockingIOError):
                    if self.sockets[i].recv(4096):
                        raise ConnectionError("answered with 408")
            except OSError:
                self.cut_off += 1
                if self.sockets[i]:
                    self.sockets[i].close()
                self.sockets[i] = None


def idle_connections(port, count):
    sockets = []
    for _ in range(count):
        s = socket.create_connection(("127.0.0.1", port), timeout=10)
        s.sendall(b"GET /actuator/health/liveness HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert s.recv(4096).startswith(b"HTTP/1.1 200 ")
        sockets.append(s)
    return sockets


def not_reading(port, count):
    """Sockets that request much and read no answer."""
    sockets = []
    for _ in range(count):
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.connect(("127.0.0.1", port))
        s.setblocking(False)
        with contextlib.suppress(OSError):
            s.send(b"GET /orders?size=1000 HTTP/1.1\r\nHost: localhost\r\n\r\n" * 100)
        sockets.append(s)
    return sockets


def attack(port, orders, options, ready, stop, report):
    """The hostile process."""
    raise_open_files()
    told = {"done": collections.Counter(), "wrong": []}
    sockets = idle_connections(port, options.idle)
    slow, at_once = SlowSenders(port, options.slow), Attack(port, orders)
    parts = 20

    def one(kind):
        try:
            kind(at_once)
            told["done"][kind.__name__] += 1
        except (AssertionError, OSError) as problem:
            told["wrong"].append(f"{kind.__name__}: {problem}")

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for part in range(parts):
            slow.step(part, parts)
        sockets += not_reading(port, NOT_READING)
        ready.set()
        began, tick, sent, under_way = time.monotonic(), 0, 0, []
        while not stop.wait(max(0, began + tick / parts - time.monotonic())):
            slow.step(tick % parts, parts)
            tick += 1
            under_way = [f for f in under_way if not f.done()]
            while sent < tick * ATTACKS_PER_S / parts and len(under_way) < 16:
                under_way.append(pool.submit(one, Attack.KINDS[sent % len(Attack.KINDS)]))
                sent += 1
    still_open = sum(not closed(s) for s in sockets[: options.idle])
    report.put({**told, "slow ones cut off": slow.cut_off, "idle ones kept": still_open})


def closed(s):
    s.setblocking(False)
    try:
        return s.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


# ---------------------------------------------------------------------------------- the honest one


class Honest:
    """Sends requests at an even pace, and checks that each answer belongs to its request."""

    def __init__(self, port, pid):
        self.port, self.pid, self.number, self.orders = port, pid, 0, []

    def run(self, seconds):
        """The slowest of a hundred and the middle one, in ms; the most memory meanwhile, in MiB."""
        took, most = [], 0
        with Client(self.port) as client:
            began = time.monotonic()
            for i in range(int(seconds * HONEST_PER_S)):
                time.sleep(max(0, began + i / HONEST_PER_S - time.monotonic()))
                start = time.monotonic()
                if i % 2:
                    self.read(client)
                else:
                    self.place(client)
                took.append((time.monotonic() - start) * 1e3)
                if i % 25 == 0:
                    most = max(most, memory_mib(self.pid))
        took.sort()
        return took[len(took) * 99 // 100], took[len(took) // 2], most

    def place(self, client):
        self.number += 1
        name = f"Coffee {self.number}"
        order = client.post("/orders", {**ORDER, "productName": name}).expect(201).json()
        assert order["productName"] == name, f"another's answer: {order}"
        self.orders.append((order["id"], name))

    def read(self, client):
        order, name = self.orders[self.number * 7 % len(self.orders)]
        found = client.get(f"/orders/{order}").expect(200).json()
        assert (found["id"], found["productName"]) == (order, name), f"another's answer: {found}"


def raise_open_files():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def main():
    parser = argparse.ArgumentParser(prog="./dev bench --hostile", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer of each, for a few seconds")
    parser.add_argument("--program", type=Path, default=REPO / "build" / "release" / "skanu")
    options = parser.parse_args()
    counts = (500, 50, 4) if options.quick else (5_000, 500, 30)
    options.idle, options.slow, options.seconds = counts
    raise_open_files()
    folder = Path(tempfile.mkdtemp(prefix="hostile-", dir=REPO / "build"))
    server = Server(
        [options.program, "serve", "--http", "127.0.0.1:0", "--data", folder / "data",
         "--log-level", "warn"], folder / "log")
    try:
        honest = Honest(server.port, server.pid)
        honest.run(options.seconds / 4)  # warms up
        before = honest.run(options.seconds)
        spawn = multiprocessing.get_context("spawn")
        ready, stop, told = spawn.Event(), spawn.Event(), spawn.Queue()
        other = spawn.Process(
            target=attack,
            args=(server.port, [i for i, _ in honest.orders], options, ready, stop, told))
        other.start()
        assert ready.wait(120), "the hostile clients did not come up"
        during = honest.run(options.seconds)
        stop.set()
        report = told.get(timeout=60)
        other.join(60)
        after = honest.run(options.seconds / 4)
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
    show(options, before, during, after, report)


def show(options, before, during, after, report):
    done = sum(report["done"].values())
    print(f"""| honest client, {HONEST_PER_S} requests/s | alone | with hostile ones | afterwards |
| --- | --- | --- | --- |
| p99 | {before[0]:.1f} ms | {during[0]:.1f} ms ({during[0] / before[0]:.2f} ×) | \
{after[0]:.1f} ms |
| median | {before[1]:.1f} ms | {during[1]:.1f} ms | {after[1]:.1f} ms |
| resident memory, at most | {before[2]:.0f} MiB | {during[2]:.0f} MiB | {after[2]:.0f} MiB |

{options.idle:,} idle connections ({report["idle ones kept"]:,} kept), \
{options.slow} senders of a byte a second ({report["slow ones cut off"]} times cut off), \
{NOT_READING} that do not read, {done} other attacks in \
{options.seconds} s; answered otherwise than they should be: {len(report["wrong"])}""")
    missed = [f"wrong answer: {w}" for w in report["wrong"][:5]]
    missed += [f"no {k.__name__}" for k in Attack.KINDS if not report["done"][k.__name__]]
    # A few seconds show no p99 worth a bar.
    if not options.quick and during[0] > SLOWEST_FACTOR * before[0]:
        missed.append(f"p99 is {during[0] / before[0]:.2f} × that of before")
    if during[2] - before[2] > MOST_MORE_MIB:
        missed.append(f"{during[2] - before[2]:.0f} MiB more memory")
    if missed:
        sys.exit("missed: " + "; ".join(missed))


if __name__ == "__main__":
    main()
