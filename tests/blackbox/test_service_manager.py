"""A service manager's view of the process: sd_notify(3)'s datagrams."""

import os
import signal
import socket

import pytest
from rest import DEADLINE_S
from support import Server


class Manager:
    """The socket of a service manager. An abstract name begins with @."""

    def __init__(self, name):
        self.name = str(name)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.name.replace("@", "\0", 1) if self.name[0] == "@" else self.name)
        self.socket.settimeout(DEADLINE_S)

    def environment(self, **more):
        return {"NOTIFY_SOCKET": self.name, **more}

    def hear(self):
        return self.socket.recv(4096).decode()

    def hear_until(self, wanted):
        heard = []
        while not heard or heard[-1] != wanted:
            heard.append(self.hear())
        return heard


@pytest.fixture(params=["path", "abstract"])
def manager(request, tmp_path):
    name = tmp_path / "notify" if request.param == "path" else f"@skanu-test-{os.getpid()}"
    made = Manager(name)
    yield made
    made.socket.close()


def test_the_manager_hears_of_readiness_and_of_the_stop(tmp_path, manager):
    with Server(tmp_path / "data", env=manager.environment()) as server:
        assert manager.hear() == "READY=1"
        server.send_signal(signal.SIGHUP)
        server.stop()
        assert manager.hear() == "STOPPING=1"


def test_the_watchdog_is_told_again_and_again_also_while_the_server_leaves(tmp_path, manager):
    env = manager.environment(WATCHDOG_USEC="100000")
    with Server(tmp_path / "data", "--drain", "60s", env=env) as server:
        assert [manager.hear() for _ in range(4)] == ["READY=1"] + 3 * ["WATCHDOG=1"]
        server.send_signal(signal.SIGTERM)
        manager.hear_until("STOPPING=1")
        assert [manager.hear() for _ in range(3)] == 3 * ["WATCHDOG=1"]


def test_another_processs_watchdog_is_not_told(tmp_path, manager):
    env = manager.environment(WATCHDOG_USEC="100000", WATCHDOG_PID=str(os.getpid()))
    with Server(tmp_path / "data", env=env) as server:
        assert manager.hear() == "READY=1"
        server.stop()
        assert manager.hear() == "STOPPING=1"


def test_a_manager_that_is_gone_or_named_wrongly_changes_nothing(tmp_path):
    for name in (tmp_path / "nobody", "relative", "@", "x" * 200, ""):
        with Server(tmp_path / "data", env={"NOTIFY_SOCKET": str(name), "WATCHDOG_USEC": "1000"}):
            pass
