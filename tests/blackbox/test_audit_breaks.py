"""audit, events and backup on the real program's data: with deliberate damage, and under load."""

import json
import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import threading
import time

import pytest
from damage import SEAL, in_lmdb, in_lmdb_row, seal
from rest import (
    COFFEE,
    DEADLINE_S,
    END,
    PREPARE,
    READY,
    SERVER_GONE,
    Shop,
    fresh_phone,
    wait_until,
)
from support import BINARY, Server, assert_sound, audit, clean_environment, events, skanu

LOAD_S = 5


class Used:
    """A stopped data directory: an order at every stage, by name."""

    def __init__(self, data):
        self.data, self.phone = data, fresh_phone()
        with Server(data) as server:
            shop = Shop(server.client())
            self.placed = shop.place()
            self.ready = shop.deliver(shop.paid_order(self.phone), until=READY)
            self.delivered = shop.delivered_order(self.phone)
            self.cancelled = shop.paid_order(self.phone)
            # A cancel that overtakes the payment leaves a hidden tombstone,
            # and no delivery to wait for.
            shop.wait_delivery(self.cancelled, PREPARE)
            shop.cancel_order(self.cancelled)
            shop.wait_delivery(self.cancelled, "CANCEL")
            shop.wait_stamps(self.phone, 2)
            for order_id in (self.placed, self.ready, self.delivered, self.cancelled):
                shop.wait_consistent(order_id)
        self.account = int("1" + self.phone)


@pytest.fixture(scope="module")
def used(tmp_path_factory):
    made = Used(tmp_path_factory.mktemp("breaks") / "data")
    assert_sound(made.data)
    return made


# ------------------------------------------------------------------------------ broken on purpose


def key(number):
    """A key of the stores: eight bytes that sort as their number does."""
    return number.to_bytes(8, "big")


def in_sqlite(data, statement, *values):
    """Runs one statement on the deliveries, which must change one row."""
    database = sqlite3.connect(data / "delivery.sqlite3")
    database.create_function(
        "sealed", 3, lambda t, k, v: (v.encode() + seal(t, k, v.encode())).decode()
    )
    database.create_function("bare", 1, lambda stored: stored[:-SEAL])
    assert database.execute(statement, values).rowcount == 1, statement
    database.commit()
    database.close()


ENTITIES, LOG, META = "delivery.entities", "delivery.log", "delivery.meta"
EDIT = (
    "update '{0}' set value = sealed('{0}', key, replace(bare(value), ?, ?)) "
    "where key = ? and instr(value, ?)"
)
SET = "update '{0}' set value = sealed('{0}', key, '{1}') where key = ?"


def edit_delivery(data, order_id, old, new):
    in_sqlite(data, EDIT.format(ENTITIES), old, new, key(order_id), old)


def payment_of_another_order(data, used):
    in_lmdb(
        data, "payment", f'"id":{used.placed},', f'"orderId":{used.placed},', '"orderId":9,'
    )
    return 1, "payment", used.placed


def delivery_that_its_events_did_not_make(data, used):
    edit_delivery(data, used.ready, '"READY"', '"START"')
    return 2, "delivery", used.ready


def ids_that_will_be_handed_out_again(data, used):
    in_lmdb_row(data, "ids.reserved", b"%d" % used.cancelled, b"1")
    return 2, "order", used.cancelled


def lost_event(data, used):
    in_sqlite(data, f"delete from '{LOG}' where key = ?", key(1))
    return 2, "delivery", used.ready


def lost_delivery(data, used):
    in_sqlite(data, f"delete from '{ENTITIES}' where key = ?", key(used.delivered))
    return 2, "delivery", used.delivered


def unreadable_delivery(data, used):
    in_sqlite(data, SET.format(ENTITIES, "x"), key(used.ready))
    return 2, "delivery", used.ready


def wrong_count(data, used):
    in_sqlite(data, SET.format(META, "99"), b"count:2")
    return 2, "delivery", 0


def balance_without_a_ledger(data, used):
    in_lmdb(data, "stamp", used.phone, '"stampQty":2', '"stampQty":7')
    return 3, "stamp", used.account


def delivery_of_another_payment(data, used):
    edit_delivery(data, used.ready, f'"paymentId":{used.ready},', f'"paymentId":{used.placed},')
    return 4, "delivery", used.ready


def payment_of_another_cost(data, used):
    in_lmdb(data, "payment", f'"id":{used.ready},', '"cost":1000', '"cost":1001')
    return 5, "payment", used.ready


def trace_of_another_cost(data, used):
    in_lmdb(data, "ordertrace", f'"id":{used.placed},', '"cost":1000', '"cost":1001')
    return 6, "ordertrace", used.placed


def event_that_the_view_saw_differently(data, used):
    in_sqlite(data, EDIT.format(LOG), '"qty":1', '"qty":2', key(1), '"qty":1')
    return 6, "ordertrace", used.ready


@pytest.mark.parametrize(
    "damage",
    [
        payment_of_another_order,
        delivery_that_its_events_did_not_make,
        ids_that_will_be_handed_out_again,
        lost_event,
        lost_delivery,
        unreadable_delivery,
        wrong_count,
        balance_without_a_ledger,
        delivery_of_another_payment,
        payment_of_another_cost,
        trace_of_another_cost,
        event_that_the_view_saw_differently,
    ],
    ids=lambda damage: damage.__name__,
)
def test_what_is_broken_is_named(tmp_path, used, damage):
    data = tmp_path / "data"
    shutil.copytree(used.data, data)
    invariant, service, entity_id = damage(data, used)
    status, report = audit(data)
    assert status == 1 and report["sound"] is False
    found = [(v["invariant"], v["service"], v["id"]) for v in report["violations"]]
    assert (invariant, service, entity_id) in found, report["violations"]
    assert report["violationCount"] >= len(found)


def test_one_database_restored_alone_is_noticed(tmp_path):
    """LMDB data from an earlier moment than the deliveries' data."""
    data, earlier = tmp_path / "data", tmp_path / "earlier"
    with Server(data) as server:
        server.shop().paid_order()
    shutil.copytree(data, earlier)
    with Server(data) as server:
        shop = server.shop()
        order_id = shop.delivered_order()
    shutil.rmtree(data / "lmdb")
    shutil.copytree(earlier / "lmdb", data / "lmdb")
    status, report = audit(data)
    assert status == 1
    assert {2, 4} <= {v["invariant"] for v in report["violations"]}
    assert (4, order_id) in {(v["invariant"], v["id"]) for v in report["violations"]}


def test_a_damaged_database_is_not_looked_at(tmp_path, used):
    data = tmp_path / "data"
    shutil.copytree(used.data, data)
    os.truncate(data / "lmdb" / "data.mdb", 100)
    done = skanu("audit", "--data", data)
    assert done.returncode == 2 and not done.stdout, done
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr


def test_the_report_has_what_it_promises(used):
    report = assert_sound(used.data)
    assert set(report["services"]) == {"order", "payment", "delivery", "stamp", "ordertrace"}
    for figures in report["services"].values():
        assert set(figures) == {"entities", "events", "tombstones"}
    assert report["services"]["order"] == {"entities": 4, "events": 6, "tombstones": 0}
    assert report["pending"] == 0 and report["violations"] == [] and report["deadLetters"] == {}
    assert all(count == 0 for count in report["lag"].values()) and len(report["lag"]) == 9
    assert "missing" not in report


# ---------------------------------------------------------------------------- a cluster's folder


def test_services_are_found_in_a_cluster_s_folder(tmp_path, used):
    folder = tmp_path / "cluster"
    shutil.copytree(used.data, folder / "rest")
    (folder / "delivery").mkdir()
    shutil.move(folder / "rest" / "delivery.sqlite3", folder / "delivery" / "delivery.sqlite3")
    assert "missing" not in assert_sound(folder)
    assert events(folder) == events(used.data)

    alone = assert_sound(folder / "rest")
    assert alone["missing"] == ["delivery"]
    assert assert_sound(folder / "delivery")["missing"] == [
        "order",
        "payment",
        "stamp",
        "ordertrace",
    ]

    assert skanu("backup", "--data", folder, "--to", tmp_path / "copy").returncode == 0
    assert sorted(path.name for path in (tmp_path / "copy").iterdir()) == ["delivery", "rest"]
    assert events(tmp_path / "copy") == events(used.data)
    assert_sound(tmp_path / "copy")

    shutil.copytree(folder / "delivery", folder / "twice")
    done = skanu("audit", "--data", folder)
    assert done.returncode == 2 and "delivery" in done.stderr


# ---------------------------------------------------------------------------- beside a server


class Load:
    """Clients that do a bit of every change to their own orders, until the block ends."""

    def __init__(self, server, clients=6):
        self.stop, self.errors, self.requests = threading.Event(), [], 0
        self.threads = [
            threading.Thread(target=self._run, args=(server, seed)) for seed in range(clients)
        ]

    def _run(self, server, seed):
        chance, phone, orders = random.Random(seed), fresh_phone(), []
        try:
            with server.client() as client:
                while not self.stop.is_set():
                    self._step(client, chance, phone, orders)
                    self.requests += 1
        except BaseException as error:  # shown when the block ends
            self.errors.append(error)

    @staticmethod
    def _step(client, chance, phone, orders):
        what = chance.random()
        if what < 0.4 or not orders:
            item = {**COFFEE, "qty": chance.randint(1, 5), "cost": chance.randint(0, 9) * 500}
            orders.append(client.post("/orders", item).expect(201).json()["id"])
            return
        order_id = chance.choice(orders[-12:])
        if what < 0.65:
            wish = {"paymentStatus": END, "phoneNumber": phone}
            client.patch(f"/payments/{order_id}", wish).expect(200, 409)
        elif what < 0.72:
            client.delete(f"/orders/{order_id}").expect(204, 409)
        elif what < 0.79:
            client.delete(f"/payments/{order_id}").expect(204, 409)
        elif what < 0.97:
            step = {"deliveryStatus": chance.choice(["READY", "START", "END"])}
            client.patch(f"/deliveries/{order_id}", step).expect(200, 404, 409)
        else:
            stamps = {"phoneNumber": phone, "stampQty": chance.randint(-2, 4)}
            client.post("/stamps", stamps).expect(200, 201, 422)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        wait_until(lambda: self.requests > 50 or self.errors, "there is load")
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join()
        assert not self.errors, self.errors


def test_audit_never_gives_a_false_alarm_beside_a_server_at_work(serve):
    server, looks = serve(), 0
    end = time.monotonic() + LOAD_S
    with Load(server):
        while time.monotonic() < end:
            assert_sound(server.data)
            looks += 1
    assert looks >= 5
    report = assert_sound(server.data)
    assert report["services"]["payment"]["events"] > report["services"]["payment"]["entities"] > 0


def test_two_audits_and_a_backup_at_once_hold_nobody_up(serve, tmp_path):
    server = serve()
    with Load(server):
        for number in range(3):
            running = [
                subprocess.Popen(
                    [str(BINARY), *command],
                    stdout=subprocess.DEVNULL,
                    env=clean_environment(),
                )
                for command in (
                    ["audit", "--data", str(server.data)],
                    ["audit", "--data", str(server.data)],
                    ["backup", "--data", str(server.data), "--to", str(tmp_path / str(number))],
                )
            ]
            assert [process.wait(2 * DEADLINE_S) for process in running] == [0, 0, 0]
            assert_sound(tmp_path / str(number))


def test_audit_is_sound_after_a_kill_and_before_the_next_start(serve):
    server = serve()
    for _ in range(3):
        try:
            with Load(server) as load:
                server.kill()
        except AssertionError:
            assert all(isinstance(error, SERVER_GONE) for error in load.errors), load.errors
        assert_sound(server.data)
        server.start()
        assert_sound(server.data)


def test_a_backup_beside_load_is_sound_and_serves(serve, tmp_path):
    server = serve()
    with Load(server):
        assert skanu("backup", "--data", server.data, "--to", tmp_path / "copy").returncode == 0
    report = assert_sound(tmp_path / "copy")
    assert report["services"]["order"]["entities"] > 0
    taken = events(tmp_path / "copy", "--service", "payment")
    assert taken == events(server.data, "--service", "payment")[: len(taken)]
    with Server(tmp_path / "copy") as copy:
        copy.shop().delivered_order()
    assert_sound(tmp_path / "copy")


# --------------------------------------------------------------------------------------- backup


def test_a_backup_goes_into_an_empty_folder_and_into_no_other(tmp_path, used):
    (tmp_path / "empty").mkdir()
    assert skanu("backup", "--data", used.data, "--to", f"{tmp_path / 'empty'}/").returncode == 0
    assert events(tmp_path / "empty") == events(used.data)
    (tmp_path / "file").write_text("x")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("x")
    for target in ("file", "full"):
        done = skanu("backup", "--data", used.data, "--to", tmp_path / target)
        assert done.returncode == 2 and len(done.stderr.strip().splitlines()) == 1, done
    assert (tmp_path / "file").read_text() == "x"
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["file"]


def test_a_backup_makes_the_folders_above(tmp_path, used):
    target = tmp_path / "a" / "b" / "copy"
    assert skanu("backup", "--data", used.data, "--to", target).returncode == 0
    assert_sound(target)


def test_a_backup_that_fails_leaves_nothing(tmp_path, used):
    done = subprocess.run(
        [str(BINARY), "backup", "--data", str(used.data), "--to", str(tmp_path / "copy")],
        capture_output=True,
        text=True,
        env=clean_environment(),
        restore_signals=False,  # SIGXFSZ stays ignored: the limit is an error, not a death
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000)),
        timeout=DEADLINE_S,
    )
    assert done.returncode == 2 and len(done.stderr.strip().splitlines()) == 1, done
    assert list(tmp_path.iterdir()) == []


# --------------------------------------------------------------------------------------- events


def follow(data, *arguments, **options):
    command = [str(BINARY), "events", "--data", str(data), "--follow", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, env=clean_environment(), **options)


def first_line(follower):
    watchdog = threading.Timer(DEADLINE_S, follower.kill)
    watchdog.start()
    try:
        return json.loads(follower.stdout.readline())
    finally:
        watchdog.cancel()


def test_events_of_all_services_come_by_time(used):
    # The view's events carry the times of the causing events, in the view's order of reading.
    times = [
        event["timestamp"] for event in events(used.data) if event["service"] != "ordertrace"
    ]
    assert times == sorted(times) and len(set(times)) > 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_following_ends_by_a_signal(used, number):
    follower = follow(used.data)
    assert first_line(follower)
    follower.send_signal(number)
    follower.stdout.read()
    assert follower.wait(DEADLINE_S) == 0


def test_following_ends_when_nobody_reads_any_more(used):
    follower = follow(used.data)
    assert first_line(follower)
    follower.stdout.close()
    assert follower.wait(DEADLINE_S) == 0


def test_following_ends_by_a_signal_while_the_reader_does_not_read(serve):
    server = serve()
    with Load(server):
        wait_until(lambda: len(events(server.data)) > 1000, "more than a pipe holds")
    follower = follow(server.data)
    assert first_line(follower)
    follower.send_signal(signal.SIGTERM)
    assert follower.wait(DEADLINE_S) == 0
    follower.stdout.close()


def test_printing_to_a_reader_that_leaves_early_is_no_error(serve):
    server = serve()
    with Load(server):
        wait_until(lambda: len(events(server.data)) > 1000, "more than a pipe holds")
    command = [str(BINARY), "events", "--data", str(server.data)]
    printing = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=clean_environment()
    )
    assert printing.stdout.readline()
    printing.stdout.close()
    assert printing.wait(DEADLINE_S) == 0
    assert printing.stderr.read() == b""
    printing.stderr.close()


def test_a_damaged_event_is_printed_as_text(tmp_path, used):
    data = tmp_path / "data"
    shutil.copytree(used.data, data)
    in_sqlite(data, SET.format(LOG, "no JSON"), key(2))
    in_sqlite(data, f"update '{LOG}' set value = value || 'x' where key = ?", key(3))
    shown = events(data, "--service", "delivery", status=1)
    assert [event["offset"] for event in shown] == list(range(1, len(shown) + 1))
    assert shown[1] == {"service": "delivery", "offset": 2, "undecodable": "no JSON"}
    assert shown[2] == {"service": "delivery", "offset": 3, "damaged": True}
