"""The version and the commit that the program says, as cmake/Version.cmake finds them."""

import os
import re
import shutil
import subprocess
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]


def sources(folder):
    folder.mkdir(parents=True)
    (folder / "VERSION").write_text("1.2.3\n")
    return folder


def commit_of(source, **variables):
    env = {name: value for name, value in os.environ.items() if name != "SKANU_COMMIT"}
    output = source / "version.cpp"
    done = subprocess.run(
        ["cmake", f"-DSOURCE={source}", f"-DOUTPUT={output}", "-P", REPO / "cmake/Version.cmake"],
        env={**env, **variables}, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, ""), "a newcomer's first lines were a warning"
    said = output.read_text()
    assert 'program_version = "1.2.3"' in said
    return re.search(r'program_commit = "(.*)"', said)[1]


def git(folder, *words):
    who = ["-c", "user.name=n", "-c", "user.email=n@n.example", "-c", "safe.directory=*"]
    done = subprocess.run(["git", *who, *words], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_every_image_called_its_commit_unknown(tmp_path):
    source = sources(tmp_path / "source")
    assert commit_of(source) == "unknown"
    assert commit_of(source, SKANU_COMMIT="0123456789ab") == "0123456789ab"
    assert commit_of(source, SKANU_COMMIT="") == "unknown"
    dockerfile = (REPO / "cluster" / "deploy" / "Dockerfile").read_text()
    assert re.search(r"^ARG COMMIT\b.*\nRUN SKANU_COMMIT=\$COMMIT\b", dockerfile, re.M)


def test_sources_within_another_repository_took_its_commit(tmp_path):
    git(sources(tmp_path / "outer"), "init", "-q")
    git(tmp_path / "outer", "commit", "-q", "--allow-empty", "-m", "another's")
    inner = sources(tmp_path / "outer" / "inner")
    assert commit_of(inner) == "unknown"
    outer = commit_of(tmp_path / "outer", SKANU_COMMIT="another")
    assert outer.startswith(git(tmp_path / "outer", "rev-parse", "HEAD")[:12])
    shutil.rmtree(tmp_path / "outer" / ".git")
    assert commit_of(tmp_path / "outer", SKANU_COMMIT="another") == "another"
