"""Hostile clients beside an honest one: the bench, in short. Its figures need `./dev bench --hostile`."""

import subprocess
import sys

import pytest
from rest import TIME_SCALE
from support import BINARY, REPO


@pytest.mark.slow
def test_an_honest_client_gets_its_own_answers_and_memory_stays_bounded():
    done = subprocess.run(
        [sys.executable, REPO / "bench" / "hostile.py", "--quick", "--program", BINARY],
        capture_output=True,
        text=True,
        timeout=120 * TIME_SCALE,
    )
    assert done.returncode == 0, done.stdout + done.stderr
