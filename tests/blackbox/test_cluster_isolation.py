"""One service down is one service down: each killed, frozen and, where root allows network
namespaces, cut off. The tests check the unaffected requests, the kind and speed of refusals, and
the catching up."""

import functools
import time

import pytest
from cluster import NODES, PATHS, SERVICES, WAYS, Cluster, cluster_in_a_network
from rest import (
    CANCEL,
    COFFEE,
    DELIVERY_STEPS,
    END,
    PREPARE,
    READY,
    TIME_SCALE,
    Shop,
    assert_problem,
    in_parallel,
    wait_until,
)

pytestmark = pytest.mark.slow

NOTICED_S = {"killed": 1, "frozen": 3, "cut off": 3}
PATIENCE_S = 2
"""So long a service that was lost is waited for; then it is refused at once."""
ANSWER_S = 2.1
AT_ONCE_S, WITH_OPEN_BREAKER_S = 0.1, 0.05

NO_SUCH = 9007199254740991
PAID = {"paymentStatus": END}
REFUSED = {
    "payment": [("POST", "/orders", COFFEE), ("PATCH", f"/payments/{NO_SUCH}", PAID)],
    "stamp": [("GET", "/stamps/01099999999", None)],
    "delivery": [("PATCH", f"/deliveries/{NO_SUCH}", {"deliveryStatus": READY})],
    "ordertrace": [("GET", "/orderTraces/1/events", None)],
    "order": [("POST", "/orders", COFFEE), ("DELETE", f"/orders/{NO_SUCH}", None)],
}
"""What needs a service, beside reading its list."""


@pytest.fixture(scope="module")
def shared_cluster(tmp_path_factory):
    with cluster_in_a_network(tmp_path_factory.mktemp("isolation") / "nodes") as one:
        yield one


@pytest.fixture
def cluster(shared_cluster):
    shared_cluster.wait_whole()  # a failed test may have left another state
    return shared_cluster


def can_be(cluster, how):
    if how not in cluster.ways:
        pytest.skip("network namespaces take root and iproute2")


def timed(call):
    began = time.monotonic()
    answer = call()
    return answer, time.monotonic() - began


def asking(cluster, method, path, body=None):
    """One request over a connection of its own: (answer, seconds)."""
    with cluster.client() as client:
        return timed(lambda: client.request(method, path, body))


def assert_most_within(limit_s, timings, what):
    """Nine of ten answers within the limit, to tolerate other work of the machine."""
    slow = sorted(timings)[len(timings) * 9 // 10]
    assert slow < limit_s * TIME_SCALE, f"{what} takes {slow:.3f} s, not {limit_s}"


def ask_often(client, method, path, body=None, times=20):
    """(answers, seconds of each)"""
    done = [timed(lambda: client.request(method, path, body)) for _ in range(times)]
    return [answer for answer, _ in done], [seconds for _, seconds in done]


# The customers' actions before, during (from the first moment on) and after the loss of the
# service; a `yield` marks the loss and the return.


def story_of_payment(cluster, shop, phone):
    paid = [shop.paid_order(phone, qty=3) for _ in range(5)]
    unpaid = [shop.place() for _ in range(5)]
    for order_id in paid:
        shop.wait_delivery(order_id, PREPARE)
    shop.wait_stamps(phone, 15)
    yield
    placing = [functools.partial(asking, cluster, "POST", "/orders", COFFEE)] * 8

    def go_on():
        cancels = [timed(lambda: shop.cancel_order(o))[1] for o in paid + unpaid]
        assert_most_within(AT_ONCE_S, cancels, "a cancel while others wait for payment")
        reads = [timed(lambda: shop.order(o))[1] for o in paid + unpaid]
        assert_most_within(AT_ONCE_S, reads, "a read while others wait for payment")

    for answer, seconds in in_parallel([go_on, *placing])[1:]:
        assert answer.expect(503).header("Retry-After")
        assert seconds < ANSWER_S * TIME_SCALE
    yield
    wait_until(lambda: shop.place() and breaker(shop.client) == "CLOSED", "the breaker closes")
    for order_id in paid + unpaid:
        shop.wait_payment(order_id, CANCEL)
    shop.wait_consistent(*paid, *unpaid)
    shop.wait_stamps(phone, 0)
    cancels = {o: [] for o in paid + unpaid}
    for event in cluster["payment"].events("--service", "payment"):
        if event["eventType"] == "PayCancelled" and event["id"] in cancels:
            cancels[event["id"]].append(event["refunded"])
    assert cancels == {**dict.fromkeys(paid, [True]), **dict.fromkeys(unpaid, [False])}


def breaker(client):
    shown = client.get("/actuator/circuitbreakers").expect(200).json()
    return shown["circuitBreakers"]["payment"]["state"]


def story_of_stamp(_cluster, shop, phone):
    yield
    orders = [shop.place() for _ in range(20)]
    payments = [timed(lambda: shop.pay(o, phoneNumber=phone))[1] for o in orders]
    assert_most_within(AT_ONCE_S, payments, "a payment")
    shop.cancel_payment(orders[0])
    for order_id in orders[1:]:
        shop.wait_delivery(order_id, PREPARE)
    yield
    wait_until(
        lambda: sorted(entries(shop.client, phone)) == [-1] + [1] * 20, "every stamp is there, once"
    )
    assert shop.stamps(phone) == 19


def entries(client, phone):
    found = client.get(f"/stamps/{phone}/entries", size=100).expect(200, 404)
    return [e["stampQty"] for e in found.embedded()] if found.status == 200 else []


def story_of_delivery(_cluster, shop, phone):
    yield
    orders = [shop.paid_order(phone) for _ in range(5)]
    shop.wait_stamps(phone, 5)
    shop.wait_trace(orders[-1], "PAY END")
    shop.cancel_order(orders[-1])
    shop.wait_stamps(phone, 4)
    yield
    for order_id in orders[:-1]:
        shop.wait_delivery(order_id, PREPARE)
    shop.wait_consistent(*orders)
    shop.deliver(orders[0])


def story_of_ordertrace(_cluster, shop, phone):
    yield
    orders = [shop.paid_order(phone) for _ in range(3)]
    shop.deliver(orders[0])
    shop.cancel_order(orders[1])
    shop.wait_stamps(phone, 2)
    yield
    shop.wait_consistent(*orders)
    for order_id, status in zip(orders, ("DELIVERY END", "ORDER CANCEL", "PAY END")):
        shop.wait_trace(order_id, status)


def story_of_order(_cluster, shop, phone):
    paid, cancelled = shop.place(), shop.place()
    shop.wait_trace(cancelled, "Order END")
    yield
    shop.pay(paid, phoneNumber=phone)
    shop.wait_stamps(phone, 1)
    shop.wait_delivery(paid, PREPARE)
    shop.move(paid, READY).expect(200)
    shop.cancel_payment(cancelled)
    shop.wait_trace(paid, "DELIVERY READY")
    shop.wait_trace(cancelled, "PAY CANCEL")
    yield
    assert shop.place() > cancelled
    shop.cancel_order(cancelled)
    shop.move(paid, "START").expect(200)
    shop.move(paid, END).expect(200)
    shop.wait_consistent(paid, cancelled)


STORIES = {
    "payment": story_of_payment,
    "stamp": story_of_stamp,
    "delivery": story_of_delivery,
    "ordertrace": story_of_ordertrace,
    "order": story_of_order,
}


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("service", SERVICES)
def test_one_service_down_is_one_service_down(cluster, phone, service, how):
    can_be(cluster, how)
    story = STORIES[service](cluster, cluster.shop(), phone)
    next(story)
    refused = [("GET", PATHS[service], None), *REFUSED[service]]
    with cluster.without(service, how):
        lost = time.monotonic()
        first = [functools.partial(asking, cluster, *request) for request in refused]
        noticed_s, _, *answers = in_parallel(
            [lambda: cluster.wait_away(service), lambda: next(story), *first]
        )
        assert noticed_s < NOTICED_S[how] * TIME_SCALE
        for (method, path, _), (answer, seconds) in zip(refused, answers):
            certain = method == "GET" or (service, path) == ("payment", "/orders")
            answer.expect(503, *([] if certain else [504]))  # a sent change may have happened
            assert seconds < ANSWER_S * TIME_SCALE, f"{method} {path}: {seconds:.3f} s"
        wait_until(lambda: time.monotonic() > lost + PATIENCE_S, "its time has passed")
        assert_refused_at_once(cluster, service, refused)
        if service == "payment":
            assert_refused_by_the_open_breaker(cluster)
        assert_others_answer(cluster, service)
    cluster.wait_whole()
    next(story, None)
    cluster.assert_sound()


def assert_refused_at_once(cluster, service, refused):
    with cluster.client() as client:
        for method, path, body in refused:
            answers, timings = ask_often(client, method, path, body)
            for answer in answers:
                assert service in assert_problem(answer, 503)["detail"].lower()
                assert answer.header("Retry-After")
            assert_most_within(AT_ONCE_S, timings, f"refusing {method} {path}")


def assert_refused_by_the_open_breaker(cluster):
    with cluster.client() as client:
        assert breaker(client) == "OPEN"
        answers, timings = ask_often(client, "POST", "/orders", COFFEE, times=50)
    assert {a.status for a in answers} == {503}
    assert_most_within(WITH_OPEN_BREAKER_S, timings, "refusing an order with the breaker open")


def assert_others_answer(cluster, service):
    with cluster.client() as client:
        for other in set(SERVICES) - {service}:
            answers, timings = ask_often(client, "GET", PATHS[other])
            assert {a.status for a in answers} == {200}, other
            assert_most_within(AT_ONCE_S, timings, f"reading {PATHS[other]}")


@pytest.mark.parametrize("how", WAYS)
def test_gateway_down(cluster, phone, how):
    can_be(cluster, how)
    unpaid = cluster.shop().place()
    others = [cluster[n] for n in NODES[1:]]
    told = "event=peer_lost peer=gateway "
    before = [n.stderr().count(told) for n in others]
    with cluster.without("gateway", how), cluster.client_without_gateway() as nodes:
        lost, shop = time.monotonic(), Shop(nodes)
        shop.pay(unpaid, phoneNumber=phone)
        cancelled = shop.paid_order(phone)
        shop.cancel_order(cancelled)
        delivered = shop.delivered_order(phone)
        shop.wait_stamps(phone, 2)
        wait_until(
            lambda: all(n.stderr().count(told) > b for n, b in zip(others, before)),
            "its peers notice",
            NOTICED_S[how] * TIME_SCALE,
        )
        if how == "cut off":  # the node runs, and reports all others away
            cluster.wait_away(*SERVICES)
            wait_until(lambda: time.monotonic() > lost + PATIENCE_S, "their time has passed")
            for service in SERVICES:
                assert_refused_at_once(cluster, service, [("GET", PATHS[service], None)])
    cluster.wait_whole()
    shop = cluster.shop()
    shop.wait_consistent(unpaid, cancelled, delivered)
    shop.wait_stamps(phone, 2)
    cluster.assert_sound()


def test_a_node_that_is_cut_off_holds_up_no_other_reconnection(cluster):
    """CAF connects with a blocking call: an address that swallows packets must not hold up other
    peers."""
    can_be(cluster, "cut off")
    with cluster.without("stamp", "cut off"):
        cluster.wait_away("stamp")
        cluster["payment"].stop()
        cluster.again("payment")
        cluster.wait_up("payment")
        cluster.shop().paid_order()
    cluster.wait_whole()


def test_with_its_breaker_open_an_order_is_refused_within_50_ms(tmp_path):
    """Payment runs and refuses, so the breaker answers."""
    fault = {"payment": ("--fault", "payment-fail=1@0s..4s")}
    with Cluster(tmp_path / "nodes", per_node=fault) as cluster, cluster.client() as client:

        def opened():
            client.post("/orders", COFFEE).expect(503)
            return breaker(client) == "OPEN"

        wait_until(opened, "the breaker opens")
        assert_refused_by_the_open_breaker(cluster)
        assert cluster.health()["components"]["payment"]["status"] == "UP"
        assert_others_answer(cluster, service=None)
        cluster.wait_whole()
        wait_until(lambda: cluster.shop().place() and breaker(client) == "CLOSED", "it closes")


def test_a_node_that_was_away_tells_when_the_order_was_delivered(cluster):
    shop = cluster.shop()
    order_id = shop.paid_order()
    shop.wait_delivery(order_id, PREPARE)
    shop.wait_consistent(order_id)
    with cluster.without("order", "killed"):
        for status in DELIVERY_STEPS:
            shop.move(order_id, status).expect(200)
        told = shop.client.get(f"/deliveries/{order_id}").expect(200).json()["deliveredAt"]
    cluster.wait_whole()

    def known():
        return shop.order(order_id).get("deliveredAt")

    wait_until(known, "the order knows of its delivery")
    assert known() == told
    payment = shop.client.get(f"/payments/{order_id}").expect(200).json()
    assert payment["deliveredAt"] == told
