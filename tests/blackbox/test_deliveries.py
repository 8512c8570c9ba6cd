"""GET, PUT, PATCH /deliveries/{id}."""

import pytest
from rest import CANCEL, DELIVERY_STEPS, END, PREPARE, READY, START

WORDS = [PREPARE, READY, START, END, CANCEL]
NEXT = {PREPARE: READY, READY: START, START: END}
MOVES = [(present, word) for present in WORDS for word in WORDS]


def delivery_at(shop, status):
    order_id = shop.paid_order()
    if status != CANCEL:
        return shop.deliver(order_id, until=status)
    shop.wait_delivery(order_id, PREPARE)
    shop.cancel_order(order_id)
    shop.wait_delivery(order_id, CANCEL)
    return order_id


def test_a_paid_order_has_its_delivery_prepared(shop):
    order_id = shop.paid_order(productId=3, productName="Mocha", qty=2)
    shop.wait_delivery(order_id, PREPARE)
    delivery = shop.client.get(f"/deliveries/{order_id}").expect(200).json()
    assert delivery["id"] == delivery["orderId"] == delivery["paymentId"] == order_id
    assert (delivery["productId"], delivery["productName"], delivery["qty"]) == (3, "Mocha", 2)
    assert delivery.get("destination") is None
    assert delivery["_links"]["self"]["href"] == f"/deliveries/{order_id}"


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_delivery_goes_from_ready_to_start_to_end(shop, method):
    order_id = delivery_at(shop, PREPARE)
    for status in DELIVERY_STEPS:
        answer = shop.client.request(method, f"/deliveries/{order_id}", {"deliveryStatus": status})
        assert answer.expect(200).json()["deliveryStatus"] == status
        assert shop.delivery_status(order_id) == status


@pytest.mark.parametrize("present, word", MOVES, ids=[f"{a}->{b}" for a, b in MOVES])
def test_only_the_next_step_and_the_present_one_are_allowed(shop, present, word):
    order_id = delivery_at(shop, present)
    allowed = word in (present, NEXT.get(present))
    shop.move(order_id, word).expect(200 if allowed else 409)
    assert shop.delivery_status(order_id) == (word if allowed else present)


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_the_present_status_again_is_a_no_op(shared_server, shop, method):
    order_id = delivery_at(shop, READY)
    before = shop.client.get(f"/deliveries/{order_id}").json()
    answer = shop.client.request(
        method, f"/deliveries/{order_id}", {"deliveryStatus": READY}
    ).expect(200)
    assert answer.json() == before
    ready = [
        event
        for event in shared_server.events("--service", "delivery")
        if event["eventType"] == "DeliveryReady" and event["id"] == order_id
    ]
    assert len(ready) == 1


def test_a_destination_can_be_given_with_a_step_and_stays(shop):
    order_id = delivery_at(shop, PREPARE)
    assert (
        shop.move(order_id, READY, destination="창가 3").expect(200).json()["destination"]
        == "창가 3"
    )
    assert shop.move(order_id, START).expect(200).json()["destination"] == "창가 3"


def test_put_may_carry_the_delivery_as_it_was_read(shop):
    order_id = delivery_at(shop, PREPARE)
    delivery = shop.client.get(f"/deliveries/{order_id}").json()
    shop.client.put(f"/deliveries/{order_id}", {**delivery, "deliveryStatus": READY}).expect(200)


def test_an_unpaid_order_has_no_delivery(shop):
    order_id = shop.place()
    shop.wait_trace(order_id, "Order END")
    shop.client.get(f"/deliveries/{order_id}").expect(404)
    shop.move(order_id, READY).expect(404)


@pytest.mark.parametrize(
    "method, body",
    [("GET", None), ("PUT", {"deliveryStatus": READY}), ("PATCH", {"deliveryStatus": READY})],
)
def test_an_unknown_delivery_gives_404(client, method, body):
    client.request(method, f"/deliveries/{2**53 - 1}", body).expect(404)
