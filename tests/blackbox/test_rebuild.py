"""skanu rebuild: indexes and counts that do not fit are made from the documents."""

import json

from damage import in_lmdb_row
from rest import READY, fresh_phone
from support import Server, assert_sound, audit, skanu
from test_audit_breaks import in_sqlite, key


def rebuild(data):
    """The exit status, and what was changed, by service."""
    done = skanu("rebuild", "--data", data)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return done, {line.pop("service"): line for line in lines}


def orders_in(data):
    """Three orders, of which one is ready to be taken away; its id."""
    with Server(data) as server:
        shop, phone = server.shop(), fresh_phone()
        ready = shop.deliver(shop.paid_order(phone), until=READY)
        shop.wait_stamps(phone, 1)
        shop.wait_consistent(ready, shop.place(), shop.place())
    return ready


def deliveries(server, status):
    page = server.client().get(f"/deliveries?status={status}").expect(200).json()
    return [delivery["id"] for delivery in page["_embedded"]["deliveries"]]


def test_a_broken_index_is_found_and_rebuilt(tmp_path):
    data = tmp_path / "data"
    ready = orders_in(data)
    assert_sound(data)
    other_status = (
        "update 'delivery.status_index' "
        "set key = ?1, value = sealed('delivery.status_index', ?1, '') where key = ?2"
    )
    in_sqlite(data, other_status, b"\3" + key(ready), b"\2" + key(ready))
    in_lmdb_row(data, "count:1", b"3", b"7")
    status, report = audit(data)
    assert status == 1
    assert {(v["invariant"], v["service"]) for v in report["violations"]} == {
        (2, "delivery"),
        (2, "order"),
    }

    done, changed = rebuild(data)
    assert done.returncode == 0 and done.stderr == "", done
    assert set(changed) == {"order", "payment", "delivery", "stamp", "ordertrace"}
    nothing = {"moved": 0, "indexAdded": 0, "indexRemoved": 0, "countsChanged": 0, "unreadable": 0}
    assert changed["delivery"] == nothing | {"documents": 1, "indexAdded": 1, "indexRemoved": 1}
    assert changed["order"] == nothing | {"documents": 3, "countsChanged": 1}
    assert changed["stamp"] == nothing | {"documents": 1}
    assert_sound(data)
    with Server(data) as server:
        assert deliveries(server, "READY") == [ready]
        assert deliveries(server, "START") == []


def test_a_directory_that_is_served_is_left_alone(tmp_path):
    with Server(tmp_path / "data") as server:
        done, changed = rebuild(server.data)
        assert done.returncode == 2 and not changed
        assert "held by another server" in done.stderr
        server.shop().place()


def test_there_must_be_something_to_rebuild(tmp_path):
    done, changed = rebuild(tmp_path / "missing")
    assert done.returncode == 2 and not changed
    assert "no database" in done.stderr
    assert not (tmp_path / "missing").exists(), "it makes nothing"


def test_documents_that_cannot_be_read_keep_their_entries(tmp_path):
    data = tmp_path / "data"
    ready = orders_in(data)
    in_sqlite(data, "update 'delivery.entities' set value = 'x' where key = ?", key(ready))
    done, changed = rebuild(data)
    assert done.returncode == 2
    assert f"cannot be read, and keep the entries that they have: delivery {ready}\n" in done.stderr
    assert changed["delivery"]["unreadable"] == 1
    assert changed["delivery"]["indexRemoved"] == 0
