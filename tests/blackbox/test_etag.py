"""ETag on items, If-Match on changes, If-None-Match on reads."""

import pytest
from rest import CANCEL, END, PREPARE, READY

KINDS = ["orders", "payments", "deliveries", "stamps", "orderTraces"]
STALE = '"no-such-version"'


@pytest.fixture
def paths(shop, phone):
    """An item of each kind, of a paid order without further changes."""
    order_id = shop.paid_order(phone, qty=1)
    shop.wait_delivery(order_id, PREPARE)
    shop.wait_stamps(phone, 1)
    shop.wait_trace(order_id, "PAY END")
    return {kind: f"/{kind}/{phone if kind == 'stamps' else order_id}" for kind in KINDS}


def etag(client, path):
    value = client.get(path).expect(200).header("ETag")
    assert value and value.removeprefix("W/")[0] == value[-1] == '"', f"ETag of {path}: {value!r}"
    return value


@pytest.mark.parametrize("kind", KINDS)
def test_an_item_has_an_etag_that_stays_while_it_stays(client, paths, kind):
    assert etag(client, paths[kind]) == etag(client, paths[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_if_none_match_gives_304_without_a_body(client, paths, kind):
    current = etag(client, paths[kind])
    for header in (current, f"{STALE}, {current}", "*", "W/" + current.removeprefix("W/")):
        answer = client.get(paths[kind], {"If-None-Match": header}).expect(304)
        assert answer.body == b""
        assert answer.header("ETag") == current


@pytest.mark.parametrize("kind", KINDS)
def test_if_none_match_of_another_version_gives_the_item(client, paths, kind):
    client.get(paths[kind], {"If-None-Match": STALE}).expect(200)


def change_each(shop, paths, order_id, phone):
    shop.move(order_id, READY).expect(200)
    shop.wait_trace(order_id, "DELIVERY READY")
    shop.cancel_payment(order_id)
    shop.wait_delivery(order_id, CANCEL)
    shop.wait_stamps(phone, 0)
    shop.cancel_order(order_id)
    shop.wait_trace(order_id, "ORDER CANCEL")


def test_every_change_of_an_item_changes_its_etag(client, shop, paths, phone):
    before = {kind: etag(client, paths[kind]) for kind in KINDS}
    change_each(shop, paths, int(paths["orders"].rsplit("/", 1)[1]), phone)
    after = {kind: etag(client, paths[kind]) for kind in KINDS}
    assert [kind for kind in KINDS if before[kind] == after[kind]] == []


CHANGES = [
    ("PUT", "payments", {"paymentStatus": CANCEL}),
    ("PATCH", "payments", {"paymentStatus": CANCEL}),
    ("DELETE", "payments", None),
    ("DELETE", "orders", None),
    ("PUT", "deliveries", {"deliveryStatus": READY}),
    ("PATCH", "deliveries", {"deliveryStatus": READY}),
]
CHANGE_IDS = [f"{method} {kind}" for method, kind, _ in CHANGES]


@pytest.mark.parametrize("method, kind, body", CHANGES, ids=CHANGE_IDS)
def test_if_match_of_another_version_gives_412_and_changes_nothing(
    client, paths, method, kind, body
):
    before = client.get(paths[kind])
    client.request(method, paths[kind], body, {"If-Match": STALE}).expect(412)
    after = client.get(paths[kind])
    assert (after.json(), after.header("ETag")) == (before.json(), before.header("ETag"))


@pytest.mark.parametrize("method, kind, body", CHANGES, ids=CHANGE_IDS)
@pytest.mark.parametrize("form", ["{}", STALE + ", {}", "*"])
def test_if_match_of_the_present_version_lets_the_change_through(
    client, paths, method, kind, body, form
):
    header = form.replace("{}", etag(client, paths[kind]))
    client.request(method, paths[kind], body, {"If-Match": header}).expect(200, 204)


def test_if_match_guards_against_a_change_in_between(client, shop):
    order_id = shop.place()
    path = f"/payments/{order_id}"
    seen = etag(client, path)
    client.patch(path, {"paymentStatus": END}, {"If-Match": seen}).expect(200)
    client.delete(path, {"If-Match": seen}).expect(412)
    assert shop.payment(order_id)["paymentStatus"] == END


def test_a_change_answers_with_the_etag_of_the_new_version(client, shop):
    path = f"/payments/{shop.place()}"
    answer = client.patch(path, {"paymentStatus": END}).expect(200)
    assert answer.header("ETag") == etag(client, path)


def test_a_created_order_comes_with_its_etag(client):
    answer = client.post(
        "/orders",
        {"productId": 1, "productName": "Tea", "qty": 1, "cost": 1, "paymentType": "cash"},
    ).expect(201)
    assert answer.header("ETag") == etag(client, answer.header("Location"))
