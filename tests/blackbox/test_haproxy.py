"""HAProxy in front of gateways, by cluster/deploy/haproxy.cfg."""

import http.client
import re
import shutil
import socket
import subprocess
from contextlib import ExitStack, closing, contextmanager

import pytest
from rest import DEADLINE_S, Client, Shop, wait_until
from support import Server
from test_cluster_deployment import HAPROXY_CFG, compose_nodes

HAPROXY = shutil.which("haproxy") or shutil.which("/usr/sbin/haproxy")
needs_haproxy = pytest.mark.skipif(not HAPROXY, reason="haproxy is not installed")


def haproxy_servers():
    return dict(re.findall(r"^  server (\S+) (\S+)", HAPROXY_CFG.read_text(), re.MULTILINE))


def test_haproxy_knows_composes_gateways():
    gateways = {f"{name}:8088" for name in compose_nodes() if name.startswith("gateway")}
    assert set(haproxy_servers().values()) == gateways


def test_haproxy_repeats_only_what_was_not_sent():
    assert re.findall(r"^ *retry-on (.*)", HAPROXY_CFG.read_text(), re.MULTILINE) == [
        "conn-failure"
    ]


@needs_haproxy
def test_haproxy_accepts_its_configuration():
    done = subprocess.run(
        [HAPROXY, "-c", "-f", HAPROXY_CFG], capture_output=True, text=True, timeout=DEADLINE_S
    )
    assert done.returncode == 0, done.stderr


@contextmanager
def front_of(gateways, tmp_path):
    """HAProxy before the servers, by cluster/deploy/haproxy.cfg with other addresses; yields the
    port."""
    text = HAPROXY_CFG.read_text()
    for address, server in zip(haproxy_servers().values(), gateways, strict=True):
        text = text.replace(f" {address}", f" 127.0.0.1:{server.port}")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (tmp_path / "haproxy.cfg").write_text(text.replace("bind :8088", f"bind 127.0.0.1:{port}"))
    with open(tmp_path / "haproxy.log", "wb") as log:
        process = subprocess.Popen(
            [HAPROXY, "-db", "-f", str(tmp_path / "haproxy.cfg")],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        yield port
    finally:
        process.terminate()
        process.wait(DEADLINE_S)


@pytest.fixture(scope="module")
def behind_haproxy(tmp_path_factory):
    """The port of HAProxy before a whole shop, whose own port has the admin pages."""
    folder = tmp_path_factory.mktemp("behind-haproxy")
    with Server(folder / "data", "--allowed-host", "skanu") as server, front_of(
        [server, server], folder
    ) as port:
        server.operator().get("/admin/deadLetters").expect(200)
        wait_until(lambda: answers(port), "haproxy has found it")
        yield port


def answers(port):
    """Whether stamps can be read. HAProxy's own answers are not in our document."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    with closing(connection):
        try:
            connection.request("GET", "/stamps")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False


@needs_haproxy
def test_behind_haproxy_a_gateway_may_go(tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        node_port = probe.getsockname()[1]
    node = f"127.0.0.1:{node_port}"

    def gateway(name):
        data = tmp_path / name
        peer = ("--peer", f"stamp={node}", "--allowed-host", "skanu")
        return Server(data, "--services", "gateway", "--name", name, *peer)

    with ExitStack() as stack:
        stack.enter_context(Server(tmp_path / "stamp", "--services", "stamp", "--node", node))
        gateways = [stack.enter_context(gateway(name)) for name in ("one", "two")]
        port = stack.enter_context(front_of(gateways, tmp_path))
        for each in gateways:
            wait_until(lambda: answers(each.port), "the gateway has found stamp")
        wait_until(lambda: answers(port), "haproxy has found the gateways")
        for count in range(1, 61):
            if count == 20:
                gateways[0].kill()
            with Client(port) as client:
                Shop(client).add_stamps("01012341234", 1)
        with Client(port) as client:
            assert Shop(client).stamps("01012341234") == 60


@needs_haproxy
@pytest.mark.parametrize(
    "target",
    [
        "/admin/deadLetters",
        "/ADMIN/deadLetters",
        "/%61dmin/deadLetters",
        "/admin%2fdeadLetters",
        "//admin/deadLetters",
        "/./admin/deadLetters",
        "/orders/../admin/deadLetters",
        "/admin/deadLetters?size=1",
        "http://skanu/admin/deadLetters",
    ],
)
def test_behind_haproxy_nobody_comes_to_the_admin_pages(behind_haproxy, target):
    # A client without the check against our document, since the answer is HAProxy's own.
    connection = http.client.HTTPConnection("127.0.0.1", behind_haproxy, timeout=DEADLINE_S)
    with closing(connection):
        connection.request("GET", target)
        assert connection.getresponse().status in (400, 404)


@needs_haproxy
def test_through_haproxy_the_other_paths_are_there(behind_haproxy):
    with Client(behind_haproxy) as client:
        client.get("/orders").expect(200)
        client.get("/actuator/health").expect(200)
