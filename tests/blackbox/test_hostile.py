"""Hostile clients beside an honest one: the bench, in short. Its figures need `./dev bench --hostile`."""

import contextlib
import subprocess
import sys

import pytest
from rest import TIME_SCALE
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


@pytest.mark.parametrize("option", ["--max-connections", "--max-connections-per-address"])
def test_connections_beyond_the_bound_are_told_so(tmp_path, option):
    with Server(tmp_path / "data", option, 3) as server, contextlib.ExitStack() as clients:
        for _ in range(3):
            client = clients.enter_context(server.client())
            client.get("/actuator/health/liveness").expect(200)
        with server.client() as beyond:
            answer = beyond.get("/actuator/health/liveness").expect(503)
            assert answer.header("Retry-After") and answer.header("Connection") == "close"
