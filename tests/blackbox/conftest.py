"""Fixtures of the black-box suite. Most tests share one server and use orders of their own."""

import pytest
from cluster import Cluster
from idle_connections import IdleConnections
from rest import Shop, fresh_phone
from support import BINARY, Server, assert_sound


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes more than some seconds; runs by default")
    config.addinivalue_line("markers", "last: needs time that passes while the other tests run")


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.get_closest_marker("last") is not None)


def pytest_sessionstart(session):
    if not session.config.option.collectonly and not BINARY.exists():
        pytest.exit(f"no program at {BINARY}: build it, or name it in SKANU_BIN", returncode=2)


@pytest.fixture(scope="session", autouse=True)
def _no_server_outlives_the_session():
    yield
    for process in Server.processes:
        if process.poll() is None:  # left behind by a test that failed
            process.kill()
            process.wait()


@pytest.fixture(scope="session", autouse=True)
def _start_what_takes_long(request):
    """Opens the idle connections first, so that their minute passes beside the other tests."""
    if any("idle_connections" in item.fixturenames for item in request.session.items):
        request.getfixturevalue("idle_connections")


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory):
    """The shared server. At the end: no crash, a sound audit, and no whole phone number in the
    log."""
    first_phone = fresh_phone()
    with Server(tmp_path_factory.mktemp("shared") / "data") as server:
        yield server
        assert server.running(), (
            f"the shared server died {server.process.returncode}: {server.stderr()[-4000:]}"
        )
        assert_sound(server.data)
    assert_sound(server.data)
    log = server.stderr()
    for number in range(int(first_phone), int(fresh_phone())):
        assert f"0{number}" not in log, f"phone number 0{number} stands whole in the log"


@pytest.fixture
def client(shared_server):
    with shared_server.client() as one:
        yield one


@pytest.fixture
def shop(client):
    return Shop(client)


@pytest.fixture
def phone():
    return fresh_phone()


@pytest.fixture
def serve(tmp_path):
    """serve(*arguments) starts a test's own server; at the end the audit of each must be sound."""
    servers = []

    def start(*arguments, name="data", **options):
        server = Server(tmp_path / name, *arguments, **options)
        servers.append(server)
        return server.start()

    yield start
    for server in servers:
        if server.running():
            server.stop()
    for server in servers:
        assert_sound(server.data)


@pytest.fixture(scope="session")
def idle_connections(tmp_path_factory):
    """Two idle keep-alive connections to a server of their own; see test_protocol."""
    with Server(tmp_path_factory.mktemp("idle") / "data") as server:
        probe = IdleConnections(server.port)
        yield probe
        probe.close()


@pytest.fixture
def cluster(tmp_path):
    """Six nodes that run and see each other; killed at the end, in any state."""
    c = Cluster(tmp_path / "cluster")
    try:
        yield c.start().wait_up()
    finally:
        c.end()
