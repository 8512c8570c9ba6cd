"""The server that the clients talk to, and the steps that make each client.

What a client needs is installed by its own package manager, pinned; a registry that cannot be
reached skips the client's test, and anything else fails it.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPO / "tests" / "blackbox"))

from rest import TIME_SCALE  # noqa: E402
from support import BINARY, Server, assert_sound, skanu  # noqa: E402

DOCUMENT = REPO / "http" / "api" / "openapi.json"
SOURCES = Path(__file__).resolve().parent
BUILD = REPO / "build" / "clients"
LONGEST_S = 300 * TIME_SCALE
UNREACHABLE = re.compile(
    "ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH"  # npm
    "|Failed to establish a new connection|Temporary failure in name resolution"  # pip
    "|Name or service not known|ConnectTimeoutError|ProxyError"
    "|Could not transfer|Unknown host|Connect timed out|Network is unreachable"  # mvn
)


def pytest_sessionstart(session):
    if not session.config.option.collectonly and not BINARY.exists():
        pytest.exit(f"no program at {BINARY}: build it, or name it in SKANU_BIN", returncode=2)


class Workshop:
    """A folder of build/clients in which a client is made and run."""

    def __init__(self, name):
        self.name, self.sources, self.folder = name, SOURCES / name, BUILD / name
        self.folder.mkdir(parents=True, exist_ok=True)

    def needs(self, *tools):
        for tool in tools:
            if not shutil.which(tool):
                pytest.skip(f"no {tool} here: ./dev test-clients installs it")

    def run(self, *command, **options):
        """Runs a step to its end, which must be exit status 0; returns what it printed."""
        done = self._done(command, **options)
        assert done.returncode == 0, f"{' '.join(map(str, command))}:\n{done.stdout[-6000:]}"
        return done.stdout

    def install(self, *command, **options):
        """The same for a step that may ask a registry."""
        done = self._done(command, **options)
        if done.returncode and UNREACHABLE.search(done.stdout):
            pytest.skip(f"the registry that {Path(command[0]).name} asks cannot be reached")
        assert done.returncode == 0, f"{' '.join(map(str, command))}:\n{done.stdout[-6000:]}"

    def install_once(self, lock, *command, **options):
        """Only where the lock file is another than the one installed last."""
        stamp = self.folder / "installed"
        if stamp.exists() and stamp.read_bytes() == lock.read_bytes():
            return
        stamp.unlink(missing_ok=True)
        self.install(*command, **options)
        stamp.write_bytes(lock.read_bytes())

    def _done(self, command, path=None, **environment):
        inherited = {**os.environ, **environment}
        if path:
            inherited["PATH"] = f"{path}{os.pathsep}{inherited['PATH']}"
        return subprocess.run(
            [str(each) for each in command],
            cwd=self.folder,
            env=inherited,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LONGEST_S,
        )


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """The shared server; its audit must be sound at the end."""
    with Server(tmp_path_factory.mktemp("clients") / "data") as one:
        yield one
        assert one.running(), one.stderr()[-4000:]
    assert_sound(one.data)


@pytest.fixture
def base(server):
    return f"http://127.0.0.1:{server.port}"


@pytest.fixture
def server_with_public_url(tmp_path):
    """(server, URL): a server that knows its own URL, and so writes whole ones."""
    if "--public-url" not in skanu("serve", "--help").stdout:
        pytest.skip("this program has no --public-url")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = "127.0.0.1:%d" % probe.getsockname()[1]
    url = f"http://{address}"
    with Server(tmp_path / "data", "--public-url", url, address=address) as one:
        yield one, url
    assert_sound(one.data)
