"""Linters over the working tree. clang-tidy, which takes minutes, is `./dev lint`."""

import shutil
import subprocess

import pytest

from sources import CPP, REPO, files, lines, tracked

SUPPRESSIONS = REPO / "tests" / "tidy" / "cppcheck.txt"
FOLDERS = ["messages", "persistence", "actors", "http", "cluster"]


def passes(*command):
    if not shutil.which(command[0]):
        pytest.skip(f"{command[0]} is not installed")
    done = subprocess.run([*map(str, command)], cwd=REPO, capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def is_script(path):
    return (REPO / path).open("rb").read(64).startswith((b"#!/usr/bin/env bash", b"#!/bin/bash"))


def test_sources_are_formatted():
    passes("clang-format", "--dry-run", "-Werror", *files(*CPP))


def test_shell_scripts_pass_shellcheck():
    scripts = [path for path in tracked() if path.suffix in ("", ".sh") and is_script(path)]
    assert len(scripts) > 5
    passes("shellcheck", "-x", *scripts)


def test_sources_pass_cppcheck():
    passes("cppcheck", "--enable=warning,portability", "--std=c++20", "--language=c++", "-I", ".",
           "--quiet", "--error-exitcode=1", "--suppress=missingIncludeSystem",
           f"--suppressions-list={SUPPRESSIONS}", *FOLDERS)


def test_every_suppression_says_why():
    text = lines(SUPPRESSIONS.relative_to(REPO))
    for before, line in zip(text, text[1:]):
        assert line.startswith("//") or before.startswith("//"), line
