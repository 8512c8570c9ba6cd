"""Flipped bits in the headers of a database's pages: the audit sees what ends a server, and a
server that ends of it says why."""

import os
import re
import signal

import damage
import pytest
from damage import SEAL, seal
from rest import COFFEE
from support import NotReady, Server, skanu

PAGE = 4096
CRASHES = (-signal.SIGSEGV, -signal.SIGBUS, -signal.SIGABRT)
PHONE = "01012341234"


def stopped_server(folder, orders=3):
    return damage.stopped_server(folder, orders, PHONE)


def page_with(content, table, key):
    """The last page that holds a key's value with its checksum."""
    found, at = None, 0
    while (at := content.find(key, at)) >= 0:
        at += len(key)
        end = content.find(b"\x1e", at)
        if content[end : end + SEAL] == seal(table, key, content[at:end]):
            found = at // PAGE * PAGE
    return found


def flipped(content, at, bit):
    changed = bytearray(content)
    changed[at] ^= 1 << bit
    return bytes(changed)


def use(server):
    """Starts the server, reads and writes a little; its status and what its answers were."""
    try:
        server.start()
    except NotReady as refused:
        return refused.status, []
    answers = []
    try:
        with server.client() as client:
            for path in ("/orders", "/payments", "/orderTraces", f"/stamps/{PHONE}/entries"):
                answers.append((path, client.get(path).status))
            answers.append(("POST", client.post("/orders", COFFEE).status))
            answers.append(("GET", client.get("/orderTraces/1/events").status))
    except (OSError, EOFError):
        pass
    if server.running():
        server.send_signal(signal.SIGTERM)
    server.wait_dead()
    return server.process.returncode, answers


@pytest.mark.skipif(
    "asan" in os.environ.get("SKANU_BIN", ""), reason="the sanitizer reports crashes itself"
)
def test_a_damaged_page_ended_the_server_without_a_word(tmp_path):
    server = stopped_server(tmp_path)
    path = server.data / "lmdb" / "data.mdb"
    whole = path.read_bytes()
    page = page_with(whole, "order.entities", bytes(7) + b"\1")
    ends = set()
    for bit in (0, 2, 4):
        path.write_bytes(flipped(whole, page + 10, bit))
        audited = skanu("audit", "--data", server.data)
        before = len(server.stderr())
        status, _ = use(server)
        ends.add(status)
        if status not in CRASHES:
            continue
        said = re.findall(
            r"^time=.* level=critical event=crashed (.*)$", server.stderr()[before:], re.M
        )
        name = signal.Signals(-status).name
        assert said == [
            f'signal={name} database="{server.data}/lmdb" advice="run skanu audit --data'
            f' {server.data}; restore: see Restore in the README"'
        ]
        assert audited.returncode == 2 and "order.entities" in audited.stderr
    assert ends & set(CRASHES), f"no bit ended it: {ends}"


def places(content, each):
    """Bytes of page headers: of each page the flags, the bounds, and of the first entries."""
    for page in range(0, len(content), PAGE):
        if not any(content[page : page + PAGE]):
            continue
        for at in each:
            yield page + at


@pytest.mark.parametrize(
    "each",
    [(10, 12, 14), pytest.param((0, 8, 11, 13, 15, 16, 17, 18, 24, 40), marks=pytest.mark.slow)],
)
def test_the_audit_found_sound_what_no_server_could_start_with(tmp_path, each):
    server = stopped_server(tmp_path, orders=1)
    path = server.data / "lmdb" / "data.mdb"
    whole = path.read_bytes()
    lock = (server.data / "lmdb" / "lock.mdb").read_bytes()
    sqlite = (server.data / "delivery.sqlite3").read_bytes()
    wrong = []
    for at in places(whole, each):
        for bit in (0, 1, 2, 4):
            path.write_bytes(flipped(whole, at, bit))
            audited = skanu("audit", "--data", server.data)
            status, answers = 0, []
            if audited.returncode == 0:
                status, answers = use(server)
            if status != 0 or any(s >= 400 for _, s in answers):
                wrong.append((at // PAGE, at % PAGE, bit, status, answers))
            (server.data / "delivery.sqlite3").write_bytes(sqlite)
            for rest in server.data.glob("delivery.sqlite3-*"):
                rest.unlink()
            (server.data / "lmdb" / "lock.mdb").write_bytes(lock)
    assert not wrong, "\n".join(map(str, wrong))
