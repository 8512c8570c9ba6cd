"""Hostile clients beside an honest one: the bench, in short.

Its figures need `./dev bench --hostile`.
"""

import contextlib
import re
import resource
import subprocess
import sys

import pytest
from event_source import EventSource
from rest import TIME_SCALE, Client, wait_until
from support import BINARY, REPO, Server


@pytest.mark.slow
def test_an_honest_client_gets_its_own_answers_and_memory_stays_bounded():
    done = subprocess.run(
        [sys.executable, REPO / "bench" / "hostile.py", "--quick", "--program", BINARY],
        capture_output=True,
        text=True,
        timeout=120 * TIME_SCALE,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("lowered", [True, False])
def test_the_log_says_that_open_files_lower_the_bounds(tmp_path, lowered):
    bounds = () if lowered else ("--max-connections", 1_000, "--max-streams", 1_000)
    with Server(tmp_path / "data", *bounds, prefix=["prlimit", "--nofile=4000"]) as server:
        server.client().get("/orders").expect(200)
    assert ("event=too_few_open_files max_connections=" in server.stderr()) == lowered
    if lowered:  # the limit, and how much of it helps
        wanted = re.search(r"limit=4000 wanted=(\d+) remedy=.*ulimit", server.stderr())[1]
        if int(wanted) > resource.getrlimit(resource.RLIMIT_NOFILE)[1]:
            pytest.skip(f"this machine allows fewer than {wanted} open files")
        with Server(tmp_path / "data", prefix=["prlimit", f"--nofile={wanted}"]) as server:
            server.client().get("/orders").expect(200)
        assert "too_few_open_files" not in server.stderr()


@pytest.mark.parametrize("option", ["--max-connections", "--max-connections-per-address"])
def test_connections_beyond_the_bound_are_told_so(tmp_path, option):
    with Server(tmp_path / "data", option, 3) as server, contextlib.ExitStack() as clients:
        for _ in range(3):
            client = clients.enter_context(server.client())
            client.get("/actuator/health/liveness").expect(200)
        with server.client() as beyond:
            answer = beyond.get("/actuator/health/liveness").expect(503)
            assert answer.header("Retry-After") and answer.header("Connection") == "close"


def test_the_operators_port_has_64_connections(tmp_path):
    with Server(tmp_path / "data", "--admin", "127.0.0.1:0") as server:
        said = wait_until(
            lambda: re.search(r"event=admin_listens address=\S+:(\d+)", server.stderr()),
            "the operators' port",
        )
        port = int(said[1])
        with contextlib.ExitStack() as operators:
            for _ in range(64):
                operators.enter_context(Client(port)).get("/actuator/health").expect(200)
            with Client(port) as beyond:
                answer = beyond.get("/actuator/health").expect(503)
                assert answer.header("Retry-After") and answer.header("Connection") == "close"
            server.client().get("/orders").expect(200)


def test_one_address_has_no_more_streams_than_it_may_have_connections(tmp_path):
    with Server(tmp_path / "data", "--max-connections-per-address", 3) as server:
        streams = [EventSource(server.port) for _ in range(3)]
        for stream in streams:
            assert stream.next()["event"] == "begin"
        with server.client() as client:
            assert client.get("/orderTraces/stream").expect(503).header("Retry-After")
            with EventSource(server.port, source_address="127.0.0.2") as another:
                assert another.status == 200, "another address has streams of its own"
            streams.pop().close()

            def is_let_in():
                with EventSource(server.port) as again:
                    return again.status == 200

            wait_until(is_let_in, "there is room for another stream")
        for stream in streams:
            stream.close()
