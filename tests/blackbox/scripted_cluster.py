"""A cluster on this machine as cluster/up and its kin run it, on free ports."""

import os
import signal
import socket
import subprocess
from pathlib import Path

from rest import TIME_SCALE, Client, wait_until
from support import BINARY, REPO, clean_environment

SERVICES = ("order", "payment", "delivery", "ordertrace", "stamp", "gateway")
HTTP_DISTANCE = dict(zip(SERVICES, (-7, -6, -5, -4, -3, 0)))
NODE_DISTANCE = 1000


def script(name, *arguments, deadline_s=60 * TIME_SCALE, **options):
    """Runs cluster/NAME and reads its pipes to their end: a node that held them would block this
    function."""
    return subprocess.run(
        [str(REPO / "cluster" / name), *map(str, arguments)],
        env=clean_environment({"SKANU_BIN": str(BINARY)}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=deadline_s,
        **options,
    )


def ports_of(http):
    https = [http + distance for distance in HTTP_DISTANCE.values()]
    return https + [port + NODE_DISTANCE for port in https]


def is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def free_gateway_port():
    """A port whose cluster finds all its ports free, below the system's ephemeral ports."""
    start = 20_000 + os.getpid() % 500 * 20
    for http in range(start, start + 8_000, 20):
        if all(map(is_free, ports_of(http))):
            return http
    raise AssertionError("no free ports for a cluster")


def is_alive(pid):
    """True while the process runs; a zombie does not run."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return text.rpartition(")")[2].split()[0] not in "ZX"


class Cluster:
    """The cluster scripts, bound to one folder. As a context manager it leaves no node behind."""

    def __init__(self, folder):
        self.folder, self.http = folder, free_gateway_port()
        self.strangers = set()
        """Processes that name the folder in their command line and are none of its nodes."""

    def run(self, name, *arguments, status=0):
        """Runs a script on this cluster; `arguments` may end with options behind "--"."""
        cut = arguments.index("--") if "--" in arguments else len(arguments)
        done = script(name, *arguments[:cut], "--dir", self.folder, *arguments[cut:])
        assert done.returncode == status, f"exit {done.returncode}: {done.stdout}{done.stderr}"
        return done

    def up(self, *options, status=0):
        return self.run("up", "--http", self.http, *options, status=status)

    def down(self):
        return self.run("down")

    def status(self, status=0):
        """{service: [running|stopped, pid, address, health]}"""
        lines = [line.split() for line in self.run("status", status=status).stdout.splitlines()]
        assert [line[0] for line in lines] == list(SERVICES)
        return {name: fields for name, *fields in lines}

    def pid(self, service):
        return int((self.folder / "run" / f"{service}.pid").read_text().split()[0])

    def client(self, service="gateway"):
        return Client(self.http + HTTP_DISTANCE[service])

    def processes(self):
        """Every process with this cluster's folder in its command line."""
        found = set()
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or not is_alive(entry.name):
                continue
            try:
                if str(self.folder).encode() in (entry / "cmdline").read_bytes():
                    found.add(int(entry.name))
            except OSError:
                pass  # it has just ended
        return found - self.strangers

    def log(self, service):
        return (self.folder / "log" / f"{service}.log").read_text()

    def health(self):
        """{service: UP|DOWN}, as the gateway sees it."""
        with self.client() as client:
            components = client.get("/actuator/health").expect(200).json()["components"]
            return {name: component["status"] for name, component in components.items()}

    def clean_up(self):
        for pid in self.processes():
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not self.processes(), "the nodes are gone")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.clean_up()
