"""Cables that are cut: each node in a network namespace of its own (needs root)."""

import os
import random
import threading
import time

import pytest
from cluster import NODES, Network, NetworkCluster, can_make_namespaces, inside
from customers import Customer, check_customers, drive
from rest import CANCEL, COFFEE, PREPARE, TIME_SCALE, fresh_phone, wait_until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not can_make_namespaces(), reason="network namespaces take root and iproute2"
    ),
]


@pytest.fixture
def cluster(tmp_path):
    with Network(NODES) as network, inside(network.space("gateway")):
        with NetworkCluster(tmp_path / "nodes", network) as one:
            yield one


def test_a_payment_that_is_cut_off_is_noticed_and_comes_back(cluster, phone):
    shop, client = cluster.shop(), cluster.client()
    paid = shop.paid_order(phone, qty=2)
    shop.wait_delivery(paid, PREPARE)
    shop.wait_stamps(phone, 2)
    cluster.cut("payment")
    answer = client.post("/orders", COFFEE).expect(503)
    assert answer.header("Retry-After")
    assert cluster.wait_away("payment") < 3 * TIME_SCALE
    began = time.monotonic()
    client.post("/orders", COFFEE).expect(503)
    assert time.monotonic() - began < 0.15 * TIME_SCALE
    shop.cancel_order(paid)
    shop.wait_trace(paid, "ORDER CANCEL")
    cluster.mend("payment")
    cluster.wait_up("payment")
    shop.wait_payment(paid, CANCEL)
    shop.wait_stamps(phone, 0)
    wait_until(
        lambda: client.post("/orders", COFFEE).status == 201, "orders go again", 10 * TIME_SCALE
    )


def test_a_node_that_is_cut_off_holds_up_no_other_reconnection(cluster):
    """CAF connects with a blocking call: an address that swallows packets held all others up."""
    cluster.cut("stamp")
    cluster.wait_away("stamp")
    cluster["payment"].stop()
    cluster.again("payment")
    cluster.wait_up("payment")
    cluster.shop().paid_order()
    cluster.mend("stamp")
    cluster.wait_up("stamp")


def test_nodes_killed_frozen_and_cut_off_at_random_under_load_lose_nothing(cluster):
    """SKANU_CHAOS_S sets how long (default 12), SKANU_SEED repeats a run."""
    seconds = float(os.environ.get("SKANU_CHAOS_S", "12"))
    seed = int(os.environ.get("SKANU_SEED", time.time_ns() % 2**32))
    print(f"SKANU_SEED={seed} SKANU_CHAOS_S={seconds}")
    ways = [(cluster.kill, cluster.again), (cluster.freeze, cluster.thaw)]
    ways.append((cluster.cut, cluster.mend))
    chance, stop, common_phone = random.Random(seed), threading.Event(), fresh_phone()
    customers = [Customer(chance.getrandbits(32), cluster, common_phone, stop) for _ in range(6)]

    def disturb():
        end = time.monotonic() + seconds
        while time.monotonic() < end and not stop.is_set():
            name = chance.choice(NODES[1:])
            lose, bring_back = chance.choice(ways)
            lose(name)
            stop.wait(chance.uniform(0, min(10, seconds / 4)))
            bring_back(name)
            stop.wait(chance.uniform(0, 1))
        cluster.wait_up()

    drive(customers, disturb, stop)
    check_customers(cluster.shop(), customers)
