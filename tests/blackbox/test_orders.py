"""POST /orders, GET and DELETE /orders/{id}."""

import pytest
from rest import COFFEE, in_parallel, wait_until

ORIGINAL_ORDERS = [  # the original's own commands; its HTTPie sends every number as a string
    (1, 1, "cash", 1000, "Coffee"),
    (2, 2, "card", 2000, "RedTea"),
    (3, 1, "card", 2500, "Coffee"),
    (4, 2, "card", 4500, "IceTea"),
    (5, 3, "card", 6000, "LemonAde"),
    (6, 4, "card", 10000, "OrangeAde"),
    (7, 1, "card", 3000, "Latte"),
    (8, 3, "card", 9000, "WhiteChoco"),
    (9, 2, "card", 5500, "EarlGrey"),
    (10, 2, "card", 7000, "RedTea"),
]


def test_placing_an_order_gives_201_its_location_and_the_order(client):
    answer = client.post("/orders", COFFEE).expect(201)
    order = answer.json()
    assert answer.header("Location") == f"/orders/{order['id']}"
    assert isinstance(order["id"], int) and 0 < order["id"] < 2**53
    assert order["orderStatus"] == "Order complete"
    assert order["delivered"] is False
    assert {field: order[field] for field in COFFEE} == COFFEE
    assert order["_links"]["self"]["href"] == f"/orders/{order['id']}"


def test_a_placed_order_reads_back_as_it_was_answered(client):
    placed = client.post("/orders", COFFEE).expect(201).json()
    assert client.get(f"/orders/{placed['id']}").expect(200).json() == placed


@pytest.mark.parametrize("product_id, qty, payment_type, cost, name", ORIGINAL_ORDERS)
def test_the_originals_order_commands_work(client, product_id, qty, payment_type, cost, name):
    answer = client.post(
        "/orders",
        {
            "productId": str(product_id),
            "qty": str(qty),
            "cost": str(cost),
            "paymentType": payment_type,
            "productName": name,
        },
    ).expect(201)
    order = answer.json()
    assert (order["productId"], order["qty"], order["cost"]) == (product_id, qty, cost)
    assert (order["paymentType"], order["productName"]) == (payment_type, name)


def test_an_order_is_registered_with_its_payment_opened(shop, phone):
    order_id = shop.place(
        productId=7, productName="Latte", qty=3, cost=9000, paymentType="card", phoneNumber=phone
    )
    payment = shop.payment(order_id)
    assert payment["id"] == payment["orderId"] == order_id
    assert payment["paymentStatus"] == "Not Pay"
    assert (payment["productId"], payment["productName"]) == (7, "Latte")
    assert (payment["qty"], payment["cost"], payment["paymentType"]) == (3, 9000, "card")
    assert payment["phoneNumber"] == phone


def test_an_orders_phone_number_is_optional(shop):
    assert shop.payment(shop.place()).get("phoneNumber") is None


def test_the_phone_number_of_the_order_earns_the_stamps(shop, phone):
    order_id = shop.place(qty=4, phoneNumber=phone)
    shop.pay(order_id)
    shop.wait_stamps(phone, 4)


def test_ids_are_never_used_twice(shop):
    ids = [shop.place() for _ in range(50)]
    assert len(set(ids)) == 50


def test_orders_placed_at_the_same_moment_get_ids_of_their_own(shared_server):
    shops = [shared_server.shop() for _ in range(16)]
    ids = in_parallel([shop.place for shop in shops])
    assert len(set(ids)) == 16


def test_cancelling_an_order_gives_204_without_a_body(client, shop):
    answer = shop.cancel_order(shop.place())
    assert answer.body == b""


def test_cancelling_an_order_again_gives_204(shop):
    order_id = shop.place()
    shop.cancel_order(order_id)
    shop.cancel_order(order_id)
    assert shop.order(order_id)["orderStatus"] == "Order Cancelled"


def test_a_cancelled_order_stays_readable(client, shop):
    placed = client.post("/orders", COFFEE).expect(201).json()
    shop.cancel_order(placed["id"])
    cancelled = shop.order(placed["id"])
    assert cancelled.pop("cancelledAt") >= placed["orderedAt"]
    assert placed["_links"].pop("cancel")["href"] == f"/orders/{placed['id']}"
    assert cancelled == {**placed, "orderStatus": "Order Cancelled"}


def test_a_delivered_order_says_so_and_cannot_be_cancelled(client, shop):
    order_id = shop.delivered_order()
    assert shop.order(order_id)["delivered"] is True
    client.delete(f"/orders/{order_id}").expect(409)
    assert shop.order(order_id)["orderStatus"] == "Order complete"


def test_an_order_under_way_can_be_cancelled(shop):
    for until in ("Prepare Delivery...", "READY", "START"):
        order_id = shop.deliver(shop.paid_order(), until)
        shop.cancel_order(order_id)
        shop.wait_payment(order_id, "CANCEL")
        shop.wait_delivery(order_id, "CANCEL")


def test_an_order_whose_payment_was_cancelled_stays_and_can_be_cancelled(shop):
    order_id = shop.paid_order()
    shop.cancel_payment(order_id)
    assert shop.order(order_id)["orderStatus"] == "Order complete"
    shop.cancel_order(order_id)
    wait_until(lambda: shop.order(order_id)["orderStatus"] == "Order Cancelled", "order cancelled")


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_an_unknown_order_gives_404(client, method):
    client.request(method, f"/orders/{2**53 - 1}").expect(404)
