"""Damaged values are never shown, the rest goes on, and the audit sees every flipped bit."""

import json
import random
import re
import subprocess

import pytest
from damage import SEAL, in_lmdb_row, seal
from rest import COFFEE, DEADLINE_S, assert_problem, wait_until
from support import BINARY, Server, clean_environment, skanu

PAGE = 4096
WHEN_TAKEN = re.compile(rb"20\d\d-[0-9:T.-]+Z\x1e[0-9a-f]{8}")
"""What a copy says of itself: the only thing in which two copies of equal contents differ."""
TABLES = [
    f"{service}.{kind}"
    for service in ("order", "payment", "stamp", "ordertrace")
    for kind in ("entities", "tombstones", "log", "rows", "meta", "operations")
]


def stopped_server(folder, orders=4):
    with Server(folder / "data") as server:
        shop = server.shop()
        for _ in range(orders):
            shop.wait_consistent(shop.paid_order())
        server.stop()
    return server


def lmdb_file(server):
    return server.data / "lmdb" / "data.mdb"


def flip(path, at, bit):
    with path.open("r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 1 << bit]))


def damage(server, table, key):
    """Flips a bit in every copy of the value of a key that carries its checksum."""
    content, at, done = lmdb_file(server).read_bytes(), 0, 0
    while (at := content.find(key, at)) >= 0:
        at += len(key)
        end = content.find(b"\x1e", at)
        if content[end : end + SEAL] == seal(table, key, content[at:end]):
            flip(lmdb_file(server), at + (end - at) // 2, 1)
            done += 1
    assert done, f"{key} is not in {table}"


def key(number):
    return number.to_bytes(8, "big")


def test_a_damaged_order_was_shown_as_if_nothing_had_happened(tmp_path):
    server = stopped_server(tmp_path)
    damage(server, "order.entities", key(2))
    with server:
        client = server.client()
        assert assert_problem(client.get("/orders/2"), 503)["type"] == "/problems/damaged"
        assert assert_problem(client.delete("/orders/2"), 503)["type"] == "/problems/damaged"
        page = client.get("/orders").expect(200).json()
        assert [o["id"] for o in page["_embedded"]["orders"]] == [1, 3, 4]
        assert page["damaged"] == [2]
        assert page["page"]["totalElements"] == 4
        client.get("/orders/1").expect(200)
        client.get("/payments/2").expect(200)
        shop = server.shop()
        shop.wait_consistent(shop.paid_order())
        assert client.get("/actuator/health").expect(200).json()["status"] == "UP"
        metrics = client.get("/actuator/prometheus").expect(200).body.decode()
        server.stop()
        assert re.search("event=damaged service=order id=2$", server.stderr(), re.M)
        assert "table order.entities is damaged" in server.stderr()
        assert int(re.search(r"^skanu_store_damaged_values_total (\d+)", metrics, re.M)[1]) > 0
    audited = skanu("audit", "--data", server.data)
    assert audited.returncode == 1
    assert "order.entities: the value of 2 is damaged" in audited.stdout
    copied = skanu("backup", "--data", server.data, "--to", tmp_path / "copy")
    assert copied.returncode == 1, "the damage went into the copy without a word"
    assert copied.stderr.count("\n") == 1 and " 1 damaged value" in copied.stderr


@pytest.mark.parametrize(
    ("service", "row"),
    [
        ("order", "ids.reserved"),
        ("payment", "log.timelines"),
        ("stamp", "position:stamp-follows-payment"),
        ("stamp", "timelines:stamp-follows-payment"),
        ("order", "directory.id"),
        ("order", "directory.services"),
    ],
)
def test_a_damaged_row_that_a_start_begins_with_refuses_it(tmp_path, service, row):
    server = stopped_server(tmp_path, orders=1)
    damage(server, f"{service}.meta", row.encode())
    done = skanu("serve", "--http", "127.0.0.1:0", "--data", server.data, "--log-level", "off")
    assert (done.returncode, done.stdout) == (2, ""), done
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert f"table {service}.meta is damaged" in done.stderr and row in done.stderr


def test_a_damaged_event_is_set_aside_where_it_would_be_skipped_in_silence(tmp_path):
    server = stopped_server(tmp_path)
    shown = skanu("events", "--data", server.data, "--service", "payment").stdout
    events = [line for line in shown.split("\n") if '"Paid"' in line]
    offset = int(re.search(r'"offset":(\d+)', events[-1])[1])
    damage(server, "payment.log", key(offset))
    printed = skanu("events", "--data", server.data, "--service", "payment")
    assert printed.returncode == 1, "it printed a damaged event as if nothing were wrong"
    shown = printed.stdout
    assert f'{{"service":"payment","offset":{offset},"damaged":true}}' in shown
    last = len(shown.splitlines())
    in_lmdb_row(server.data, "position:stamp-follows-payment", b"%d" % last, b"1" * len(str(last)))
    with server:
        client = server.operator()
        letters = wait_until(
            lambda: client.get("/admin/deadLetters").expect(200).json()["_embedded"]["deadLetters"],
            "a dead letter",
        )
        assert [letter["offset"] for letter in letters] == [offset]
        assert letters[0]["reason"].startswith("damaged: ")
        shop = server.shop()
        shop.wait_consistent(shop.paid_order())


def misplace(server, table, old, new):
    """Gives a value another key, in every copy of it that carries its checksum."""
    content, at, done = bytearray(lmdb_file(server).read_bytes()), 0, 0
    while (at := content.find(key(old), at)) >= 0:
        begin, end = at + 8, content.find(b"\x1e", at + 8)
        if content[end : end + SEAL] == seal(table, key(old), bytes(content[begin:end])):
            content[at:begin] = key(new)
            done += 1
        at = begin
    assert done, f"{old} is not in {table}"
    lmdb_file(server).write_bytes(content)


@pytest.mark.parametrize("offset", [2, 2**40])
def test_events_around_an_offset_out_of_order_are_printed_and_the_hole_is_named(tmp_path, offset):
    server = stopped_server(tmp_path)
    whole = skanu("events", "--data", server.data, "--service", "payment").stdout.splitlines()
    misplace(server, "payment.log", 5, offset)
    done = skanu("events", "--data", server.data, "--service", "payment")
    assert (done.returncode, done.stderr) == (1, "")
    whole[4] = '{"service":"payment","offset":5,"damaged":true}'
    assert done.stdout.splitlines() == whole


def test_events_were_printed_for_ever_where_the_last_of_a_thousand_leads_back(tmp_path):
    with Server(tmp_path / "data") as server, server.client() as client:
        for _ in range(1_001):
            client.post("/orders", COFFEE).expect(201)
    misplace(server, "order.log", 1_000, 0)
    printed = tmp_path / "printed"
    with printed.open("wb") as file:
        done = subprocess.run(
            ["prlimit", "--fsize=5000000", BINARY, "events", "--data", server.data]
            + ["--service", "order"],
            stdout=file,
            stderr=subprocess.PIPE,
            env=clean_environment(),
            timeout=4 * DEADLINE_S,
        )
    assert (done.returncode, done.stderr) == (1, b"")
    lines = [json.loads(line) for line in printed.read_bytes().splitlines()]
    assert [line["offset"] for line in lines] == list(range(1, 1_002))
    assert [line["offset"] for line in lines if "damaged" in line] == [1_000]


def live_pages(content):
    """Where pages begin that hold a value with its checksum."""
    found = set()
    for match in re.finditer(rb"\x1e[0-9a-f]{8}", content):
        found.add(match.start() // PAGE * PAGE)
    return sorted(found)


@pytest.mark.slow
def test_fourteen_of_288_flipped_bits_in_live_data_went_unseen(tmp_path):
    server = stopped_server(tmp_path, orders=12)
    path = lmdb_file(server)

    def copied(name):
        assert skanu("backup", "--data", server.data, "--to", tmp_path / name).returncode == 0
        copy = (tmp_path / name / "lmdb" / "data.mdb").read_bytes()
        return WHEN_TAKEN.sub(b"", copy)

    whole = copied("whole")
    assert copied("again") == whole, "equal contents have equal copies"
    pages = live_pages(path.read_bytes())
    assert len(pages) > 10
    choose, seen, harmless, unseen = random.Random(20261130), 0, 0, []
    for i in range(288):
        at, bit = choose.choice(pages) + choose.randrange(PAGE), choose.randrange(8)
        flip(path, at, bit)
        audited = skanu("audit", "--data", server.data)
        if audited.returncode == 0:
            if copied(f"copy-{i}") == whole:
                harmless += 1
            else:
                unseen.append((at, bit))
        else:
            assert audited.returncode in (1, 2), (at, bit, audited)
            if audited.returncode == 2:
                assert len(audited.stderr.splitlines()) == 1, (at, bit, audited.stderr)
            seen += 1
        flip(path, at, bit)
    assert not unseen, unseen
    assert seen > 50, (seen, harmless)
    assert skanu("audit", "--data", server.data).returncode == 0


def test_a_page_that_cannot_be_one_ended_the_audit_by_a_signal_or_never(tmp_path):
    server = stopped_server(tmp_path)
    path = lmdb_file(server)
    whole = path.read_bytes()
    ends = set()
    for page in live_pages(whole):
        path.write_bytes(whole[: page + 10] + b"\xff" * 6 + whole[page + 16 :])
        audited = skanu("audit", "--data", server.data)
        ends.add(audited.returncode)
        if audited.returncode == 2:
            assert len(audited.stderr.splitlines()) == 1, audited.stderr
            assert audited.stdout == ""
    assert ends <= {0, 1, 2} and 2 in ends, ends


def test_a_deep_audit_says_how_much_has_no_checksum(tmp_path):
    server = stopped_server(tmp_path)
    plain, deep = (skanu("audit", "--data", server.data, *o) for o in ([], ["--deep"]))
    assert "withoutChecksum" not in plain.stdout
    assert '"withoutChecksum": {}' in deep.stdout
    assert deep.returncode == 0
