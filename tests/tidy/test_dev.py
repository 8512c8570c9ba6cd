"""What ./dev does on a fresh machine, with stand-ins for the tools that it calls."""

import os
import shutil
import subprocess
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
STAND_IN = """#!/bin/sh
echo "$(basename "$0") $*" >>"$CALLS"
case $(basename "$0") in dpkg-query) for p in "$@"; do echo "installed $p"; done ;; esac
"""


def dev(folder, *words, tools=("cmake", "dpkg-query", "apt-get", "npm")):
    """(exit status, standard error, the calls) of ./dev in a folder of its own."""
    (folder / "bin").mkdir(parents=True)
    shutil.copy(REPO / "dev", folder / "dev")
    shutil.copy(REPO / "CMakePresets.json", folder)
    (folder / "build" / "release").mkdir(parents=True)
    program = folder / "build" / "release" / "skanu"
    for path in [*(folder / "bin" / tool for tool in tools), program]:
        path.write_text(STAND_IN)
        path.chmod(0o755)
    calls = folder / "calls"
    env = {**os.environ, "PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "CALLS": str(calls)}
    done = subprocess.run([str(folder / "dev"), *words], env=env, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=60)
    return done.returncode, done.stderr, calls.read_text() if calls.exists() else ""


def test_run_built_all_tests_before_it_served(tmp_path):
    status, said, calls = dev(tmp_path, "run", "--http", "127.0.0.1:1")
    assert status == 0, said
    builds = [line for line in calls.splitlines() if line.startswith("cmake --build")]
    assert len(builds) == 1 and builds[0].endswith("--target skanu"), calls
    assert calls.splitlines()[-1] == "skanu serve --http 127.0.0.1:1"
    assert "serving until Ctrl-C" in said


def test_help_explains_and_does_nothing(tmp_path):
    for number, words in enumerate(["help", "--help", "-h"]):
        status, said, calls = dev(tmp_path / str(number), words)
        assert (status, calls) == (0, ""), said
