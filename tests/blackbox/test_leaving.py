"""How a gateway leaves: readiness first, then the last answers, then the listener."""

import signal
import socket
from contextlib import ExitStack

import pytest
from cluster import SERVICES, free_ports
from rest import COFFEE, DEADLINE_S, TIME_SCALE, wait_until
from rolling import Load, RoundRobin, restart
from support import Server
from test_haproxy import answers, front_of, needs_haproxy

LONG = ("--drain", f"{60 * TIME_SCALE:g}s")


def readiness(client):
    return client.get("/actuator/health/readiness").expect(200, 503)


@pytest.fixture
def leaving(tmp_path):
    """A server in its drain, a client's connection from before, and the server's port."""
    server = Server(tmp_path / "data", *LONG).start()
    before = server.client()
    assert readiness(before).json()["status"] == "UP"
    server.send_signal(signal.SIGTERM)
    wait_until(lambda: readiness(server.client()).status == 503, "it is not ready any more")
    yield server, before
    if server.running():
        server.stop()  # a second signal ends the drain


def test_sigterm_refused_connections_before_readiness_was_down(leaving):
    server, _ = leaving
    answer = readiness(server.client())
    assert answer.json()["status"] == "DOWN"
    assert answer.json()["components"]["node"] == {
        "status": "DOWN", "details": {"reason": "leaving"}}
    for _ in range(10):
        with server.client() as client:
            client.post("/orders", COFFEE).expect(201)


def test_a_leaving_server_is_healthy_and_alive(leaving):
    server, _ = leaving
    for path in ("/actuator/health", "/actuator/health/liveness"):
        assert server.client().get(path).expect(200).json()["status"] == "UP"


def test_answers_of_a_leaving_server_end_their_connection(leaving):
    server, before = leaving
    for client in (before, server.client()):
        assert client.get("/orders").expect(200).header("Connection") == "close"
    with socket.create_connection(("127.0.0.1", server.port), timeout=DEADLINE_S) as raw:
        request = b"GET /orders HTTP/1.1\r\nHost: localhost\r\n\r\n"
        raw.sendall(request * 2)
        text = b"".join(iter(lambda: raw.recv(65536), b""))
    assert text.count(b"HTTP/1.1 200") == 2, "what a client sent before it knew is answered"
    assert text.count(b"Connection: close") == 1


def test_a_second_signal_ends_the_drain(leaving):
    server, _ = leaving
    server.stop(signal.SIGINT)
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", server.port), timeout=DEADLINE_S)


def test_a_drain_ends_by_itself(tmp_path):
    with Server(tmp_path / "data", "--drain", "300ms") as server:
        server.stop()
    assert "event=leaving" in server.stderr() and "event=stopped" in server.stderr()


class Gateways:
    """A node with every service, and two gateways before it."""

    def __init__(self, folder, drain):
        node, *ports = free_ports(3)
        services = ",".join(SERVICES)
        self.shop = Server(
            folder / "shop", "--services", services, "--name", services,
            "--node", f"127.0.0.1:{node}")
        peer = ("--peer", f"{services}=127.0.0.1:{node}", "--drain", drain,
                "--allowed-host", "skanu")
        self.both = [
            Server(folder / name, "--services", "gateway", "--name", name, *peer,
                   address=f"127.0.0.1:{port}")
            for name, port in zip(("gateway-1", "gateway-2"), ports)
        ]

    def __enter__(self):
        self.stack = ExitStack()
        for server in (self.shop, *self.both):
            self.stack.enter_context(server)
        for gateway in self.both:
            wait_until(lambda: answers(gateway.port), "the gateway has found the shop")
        return self

    def __exit__(self, *what):
        return self.stack.__exit__(*what)


def assert_nothing_is_lost(gateways, load):
    load.stop()
    assert not load.lost
    assert load.placed > 100
    with gateways.shop.client() as client:
        assert client.get("/orders").json()["page"]["totalElements"] == load.placed


@pytest.mark.slow
def test_a_rolling_restart_behind_a_tcp_round_robin_loses_nothing(tmp_path):
    with Gateways(tmp_path, "300ms") as gateways:
        with RoundRobin([gateway.port for gateway in gateways.both]) as front:
            load = Load(front.port)
            for _ in range(3):
                restart(gateways.both, lambda gateway: wait_until(
                    lambda: gateway.port in front.ready, "it is taken in again"))
            assert_nothing_is_lost(gateways, load)


@pytest.mark.slow
@needs_haproxy
def test_a_rolling_restart_behind_haproxy_loses_nothing(tmp_path):
    def taken_in_again(gateway):
        log = tmp_path / "haproxy.log"
        wait_until(lambda: last_state(log.read_text(), gateway.data.name) == "UP", "it is back")

    # twice as long as HAProxy's two checks take
    with Gateways(tmp_path, "4s") as gateways, front_of(gateways.both, tmp_path) as port:
        wait_until(lambda: answers(port), "haproxy has found the gateways")
        load = Load(port)
        restart(gateways.both, taken_in_again)
        assert_nothing_is_lost(gateways, load)


def last_state(log, server):
    words = [line.split(f"gateways/{server} is ")[1].split()[0].rstrip(",.")
             for line in log.splitlines() if f"Server gateways/{server} is " in line]
    return words[-1] if words else "UP"
