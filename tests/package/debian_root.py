"""A Debian 12 root as an archive, made by debootstrap once and kept in build/."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
ARCHIVE = REPO / "build" / "debian12.tar"


def run(*command, deadline_s=60, **more):
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, timeout=deadline_s,
        stdin=subprocess.DEVNULL, **more)
    assert done.returncode == 0, f"{command}: {done.stdout[-4000:]}{done.stderr[-4000:]}"
    return done.stdout


def debian_archive(scratch):
    """The archive's path. Skips the test where no root can be made here."""
    if os.geteuid() != 0:
        pytest.skip("only root may make and use a Debian root")
    if ARCHIVE.exists():
        return ARCHIVE
    if not shutil.which("debootstrap"):
        pytest.skip("debootstrap is not installed")
    done = subprocess.run(
        ["debootstrap", "--variant=minbase", "bookworm", scratch],
        capture_output=True, text=True, timeout=600)
    if "Failed getting release file" in done.stdout + done.stderr:
        pytest.skip("Debian's mirror cannot be reached")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    unfinished = ARCHIVE.with_suffix(".new")
    run("tar", "--numeric-owner", "-C", scratch, "-cf", unfinished, ".")
    unfinished.rename(ARCHIVE)
    return ARCHIVE
