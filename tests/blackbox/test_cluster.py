"""A node per service: what goes on while one of them is killed or frozen, and what catches up."""

import os
import random
import threading
import time

import pytest
from cluster import NODES, Cluster
from customers import Customer, check_customers, drive
from rest import (
    CANCEL,
    COFFEE,
    END,
    PREPARE,
    READY,
    TIME_SCALE,
    assert_problem,
    fresh_phone,
    in_parallel,
    wait_until,
)
from support import skanu

PATIENCE_S = 2
"""So long a service that was lost is waited for."""


def timed(call):
    began = time.monotonic()
    answer = call()
    return answer, time.monotonic() - began


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    with Cluster(tmp_path_factory.mktemp("cluster") / "nodes") as cluster:
        yield cluster


@pytest.fixture
def client(shared):
    with shared.client() as one:
        yield one


@pytest.fixture
def shop(shared):
    return shared.shop()


@pytest.fixture
def cluster(tmp_path):
    with Cluster(tmp_path / "nodes") as one:
        yield one


def test_the_whole_saga_crosses_the_nodes(shop, phone):
    order_id = shop.place(qty=2, phoneNumber=phone)
    shop.pay(order_id)
    shop.wait_stamps(phone, 2)
    shop.deliver(order_id)
    shop.wait_trace(order_id, "DELIVERY END")
    cancelled = shop.paid_order(phone)
    shop.wait_delivery(cancelled, PREPARE)
    shop.cancel_order(cancelled)
    shop.wait_payment(cancelled, CANCEL)
    shop.wait_delivery(cancelled, CANCEL)
    shop.wait_stamps(phone, 2)
    shop.wait_trace(cancelled, "ORDER CANCEL")
    assert "Ordered" in shop.history(cancelled)
    assert [e["stampQty"] for e in shop.entries(phone)] == [2, 1, -1]


def test_lists_pages_and_conditions_are_those_of_one_process(client, shop):
    ids = [shop.place() for _ in range(5)]
    page = client.get("/orders", size=2, sort="id,desc").expect(200)
    assert [o["id"] for o in page.embedded()] == ids[:-3:-1]
    following = client.get(page.json()["_links"]["next"]["href"]).expect(200)
    assert [o["id"] for o in following.embedded()] == ids[-3:-5:-1]
    etag = client.get(f"/orders/{ids[0]}").header("ETag")
    assert client.get(f"/orders/{ids[0]}", {"If-None-Match": etag}).status == 304
    client.delete(f"/orders/{ids[0]}", {"If-Match": '"77"'}).expect(412)
    client.delete(f"/orders/{ids[0]}", {"If-Match": etag}).expect(204)
    key = {"Idempotency-Key": fresh_phone()}
    first = client.post("/orders", COFFEE, key).expect(201)
    assert client.post("/orders", COFFEE, key).body == first.body
    client.post("/orders", {**COFFEE, "qty": 9}, key).expect(422)
    assert_problem(client.get("/orders/9007199254740991"), 404)
    assert_problem(client.post("/orders", {**COFFEE, "qty": 0}), 422)


def test_the_gateway_shows_every_service_and_the_breaker(shared, client):
    shown = client.get("/actuator/health").expect(200).json()
    assert {n: c["status"] for n, c in shown["components"].items()} == dict.fromkeys(
        NODES[1:], "UP"
    )
    breaker = client.get("/actuator/circuitbreakers").expect(200).json()["circuitBreakers"]
    assert breaker["payment"]["state"] == "CLOSED"


PATHS = {
    "order": "/orders",
    "payment": "/payments",
    "delivery": "/deliveries",
    "stamp": "/stamps",
    "ordertrace": "/orderTraces",
}


@pytest.mark.parametrize("service", PATHS)
def test_a_node_serves_its_own_resources_and_health(shared, shop, service):
    shop.place()
    with shared.client(service) as own:
        own.get(PATHS[service]).expect(200)
        for other, path in PATHS.items():
            if other != service:
                own.get(path).expect(404)
        health = own.get("/actuator/health").expect(200).json()
        assert health["status"] == "UP" and service in health["components"]
        own.get("/actuator/prometheus").expect(200)


def test_a_node_has_just_its_own_databases(shared):
    assert (shared["delivery"].data / "delivery.sqlite3").exists()
    assert not (shared["delivery"].data / "lmdb").exists()
    assert (shared["stamp"].data / "lmdb").exists()
    assert not (shared["stamp"].data / "delivery.sqlite3").exists()
    assert {p.name for p in shared["gateway"].data.iterdir()} <= {"lock"}


def test_events_and_audit_take_the_folder_of_all_nodes(shared, shop):
    order_id = shop.paid_order()
    shop.wait_delivery(order_id, PREPARE)
    done = skanu("events", "--data", shared.folder, "--service", "payment")
    assert done.returncode == 0 and '"Paid"' in done.stdout
    shared.assert_sound()


# ------------------------------------------------------------------------------------- isolation

HOW = {"killed": ("kill", "again"), "frozen": ("freeze", "thaw")}
NOTICED_S = {"killed": 1, "frozen": 3}


@pytest.mark.slow
@pytest.mark.parametrize("how", HOW)
def test_payment_down(cluster, phone, how):
    lose, bring_back = HOW[how]
    shop, client = cluster.shop(), cluster.client()
    paid = shop.paid_order(phone, qty=3)
    shop.wait_delivery(paid, PREPARE)
    shop.wait_stamps(phone, 3)
    getattr(cluster, lose)("payment")
    answer, seconds = timed(lambda: client.post("/orders", COFFEE))
    assert answer.status == 503 and answer.header("Retry-After")
    assert seconds < 2.1 * TIME_SCALE
    assert cluster.wait_away("payment") < NOTICED_S[how] * TIME_SCALE
    wait_until(
        lambda: timed(lambda: client.post("/orders", COFFEE))[1] < 0.1 * TIME_SCALE,
        "orders are refused at once",
        PATIENCE_S * TIME_SCALE,
    )
    quick = [timed(lambda: client.post("/orders", COFFEE)) for _ in range(50)]
    assert {a.status for a, _ in quick} == {503}
    assert sorted(s for _, s in quick)[47] < 0.1 * TIME_SCALE
    away, seconds = timed(lambda: client.get(f"/payments/{paid}"))
    assert "payment" in assert_problem(away, 503)["detail"] and away.header("Retry-After")
    assert seconds < 0.1 * TIME_SCALE
    _, seconds = timed(lambda: shop.order(paid))
    assert seconds < 0.1 * TIME_SCALE, "reads go on"
    _, seconds = timed(lambda: shop.cancel_order(paid))
    assert seconds < 0.2 * TIME_SCALE, "cancels go on"
    assert shop.stamps(phone) == 3
    getattr(cluster, bring_back)("payment")
    cluster.wait_up("payment")
    shop.wait_payment(paid, CANCEL)
    shop.wait_delivery(paid, CANCEL)
    shop.wait_stamps(phone, 0)
    wait_until(
        lambda: client.post("/orders", COFFEE).status == 201, "the breaker closes", 10 * TIME_SCALE
    )
    refunds = [e for e in cluster_events(cluster, "payment") if e["eventType"] == "PayCancelled"]
    assert [e["refunded"] for e in refunds if e["id"] == paid] == [True]


def cluster_events(cluster, service):
    return cluster[service].events("--service", service)


@pytest.mark.slow
@pytest.mark.parametrize("how", HOW)
def test_stamp_down(cluster, phone, how):
    lose, bring_back = HOW[how]
    shop, client = cluster.shop(), cluster.client()
    getattr(cluster, lose)("stamp")
    for _ in range(20):
        shop.paid_order(phone, qty=2)
    assert cluster.wait_away("stamp") < NOTICED_S[how] * TIME_SCALE
    wait_until(
        lambda: assert_problem(client.get(f"/stamps/{phone}"), 503), "it is named", PATIENCE_S
    )
    assert "stamp" in client.get(f"/stamps/{phone}").json()["detail"]
    getattr(cluster, bring_back)("stamp")
    cluster.wait_up("stamp")
    shop.wait_stamps(phone, 40)
    assert len(shop.entries(phone)) == 20


@pytest.mark.slow
@pytest.mark.parametrize("how", HOW)
def test_delivery_down(cluster, phone, how):
    lose, bring_back = HOW[how]
    shop, client = cluster.shop(), cluster.client()
    getattr(cluster, lose)("delivery")
    orders = [shop.paid_order(phone) for _ in range(5)]
    shop.wait_stamps(phone, 5)
    shop.wait_trace(orders[-1], "PAY END")
    cluster.wait_away("delivery")
    answer = client.patch(f"/deliveries/{orders[0]}", {"deliveryStatus": READY}).expect(503, 504)
    assert answer.status == 504 or "delivery" in answer.json()["detail"]
    shop.cancel_order(orders[4])
    getattr(cluster, bring_back)("delivery")
    cluster.wait_up("delivery")
    for order_id in orders[:4]:
        shop.wait_delivery(order_id, PREPARE)
    shop.wait_consistent(*orders)


@pytest.mark.slow
@pytest.mark.parametrize("how", HOW)
def test_ordertrace_down(cluster, how):
    lose, bring_back = HOW[how]
    shop, client = cluster.shop(), cluster.client()
    getattr(cluster, lose)("ordertrace")
    order_id = shop.paid_order()
    shop.wait_delivery(order_id, PREPARE)
    cluster.wait_away("ordertrace")
    wait_until(lambda: client.get(f"/orderTraces/{order_id}").status == 503, "it is named", 5)
    getattr(cluster, bring_back)("ordertrace")
    cluster.wait_up("ordertrace")
    shop.wait_trace(order_id, "PAY END")


@pytest.mark.slow
@pytest.mark.parametrize("how", HOW)
def test_order_down(cluster, phone, how):
    lose, bring_back = HOW[how]
    shop, client = cluster.shop(), cluster.client()
    order_id, other = shop.place(), shop.place()
    shop.wait_trace(other, "Order END")
    getattr(cluster, lose)("order")
    shop.pay(order_id, phoneNumber=phone)
    shop.wait_delivery(order_id, PREPARE)
    shop.wait_stamps(phone, 1)
    shop.wait_trace(order_id, "PAY END")
    cluster.wait_away("order")
    wait_until(lambda: client.get(f"/orders/{order_id}").status == 503, "it is named", 5)
    assert client.post("/orders", COFFEE).status == 503
    shop.cancel_payment(other)
    getattr(cluster, bring_back)("order")
    cluster.wait_up("order")
    shop.deliver(order_id)
    shop.cancel_order(other)
    assert shop.place() > other


@pytest.mark.slow
def test_gateway_down(cluster):
    shop = cluster.shop()
    order_id = shop.place()
    cluster.kill("gateway")
    with cluster.client("payment") as payments:
        payments.patch(f"/payments/{order_id}", {"paymentStatus": END}).expect(200)
    with cluster.client("order") as orders:
        other = orders.post("/orders", COFFEE).expect(201).json()["id"]
    cluster.again("gateway")
    cluster.wait_up()
    shop = cluster.shop()
    shop.wait_delivery(order_id, PREPARE)
    shop.wait_trace(order_id, "PAY END")
    assert shop.payment(other)["paymentStatus"] == "Not Pay"


@pytest.mark.slow
@pytest.mark.parametrize(
    "order", [NODES, NODES[::-1], ["stamp", "gateway", "payment", "ordertrace", "order", "delivery"]]
)
def test_nodes_start_in_any_order(tmp_path, order):
    cluster = Cluster(tmp_path / "nodes")
    try:
        for name in order:
            cluster.start(name)
        cluster.wait_up()
        shop = cluster.shop()
        shop.wait_trace(shop.paid_order(), "PAY END")
    finally:
        cluster.stop()
    cluster.assert_sound()


@pytest.mark.slow
def test_a_service_that_never_came_is_named(tmp_path):
    cluster = Cluster(tmp_path / "nodes")
    try:
        cluster.start("gateway", "order", "payment")
        cluster.wait_up()
        shop, client = cluster.shop(), cluster.client()
        shop.paid_order()
        wait_until(lambda: client.get("/stamps").status == 503, "it is named", 10)
        assert "stamp" in client.get("/stamps").json()["detail"]
        assert client.get("/actuator/health").json()["components"]["stamp"]["status"] == "DOWN"
    finally:
        cluster.stop()


# ------------------------------------------------------------------------------ under load


@pytest.mark.slow
def test_a_rolling_restart_under_load_fails_no_request(cluster):
    answers = []
    stopping = []

    def customer():
        client = cluster.client()
        while not stopping:
            placed = client.post("/orders", COFFEE)
            answers.append(("POST /orders", placed.status))
            if placed.status != 201:
                continue
            order_id = placed.json()["id"]
            for method, path, body in (
                ("PATCH", f"/payments/{order_id}", {"paymentStatus": END}),
                ("GET", f"/orders/{order_id}", None),
                ("GET", "/deliveries?size=1", None),
                ("DELETE", f"/orders/{order_id}", None),
            ):
                answers.append((f"{method} {path}", client.request(method, path, body).status))

    def roll():
        try:
            for name in NODES[1:]:
                cluster[name].stop()
                cluster.again(name)
                cluster.wait_up()
                done = len(answers)
                wait_until(lambda: len(answers) > done + 100, "requests go on")
        finally:
            stopping.append(True)

    in_parallel([roll, *[customer] * 4])
    failed = [a for a in answers if a[1] >= 500]
    assert not failed, f"{len(failed)} of {len(answers)}: {failed[:10]}"


@pytest.mark.slow
def test_deliveries_can_be_read_all_through_a_restart_of_delivery(cluster):
    client = cluster.client()
    statuses, over = [], []

    def read():
        while not over:
            statuses.append(client.get("/deliveries").status)

    def restart():
        try:
            for _ in range(3):
                cluster["delivery"].stop()
                cluster.again("delivery")
                cluster.wait_up("delivery")
        finally:
            over.append(True)

    in_parallel([read, restart])
    assert set(statuses) == {200}, statuses


# ------------------------------------------------------------------------------ who gets in


@pytest.mark.slow
def test_a_node_of_another_cluster_is_refused_and_both_say_so(tmp_path):
    secret, other = tmp_path / "secret", tmp_path / "other"
    secret.write_text("one\n")
    other.write_text("two\n")
    cluster = Cluster(
        tmp_path / "nodes",
        nodes=["gateway", "order", "payment"],
        arguments=("--secret-file", secret),
        faults={"payment": ("--secret-file", other)},
    )
    cluster.nodes["payment"].arguments = tuple(
        a for a in cluster["payment"].arguments if a != secret
    )
    arguments = list(cluster["payment"].arguments)
    arguments.remove("--secret-file")
    cluster["payment"].arguments = tuple(arguments)
    try:
        cluster.start().wait_up("order")
        words = "another cluster's secret"
        wait_until(lambda: words in cluster["payment"].stderr(), "payment says so", 10)
        wait_until(lambda: words in cluster["order"].stderr(), "order says so", 10)
        assert cluster.health()["components"]["payment"]["status"] == "DOWN"
    finally:
        cluster.stop()


@pytest.mark.parametrize(
    "arguments",
    [
        ("--services", "order", "--peer", "payment"),
        ("--services", "order", "--peer", "payment=localhost"),
        ("--services", "order", "--peer", "payment=localhost:0"),
        ("--services", "order", "--peer", "order,payment=localhost:1"),
        ("--services", "order", "--peer", "payment=h:1", "--peer", "payment=h:2"),
        ("--services", "order", "--peer", "payment=h:1", "--peer", "payment,stamp=h:2"),
        ("--services", "order", "--node", "0.0.0.0:0"),
        ("--services", "order", "--node", "nonsense"),
        ("--services", "order", "--name", "a b"),
        ("--services", "order", "--secret-file", "/nonexistent"),
        ("--services", "order", "--tls-cert", "/nonexistent"),
        ("--services", "order,coffee"),
        ("--services", ""),
    ],
)
def test_bad_options_of_a_node_give_2_and_one_line(tmp_path, arguments):
    done = skanu("serve", "--http", "127.0.0.1:0", "--data", tmp_path / "data", *arguments)
    assert done.returncode == 2, done
    assert len(done.stderr.splitlines()) == 1 and done.stdout == ""
    assert not (tmp_path / "data").exists()


def test_a_nodes_port_in_use_gives_2_and_one_line(shared, tmp_path):
    host, port = shared.hosts["stamp"]
    done = skanu(
        "serve", "--services", "stamp", "--http", "127.0.0.1:0", "--data", tmp_path / "data",
        "--node", f"{host}:{port}", "--log-file", tmp_path / "log",
    )  # fmt: skip
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1, done


# ------------------------------------------------------------------------- everything at random


@pytest.mark.slow
def test_nodes_killed_and_frozen_at_random_under_load_lose_nothing(tmp_path):
    """SKANU_CHAOS_S sets how long (default 12), SKANU_SEED repeats a run."""
    seconds = float(os.environ.get("SKANU_CHAOS_S", "12"))
    seed = int(os.environ.get("SKANU_SEED", time.time_ns() % 2**32))
    print(f"SKANU_SEED={seed} SKANU_CHAOS_S={seconds}")
    chance, stop, common_phone = random.Random(seed), threading.Event(), fresh_phone()
    with Cluster(tmp_path / "nodes") as cluster:
        customers = [
            Customer(chance.getrandbits(32), cluster, common_phone, stop) for _ in range(6)
        ]

        def disturb():
            end = time.monotonic() + seconds
            while time.monotonic() < end and not stop.is_set():
                name = chance.choice(NODES)
                if chance.random() < 0.5:
                    cluster.kill(name)
                    stop.wait(chance.uniform(0, min(5, seconds / 5)))
                    cluster.again(name)
                else:
                    cluster.freeze(name)
                    stop.wait(chance.uniform(0, min(10, seconds / 4)))
                    cluster.thaw(name)
                stop.wait(chance.uniform(0, 1))
            cluster.wait_up()

        drive(customers, disturb, stop)
        cluster.wait_up()
        check_customers(cluster.shop(), customers)
        cluster.assert_sound()
