"""The Debian package's daily copy: the script that its unit runs."""

import os
import re
import subprocess
import time

import pytest
from damage import in_lmdb, stopped_server
from rest import TIME_SCALE, wait_until
from support import BINARY, REPO, audit, clean_environment

SCRIPT = REPO / "cluster" / "deploy" / "debian" / "backup"
SOUND = r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ"
UNSOUND = SOUND + "-unsound"


class Daily:
    """The script's runs on a data directory, each in a second of its own: names are times."""

    def __init__(self, folder, data):
        self.data, self.copies = data, folder / "copies"
        self.copies.mkdir()
        programs = folder / "bin"
        programs.mkdir()
        (programs / "skanu").symlink_to(BINARY)
        self.path = f"{programs}:{os.environ['PATH']}"

    def run(self, *words, kept=14):
        second = time.time() // 1
        env = clean_environment({"PATH": self.path, "BACKUPS_KEPT": str(kept)})
        done = subprocess.run([SCRIPT, *(words or (self.data, self.copies))], env=env,
                              capture_output=True, text=True, timeout=60 * TIME_SCALE)
        wait_until(lambda: time.time() // 1 > second, "the next second")
        return done

    def names(self, form=".*"):
        return sorted(path.name for path in self.copies.iterdir() if re.fullmatch(form, path.name))


@pytest.fixture
def server(tmp_path):
    return stopped_server(tmp_path, orders=2, phone="010-1234-1234")


@pytest.fixture
def daily(tmp_path, server):
    return Daily(tmp_path, server.data)


def test_a_copy_of_damaged_data_was_thrown_away_and_the_day_had_none(server, daily):
    assert daily.run().returncode == 0
    [sound] = daily.names()
    in_lmdb(server.data, "payment", '"id":2,', '"schema":1', '"schema":9')
    for _ in range(3):
        assert daily.run(kept=2).returncode == 1
    assert daily.names(SOUND) == [sound], "no sound copy goes for unsound ones"
    assert len(daily.names(UNSOUND)) == 2, "and these are bounded, too"
    assert len(daily.names()) == 3
    assert audit(daily.copies / daily.names(UNSOUND)[-1])[0] == 1


def test_a_copy_that_was_killed_stayed_for_ever(daily):
    for name in ("unfinished", "unfinished.unfinished-1284"):
        (daily.copies / name).mkdir()
        (daily.copies / name / "file").write_text("a copy's part")
    assert daily.run().returncode == 0
    assert daily.names(SOUND) == daily.names()


def test_the_newest_copies_are_kept(daily):
    made = []
    for _ in range(3):
        assert daily.run(kept=2).returncode == 0
        made.append(daily.names()[-1])
    assert daily.names() == made[-2:]


def test_no_copy_removes_none(tmp_path, daily):
    assert daily.run().returncode == 0
    made = daily.names()
    failed = daily.run(tmp_path / "nowhere", daily.copies, kept=1)
    assert failed.returncode == 2 and "nowhere" in failed.stderr
    assert daily.names() == made


def test_help_is_given_and_wrong_words_are_refused(daily):
    for word in ("-h", "--help"):
        done = daily.run(word)
        assert (done.returncode, done.stderr) == (0, "") and "BACKUPS_KEPT" in done.stdout
    for words in (["one"], ["one", "two", "three"], [""]):
        done = daily.run(*words)
        assert (done.returncode, done.stdout) == (2, "") and "usage" in done.stderr
    for number in ("0", "-1", "many"):
        done = daily.run(kept=number)
        assert done.returncode == 2 and "BACKUPS_KEPT" in done.stderr
    assert daily.names() == []
