"""What ./dev does on a fresh machine, with stand-ins for the tools that it calls."""

import os
import re
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


def commands():
    done = subprocess.run([REPO / "dev", "help"], capture_output=True, text=True, check=True)
    found = re.findall(r"^  ([a-z][a-z-]*) ", done.stdout, re.M)
    assert {"run", "test", "check", "bench", "clean"} <= set(found)
    return found


def test_help_explains_and_does_nothing(tmp_path):
    for number, words in enumerate(["help", "--help", "-h"]):
        status, said, calls = dev(tmp_path / str(number), words)
        assert (status, calls) == (0, ""), said


def test_clean_was_done_where_its_help_was_asked_for(tmp_path):
    for number, words in enumerate([[name, flag] for name in commands() if name != "bench"
                                    for flag in ("-h", "--help")] + [["run", "--http", "-h"]]):
        folder = tmp_path / str(number)
        status, said, calls = dev(folder, *words)
        assert (status, calls, said) == (0, "", ""), words
        assert (folder / "build" / "release" / "skanu").exists(), words


def test_the_help_of_bench_was_built_first(tmp_path):
    for number, words in enumerate([["--help"], ["--streams", "-h"], ["--rolling", "--help"],
                                    ["--hostile", "--help"], ["--cluster", "-h"]]):
        folder = tmp_path / str(number)
        folder.mkdir()
        shutil.copytree(REPO / "bench", folder / "bench")
        (folder / "tests").symlink_to(REPO / "tests")
        status, said, calls = dev(folder, "bench", *words)
        assert (status, calls) == (0, ""), said


def test_words_that_a_command_does_not_take_were_passed_over(tmp_path):
    wrong = [[name, "word"] for name in commands() if name not in ("run", "fuzz", "bench")]
    wrong += [["fuzz", "1", "word"], ["fuzz", "word"], ["bench", "--rolling", "word"], ["nonsense"],
              ["clean", "--helpp"]]
    for number, words in enumerate(wrong):
        folder = tmp_path / str(number)
        status, said, calls = dev(folder, *words)
        assert (status, calls) == (2, ""), (words, said)
        assert len(said.splitlines()) == 1 and words[-1] in said, said
        assert (folder / "build" / "release" / "skanu").exists(), words


def test_install_left_out_what_some_commands_need(tmp_path):
    """Each list of packages that a command installs."""
    text = (REPO / "dev").read_text()
    lists = re.findall(r"^readonly (\w+_packages)=", text, re.M)
    install = text[text.index("\n  install)"):text.index("\n  format)")]
    for name in lists:
        there = f"${{{name}[@]}}" in install or f"install_{name}" in install
        assert there or name in ("run_packages", "format_packages"), name
