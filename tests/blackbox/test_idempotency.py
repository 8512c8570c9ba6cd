"""Idempotency-Key: one key, one effect, one answer."""

import itertools
import uuid

import pytest
from rest import CANCEL, COFFEE, DEADLINE_S, END, PREPARE, READY, in_parallel, total, wait_until


def key():
    return {"Idempotency-Key": str(uuid.uuid4())}


def assert_same(first, again):
    assert (again.status, again.body) == (first.status, first.body)
    for header in ("Location", "Content-Type", "ETag"):
        assert again.header(header) == first.header(header)


def test_the_same_key_places_one_order(client):
    header = key()
    first = client.post("/orders", COFFEE, header).expect(201)
    assert_same(first, client.post("/orders", COFFEE, header))
    other = client.post("/orders", COFFEE, key()).expect(201)
    assert other.json()["id"] != first.json()["id"]


def test_the_same_key_adds_stamps_once_and_gives_the_stored_answer(client, shop, phone):
    header, body = key(), {"phoneNumber": phone, "stampQty": 2}
    first = client.post("/stamps", body, header).expect(201)
    shop.add_stamps(phone, 5)
    assert_same(first, client.post("/stamps", body, header))
    assert shop.stamps(phone) == 7


def test_the_same_key_pays_once_and_gives_the_stored_answer(client, shop, phone):
    order_id, header = shop.place(qty=2), key()
    body = {"orderId": order_id, "paymentStatus": END, "phoneNumber": phone}
    first = client.post("/payments", body, header).expect(201)
    shop.cancel_payment(order_id)
    assert_same(first, client.post("/payments", body, header))
    assert shop.payment(order_id)["paymentStatus"] == CANCEL


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_changes_stored_answer_is_given_again(client, shop, method):
    order_id, header = shop.paid_order(), key()
    shop.wait_delivery(order_id, PREPARE)
    path, body = f"/deliveries/{order_id}", {"deliveryStatus": READY}
    first = client.request(method, path, body, header).expect(200)
    shop.move(order_id, "START").expect(200)
    assert_same(first, client.request(method, path, body, header))
    assert shop.delivery_status(order_id) == "START"


@pytest.mark.parametrize("kind", ["orders", "payments"])
def test_a_deletes_stored_answer_is_given_again(client, shop, kind):
    order_id, header = shop.paid_order(), key()
    first = client.delete(f"/{kind}/{order_id}", header).expect(204)
    assert_same(first, client.delete(f"/{kind}/{order_id}", header))


def test_a_refusal_is_stored_too(client, shop, phone):
    shop.add_stamps(phone, 1)
    header, body = key(), {"phoneNumber": phone, "stampQty": -5}
    first = client.post("/stamps", body, header).expect(422)
    shop.add_stamps(phone, 10)
    assert_same(first, client.post("/stamps", body, header))
    assert shop.stamps(phone) == 11


def test_the_same_key_with_another_body_gives_422_and_changes_nothing(client, shop, phone):
    header = key()
    client.post("/stamps", {"phoneNumber": phone, "stampQty": 2}, header).expect(201)
    client.post("/stamps", {"phoneNumber": phone, "stampQty": 3}, header).expect(422)
    assert shop.stamps(phone) == 2
    client.post("/stamps", {"phoneNumber": phone, "stampQty": 2}, header).expect(201)


def test_a_key_belongs_to_one_method_and_path(client, shop):
    header = key()
    orders = [shop.place(), shop.place()]
    body = {"paymentStatus": END}
    for order_id in orders:
        client.patch(f"/payments/{order_id}", body, header).expect(200)
        client.put(f"/payments/{order_id}", body, header).expect(200)
        client.delete(f"/payments/{order_id}", header).expect(204)
        assert shop.payment(order_id)["paymentStatus"] == CANCEL


def test_a_key_on_a_read_means_nothing(client, shop):
    order_id, header = shop.place(), key()
    assert (
        client.get(f"/orders/{order_id}", header).expect(200).json()["orderStatus"]
        == "Order complete"
    )
    shop.cancel_order(order_id)
    assert (
        client.get(f"/orders/{order_id}", header).expect(200).json()["orderStatus"]
        == "Order Cancelled"
    )


@pytest.mark.parametrize("value", ["x", "!~", "x" * 255, '"quoted"', "%41"])
def test_keys_of_1_to_255_visible_characters_are_taken(client, value):
    value += str(uuid.uuid4())[: 255 - len(value)] if len(value) < 200 else ""
    first = client.post("/orders", COFFEE, {"Idempotency-Key": value}).expect(201)
    assert_same(first, client.post("/orders", COFFEE, {"Idempotency-Key": value}))


def test_keys_are_compared_as_they_stand(client):
    """A percent sign is a character like any other, and case counts."""
    tail = str(uuid.uuid4())
    ids = [
        client.post("/orders", COFFEE, {"Idempotency-Key": start + tail}).expect(201).json()["id"]
        for start in ("A", "%41", "a")
    ]
    assert len(set(ids)) == 3


@pytest.mark.parametrize("value", ["", "x" * 256, "a b", "a\tb", "\x7f", "é", "\x80"])
def test_other_keys_are_refused(client, value):
    before = total(client, "orders")
    client.post("/orders", COFFEE, {"Idempotency-Key": value.encode("latin-1")}).expect(400, 422)
    assert total(client, "orders") == before


def test_the_key_is_looked_at_before_if_match(client, shop):
    order_id = shop.place()
    path, body = f"/payments/{order_id}", {"paymentStatus": END}
    headers = {**key(), "If-Match": client.get(path).header("ETag")}
    first = client.patch(path, body, headers).expect(200)
    assert_same(first, client.patch(path, body, headers))
    client.patch(path, body, {**key(), "If-Match": headers["If-Match"]}).expect(412)


def test_the_stored_answer_survives_a_crash(serve, phone):
    server = serve()
    shop = server.shop()
    keys = itertools.cycle([key() for _ in range(5)])
    order_id = shop.place()
    requests = [
        ("POST", "/orders", COFFEE),
        ("POST", "/stamps", {"phoneNumber": phone, "stampQty": 2}),
        ("POST", "/payments", {"orderId": order_id, "paymentStatus": END}),
        ("POST", "/stamps", {"phoneNumber": phone, "stampQty": -9}),
        ("DELETE", f"/orders/{order_id}", None),
    ]
    first = [shop.client.request(*request, header) for request, header in zip(requests, keys)]
    assert [answer.status for answer in first] == [201, 201, 201, 422, 204]
    for _ in range(2):
        server.kill().restart()
        client = server.client()
        for answer, request, header in zip(first, requests, keys):
            assert_same(answer, client.request(*request, header))
    client.post("/orders", {**COFFEE, "qty": 2}, next(keys)).expect(422)
    assert total(client, "orders") == 2
    assert client.get(f"/stamps/{phone}").json()["stampQty"] == 2


def test_one_still_running_gives_409_which_is_not_stored(serve):
    server, header = serve("--fault", "payment-delay=500ms..500ms"), key()
    clients = [server.client(), server.client()]
    answers = in_parallel([lambda c=c: c.post("/orders", COFFEE, header) for c in clients])
    assert sorted(answer.status for answer in answers) == [201, 409]
    (placed,) = [answer for answer in answers if answer.status == 201]
    assert_same(placed, clients[0].post("/orders", COFFEE, header))
    assert total(clients[0], "orders") == 1


def test_the_same_key_at_the_same_moment_has_one_effect(shared_server, phone):
    header, body = key(), {"phoneNumber": phone, "stampQty": 2}
    clients = [shared_server.client() for _ in range(16)]
    answers = in_parallel([lambda c=c: c.post("/stamps", body, header) for c in clients])
    assert {answer.status for answer in answers} <= {201, 409}
    stored = clients[0].post("/stamps", body, header).expect(201)
    assert stored.json()["stampQty"] == 2
    assert clients[0].get(f"/stamps/{phone}").json()["stampQty"] == 2


def test_a_5xx_answer_is_not_stored(serve):
    client = serve("--fault", "payment-fail=1@0s..4s").client()
    header = key()
    client.post("/orders", COFFEE, header).expect(503)
    placed = wait_until(
        lambda: (answer := client.post("/orders", COFFEE, header)).status == 201 and answer,
        "the same key works once payment does",
        8 + DEADLINE_S,
    )
    assert_same(placed, client.post("/orders", COFFEE, header))
    assert total(client, "orders") == 1
