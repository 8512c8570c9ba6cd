"""A node per service: the same behaviour as one process, any order of starts, no access for
strangers."""

import contextlib
import re
import socket
import struct
from pathlib import Path

import pytest
from cluster import NODES, PATHS, Cluster
from rest import CANCEL, COFFEE, PREPARE, assert_problem, fresh_phone, wait_until
from support import Server, skanu


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


def caf_header(kind, length):
    """The header before every message between CAF nodes."""
    return struct.pack(">BxxxIQQQ", kind, length, 3, 5, 6)


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
    assert {p.name for p in shared["gateway"].data.iterdir()} <= {"lock", "admin.token"}


def test_events_and_audit_take_the_folder_of_all_nodes(shared, shop):
    order_id = shop.paid_order()
    shop.wait_delivery(order_id, PREPARE)
    done = skanu("events", "--data", shared.folder, "--service", "payment")
    assert done.returncode == 0 and '"Paid"' in done.stdout
    shared.assert_sound()


# ------------------------------------------------------------------------------ who is there


@pytest.mark.slow
@pytest.mark.parametrize("order", [NODES, NODES[::-1], sorted(NODES, key=lambda n: n[-1])])
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


# ------------------------------------------------------------------------------ who gets in


@pytest.mark.slow
def test_a_node_of_another_cluster_is_refused_and_both_say_so(tmp_path):
    secret, other = tmp_path / "secret", tmp_path / "other"
    secret.write_text("one " * 5 + "\n")
    other.write_text("two " * 5 + "\n")
    for file in (secret, other):
        file.chmod(0o600)
    nodes = ["gateway", "order", "payment"]
    secrets = {n: ("--secret-file", other if n == "payment" else secret) for n in nodes}
    cluster = Cluster(tmp_path / "nodes", nodes=nodes, per_node=secrets)
    try:
        cluster.start().wait_up("order")
        words = "another cluster's secret"
        wait_until(lambda: words in cluster["payment"].stderr(), "payment says so", 10)
        wait_until(lambda: words in cluster["order"].stderr(), "order says so", 10)
        assert cluster.health()["components"]["payment"]["status"] == "DOWN"
    finally:
        cluster.stop()


@pytest.mark.slow
def test_a_second_node_of_one_name_is_refused_and_the_first_goes_on(tmp_path):
    """Two nodes of one name must not replace each other with every hello."""
    with Cluster(tmp_path / "nodes", nodes=["gateway", "stamp"]) as cluster:
        host, port = cluster.hosts["gateway"]
        peer = ("--peer", f"gateway={host}:{port}")
        second = Server(tmp_path / "second", "--services", "stamp", *peer)
        words = "a node of that name is here already"
        with second, cluster.client() as client:
            said = f'reason="it refused us: {words}"'
            wait_until(lambda: said in second.stderr(), "the second says so", 10)
            wait_until(lambda: words in cluster["gateway"].stderr(), "its peer says so", 10)
            for count in range(1, 101):
                added = client.post("/stamps", {"phoneNumber": "0105550001", "stampQty": 1})
                assert added.expect(200, 201).json()["stampQty"] == count
            assert "event=peer_lost" not in cluster["gateway"].stderr()
            assert cluster["gateway"].stderr().count(words) == 1, "it is said once"
            cluster.kill("stamp")
            wait_until(
                lambda: client.get("/stamps/0105550001").expect(200, 404, 503).status == 404,
                "the first is gone: the second, which is empty, is let in",
                10,
            )
            second.kill()
        cluster.again("stamp")
        cluster.wait_up()


def test_what_is_no_node_does_no_harm_at_a_nodes_port(tmp_path):
    """An announced length alone must not allocate memory, and an empty handshake must not end the
    node."""
    said = [
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\0\0\0\xa4\xffSMBr\0\0\0\0\x08\x01\x40" + bytes(16) + b"\x40\x06\0\0\1\0",
        *(caf_header(kind, 0) for kind in range(8)),
        *(caf_header(kind, 2**32 - 16) for kind in range(8)),
    ]
    with Cluster(tmp_path / "nodes", nodes=["gateway", "stamp"]) as cluster:
        cluster.wait_up("stamp")
        for each in said:
            with socket.create_connection(cluster.hosts["stamp"], 10) as stranger:
                stranger.sendall(each)
                stranger.shutdown(socket.SHUT_WR)
                with contextlib.suppress(ConnectionResetError):
                    while stranger.recv(4096):
                        pass
        status = Path(f"/proc/{cluster['stamp'].process.pid}/status").read_text()
        assert int(re.search(r"VmHWM:\s*(\d+) kB", status)[1]) < 1_000_000
        with cluster.client() as client:
            client.post("/stamps", {"phoneNumber": "0105550002", "stampQty": 1}).expect(201)
        assert "event=peer_lost" not in cluster["gateway"].stderr()
        words = "what it sends is no message of a node"
        wait_until(lambda: words in cluster["stamp"].stderr(), "it is said")
        assert cluster["stamp"].stderr().count(words) == 1, "it is said once"


def test_a_gateway_names_the_node_where_a_dead_letter_is_settled(shared):
    client = shared.operator()
    letter = "/admin/deadLetters/stamp-follows-payment:1:1"
    for answer in (client.delete(letter), client.post(f"{letter}/replay")):
        assert "on the node stamp" in assert_problem(answer, 421)["detail"]
    with shared.operator("stamp") as there:
        assert_problem(there.delete(letter), 404)


def test_an_order_explains_itself_across_nodes_and_says_which_is_away(tmp_path):
    with Cluster(tmp_path / "nodes") as cluster, cluster.operator() as client:
        shop = cluster.shop()
        order_id = shop.paid_order(fresh_phone())

        def explained(of=order_id):
            return client.get(f"/admin/explain/orders/{of}").expect(200).json()

        made = ["the kitchen is making it"]
        wait_until(lambda: explained()["openSteps"] == made, "its delivery is there")
        told = explained()
        assert {name: entity["node"] for name, entity in told["entities"].items()} == {
            name: name for name in PATHS
        }
        assert "away" not in told and told["circuitBreakers"]["payment"]["state"] == "CLOSED"
        cluster.kill("delivery")
        cluster.wait_away("delivery")
        told = explained()
        assert told["away"] == ["delivery"] and "delivery" not in told["entities"]
        assert told["openSteps"] == ["the node of delivery is away: what it has cannot be said"]
        nobodys = explained(of=9007199254740991)
        assert nobodys["away"] == ["delivery"], "it may know the order"
        cluster.kill("order")
        cluster.wait_away("order")
        told = explained()
        assert told["circuitBreakers"] is None, "it is asked where orders are placed"
        assert told["entities"]["payment"]["state"]["id"] == order_id
        for name in ("delivery", "order"):
            cluster.again(name)
        cluster.wait_up()


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
