"""Nodes restarted under load, moved, or lost at random: only unavoidable failures, and no loss."""

import os
import random
import threading
import time

import pytest
from cluster import NODES, SERVICES, Cluster, cluster_in_a_network
from customers import Customer, ImpatientCustomer, check_customers, drive
from rest import TIME_SCALE, fresh_phone, in_parallel, total, wait_until

pytestmark = pytest.mark.slow

GATEWAYS = ["gateway", "gateway-2"]
RESTART_S = 2
"""In so much time a node is back."""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    folder = tmp_path_factory.mktemp("restarts") / "nodes"
    with Cluster(folder, nodes=[*GATEWAYS, *SERVICES]) as one:
        for gateway in GATEWAYS:
            one.wait_whole(seen_by=gateway)
        yield one


def restart(cluster, name):
    began = time.monotonic()
    cluster[name].stop()
    cluster.again(name)
    for gateway in GATEWAYS:
        cluster.wait_up(seen_by=gateway)
    seconds = time.monotonic() - began
    assert seconds < RESTART_S * TIME_SCALE, f"{name} is back after {seconds:.1f} s"


def test_a_rolling_restart_under_load_fails_no_request(cluster):
    """Restarts every service in turn, unnoticed by customers. Then each gateway: its customers
    switch to the other."""
    stop, common_phone = threading.Event(), fresh_phone()
    with cluster.client() as client:
        before = total(client, "orders")
    customers = [
        ImpatientCustomer(n, cluster, GATEWAYS[n % 2 :] + GATEWAYS[: n % 2], common_phone, stop)
        for n in range(16)
    ]

    def requests():
        return sum(c.requests for c in customers)

    def restart_and_go_on(name):
        restart(cluster, name)
        done = requests()
        wait_until(lambda: requests() > done + 200 or stop.is_set(), "requests go on")

    def roll():
        for service in SERVICES:
            restart_and_go_on(service)
        assert not any(c.moves for c in customers), "a gateway closed a connection"
        for gateway in GATEWAYS:
            restart_and_go_on(gateway)

    drive(customers, roll, stop)
    assert any(c.moves for c in customers)
    with cluster.client() as client:
        assert total(client, "orders") - before == sum(len(c.records) for c in customers)
    check_customers(cluster.shop(), customers)
    cluster.assert_sound()


def test_deliveries_can_be_read_all_through_a_restart_of_delivery(cluster):
    client, over = cluster.client(), threading.Event()

    def read():
        statuses = []
        while not over.is_set():
            statuses.append(client.get("/deliveries").status)
        return statuses

    def restart_often():
        try:
            for _ in range(3):
                restart(cluster, "delivery")
        finally:
            over.set()

    statuses, _ = in_parallel([read, restart_often])
    assert set(statuses) == {200}, statuses


@pytest.mark.parametrize("name", ["delivery", "payment"])
def test_a_node_that_comes_back_on_another_port_is_found(tmp_path, name):
    """The peers know only the former address. The node whose name sorts first dials: delivery dials
    its peers, and order dials payment."""
    with Cluster(tmp_path / "nodes") as cluster:
        shop = cluster.shop()
        before = shop.paid_order()
        cluster.kill(name)
        cluster.move(name)
        cluster.again(name)
        cluster.wait_whole()
        shop.deliver(before)
        shop.wait_consistent(before, shop.paid_order())


def test_nodes_lost_at_random_under_load_lose_nothing(tmp_path):
    """SKANU_CHAOS_S sets how long (default 15), SKANU_SEED repeats a run."""
    seconds = float(os.environ.get("SKANU_CHAOS_S", "15"))
    seed = int(os.environ.get("SKANU_SEED", time.time_ns() % 2**32))
    print(f"SKANU_SEED={seed} SKANU_CHAOS_S={seconds}")
    chance, stop, common_phone = random.Random(seed), threading.Event(), fresh_phone()
    with cluster_in_a_network(tmp_path / "nodes") as cluster:
        customers = [
            Customer(chance.getrandbits(32), cluster, common_phone, stop) for _ in range(6)
        ]

        def disturb():
            end = time.monotonic() + seconds
            while time.monotonic() < end and not stop.is_set():
                with cluster.without(chance.choice(NODES), chance.choice(cluster.ways)):
                    stop.wait(chance.uniform(0, min(10, seconds / 4)))
                stop.wait(chance.uniform(0, 1))
            cluster.wait_up()

        drive(customers, disturb, stop)
        check_customers(cluster.shop(), customers)
