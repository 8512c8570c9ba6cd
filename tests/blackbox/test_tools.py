"""audit, events and backup, also beside a running server."""

import contextlib
import json
import shutil
import signal
import sqlite3
import subprocess
import threading

import pytest
from rest import DEADLINE_S, END, PREPARE, READY, TIMESTAMP, Shop, fresh_phone, wait_until
from support import BINARY, Server, assert_sound, audit, clean_environment, events, skanu

SERVICES = ["order", "payment", "delivery", "stamp"]


@pytest.fixture(scope="module")
def used(tmp_path_factory):
    """A stopped data directory with a few orders at every stage."""
    with Server(tmp_path_factory.mktemp("tools") / "data") as server:
        shop, phone = Shop(server.client()), fresh_phone()
        shop.place()
        shop.delivered_order(phone)
        shop.deliver(shop.paid_order(phone), until=READY)
        cancelled = shop.deliver(shop.paid_order(phone), until=PREPARE)
        shop.cancel_order(cancelled)
        shop.wait_delivery(cancelled, "CANCEL")
        shop.wait_stamps(phone, 2)
    return server.data


# ------------------------------------------------------------------------------------------ audit


def test_a_sound_directory_gives_0_and_json(used):
    status, report = audit(used)
    assert status == 0 and isinstance(report, dict)
    assert {"lag", "pending"} <= set(report)


def test_a_folder_of_data_directories_is_audited(tmp_path, used):
    shutil.copytree(used, tmp_path / "folder" / "node")
    status, _ = audit(tmp_path / "folder")
    assert status == 0


def test_what_audit_cannot_look_at_gives_2_and_one_line(tmp_path, used):
    (tmp_path / "file").write_text("x")
    (tmp_path / "empty").mkdir()
    foreign = tmp_path / "foreign"
    shutil.copytree(used, foreign)
    (foreign / "lmdb" / "data.mdb").write_bytes(b"not a database " * 1000)
    for path in ("missing", "file", "empty", "foreign"):
        done = skanu("audit", "--data", tmp_path / path)
        assert done.returncode == 2, (path, done)
        assert len(done.stderr.strip().splitlines()) == 1, done.stderr


def test_audit_is_sound_beside_a_running_server_under_load(shared_server, phone):
    stop, errors = threading.Event(), []

    def load():
        try:
            with shared_server.client() as client:
                shop = Shop(client)
                while not stop.is_set():
                    order_id = shop.paid_order(phone)
                    shop.cancel_order(order_id)
        except BaseException as error:  # shown by the assertion below
            errors.append(error)

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(10):
            assert_sound(shared_server.data)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert errors == []


def columns_with(text, database):
    """(table, column) of every column that holds `text` somewhere."""
    tables = database.execute("select name from sqlite_master where type = 'table'").fetchall()
    for (table,) in tables:
        for column in [row[1] for row in database.execute(f'pragma table_info("{table}")')]:
            query = f'select count(*) from "{table}" where instr("{column}", ?)'
            if database.execute(query, (text,)).fetchone()[0]:
                yield table, column


def test_a_state_that_is_not_what_its_events_say_gives_1(tmp_path, used):
    with contextlib.closing(sqlite3.connect(used / "delivery.sqlite3")) as database:
        places = list(columns_with('"READY"', database))
    assert places, "no delivery at READY in the database"
    statuses = {}
    for number, (table, column) in enumerate(places):
        copy = tmp_path / f"broken{number}"
        shutil.copytree(used, copy)
        with contextlib.closing(sqlite3.connect(copy / "delivery.sqlite3")) as database:
            database.execute(
                f'update "{table}" set "{column}" = replace("{column}", ?, ?)',
                ('"READY"', '"START"'),
            )
            database.commit()
        statuses[table], report = audit(copy)
        assert (statuses[table] == 1) == (report["violations"] != []), report
    assert set(statuses.values()) <= {0, 1} and 1 in statuses.values(), statuses


def test_a_lost_delivery_database_gives_1(tmp_path, used):
    """The trace has seen deliveries missing from the database."""
    broken = tmp_path / "broken"
    shutil.copytree(used, broken)
    fresh = Server(tmp_path / "fresh").start().stop()
    for path in broken.glob("delivery.sqlite3*"):
        path.unlink()
    shutil.copy(fresh.data / "delivery.sqlite3", broken / "delivery.sqlite3")
    assert audit(broken)[0] == 1


# ----------------------------------------------------------------------------------------- events


def test_events_are_json_lines_with_service_offset_type_and_time(used):
    lines = skanu("events", "--data", used).stdout.splitlines()
    assert lines
    for line in lines:
        event = json.loads(line)
        assert event["service"] in [*SERVICES, "ordertrace"]
        assert isinstance(event["offset"], int) and isinstance(event["eventType"], str)
        assert TIMESTAMP.match(event["timestamp"]), event


@pytest.mark.parametrize(
    "service, kinds",
    [
        ("order", {"Ordered", "OrderCancelled"}),
        ("payment", {"PaymentRequested", "Paid", "PayCancelled"}),
        (
            "delivery",
            {
                "DeliveryPrepared",
                "DeliveryReady",
                "DeliveryStarted",
                "Delivered",
                "DeliveryCancelled",
            },
        ),
        ("stamp", {"StampsEarned", "StampsDeducted"}),
    ],
)
def test_events_of_one_service_have_offsets_without_a_gap(used, service, kinds):
    chosen = events(used, "--service", service)
    assert {event["service"] for event in chosen} == {service}
    assert kinds <= {event["eventType"] for event in chosen}
    offsets = [event["offset"] for event in chosen]
    assert offsets == list(range(offsets[0], offsets[0] + len(offsets)))
    assert chosen == [event for event in events(used) if event["service"] == service]


def test_events_carry_the_originals_fields(used):
    shown = {event["eventType"]: event for event in events(used)}
    item = {"id", "productId", "productName", "qty"}
    assert item | {"cost", "paymentType", "orderStatus"} <= set(shown["Ordered"])
    assert item | {"cost", "paymentType", "orderStatus"} <= set(shown["OrderCancelled"])
    assert item | {"orderId", "cost", "paymentType", "paymentStatus", "phoneNumber"} <= set(
        shown["Paid"]
    )
    assert item | {"orderId", "cost", "paymentStatus", "refunded"} <= set(shown["PayCancelled"])
    assert item | {"orderId", "paymentId", "deliveryStatus"} <= set(shown["Delivered"])
    assert item | {"orderId", "paymentId", "deliveryStatus"} <= set(shown["DeliveryCancelled"])


def test_events_start_at_from(used):
    chosen = events(used, "--service", "payment")
    start = chosen[2]["offset"]
    assert events(used, "--service", "payment", "--from", start) == chosen[2:]
    assert events(used, "--service", "payment", "--from", chosen[-1]["offset"] + 1) == []


def test_events_of_no_data_directory_give_2(tmp_path):
    assert skanu("events", "--data", tmp_path / "missing").returncode == 2


def test_events_follow_a_running_server(shared_server, shop):
    start = shared_server.events("--service", "order")[-1:]
    after = str(start[0]["offset"] + 1) if start else "1"
    follower = subprocess.Popen(
        [
            str(BINARY),
            "events",
            "--data",
            str(shared_server.data),
            "--service",
            "order",
            "--from",
            after,
            "--follow",
        ],
        stdout=subprocess.PIPE,
        env=clean_environment(),
    )
    watchdog = threading.Timer(DEADLINE_S, follower.kill)
    watchdog.start()
    try:
        for _ in range(3):
            order_id, event = shop.place(), {}
            while event.get("id") != order_id:
                line = follower.stdout.readline()
                assert line, "it ended, or the event did not come in time"
                event = json.loads(line)
            assert event["eventType"] == "Ordered"
        assert follower.poll() is None, "it goes on"
    finally:
        watchdog.cancel()
        follower.kill()
        follower.wait()
        follower.stdout.close()


# ----------------------------------------------------------------------------------------- backup


def test_a_backup_beside_a_running_server_is_consistent_and_serves(serve, tmp_path, phone):
    server = serve()
    shop, stop, acknowledged = server.shop(), threading.Event(), []
    before = [shop.paid_order(phone) for _ in range(20)]

    def load():
        with server.client() as client:
            while not stop.is_set():
                acknowledged.append(Shop(client).paid_order(phone))

    threads = [threading.Thread(target=load) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        wait_until(lambda: len(acknowledged) > 20, "there is load")
        sure = before + acknowledged[:]
        done = skanu("backup", "--data", server.data, "--to", tmp_path / "copy")
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert done.returncode == 0, done.stderr
    assert_sound(tmp_path / "copy")
    with Server(tmp_path / "copy") as copy:
        copied = Shop(copy.client())
        for order_id in sure:
            assert copied.payment(order_id)["paymentStatus"] == END
            copied.wait_delivery(order_id, PREPARE)
        copied.place()
    assert_sound(tmp_path / "copy")


def test_a_backup_of_a_stopped_directory_equals_it(tmp_path, used):
    assert skanu("backup", "--data", used, "--to", tmp_path / "copy").returncode == 0
    assert events(tmp_path / "copy") == events(used)


def test_a_backup_is_its_owners_alone(tmp_path, used):
    assert skanu("backup", "--data", used, "--to", tmp_path / "copy").returncode == 0
    for path in (tmp_path / "copy", *(tmp_path / "copy").rglob("*")):
        assert not path.stat().st_mode & 0o077, path


def test_a_backup_of_nothing_gives_2(tmp_path):
    done = skanu("backup", "--data", tmp_path / "missing", "--to", tmp_path / "copy")
    assert done.returncode == 2 and len(done.stderr.strip().splitlines()) == 1


def test_a_backup_never_writes_over_what_is_there(tmp_path, used):
    other = tmp_path / "other"
    shutil.copytree(used, other)
    before = events(other)
    assert skanu("backup", "--data", used, "--to", other).returncode == 2
    assert events(other) == before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_an_interrupted_backup_left_its_unfinished_copy_behind(tmp_path, number):
    data, to = tmp_path / "data", tmp_path / "copies" / "copy"
    Server(data).start().stop()
    with contextlib.closing(sqlite3.connect(data / "delivery.sqlite3")) as large:
        large.execute("CREATE TABLE filler (bytes BLOB)")
        large.executemany("INSERT INTO filler VALUES (zeroblob(1000000))", [()] * 60)
        large.commit()
    backup = subprocess.Popen(
        [str(BINARY), "backup", "--data", str(data), "--to", str(to)],
        stdin=subprocess.DEVNULL,
        env=clean_environment(),
    )
    wait_until(lambda: to.parent.exists() or backup.poll() is not None, "it copies")
    backup.send_signal(number)
    assert backup.wait(DEADLINE_S) in (0, 128 + number)
    assert [path.name for path in to.parent.iterdir()] in ([], ["copy"])
