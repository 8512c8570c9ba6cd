"""The Debian package: its form, its units, and its life in a fresh Debian 12 root.

`./dev test-package` builds the package first.
"""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time

import pytest
from debian_root import REPO, debian_archive, run

SOURCE = REPO / "cluster" / "deploy" / "debian"
UNITS = ("skanu.service", "skanu-backup.service")


@pytest.fixture(scope="module")
def package():
    found = list((REPO / "build" / "package").glob("skanu_*.deb"))
    assert len(found) == 1, "./dev package builds it"
    return found[0]


def needs(tool):
    return pytest.mark.skipif(not shutil.which(tool), reason=f"{tool} is not installed")


# ------------------------------------------------------------------------------------- the files


@needs("lintian")
def test_lintian_finds_no_error(package):
    run("lintian", "--fail-on", "error", package, deadline_s=120)


def test_the_package_has_what_it_says(package):
    listed = run("dpkg-deb", "--contents", package)
    for file in ("usr/bin/skanu", "usr/share/man/man1/skanu.1.gz", "etc/skanu/skanu.toml",
                 "usr/share/bash-completion/completions/skanu", "lib/systemd/system/skanu.service",
                 "lib/systemd/system/skanu-backup.timer", "usr/libexec/skanu/backup"):
        assert f" ./{file}\n" in listed, file
    assert run("dpkg-deb", "--info", package, "conffiles").strip() == "/etc/skanu/skanu.toml"
    assert re.search(r"^ Depends: .*libcaf-core", run("dpkg-deb", "--info", package), re.M)


@needs("systemd-analyze")
@pytest.mark.parametrize("unit", UNITS)
def test_systemd_finds_little_exposed(unit):
    run("systemd-analyze", "security", "--offline=true", "--threshold=20", SOURCE / unit)


@needs("systemd-analyze")
@pytest.mark.parametrize("unit", [*UNITS, "skanu-backup.timer"])
def test_systemd_understands_the_units(tmp_path, unit):
    """With a program that is there: the package is not installed on this machine."""
    for name in (*UNITS, "skanu-backup.timer"):
        text = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", (SOURCE / name).read_text(),
                      flags=re.M)
        (tmp_path / name).write_text(text)
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", tmp_path / unit],
                          capture_output=True, text=True, timeout=60)
    about_us = [line for line in done.stderr.splitlines() if "skanu" in line]
    assert (done.returncode, about_us) == (0, [])


@needs("systemd-analyze")
@pytest.mark.parametrize(
    "there, meets", [("lmdb", True), ("delivery.sqlite3", True), (None, False)])
def test_the_daily_copy_was_skipped_without_a_word_on_a_node_without_lmdb(tmp_path, there, meets):
    if there:
        (tmp_path / there).touch()
    unit = (SOURCE / "skanu-backup.service").read_text()
    lines = re.findall(r"^(?:Condition|Assert)\w+=.*$", unit, re.M)
    conditions = [line.replace("/var/lib/skanu", str(tmp_path)) for line in lines]
    assert conditions
    done = subprocess.run(["systemd-analyze", "condition", *conditions], capture_output=True,
                          text=True, timeout=20)
    assert (done.returncode == 0) == meets, done.stdout + done.stderr


# ------------------------------------------------------------------------ the program's own texts


@pytest.fixture(scope="module")
def texts(package, tmp_path_factory):
    folder = tmp_path_factory.mktemp("unpacked")
    run("dpkg-deb", "--extract", package, folder)
    return folder


def commands_of(program):
    listed = run(program, "--help").split("Subcommands:\n")[1]
    return re.findall(r"^  ([a-z-]+)", listed, re.M)


def options_of(program, command):
    text = run(program, command, "--help")
    return set(re.findall(r"^ +(?:-\w,)?(--[a-z-]+)", text, re.M))


@needs("man")
def test_the_manual_page_names_every_command_and_option(texts):
    page = texts / "usr/share/man/man1/skanu.1.gz"
    environment = {**os.environ, "MANWIDTH": "200", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(["man", "--warnings", "--local-file", page], env=environment,
                          capture_output=True, text=True, timeout=20)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    shown = done.stdout.replace("\N{HYPHEN}", "-").replace("\N{MINUS SIGN}", "-")
    for command in commands_of(texts / "usr/bin/skanu"):
        assert f"SKANU {command.upper()}" in shown
        for option in options_of(texts / "usr/bin/skanu", command):
            assert option in shown, option
    for inner, positional in (("EXPLAIN", "ORDER"), ("REPLAY", "ID"), ("DISCARD", "ID")):
        assert re.search(rf"SKANU ADMIN {inner}\n.*\n\s+{positional}\b", shown), inner
    assert "SKANU_HTTP" in shown


COMPLETE = """
source "$1"; shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_skanu
printf '%s\\n' "${COMPREPLY[@]}"
"""


def completed(texts, *words):
    file = texts / "usr/share/bash-completion/completions/skanu"
    return set(run("bash", "-uc", COMPLETE, "bash", file, *words).split())


def test_completion_knows_commands_and_options(texts):
    assert completed(texts, "skanu", "ser") == {"serve"}
    assert completed(texts, "skanu", "serve", "--log") == {
        "--log-file", "--log-format", "--log-level"}
    assert completed(texts, "skanu", "serve", "--") == options_of(texts / "usr/bin/skanu", "serve")
    assert {"dead-letters", "explain"} <= completed(texts, "skanu", "admin", "")
    assert completed(texts, "skanu", "serve", "--data", "/et") == {"/etc"}


# ----------------------------------------------------------------------------- in a root of its own


@pytest.fixture(scope="module")
def root(package, tmp_path_factory):
    """A fresh Debian 12 with the package, installed by apt with what it depends on."""
    archive = debian_archive(tmp_path_factory.mktemp("debootstrap"))
    folder = tmp_path_factory.mktemp("root")
    run("tar", "--numeric-owner", "-C", folder, "-xpf", archive)
    folder.chmod(0o755)  # a scratch folder is its owner's alone, and a root is everybody's
    shutil.copy("/etc/resolv.conf", folder / "etc/resolv.conf")
    shutil.copy(package, folder / "skanu.deb")
    for mount in (["--bind", "/proc", folder / "proc"], ["--bind", "/dev", folder / "dev"]):
        run("mount", *mount)
    try:
        apt = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-y"]
        run("chroot", folder, *apt, "update", deadline_s=180)
        run("chroot", folder, *apt, "install", "--no-install-recommends", "/skanu.deb",
            deadline_s=300)
        yield folder
        run("chroot", folder, "dpkg", "--purge", "skanu")
        assert not (folder / "etc/skanu/skanu.toml").exists()
        assert (folder / "var/lib/skanu/lmdb").exists(), "the data stays"
    finally:
        for name in ("proc", "dev"):
            run("umount", folder / name)


class Manager:
    """The service manager's part: the user, its folders, and the socket for messages."""

    UID = 64_500

    def __init__(self, root):
        self.root = root
        for name in ("skanu", "skanu-backup"):
            path = root / "var/lib" / name
            path.mkdir(mode=0o700, exist_ok=True)
            os.chown(path, self.UID, self.UID)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(root / "notify"))
        (root / "notify").chmod(0o777)
        self.socket.settimeout(30)

    def command(self, unit, **variables):
        text = (self.root / "lib/systemd/system" / unit).read_text()
        words = re.search(r"^ExecStart=(.*)$", text, re.M)[1].split()
        chroot = ["chroot", f"--userspec={self.UID}:{self.UID}", str(self.root)]
        return [*chroot, "env", "-i", "PATH=/usr/bin:/bin",
                *(f"{name}={value}" for name, value in variables.items()), *words]

    def expect(self, message):
        assert self.socket.recv(100).decode() == message


@pytest.fixture(scope="module")
def service(root):
    """The installed service, started by its unit's command."""
    manager = Manager(root)
    config = root / "etc/skanu/skanu.toml"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        manager.port = probe.getsockname()[1]
    config.write_text(config.read_text().replace(":8088", f":{manager.port}"))
    with open(root / "log", "wb") as log:
        process = subprocess.Popen(
            manager.command("skanu.service", NOTIFY_SOCKET="/notify"), stdout=log, stderr=log)
    try:
        manager.expect("READY=1")
        yield manager
        process.send_signal(signal.SIGTERM)
        manager.expect("STOPPING=1")
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()


def ask(service, method, path, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=20)
    connection.request(method, path, json.dumps(body) if body else None,
                       {"Content-Type": "application/json"})
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, text


def test_the_installed_service_serves_as_its_unit_starts_it(service):
    order = {"productId": 1, "productName": "Coffee", "qty": 2, "cost": 8000,
             "paymentType": "card"}
    assert ask(service, "POST", "/orders", order)[0] == 201
    assert ask(service, "GET", "/orders/1")[0] == 200
    assert ask(service, "GET", "/board")[0] == 200
    data = service.root / "var/lib/skanu"
    assert {path.stat().st_uid for path in data.rglob("*")} == {service.UID}
    said = run("chroot", service.root, "env", "SKANU_CONFIG=/etc/skanu/skanu.toml", "skanu",
               "admin", "--http", f"127.0.0.1:{service.port}", "explain", "1")
    assert json.loads(said)


def test_the_backup_keeps_the_newest_copies_and_removes_nothing_when_it_fails(service):
    copies = service.root / "var/lib/skanu-backup"
    command = service.command("skanu-backup.service", BACKUPS_KEPT=2)
    made = []
    for _ in range(3):
        run(*command)
        made.append(max(path.name for path in copies.iterdir()))
        while time.strftime("%Y-%m-%dT%H-%M-%SZ", time.gmtime()) == made[-1]:
            os.sched_yield()
    assert sorted(path.name for path in copies.iterdir()) == made[-2:]
    newest = copies / made[-1]
    there = f"/{newest.relative_to(service.root)}"
    said = run("chroot", service.root, "skanu", "audit", "--data", there)
    assert json.loads(said)["sound"]
    failed = subprocess.run([*command[:-2], "/nowhere", command[-1]], capture_output=True,
                            text=True, timeout=30)
    assert failed.returncode == 2
    assert sorted(path.name for path in copies.iterdir()) == made[-2:]


def test_the_backup_refuses_to_keep_no_copy(service):
    for number in ("0", "-1", "many"):
        command = service.command("skanu-backup.service", BACKUPS_KEPT=number)
        done = subprocess.run(command, capture_output=True, text=True, timeout=30)
        assert done.returncode == 2 and "BACKUPS_KEPT" in done.stderr


def test_the_timer_and_the_service_are_enabled_by_the_installation(root):
    wanted = root / "etc/systemd/system"
    assert (wanted / "multi-user.target.wants/skanu.service").is_symlink()
    assert (wanted / "timers.target.wants/skanu-backup.timer").is_symlink()
