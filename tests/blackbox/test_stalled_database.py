"""A database whose writer is held by another process: all other requests are answered quickly."""

import contextlib
import sqlite3
import statistics
import threading
import time

import pytest
from rest import COFFEE, DEADLINE_S, PREPARE, READY, TIME_SCALE, Shop, in_parallel, wait_until

CLIENTS = 300
OUTSIDE = ("order", "delivery", "stamp", "payment", "ordertrace", "lmdb")


@contextlib.contextmanager
def writer_held(server):
    """Holds the delivery database's writer for the block."""
    holder = sqlite3.connect(server.data / "delivery.sqlite3", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        holder.execute("ROLLBACK")
        holder.close()


@contextlib.contextmanager
def clients_on_deliveries(server, orders):
    """Clients that change deliveries and obey Retry-After; their statuses."""
    over, statuses = threading.Event(), []

    def change(order_id):
        with server.client() as client:
            while not over.is_set():
                answer = client.patch(f"/deliveries/{order_id}", {"deliveryStatus": READY})
                statuses.append(answer.status)
                if answer.status == 503:
                    over.wait(float(answer.header("Retry-After")))

    threads = [
        threading.Thread(target=change, args=(orders[i % len(orders)],)) for i in range(CLIENTS)
    ]
    for thread in threads:
        thread.start()
    try:
        yield statuses
    finally:
        over.set()
        for thread in threads:
            thread.join()


def p95(seconds):
    return statistics.quantiles(seconds, n=20)[-1]


@pytest.mark.slow
def test_a_stalled_delivery_database_took_the_threads_of_everything_else(serve):
    server = serve()
    shop = server.shop()
    orders = [shop.paid_order() for _ in range(5)]
    for order_id in orders:
        shop.wait_delivery(order_id, PREPARE)
    reads, writes = [], []
    with writer_held(server), clients_on_deliveries(server, orders) as statuses:
        end = time.monotonic() + 4
        while time.monotonic() < end:
            began = time.monotonic()
            shop.order(orders[0])
            reads.append(time.monotonic() - began)
            began = time.monotonic()
            shop.client.post("/orders", COFFEE).expect(201)
            writes.append(time.monotonic() - began)
        assert 503 in statuses, "nobody was turned away"
        wait_until(
            lambda: components(shop)["sqlite"] == "DOWN", "health shows the stall", 2 * DEADLINE_S
        )
        assert {components(shop)[name] for name in OUTSIDE if name in components(shop)} == {"UP"}
    assert set(statuses) <= {200, 503, 504}
    assert p95(reads) < 0.25 * TIME_SCALE and p95(writes) < 0.25 * TIME_SCALE
    wait_until(lambda: components(shop)["sqlite"] == "UP", "health shows the end of it")
    for order_id in orders:
        shop.wait_delivery(order_id, READY)


def components(shop):
    health = shop.client.get("/actuator/health").expect(200).json()
    return {name: component["status"] for name, component in health["components"].items()}


def test_200_clients_on_one_hot_account_get_no_error(serve, phone):
    server = serve()
    body = {"phoneNumber": phone, "stampQty": 1}

    def add(client):
        for _ in range(10):
            client.post("/stamps", body).expect(200, 201)
        client.close()

    in_parallel([lambda c=server.client(): add(c) for _ in range(200)])
    assert Shop(server.client()).stamps(phone) == 2000
