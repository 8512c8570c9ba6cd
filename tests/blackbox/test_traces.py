"""The saga in the order trace: its steps, its races, and the defects of the original."""

import pytest
from rest import CANCEL, END, PREPARE, READY, START, TIMESTAMP, in_parallel, total, wait_until


def event_types(server, service, entity_id):
    return [
        event["eventType"]
        for event in server.events("--service", service)
        if event.get("id") == entity_id
    ]


# ------------------------------------------------------------------------------------- the steps


def test_a_trace_shows_the_order(shop):
    order_id = shop.place(productId=5, productName="LemonAde", qty=3, cost=6000)
    shop.wait_trace(order_id, "Order END")
    trace = shop.client.get(f"/orderTraces/{order_id}").expect(200).json()
    assert trace["id"] == trace["orderId"] == order_id
    assert (trace["productId"], trace["productName"]) == (5, "LemonAde")
    assert (trace["qty"], trace["cost"]) == (3, 6000)
    assert trace["_links"]["self"]["href"] == f"/orderTraces/{order_id}"


def test_a_trace_follows_the_order_from_end_to_end(shop, phone):
    order_id = shop.place(phoneNumber=phone)
    shop.wait_trace(order_id, "Order END")
    shop.pay(order_id)
    shop.wait_trace(order_id, "PAY END")
    shop.wait_delivery(order_id, PREPARE)
    assert shop.trace_status(order_id) == "PAY END"
    for step, status in [
        (READY, "DELIVERY READY"),
        (START, "DELIVERY START"),
        (END, "DELIVERY END"),
    ]:
        shop.move(order_id, step).expect(200)
        shop.wait_trace(order_id, status)


def test_a_cancelled_payment_shows_as_pay_cancel(shop):
    order_id = shop.place()
    shop.cancel_payment(order_id)
    shop.wait_trace(order_id, "PAY CANCEL")


def test_a_cancelled_payment_with_a_delivery_shows_as_delivery_cancel(shop):
    order_id = shop.paid_order()
    shop.wait_delivery(order_id, PREPARE)
    shop.cancel_payment(order_id)
    shop.wait_trace(order_id, "DELIVERY CANCEL")


@pytest.mark.parametrize("paid", [False, True])
def test_a_cancelled_order_shows_as_order_cancel_and_stays_so(shop, paid):
    order_id = shop.paid_order() if paid else shop.place()
    shop.cancel_order(order_id)
    shop.wait_trace(order_id, "ORDER CANCEL")
    shop.wait_payment(order_id, CANCEL)
    wait_until(
        lambda: "PayCancelled" in shop.history(order_id), "the payment's cancel in the history"
    )
    assert shop.trace_status(order_id) == "ORDER CANCEL"


def test_find_by_order_id_gives_the_trace_as_a_list(shop):
    order_id = shop.place()
    shop.wait_trace(order_id, "Order END")
    answer = shop.client.get("/orderTraces/search/findByOrderId", orderId=order_id).expect(200)
    traces = answer.json()["_embedded"]["orderTraces"]
    assert traces == [shop.client.get(f"/orderTraces/{order_id}").json()]


def test_find_by_an_unknown_order_id_gives_an_empty_list(client):
    answer = client.get("/orderTraces/search/findByOrderId", orderId=2**53 - 1).expect(200)
    assert answer.json()["_embedded"]["orderTraces"] == []


@pytest.mark.parametrize("query", [{}, {"orderId": "abc"}, {"orderId": "1.0"}])
def test_find_by_order_id_without_an_integer_gives_422(client, query):
    client.get("/orderTraces/search/findByOrderId", **query).expect(422)


def test_an_unknown_trace_gives_404(client):
    client.get(f"/orderTraces/{2**53 - 1}").expect(404)
    client.get(f"/orderTraces/{2**53 - 1}/events").expect(404)


def test_a_traces_events_are_the_whole_history(shop, phone):
    order_id = shop.place(phoneNumber=phone)
    shop.pay(order_id)
    shop.deliver(order_id)
    shop.wait_trace(order_id, "DELIVERY END")
    answer = shop.client.get(f"/orderTraces/{order_id}/events", size=1000).expect(200)
    history = [event["eventType"] for event in answer.embedded()]
    expected = [
        "Ordered",
        "Paid",
        "DeliveryPrepared",
        "DeliveryReady",
        "DeliveryStarted",
        "Delivered",
    ]
    assert [kind for kind in history if kind in expected] != []
    assert sorted(expected) == sorted(kind for kind in history if kind in expected)
    delivery_steps = [kind for kind in history if kind.startswith("Deliver")]
    assert delivery_steps == expected[2:]
    for event in answer.embedded():
        assert TIMESTAMP.match(event["timestamp"]), event


# ------------------------------------------------------------------------------------- the races


def settled(shop, order_id):
    """Waits until every consumer has seen the order's cancel."""
    shop.wait_payment(order_id, CANCEL)
    shop.wait_trace(order_id, "ORDER CANCEL")


def test_a_cancel_right_behind_the_payment_takes_everything_back(shared_server, shop, phone):
    orders = [shop.place(qty=2) for _ in range(20)]
    for order_id in orders:
        shop.pay(order_id, phoneNumber=phone)
        shop.cancel_order(order_id)
    for order_id in orders:
        settled(shop, order_id)
        wait_until(
            lambda: shop.delivery_status(order_id) in (None, CANCEL), "no delivery in progress"
        )
    shop.wait_stamps(phone, 0)


def test_paying_and_cancelling_the_order_at_the_same_moment_ends_cancelled(
    shared_server, shop, phone
):
    with shared_server.client() as other:
        for _ in range(20):
            order_id = shop.place(qty=2)
            body = {"paymentStatus": END, "phoneNumber": phone}
            paid, cancelled = in_parallel(
                [
                    lambda: shop.client.patch(f"/payments/{order_id}", body),
                    lambda: other.delete(f"/orders/{order_id}"),
                ]
            )
            paid.expect(200, 409)
            cancelled.expect(204)
            settled(shop, order_id)
            wait_until(
                lambda: shop.delivery_status(order_id) in (None, CANCEL), "no delivery in progress"
            )
    shop.wait_stamps(phone, 0)


def test_paying_and_cancelling_the_payment_at_the_same_moment_has_one_outcome(
    shared_server, shop, phone
):
    with shared_server.client() as other:
        for _ in range(20):
            order_id = shop.place(qty=2)
            body = {"paymentStatus": END, "phoneNumber": phone}
            paid, cancelled = in_parallel(
                [
                    lambda: shop.client.patch(f"/payments/{order_id}", body),
                    lambda: other.delete(f"/payments/{order_id}"),
                ]
            )
            cancelled.expect(204)
            assert shop.payment(order_id)["paymentStatus"] == CANCEL
            kinds = event_types(shared_server, "payment", order_id)
            assert ("Paid" in kinds) == (paid.expect(200, 409).status == 200)
            assert kinds.count("PayCancelled") == 1
    shop.wait_stamps(phone, 0)


def test_an_accepted_cancel_wins_over_the_end_of_the_delivery(shared_server, shop, phone):
    with shared_server.client() as other:
        won = lost = 0
        for _ in range(20):
            order_id = shop.deliver(shop.paid_order(phone, qty=1), until=START)
            ended, cancelled = in_parallel(
                [lambda: shop.move(order_id, END), lambda: other.delete(f"/orders/{order_id}")]
            )
            ended.expect(200, 409)
            if cancelled.expect(204, 409).status == 204:
                won += 1
                settled(shop, order_id)
                wanted = END if ended.status == 200 else CANCEL
                shop.wait_delivery(order_id, wanted)
                assert shop.order(order_id)["orderStatus"] == "Order Cancelled"
            else:
                lost += 1
                assert ended.status == 200
                assert shop.payment(order_id)["paymentStatus"] == END
                shop.wait_trace(order_id, "DELIVERY END")
        assert won + lost == 20
        shop.wait_stamps(phone, lost)


def test_cancelling_order_and_payment_at_the_same_moment_refunds_once(shared_server, shop, phone):
    with shared_server.client() as other:
        for _ in range(10):
            order_id = shop.paid_order(phone, qty=2)
            for answer in in_parallel(
                [
                    lambda: shop.client.delete(f"/payments/{order_id}"),
                    lambda: other.delete(f"/orders/{order_id}"),
                ]
            ):
                answer.expect(204)
            settled(shop, order_id)
            assert event_types(shared_server, "payment", order_id).count("PayCancelled") == 1
    shop.wait_stamps(phone, 0)


def test_cancelling_an_order_at_the_same_moment_many_times_cancels_it_once(shared_server, shop):
    order_id = shop.paid_order()
    clients = [shared_server.client() for _ in range(8)]
    answers = in_parallel([lambda c=c: c.delete(f"/orders/{order_id}") for c in clients])
    assert {answer.status for answer in answers} == {204}
    assert event_types(shared_server, "order", order_id).count("OrderCancelled") == 1


# ----------------------------------------------------------- the defects of the original, by name


def test_defect_a_refused_change_publishes_no_event(shared_server, shop, phone):
    """The original publishes although the transaction rolls back."""
    order_id = shop.paid_order(phone)
    shop.cancel_payment(order_id)
    shop.wait_trace(order_id, "PAY CANCEL", "DELIVERY CANCEL")
    shop.wait_stamps(phone, 0)
    before = {
        service: event_types(shared_server, service, order_id) for service in ("order", "payment")
    }
    ledger = shop.entries(phone)
    shop.client.patch(f"/payments/{order_id}", {"paymentStatus": END}).expect(409)
    shop.client.post("/payments", {"orderId": order_id, "paymentStatus": END}).expect(409)
    shop.client.put(f"/payments/{order_id}", {"paymentStatus": END, "cost": 5}).expect(409, 422)
    shop.client.post("/stamps", {"phoneNumber": phone, "stampQty": -1}).expect(422)
    assert {
        service: event_types(shared_server, service, order_id) for service in ("order", "payment")
    } == before
    assert shop.entries(phone) == ledger


@pytest.mark.parametrize("step", ["pay", "cancel"])
def test_defect_a_crash_right_behind_a_commit_loses_no_event(serve, phone, step):
    """The original loses unpublished events in a crash."""
    server = serve()
    shop = server.shop()
    orders = [shop.place(qty=1, phoneNumber=phone) for _ in range(5)]
    for order_id in orders:
        shop.pay(order_id)
    if step == "cancel":
        for order_id in orders:
            shop.cancel_order(order_id)
    server.kill().restart()
    shop = server.shop()
    for order_id in orders:
        if step == "pay":
            shop.wait_delivery(order_id, PREPARE)
            shop.wait_trace(order_id, "PAY END")
        else:
            settled(shop, order_id)
    shop.wait_stamps(phone, 5 if step == "pay" else 0)


def test_defect_a_failed_order_leaves_no_orphan_payment(serve):
    """The original calls payment before the order is committed."""
    server = serve("--fault", "payment-lose-reply=1@0s..5s")
    client = server.client()
    client.post(
        "/orders",
        {"productId": 1, "productName": "Coffee", "qty": 1, "cost": 1000, "paymentType": "cash"},
    ).expect(503)
    for collection in ("orders", "orderTraces"):
        assert client.get(f"/{collection}").expect(200).embedded() == []
    wait_until(lambda: total(client, "payments") == 0, "payment has seen the rejection")
    server.stop().restart()
    assert server.client().get("/payments").expect(200).embedded() == []


def test_defect_cancelling_a_paid_order_does_not_pay_again(shared_server, shop, phone):
    """The original publishes Paid again: a second delivery, and stamps twice."""
    order_id = shop.paid_order(phone, qty=3)
    shop.wait_delivery(order_id, PREPARE)
    shop.wait_stamps(phone, 3)
    shop.cancel_order(order_id)
    shop.wait_delivery(order_id, CANCEL)
    shop.wait_stamps(phone, 0)
    settled(shop, order_id)
    assert event_types(shared_server, "payment", order_id).count("Paid") == 1
    assert event_types(shared_server, "delivery", order_id) == [
        "DeliveryPrepared",
        "DeliveryCancelled",
    ]
    assert len(shop.entries(phone)) == 2


def test_defect_cancelling_an_order_cancels_its_own_delivery_and_no_other(shop):
    """The original compares an order id with a payment id."""
    orders = [shop.place() for _ in range(4)]
    for order_id in reversed(orders):
        shop.pay(order_id)
    for order_id in orders:
        shop.wait_delivery(order_id, PREPARE)
    shop.cancel_order(orders[1])
    shop.wait_delivery(orders[1], CANCEL)
    shop.wait_trace(orders[1], "ORDER CANCEL")
    for order_id in (orders[0], orders[2], orders[3]):
        assert shop.delivery_status(order_id) == PREPARE


def test_defect_a_cancelled_orders_history_stays_readable(shop):
    """The original deletes the cancelled order's row."""
    order_id = shop.paid_order()
    shop.cancel_order(order_id)
    settled(shop, order_id)
    assert shop.order(order_id)["orderStatus"] == "Order Cancelled"
    wait_until(
        lambda: {"Ordered", "OrderCancelled", "Paid", "PayCancelled"}
        <= set(shop.history(order_id)),
        "the whole history",
    )


def test_defect_the_deliverys_start_reaches_the_trace(shop):
    """The original's START never reaches the trace."""
    order_id = shop.deliver(shop.paid_order(), until=START)
    shop.wait_trace(order_id, "DELIVERY START")
