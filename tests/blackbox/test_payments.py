"""GET, PUT, PATCH, DELETE /payments/{id} and POST /payments."""

import pytest
from rest import CANCEL, END, fresh_phone, in_parallel

NOT_PAY = "Not Pay"
CHANGES = ["PUT", "PATCH"]


def change(shop, method, order_id, **fields):
    return shop.client.request(method, f"/payments/{order_id}", fields)


@pytest.mark.parametrize("method", CHANGES)
def test_paying_gives_200_and_the_payment(shop, phone, method):
    order_id = shop.place(qty=2, cost=2000)
    payment = (
        change(shop, method, order_id, paymentStatus=END, phoneNumber=phone).expect(200).json()
    )
    assert payment["id"] == payment["orderId"] == order_id
    assert (payment["productId"], payment["productName"]) == (1, "Coffee")
    assert (payment["qty"], payment["cost"], payment["paymentType"]) == (2, 2000, "cash")
    assert (payment["paymentStatus"], payment["phoneNumber"]) == (END, phone)
    assert payment["_links"]["self"]["href"] == f"/payments/{order_id}"
    assert shop.payment(order_id) == payment


@pytest.mark.parametrize("method", CHANGES)
def test_the_payment_type_may_change_when_paying(shop, method):
    order_id = shop.place(paymentType="cash")
    change(shop, method, order_id, paymentStatus=END, paymentType="card").expect(200)
    assert shop.payment(order_id)["paymentType"] == "card"


def test_the_originals_put_with_every_field_as_a_string_pays(shop):
    order_id = shop.place(productId=2, productName="RedTea", qty=2, cost=2000, paymentType="card")
    answer = change(
        shop,
        "PUT",
        order_id,
        cost="2000",
        orderId=str(order_id),
        paymentStatus=END,
        paymentType="cash",
        productId="2",
        productName="RedTea",
        qty="2",
    ).expect(200)
    payment = answer.json()
    assert (payment["paymentStatus"], payment["paymentType"], payment["cost"]) == (
        END,
        "cash",
        2000,
    )


def test_put_may_carry_the_resource_as_it_was_read(shop):
    payment = shop.payment(shop.place())
    assert (
        shop.client.put(f"/payments/{payment['id']}", {**payment, "paymentStatus": END})
        .expect(200)
        .json()["paymentStatus"]
        == END
    )


@pytest.mark.parametrize(
    "field, other",
    [
        ("id", 2**53 - 1),
        ("orderId", 2**53 - 1),
        ("productId", 9),
        ("productName", "Latte"),
        ("qty", 9),
        ("cost", 9),
    ],
)
def test_put_with_another_value_in_a_field_that_cannot_change_gives_422(shop, field, other):
    order_id = shop.place()
    answer = change(shop, "PUT", order_id, paymentStatus=END, **{field: other}).expect(422)
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert shop.payment(order_id)["paymentStatus"] == NOT_PAY


@pytest.mark.parametrize("method", CHANGES)
def test_cancel_by_status_word_does_what_delete_does(shop, phone, method):
    order_id = shop.paid_order(phone, qty=3)
    shop.wait_stamps(phone, 3)
    shop.wait_delivery(order_id, "Prepare Delivery...")
    change(shop, method, order_id, paymentStatus=CANCEL).expect(200, 204)
    assert shop.payment(order_id)["paymentStatus"] == CANCEL
    change(shop, method, order_id, paymentStatus=CANCEL).expect(200, 204)
    shop.wait_delivery(order_id, CANCEL)
    shop.wait_stamps(phone, 0)


@pytest.mark.parametrize("method", CHANGES)
def test_cancel_by_status_word_gives_409_once_delivered(shop, method):
    order_id = shop.delivered_order()
    change(shop, method, order_id, paymentStatus=CANCEL).expect(409)
    assert shop.payment(order_id)["paymentStatus"] == END


@pytest.mark.parametrize("method", CHANGES)
def test_not_pay_is_a_no_op_on_an_unpaid_payment(shop, method):
    order_id = shop.place()
    assert change(shop, method, order_id, paymentStatus=NOT_PAY).expect(200).json() == shop.payment(
        order_id
    )
    assert shop.payment(order_id)["paymentStatus"] == NOT_PAY


@pytest.mark.parametrize("method", CHANGES)
@pytest.mark.parametrize("cancelled", [False, True])
def test_not_pay_gives_409_on_a_paid_or_cancelled_payment(shop, method, cancelled):
    order_id = shop.paid_order()
    if cancelled:
        shop.cancel_payment(order_id)
    before = shop.payment(order_id)
    change(shop, method, order_id, paymentStatus=NOT_PAY).expect(409)
    assert shop.payment(order_id) == before


@pytest.mark.parametrize("method", CHANGES)
def test_paying_again_with_equal_fields_gives_200_and_counts_once(shop, phone, method):
    order_id = shop.place(qty=2)
    fields = {"paymentStatus": END, "phoneNumber": phone, "paymentType": "card"}
    first = change(shop, method, order_id, **fields).expect(200).json()
    assert change(shop, method, order_id, **fields).expect(200).json() == first
    shop.wait_delivery(order_id, "Prepare Delivery...")
    shop.wait_stamps(phone, 2)
    assert len(shop.entries(phone)) == 1


@pytest.mark.parametrize("method", CHANGES)
@pytest.mark.parametrize("field", ["phoneNumber", "paymentType"])
def test_paying_again_with_another_field_gives_409(shop, phone, method, field):
    order_id = shop.place()
    fields = {"paymentStatus": END, "phoneNumber": phone, "paymentType": "card"}
    change(shop, method, order_id, **fields).expect(200)
    other = {"phoneNumber": fresh_phone(), "paymentType": "cash"}[field]
    change(shop, method, order_id, **{**fields, field: other}).expect(409)
    payment = shop.payment(order_id)
    assert (payment["phoneNumber"], payment["paymentType"]) == (phone, "card")


@pytest.mark.parametrize("method", CHANGES)
def test_a_cancelled_payment_cannot_be_paid(shop, method):
    order_id = shop.place()
    shop.cancel_payment(order_id)
    change(shop, method, order_id, paymentStatus=END).expect(409)
    assert shop.payment(order_id)["paymentStatus"] == CANCEL


def test_a_payment_of_a_cancelled_order_cannot_be_paid(shop):
    order_id = shop.place()
    shop.cancel_order(order_id)
    shop.wait_payment(order_id, CANCEL)
    change(shop, "PATCH", order_id, paymentStatus=END).expect(409)


def test_post_payments_pays_the_orders_payment(client, shop, phone):
    order_id = shop.place(qty=2)
    fields = {"orderId": order_id, "paymentStatus": END, "phoneNumber": phone}
    payment = client.post("/payments", fields).expect(201).json()
    assert (payment["id"], payment["orderId"], payment["qty"]) == (order_id, order_id, 2)
    assert (payment["paymentStatus"], payment["phoneNumber"]) == (END, phone)
    assert client.post("/payments", fields).expect(200).json() == payment
    assert shop.payment(order_id) == payment
    shop.wait_stamps(phone, 2)


def test_post_payments_takes_an_order_id_as_a_string(client, shop):
    client.post("/payments", {"orderId": str(shop.place()), "paymentStatus": END}).expect(201)


def test_post_payments_for_a_cancelled_payment_gives_409(client, shop):
    order_id = shop.place()
    shop.cancel_payment(order_id)
    client.post("/payments", {"orderId": order_id, "paymentStatus": END}).expect(409)


def test_post_payments_for_no_such_order_gives_404(client):
    client.post("/payments", {"orderId": 2**53 - 1, "paymentStatus": END}).expect(404)


@pytest.mark.parametrize("paid", [False, True])
def test_deleting_a_payment_gives_204_and_again_204(shop, paid):
    order_id = shop.paid_order() if paid else shop.place()
    assert shop.cancel_payment(order_id).body == b""
    shop.cancel_payment(order_id)
    assert shop.payment(order_id)["paymentStatus"] == CANCEL


@pytest.mark.parametrize("paid", [False, True])
def test_a_cancelled_payment_is_refunded_if_it_was_paid(shared_server, shop, paid):
    order_id = shop.paid_order() if paid else shop.place()
    shop.cancel_payment(order_id)
    cancelled = [
        event
        for event in shared_server.events("--service", "payment")
        if event["eventType"] == "PayCancelled" and event["id"] == order_id
    ]
    assert [event["refunded"] for event in cancelled] == [paid]


def test_a_paid_payment_cancelled_takes_back_delivery_and_stamps(shop, phone):
    order_id = shop.paid_order(phone, qty=5)
    shop.wait_stamps(phone, 5)
    shop.wait_delivery(order_id, "Prepare Delivery...")
    shop.cancel_payment(order_id)
    shop.wait_stamps(phone, 0)
    shop.wait_delivery(order_id, CANCEL)


def test_a_delivered_payment_cannot_be_cancelled(client, shop, phone):
    order_id = shop.delivered_order(phone, qty=2)
    shop.wait_stamps(phone, 2)
    client.delete(f"/payments/{order_id}").expect(409)
    assert shop.payment(order_id)["paymentStatus"] == END
    assert shop.stamps(phone) == 2


def test_a_payment_without_a_phone_number_earns_no_stamps(shared_server, shop):
    order_id = shop.paid_order()
    shop.wait_delivery(order_id, "Prepare Delivery...")
    assert not [
        event
        for event in shared_server.events("--service", "stamp")
        if event.get("paymentId") == order_id
    ]


def test_paying_at_the_same_moment_pays_once(shared_server, shop, phone):
    order_id = shop.place(qty=3)
    fields = {"paymentStatus": END, "phoneNumber": phone}
    clients = [shared_server.client() for _ in range(8)]
    answers = in_parallel([lambda c=c: c.patch(f"/payments/{order_id}", fields) for c in clients])
    assert {answer.status for answer in answers} == {200}
    shop.wait_stamps(phone, 3)
    paid = [
        event
        for event in shared_server.events("--service", "payment")
        if event["eventType"] == "Paid" and event["id"] == order_id
    ]
    assert len(paid) == 1


@pytest.mark.parametrize(
    "method, body",
    [
        ("GET", None),
        ("PUT", {"paymentStatus": END}),
        ("PATCH", {"paymentStatus": END}),
        ("DELETE", None),
    ],
)
def test_an_unknown_payment_gives_404(client, method, body):
    client.request(method, f"/payments/{2**53 - 1}", body).expect(404)
