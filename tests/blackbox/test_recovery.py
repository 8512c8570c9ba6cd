"""Acknowledged changes survive kill -9, a restart, and a full disk."""

import os
import shutil
import sqlite3
import subprocess
import threading
import time
import uuid

import pytest
from rest import (
    CANCEL,
    COFFEE,
    DEADLINE_S,
    END,
    PREPARE,
    READY,
    SERVER_GONE,
    START,
    Shop,
    in_parallel,
    total,
    wait_until,
)
from support import Server, assert_sound


def restarted(server):
    """A shop of the server after kill -9 and restart."""
    return Shop(server.kill().restart().client())


def test_everything_acknowledged_is_there_after_kill_9(serve, phone):
    server = serve()
    shop = server.shop()
    open_order, paid, pay_cancelled, cancelled = [
        shop.place(qty=2, phoneNumber=phone) for _ in range(4)
    ]
    for order_id in (paid, pay_cancelled, cancelled):
        shop.pay(order_id)
    shop.deliver(paid, until=START)
    shop.cancel_payment(pay_cancelled)
    shop.cancel_order(cancelled)
    added = shop.add_stamps(phone, 10)["stampQty"]
    assert added >= 10
    orders = {
        order_id: shop.order(order_id) for order_id in (open_order, paid, pay_cancelled, cancelled)
    }
    shop = restarted(server)
    assert {order_id: shop.order(order_id) for order_id in orders} == orders
    assert shop.payment(open_order)["paymentStatus"] == "Not Pay"
    assert shop.payment(paid)["paymentStatus"] == END
    assert shop.payment(pay_cancelled)["paymentStatus"] == CANCEL
    assert shop.delivery_status(paid) == START
    shop.wait_payment(cancelled, CANCEL)
    shop.wait_stamps(phone, 12)
    shop.wait_trace(paid, "DELIVERY START")
    shop.wait_trace(cancelled, "ORDER CANCEL")


STEPS = {
    "place": lambda shop, order_id: None,
    "pay": lambda shop, order_id: shop.pay(order_id),
    "ready": lambda shop, order_id: shop.deliver(shop.pay(order_id)["id"], until=READY),
    "end": lambda shop, order_id: (
        shop.deliver(shop.pay(order_id)["id"], until=START),
        shop.move(order_id, END).expect(200),
    ),
    "cancel the payment": lambda shop, order_id: shop.cancel_payment(shop.pay(order_id)["id"]),
    "cancel the order": lambda shop, order_id: shop.cancel_order(shop.pay(order_id)["id"]),
}
OUTCOMES = {
    "place": ("Not Pay", "Order END", 0),
    "pay": (END, "PAY END", 2),
    "ready": (END, "DELIVERY READY", 2),
    "end": (END, "DELIVERY END", 2),
    "cancel the payment": (CANCEL, None, 0),
    "cancel the order": (CANCEL, "ORDER CANCEL", 0),
}


@pytest.mark.parametrize("step", STEPS)
def test_killed_right_behind_a_step_the_saga_goes_on_after_the_restart(serve, phone, step):
    server = serve()
    shop = server.shop()
    order_id = shop.place(qty=2, phoneNumber=phone)
    STEPS[step](shop, order_id)
    shop = restarted(server)
    payment, trace, stamps = OUTCOMES[step]
    shop.wait_payment(order_id, payment)
    shop.wait_trace(order_id, *([trace] if trace else ["PAY CANCEL", "DELIVERY CANCEL"]))
    shop.wait_stamps(phone, stamps)
    if step == "end":
        wait_until(lambda: shop.order(order_id)["delivered"], "the order is closed")
        shop.client.delete(f"/orders/{order_id}").expect(409)


def test_orders_acknowledged_under_load_are_there_after_kill_9(serve):
    server, placed = serve(), []

    def customer(client):
        try:
            while True:
                placed.append(client.post("/orders", COFFEE).expect(201).json())
        except SERVER_GONE:
            return

    customers = [threading.Thread(target=customer, args=(server.client(),)) for _ in range(8)]
    for thread in customers:
        thread.start()
    wait_until(lambda: len(placed) > 200, "200 orders")
    server.kill()
    for thread in customers:
        thread.join()
    shop = Shop(server.restart().client())
    assert len({order["id"] for order in placed}) == len(placed)
    for order in placed:
        assert shop.order(order["id"]) == order
        assert shop.payment(order["id"])["paymentStatus"] == "Not Pay"
    assert shop.place() > max(order["id"] for order in placed), "an id is never used twice"


def test_killed_while_it_starts_it_starts_the_next_time(serve, phone):
    server = serve()
    shop = server.shop()
    orders = [shop.paid_order(phone) for _ in range(30)]
    server.kill()
    for milliseconds in (1, 5, 10, 20, 40, 80):
        server.start(wait=False)
        threading.Event().wait(milliseconds / 1000)
        server.kill()
    shop = Shop(server.start().client())
    shop.wait_stamps(phone, 30)
    for order_id in orders:
        shop.wait_delivery(order_id, PREPARE)


def test_a_polite_stop_loses_nothing_and_leaves_nothing_undone(serve, phone):
    server = serve()
    shop = server.shop()
    orders = [shop.paid_order(phone, qty=1) for _ in range(30)]
    server.stop().restart()
    shop = server.shop()
    shop.wait_stamps(phone, 30)
    for order_id in orders:
        shop.wait_delivery(order_id, PREPARE)
        shop.wait_trace(order_id, "PAY END")


# -------------------------------------------------------------------------------- a full disk


@pytest.fixture
def small_disk(tmp_path):
    """A mounted file system of 6 MB that can be made larger."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=6m", "none", str(disk)]
    if (
        os.geteuid() != 0
        or not shutil.which("mount")
        or subprocess.run(mount, capture_output=True).returncode != 0
    ):
        pytest.skip("may not mount a small file system")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_gives_507_while_reads_go_on_and_writes_resume_with_room(small_disk, tmp_path):
    log = tmp_path / "log"
    with Server(small_disk / "data", "--log-file", log) as server:
        shop, placed = server.shop(), []

        def fill():
            answer = shop.client.post("/orders", {**COFFEE, "productName": "커" * 200})
            if answer.expect(201, 507).status == 201:
                placed.append(answer.json())
            return answer.status == 507 and answer

        full = wait_until(fill, "the disk is full", 60)
        assert full.header("Content-Type").startswith("application/problem+json")
        assert full.json()["status"] == 507
        for order in (placed[0], placed[-1]):
            assert shop.order(order["id"]) == order
        assert total(shop.client, "orders") == len(placed)
        assert shop.client.get("/actuator/health/liveness").status == 200
        subprocess.run(["mount", "-o", "remount,size=60m", str(small_disk)], check=True)
        wait_until(
            lambda: shop.client.post("/orders", COFFEE).expect(201, 507).status == 201,
            "writes resume",
        )
        last = placed[-1]["id"]
        wait_until(
            lambda: shop.client.patch(f"/payments/{last}", {"paymentStatus": END}).status == 200,
            "paying resumes",
        )
        shop.wait_delivery(last, PREPARE)
        shop.wait_trace(last, "PAY END")
        assert_sound(server.data)
        server.kill().restart("--log-file", log)
        shop = server.shop()
        for order in in_parallel(
            [lambda o=o: Shop(server.client()).order(o["id"]) for o in placed[::50]]
        ):
            assert order["orderStatus"] == "Order complete"


def test_a_full_store_gives_every_order_201_or_507_with_a_key_or_without(serve):
    server = serve("--max-store-bytes", 3_000_000)

    def customer(client):
        return [client.post("/orders", COFFEE).status for _ in range(300)]

    answers = in_parallel([lambda c=server.client(): customer(c) for _ in range(8)])
    assert {status for statuses in answers for status in statuses} == {201, 507}
    client, key = server.client(), {"Idempotency-Key": str(uuid.uuid4())}
    assert [client.post("/orders", COFFEE, key).status for _ in range(10)] == [507] * 10
    client = server.stop().restart("--max-store-bytes", 30_000_000).client()
    placed = client.post("/orders", COFFEE, key).expect(201)
    assert client.post("/orders", COFFEE, key).expect(201).json() == placed.json()


def test_a_database_that_stands_still_gives_504_and_stops_nobody_else(serve, phone):
    server = serve()
    shop = server.shop()
    order_id = shop.paid_order()
    shop.wait_delivery(order_id, PREPARE)
    key, body = {"Idempotency-Key": str(uuid.uuid4())}, {"deliveryStatus": READY}
    other = sqlite3.connect(server.data / "delivery.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    answer = server.client().patch(f"/deliveries/{order_id}", body, key).expect(504)
    assert 1.9 <= time.monotonic() - began < 2.1 + DEADLINE_S / 10
    assert answer.header("Content-Type") == "application/problem+json"
    assert answer.json()["type"] == "/problems/outcome-unknown"
    assert answer.header("Retry-After") is None
    assert shop.delivery_status(order_id) == PREPARE
    shop.pay(shop.place(), phoneNumber=phone)
    shop.wait_stamps(phone, 1)
    other.execute("ROLLBACK")
    other.close()
    shop.wait_delivery(order_id, READY)
    server.client().patch(f"/deliveries/{order_id}", body, key).expect(200)
    ready = [e for e in server.events("--service", "delivery") if e["eventType"] == "DeliveryReady"]
    assert len(ready) == 1
