"""A flipped bit in a row's key hides no row without a word, and lets nothing happen twice."""

import sqlite3

import damage
import pytest
from damage import SEAL, in_lmdb_row, seal
from rest import COFFEE, assert_problem, wait_until
from support import Server, skanu

PHONE = "01012341234"
ACCOUNT = int("1" + PHONE)


def key(number):
    return number.to_bytes(8, "big")


def flip_key(server, table, name, bit):
    """Flips a bit of a key in every page that holds the key's value with its checksum."""
    path = server.data / "lmdb" / "data.mdb"
    content, at, done = bytearray(path.read_bytes()), 0, 0
    while (at := content.find(name, at)) >= 0:
        begin, end = at + len(name), content.find(b"\x1e", at + len(name))
        if content[end : end + SEAL] == seal(table, name, bytes(content[begin:end])):
            content[at + bit // 8] ^= 1 << bit % 8
            done += 1
        at = begin
    assert done, f"{name} is not in {table}"
    path.write_bytes(content)


def stopped_server(folder, orders=7):
    return damage.stopped_server(folder, orders, PHONE)


def listed(client, path, name):
    """The items and the damaged ones of all pages of a list, by the links."""
    items, damaged, pages = [], [], 0
    while path and pages < 50:
        page = client.get(path).expect(200).json()
        items += page.get("_embedded", {}).get(name, [])
        damaged += page.get("damaged", [])
        path = page["_links"].get("next", {}).get("href")
        pages += 1
    assert pages < 50, "the links lead in a circle"
    return items, damaged


BITS = [0, 7, 6 * 8 + 7, 7 * 8, 7 * 8 + 3, 7 * 8 + 7]


@pytest.mark.parametrize("bit", [3, 8 * 7 + 1, *(9 * 8 + b for b in BITS)])
@pytest.mark.parametrize("size", [1, 3, 100])
def test_lines_of_a_ledger_were_missing_without_a_word(tmp_path, bit, size):
    server = stopped_server(tmp_path)
    flip_key(server, "stamp.rows", key(ACCOUNT) + b"l" + key(4), bit)
    with server:
        for sort in ("", "&sort=id,desc"):
            lines, damaged = listed(
                server.client(), f"/stamps/{PHONE}/entries?size={size}{sort}", "entries"
            )
            assert sorted(line["entry"] for line in lines) == [1, 2, 3, 5, 6, 7]
            assert damaged == [4]


@pytest.mark.parametrize("bit", [62, 8 * 8 + 7, 8 * 8 + 62, 8 * 8 + 56])
def test_events_of_a_history_were_missing_without_a_word(tmp_path, bit):
    server = stopped_server(tmp_path)
    with server:
        whole, _ = listed(server.client(), "/orderTraces/3/events", "events")
        server.stop()
    flip_key(server, "ordertrace.rows", key(3) + key(2), bit)
    with server:
        events, damaged = listed(server.client(), "/orderTraces/3/events?size=1", "events")
        assert events == whole[:1] + whole[2:]
        assert damaged == [2]


@pytest.mark.parametrize("bit", [0, 33, 57, 58, 63])
def test_a_document_under_a_damaged_key_was_said_to_have_never_been(tmp_path, bit):
    server = stopped_server(tmp_path)
    for service in ("order", "payment", "ordertrace"):
        flip_key(server, f"{service}.entities", key(4), bit)
    with server:
        client = server.client()
        for path in ("/orders", "/payments", "/orderTraces"):
            problem = assert_problem(client.get(f"{path}/4"), 503)
            assert problem["type"] == "/problems/damaged"
            for size in (1, 2, 100):
                items, damaged = listed(client, f"{path}?size={size}", path[1:])
                assert [item["id"] for item in items] == [1, 2, 3, 5, 6, 7]
                assert damaged == [4]
            for other in (1, 2, 3, 5, 6, 7):
                client.get(f"{path}/{other}").expect(200)
        by_status, damaged = listed(client, "/orders?status=Order%20complete&size=2", "orders")
        assert [o["id"] for o in by_status] == [1, 2, 3, 5, 6, 7]
        assert damaged == [4]
        assert_problem(client.get("/orders/8"), 404)
        assert_problem(client.delete("/orders/4"), 503)
        for _ in range(3):
            assert client.post("/orders", COFFEE).status in (201, 503)
        server.stop()
    with server:
        items, damaged = listed(server.client(), "/orders?size=2", "orders")
        assert [item["id"] for item in items][:6] == [1, 2, 3, 5, 6, 7]
        assert damaged == [4]
    audited = skanu("audit", "--data", server.data)
    assert audited.returncode == 1
    assert "order.entities: the value of 4, which stands under a damaged key" in audited.stdout


@pytest.mark.parametrize("bit", [3, 8 + 2, 8 + 58])
def test_an_order_was_missing_in_the_list_of_its_status(tmp_path, bit):
    server = stopped_server(tmp_path)
    flip_key(server, "order.status_index", b"\x01" + key(4), bit)
    with server:
        client = server.client()
        orders, damaged = listed(client, "/orders?status=Order%20complete&size=2", "orders")
        assert [o["id"] for o in orders] == [1, 2, 3, 5, 6, 7]
        assert damaged == [4]
        client.get("/orders/4").expect(200)


@pytest.mark.parametrize("bit", [8 * 9 + 58, 8 * 17 + 2, 8 * 8 + 1])
def test_a_payment_earned_stamps_twice_where_the_row_of_its_first_time_was_hidden(tmp_path, bit):
    server = stopped_server(tmp_path)
    flip_key(server, "stamp.rows", key(ACCOUNT) + b"k" + key(7) + b"e", bit)
    in_lmdb_row(server.data, "position:stamp-follows-payment", b"14", b"13")
    with server:
        client = server.operator()
        letters = wait_until(
            lambda: client.get("/admin/deadLetters").expect(200).json()["_embedded"]["deadLetters"],
            "a dead letter",
        )
        assert [letter["offset"] for letter in letters] == [14]
        assert letters[0]["reason"].startswith("damaged: ")
        assert client.get(f"/stamps/{PHONE}").expect(200).json()["stampQty"] == 7


@pytest.mark.parametrize("bit", [1, 8 * 3 + 4])
def test_a_position_under_a_damaged_key_refuses_the_start(tmp_path, bit):
    server = stopped_server(tmp_path, orders=1)
    flip_key(server, "stamp.meta", b"position:stamp-follows-payment", bit)
    refused = skanu("serve", "--http", "127.0.0.1:0", "--data", server.data, "--log-level", "off")
    assert refused.returncode == 2, "its consumer began at the log's start"
    assert "position:stamp-follows-payment" in refused.stderr


def test_a_delivery_under_a_damaged_key_was_said_to_have_never_been(tmp_path):
    server = stopped_server(tmp_path)
    path = server.data / "delivery.sqlite3"
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content, at, done = bytearray(path.read_bytes()), 0, 0
    while (at := content.find(key(4) + b"{", at)) >= 0:
        end = content.find(b"\x1e", at)
        document = bytes(content[at + 8 : end])
        if content[end : end + SEAL] == seal("delivery.entities", key(4), document):
            content[at + 4] ^= 1
            done += 1
        at += 1
    assert done
    path.write_bytes(content)
    with server:
        client = server.client()
        assert assert_problem(client.get("/deliveries/4"), 503)["type"] == "/problems/damaged"
        deliveries, damaged = listed(client, "/deliveries?size=2", "deliveries")
        assert [d["id"] for d in deliveries] == [1, 2, 3, 5, 6, 7]
        assert damaged == [4]


@pytest.mark.parametrize(("bit", "passed_over"), [(1, 0), (60, 16)])
def test_the_last_event_under_a_damaged_key_lets_the_log_go_on(tmp_path, bit, passed_over):
    """The log goes on behind a damaged key that is a little further on."""
    server = stopped_server(tmp_path)
    shown = skanu("events", "--data", server.data, "--service", "payment").stdout.splitlines()
    flip_key(server, "payment.log", key(len(shown)), bit)
    with server:
        shop = server.shop()
        shop.wait_consistent(shop.paid_order(phone=PHONE))
        server.stop()
    again = skanu("events", "--data", server.data, "--service", "payment")
    assert again.returncode == 1
    lines = again.stdout.splitlines()
    assert lines[: len(shown) - 1] == shown[:-1]
    for offset in range(len(shown), len(shown) + 1 + passed_over):
        assert lines[offset - 1] == '{"service":"payment","offset":%d,"damaged":true}' % offset
    assert len(lines) == len(shown) + passed_over + 2
