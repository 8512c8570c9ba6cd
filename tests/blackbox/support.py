"""The program under test: its commands, and a server as a context manager.

SKANU_BIN names the program, <repo>/build/release/skanu by default.
"""

import json
import os
import re
import select
import signal
import subprocess
import time
from pathlib import Path

from rest import DEADLINE_S, TIME_SCALE, Client, Shop

REPO = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("SKANU_BIN", REPO / "build" / "release" / "skanu"))
READY_LINE = re.compile(r"skanu ready http(?:=|://)(\S+):(\d+)\n\Z")
"""With "=" in the version before."""


def clean_environment(extra=None):
    """This process's environment without any SKANU_ variable, plus `extra`."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("SKANU_")}
    environment.update(extra or {})
    return environment


def skanu(*arguments, env=None, cwd=None, deadline_s=20 * TIME_SCALE):
    """Runs the program to its end. stdout and stderr are text."""
    return subprocess.run(
        [str(BINARY), *map(str, arguments)],
        env=clean_environment(env),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=deadline_s,
    )


def assert_refused(done):
    """Exit status 2, one clear line on standard error, nothing on standard output."""
    assert done.returncode == 2, done
    assert done.stdout == ""
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert len(lines) == 1 and 10 < len(lines[0]) < 250, done.stderr


def audit(data):
    """(exit status, the printed JSON)."""
    done = skanu("audit", "--data", data, deadline_s=60 * TIME_SCALE)
    assert done.stdout, f"audit printed nothing: exit {done.returncode}, {done.stderr}"
    return done.returncode, json.loads(done.stdout)


def assert_sound(data):
    status, report = audit(data)
    assert status == 0, f"audit exits {status}: {json.dumps(report, indent=1)[:4000]}"
    return report


def events(data, *arguments, status=0):
    """The event logs, as a list of objects."""
    done = skanu("events", "--data", data, *arguments)
    assert done.returncode == status, done.stderr
    # Not splitlines: a name may hold another line separator of Unicode's.
    return [json.loads(line) for line in done.stdout.split("\n") if line]


class NotReady(AssertionError):
    """No ready line came; `status` is the exit status, None for a hanging process."""

    def __init__(self, line, status, stderr):
        super().__init__(f"no ready line but {line!r}, exit status {status}, stderr: {stderr}")
        self.status = status


class Server:
    """`skanu serve` on a data directory. As a context manager it starts, and stops by SIGTERM."""

    processes = []
    """Of every server that was started, so that none outlives the session."""

    def __init__(self, data, *arguments, env=None, prefix=(), address="127.0.0.1:0", config=None):
        self.data = Path(data)
        self.arguments, self.env, self.prefix, self.address = arguments, env, list(prefix), address
        self.program = [str(BINARY), *(["--config", str(config)] if config else [])]
        self.stderr_path = self.data.parent / (self.data.name + ".stderr")
        self.process = self.port = self.ready_line = None

    def command(self):
        places = ["--http", self.address] if self.address else []
        return [
            *self.prefix,
            *self.program,
            "serve",
            *places,
            "--data",
            str(self.data),
            *map(str, self.arguments),
        ]

    def start(self, wait=True):
        assert not self.running(), "it already runs"
        with open(self.stderr_path, "ab") as stderr:
            self.process = subprocess.Popen(
                self.command(),
                stdin=subprocess.DEVNULL,
                stderr=stderr,
                stdout=subprocess.PIPE,
                env=clean_environment(self.env),
            )
        self.processes.append(self.process)
        return self.wait_ready() if wait else self

    def wait_ready(self, deadline_s=2 * DEADLINE_S):
        self.ready_line = self._read_line(deadline_s)
        match = READY_LINE.match(self.ready_line)
        if not match:
            raise NotReady(self.ready_line, self._status_after_failure(), self.last_words())
        self.port = int(match[2])
        return self

    def _status_after_failure(self):
        """The exit status, or None for a process that had to be killed."""
        try:
            return self.process.wait(1)
        except subprocess.TimeoutExpired:
            self.kill()
            return None

    def _read_line(self, deadline_s):
        line, end = b"", time.monotonic() + deadline_s
        stdout = self.process.stdout.fileno()
        while not line.endswith(b"\n"):
            readable, _, _ = select.select([stdout], [], [], max(0, end - time.monotonic()))
            byte = os.read(stdout, 1) if readable else b""
            if not byte:
                break
            line += byte
        return line.decode()

    def running(self):
        return self.process is not None and self.process.poll() is None

    def send_signal(self, number):
        self.process.send_signal(number)

    def stop(self, number=signal.SIGTERM):
        """Ends the server by SIGTERM: exit status 0, and stdout holds only the ready line."""
        self.send_signal(number)
        return self.wait_stopped()

    def wait_stopped(self):
        try:
            rest, _ = self.process.communicate(timeout=2 * DEADLINE_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"it does not end: {self.last_words()}") from None
        status = self.process.returncode
        assert status == 0, f"exit status {status}: {self.last_words()}"
        assert rest == b"", f"on standard output after the ready line: {rest!r}"
        return self

    def kill(self):
        """kill -9."""
        self.process.kill()
        return self.wait_dead()

    def wait_dead(self, deadline_s=2 * DEADLINE_S):
        self.process.communicate(timeout=deadline_s)
        return self

    def restart(self, *arguments):
        """Starts again on the same data, with these arguments instead of the earlier ones."""
        self.arguments = arguments
        return self.start()

    def stderr(self):
        return self.stderr_path.read_text(errors="replace")

    def last_words(self):
        """The end of stderr, or the beginning of a sanitizer's report, the most telling part."""
        text = self.stderr()
        report = text.find("ERROR: ")
        return text[-2000:] if report < 0 else text[report:][:8000]

    def client(self, **options):
        return Client(self.port, **options)

    def admin_token(self):
        return (self.data / "admin.token").read_text().strip()

    def operator(self):
        """A client with access to /admin."""
        return self.client(admin_token=self.admin_token())

    def shop(self):
        return Shop(self.client())

    def audit(self):
        return audit(self.data)

    def events(self, *arguments):
        return events(self.data, *arguments)

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *_):
        if self.running():
            self.stop() if kind is None else self.kill()
