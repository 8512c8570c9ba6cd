#!/usr/bin/env python3
"""Opens 10,000 event streams on one process, and measures what they cost.

Every stream must get the step of each order that is placed. Prints the memory of the server before
and with them, and how long the last of them waited; ends with status 1 where a bar is missed.
"""

import argparse
import resource
import select
import shutil
import socket
import statistics
import sys
import tempfile
import time
from pathlib import Path

from bench import ORDER, REPO, Server

sys.path.insert(0, str(REPO / "tests" / "blackbox"))

from rest import Client  # noqa: E402
from event_source import stream_request  # noqa: E402

MOST_MIB = 500
DEADLINE_S = 60


def memory_mib(pid, key="VmRSS"):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(key + ":")) / 1024


def cpu_s(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


class Streams:
    """Many streams in one epoll; each is read up to the awaited text."""

    def __init__(self, port, count):
        self.epoll = select.epoll()
        self.sockets, self.unread = {}, {}
        for i in range(count):
            s = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_S)
            s.sendall(stream_request())
            s.setblocking(False)
            self.sockets[s.fileno()], self.unread[s.fileno()] = s, b""
            self.epoll.register(s.fileno(), select.EPOLLIN)

    def wait_for(self, needle):
        """Waits until each stream has the text: (longest, middle) wait in seconds."""
        began, waiting, waited = time.monotonic(), set(self.sockets), []
        while waiting and time.monotonic() < began + DEADLINE_S:
            for fd, _ in self.epoll.poll(1):
                more = self.sockets[fd].recv(65536)
                assert more, "a stream has ended"
                self.unread[fd] += more
                if needle in self.unread[fd] and fd in waiting:
                    waiting.remove(fd)
                    self.unread[fd] = b""
                    waited.append(time.monotonic() - began)
        assert not waiting, f"{len(waiting)} streams did not get {needle} in {DEADLINE_S} s"
        return waited[-1], statistics.median(waited)


def main():
    parser = argparse.ArgumentParser(prog="./dev bench --streams", description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=10_000,
                        help="streams (default 10000)")
    parser.add_argument("--program", type=Path, default=REPO / "build" / "release" / "skanu")
    options = parser.parse_args()
    count = options.count
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    folder = Path(tempfile.mkdtemp(prefix="streams-", dir=REPO / "build"))
    server = Server(
        [options.program, "serve", "--http", "127.0.0.1:0", "--data", folder / "data",
         "--log-level", "warn"], folder / "log")
    try:
        with Client(server.port) as client:
            client.post("/orders", ORDER).expect(201)
            before = memory_mib(server.pid)
            began = time.monotonic()
            streams = Streams(server.port, count)
            streams.wait_for(b"event: begin")
            opened_s = time.monotonic() - began
            open_mib = memory_mib(server.pid)
            last, middle, busy = [], [], cpu_s(server.pid)
            for _ in range(5):
                order = client.post("/orders", ORDER).expect(201).json()["id"]
                slowest, median = streams.wait_for(f'"id":{order},'.encode())
                last.append(slowest)
                middle.append(median)
            busy = (cpu_s(server.pid) - busy) / 5
            peak = memory_mib(server.pid, "VmHWM")
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
    print(f"""| | |
| --- | --- |
| streams open on one process | {count:,} (opened in {opened_s:.1f} s) |
| resident memory before, with them, at most | {before:.0f}, {open_mib:.0f}, {peak:.0f} MiB |
| from an order's answer until the middle stream, until the last has its step | """
          f"""{statistics.median(middle) * 1e3:.0f} ms, {statistics.median(last) * 1e3:.0f} ms |
| server's CPU per event sent to all | {busy * 1e3:.0f} ms |""")
    if peak > MOST_MIB:
        sys.exit(f"missed: {peak:.0f} MiB resident of {MOST_MIB}")


if __name__ == "__main__":
    main()
