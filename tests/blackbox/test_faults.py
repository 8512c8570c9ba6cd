"""Payment slow, failing or silent: the customers' view, and the circuit breaker."""

import threading
import time

import pytest
from rest import CANCEL, COFFEE, DEADLINE_S, TIME_SCALE, Shop, in_parallel, total, wait_until
from support import skanu

FAULTS = ["payment-delay", "payment-fail", "payment-lose-reply", "crash-at"]


def timed(call):
    """(result of the call, seconds)."""
    start = time.monotonic()
    return call(), time.monotonic() - start


def breaker(client):
    return client.get("/actuator/circuitbreakers").expect(200).json()["circuitBreakers"]["payment"]


def place(client, *statuses):
    """Places an order; a refusal must be 503 with Retry-After."""
    answer = client.post("/orders", COFFEE).expect(*(statuses or (201, 503)))
    if answer.status == 503:
        assert int(answer.header("Retry-After")) >= 1
        assert answer.header("Content-Type").startswith("application/problem+json")
    return answer


def listed_ids(client, collection):
    return [item["id"] for item in client.get(f"/{collection}", size=1000).expect(200).embedded()]


def nothing_listed(client, *collections):
    """True where no order is registered: by default in the order service and the view."""
    return all(total(client, name) == 0 for name in collections or ("orders", "orderTraces"))


def open_breaker(client):
    def opened():
        place(client)
        return breaker(client)["state"] == "OPEN"

    wait_until(opened, "the breaker opens")


def test_fault_help_lists_the_names():
    done = skanu("serve", "--fault", "help")
    assert done.returncode == 0, done.stderr
    for name in FAULTS:
        assert name in done.stdout


def test_a_slow_payment_delays_the_order_and_nothing_else(serve):
    client = serve("--fault", "payment-delay=200ms..300ms").client()
    placed, seconds = timed(lambda: place(client, 201))
    assert 0.2 <= seconds < 0.6
    path = placed.header("Location")
    for call in (lambda: client.get(path).expect(200), lambda: client.delete(path).expect(204)):
        assert timed(call)[1] < 0.15


def test_a_slow_payment_holds_no_thread(serve):
    server = serve("--fault", "payment-delay=300ms..300ms")
    clients = [server.client() for _ in range(60)]
    _, seconds = timed(lambda: in_parallel([lambda c=c: place(c, 201) for c in clients]))
    assert seconds < 1.5


@pytest.mark.slow
def test_50_users_and_a_delay_around_the_timeout_see_nothing_but_201_and_503(serve):
    """The original's load: a random delay in payment, 610 ms of patience, 97.9 % succeed."""
    server = serve("--fault", "payment-delay=400ms..620ms")
    end = time.monotonic() + 8

    def user(client):
        answers = []
        while time.monotonic() < end:
            answers.append(place(client))
        return answers

    answers = sum(in_parallel([lambda c=server.client(): user(c) for _ in range(50)]), [])
    placed = [answer for answer in answers if answer.status == 201]
    assert len(placed) >= 0.98 * len(answers), f"{len(placed)} of {len(answers)}"
    client = server.client()
    assert total(client, "orders") == len(placed)
    for answer in placed[::20]:
        client.get(answer.header("Location")).expect(200)


def test_a_payment_too_slow_for_every_attempt_gives_503_and_no_order(serve):
    server = serve("--fault", "payment-delay=3s..3s@0s..4s")
    client = server.client()
    _, seconds = timed(lambda: place(client, 503))
    assert seconds < 2.5, "2 s are all that a request has"
    assert total(client, "orders") == total(client, "orderTraces") == 0
    placed = wait_until(
        lambda: (answer := place(client)).status == 201 and answer,
        "payment is back",
        3 * DEADLINE_S,
    )
    only = [placed.json()["id"]]
    assert listed_ids(client, "orders") == only
    wait_until(lambda: listed_ids(client, "payments") == only, "no payment of a rejected order")


def test_too_many_waiting_for_payment_are_refused_at_once(serve):
    server = serve("--fault", "payment-delay=500ms..500ms")
    clients = [server.client() for _ in range(220)]
    answers = in_parallel([lambda c=c: timed(lambda: place(c)) for c in clients])
    refused = [seconds for answer, seconds in answers if answer.status == 503]
    placed = [answer for answer, _ in answers if answer.status == 201]
    assert len(placed) >= 100 and len(refused) >= 20, (len(placed), len(refused))
    middle = sorted(refused)[len(refused) // 2]
    assert middle < 0.45 * TIME_SCALE, "a refusal does not wait for payment"
    assert total(server.client(), "orders") == len(placed)


@pytest.mark.slow  # a matter of speed: not with a sanitizer
def test_300_clients_at_once_of_a_healthy_payment_are_all_served(serve):
    server = serve()
    clients = [server.client() for _ in range(300)]
    for _ in range(3):
        in_parallel([lambda c=c: place(c, 201) for c in clients])


def test_a_failing_payment_opens_the_breaker_and_refusals_are_quick(serve):
    server = serve("--fault", "payment-fail=1@1s..8s")
    client = server.client()
    shop = Shop(client)
    paid, unpaid = shop.paid_order(), shop.place()
    wait_until(lambda: place(client).status == 503, "payment fails")
    open_breaker(client)
    seconds = sorted(timed(lambda: place(client, 503))[1] for _ in range(100))
    assert seconds[94] < 0.05, f"p95 {seconds[94]:.3f} s"
    assert breaker(client)["notPermittedCalls"] > 0
    # customers can still read and cancel orders
    for order_id in (paid, unpaid):
        assert shop.order(order_id)["orderStatus"] == "Order complete"
        shop.cancel_order(order_id)
        shop.wait_trace(order_id, "ORDER CANCEL")
    assert shop.stamps("0101111111") == 0
    health = client.get("/actuator/health").expect(200).json()
    assert health["status"] == "UP"


def test_the_breaker_closes_by_itself_within_6_s_of_recovery(serve):
    client = serve("--fault", "payment-fail=1@0s..3s").client()
    ready = time.monotonic()
    open_breaker(client)
    wait_until(lambda: place(client).status == 201, "orders go through again", 9 + DEADLINE_S)
    assert time.monotonic() - ready < 3 + 6, "3 s of fault and 6 s more"
    wait_until(
        lambda: place(client).status == 201 and breaker(client)["state"] == "CLOSED", "it closes"
    )
    for _ in range(20):
        place(client, 201)


def test_the_breaker_needs_20_calls_before_it_opens(serve):
    client = serve("--fault", "payment-fail=1").client()
    while breaker(client)["state"] == "CLOSED" and breaker(client)["bufferedCalls"] < 100:
        before = breaker(client)
        place(client, 503)
        assert before["bufferedCalls"] < 20, "open from 20 failed calls on"
    after = breaker(client)
    assert after["state"] == "OPEN"
    assert after["failedCalls"] == after["bufferedCalls"] >= 20
    assert after["failureRate"] == 100


def test_some_failures_below_half_do_not_open_the_breaker(serve):
    client = serve("--fault", "payment-fail=0.2").client()
    answers = [place(client) for _ in range(150)]
    assert breaker(client)["state"] == "CLOSED"
    assert 0 < breaker(client)["failureRate"] < 50
    placed = [answer for answer in answers if answer.status == 201]
    assert total(client, "orders") == len(placed)
    wait_until(lambda: total(client, "payments") == len(placed), "payment has seen the rejections")


def test_a_fault_keeps_to_its_window(serve):
    client = serve("--fault", "payment-fail=1@1s..5s").client()
    place(client, 201)
    wait_until(lambda: place(client).status == 503, "the window begins")
    wait_until(lambda: place(client).status == 201, "the window ended", 8 + DEADLINE_S)


def test_a_lost_reply_of_payment_never_makes_an_orphan_or_a_double(serve):
    server = serve("--fault", "payment-lose-reply=0.3@0s..3s")
    clients = [server.client() for _ in range(20)]
    answers = sum(in_parallel([lambda c=c: [place(c) for _ in range(3)] for c in clients]), [])
    placed = sorted(answer.json()["id"] for answer in answers if answer.status == 201)
    assert len(placed) == len(set(placed))
    client = server.client()
    assert listed_ids(client, "orders") == placed
    for collection in ("payments", "orderTraces"):  # these follow the order's log
        wait_until(
            lambda: listed_ids(client, collection) == placed,
            f"the {collection} of the placed orders, and no other",
        )


def test_every_reply_lost_gives_503_and_leaves_nothing_behind(serve):
    server = serve("--fault", "payment-lose-reply=1")
    client = server.client()
    _, seconds = timed(lambda: place(client, 503))
    assert seconds < 2.5
    assert nothing_listed(client)
    wait_until(lambda: nothing_listed(client, "payments"), "payment has seen the rejection")
    client.post("/orders", COFFEE).expect(503)
    client = server.kill().restart().client()
    assert nothing_listed(client)
    wait_until(lambda: nothing_listed(client, "payments"), "payment has seen the rejection")
    place(client, 201)


def test_paying_and_cancelling_work_while_orders_are_refused(serve):
    server = serve("--fault", "payment-fail=1@1s..60s")
    shop = server.shop()
    orders = [shop.place() for _ in range(2)]
    wait_until(lambda: place(shop.client).status == 503, "payment refuses orders")
    open_breaker(shop.client)
    shop.cancel_order(orders[0])
    shop.wait_payment(orders[0], CANCEL)
    for path in (
        f"/orders/{orders[1]}",
        f"/payments/{orders[1]}",
        "/orders",
        "/payments",
        "/orderTraces",
    ):
        assert timed(lambda: shop.client.get(path).expect(200))[1] < 0.25


def test_two_faults_go_together(serve):
    client = serve(
        "--fault", "payment-delay=100ms..100ms", "--fault", "payment-fail=1@0s..3s"
    ).client()
    _, seconds = timed(lambda: place(client, 503))
    assert seconds >= 0.1
    placed, seconds = timed(
        lambda: wait_until(lambda: place(client).status == 201, "the second fault's window ended")
    )
    assert placed and seconds >= 0.1


def test_reads_stay_quick_while_payment_is_frozen(serve):
    """The bulkhead: a frozen payment takes no thread that reads and cancels need."""
    server = serve("--fault", "payment-delay=5s..5s")
    stop = threading.Event()

    def customer():
        with server.client() as client:
            while not stop.is_set():
                client.post("/orders", COFFEE).expect(503)

    customers = [threading.Thread(target=customer) for _ in range(40)]
    for thread in customers:
        thread.start()
    try:
        client = server.client()
        client.get("/orders").expect(200)
        seconds = sorted(timed(lambda: client.get("/orders").expect(200))[1] for _ in range(200))
    finally:
        stop.set()
        for thread in customers:
            thread.join()
    assert seconds[180] < 0.2, f"p90 {seconds[180]:.3f} s"
