"""The permitted values of each field, and the answers to other values."""

import json
from urllib.parse import quote

import pytest
from rest import COFFEE, END, PREPARE, READY, assert_problem, fresh_phone

MAX_ID = 2**53 - 1
ABSENT = object()
SURROGATE_PAIR = '"' + "\\ud83e\\udd64" * 200 + '"'


def with_field(body, field, value):
    body = {**body, field: value}
    return {key: value for key, value in body.items() if value is not ABSENT}


def with_raw_field(body, field, text):
    """The body with the raw `text`, which need not be JSON, in the field's place."""
    return json.dumps({**body, field: "@@"}).replace('"@@"', text)


def assert_names(answer, *fields):
    """Demands 422 whose `errors` name exactly the given fields."""
    errors = assert_problem(answer, 422)["errors"]
    assert sorted(error["field"] for error in errors) == sorted(fields)
    assert all(isinstance(error["message"], str) and error["message"] for error in errors)


NOT_INTEGERS = [
    "1.0",
    "1.5",
    "1e3",
    "1E3",
    "true",
    "false",
    "null",
    "[]",
    "{}",
    "[1]",
    '""',
    '" "',
    '"x"',
    '"1.0"',
    '"1e3"',
    '"1.5"',
    '"+"',
    '"-"',
    '"--1"',
    '"+-1"',
    '" 1"',
    '"1 "',
    '"1x"',
    '"0x1"',
    '"1_0"',
    '"１"',
    '"NaN"',
    "99999999999999999999",
    "-99999999999999999999",
    '"99999999999999999999"',
    '"-99999999999999999999"',
    '"9223372036854775808"',
    '"18446744073709551617"',
    '"' + "9" * 400 + '"',
]


# ------------------------------------------------------------------------------ numbers of orders


@pytest.mark.parametrize(
    "field, lowest, highest", [("productId", 1, MAX_ID), ("qty", 1, 1000), ("cost", 0, 10**12)]
)
@pytest.mark.parametrize("form", ["{}", '"{}"', '"+{}"'])
def test_an_orders_numbers_are_taken_up_to_their_limits(client, field, lowest, highest, form):
    for value in (lowest, highest):
        answer = client.post("/orders", with_raw_field(COFFEE, field, form.format(value))).expect(
            201
        )
        stored = client.get(answer.header("Location")).json()[field]
        assert stored == value and isinstance(stored, int)
    for value in (lowest - 1, highest + 1):
        form_of_value = form.replace("+", "" if value < 0 else "+")
        assert_names(
            client.post("/orders", with_raw_field(COFFEE, field, form_of_value.format(value))),
            field,
        )


@pytest.mark.parametrize("value", NOT_INTEGERS)
@pytest.mark.parametrize("field", ["productId", "qty", "cost"])
def test_what_is_not_an_integer_in_range_gives_422(client, field, value):
    assert_names(client.post("/orders", with_raw_field(COFFEE, field, value)), field)


@pytest.mark.parametrize("value", ["1e400", "-1e400", "9" * 400])
def test_a_number_beyond_every_type_was_taken_for_malformed_json(client, value):
    assert_names(client.post("/orders", with_raw_field(COFFEE, "qty", value)), "qty")
    client.post("/orders", with_raw_field(COFFEE, "unknown", value)).expect(201)


# ----------------------------------------------------------------------------------- names, words


@pytest.mark.parametrize("field", ["productName", "paymentType"])
@pytest.mark.parametrize("text", [" ", "\t", "\u00a0 \u3000", "\u200b", "\u202a\u200e", "\u3164"])
def test_a_name_that_shows_nothing_is_refused(client, field, text):
    assert_names(client.post("/orders", {**COFFEE, field: text}), field)


def test_a_name_is_the_same_however_its_accents_are_composed(client, shop):
    order_id = shop.place(productName="Caf\u00e9")
    path, body = f"/payments/{order_id}", {"paymentStatus": "END", "productName": "Cafe\u0301"}
    assert client.put(path, body).expect(200).json()["productName"] == "Caf\u00e9"
    client.put(path, {**body, "productName": "Cafe"}).expect(422)


@pytest.mark.parametrize("field, longest", [("productName", 200), ("paymentType", 32)])
@pytest.mark.parametrize("character", ["x", "é", "커", "🥤"])
def test_lengths_count_characters_not_bytes(client, field, longest, character):
    for length in (1, longest):
        answer = client.post("/orders", {**COFFEE, field: character * length}).expect(201)
        assert client.get(answer.header("Location")).json()[field] == character * length
    assert_names(client.post("/orders", {**COFFEE, field: character * (longest + 1)}), field)
    assert_names(client.post("/orders", {**COFFEE, field: ""}), field)


def test_an_escaped_surrogate_pair_is_one_character(client):
    answer = client.post("/orders", with_raw_field(COFFEE, "productName", SURROGATE_PAIR)).expect(
        201
    )
    assert answer.json()["productName"] == "🥤" * 200


@pytest.mark.parametrize(
    "character", ["\\u0000", "\\n", "\\u001b", '\\"', "\\\\", "\\/", "<b>", "\u2028"]
)
def test_any_character_of_a_name_comes_back_as_it_went_in(client, character):
    answer = client.post(
        "/orders", with_raw_field(COFFEE, "productName", f'"a{character}b"')
    ).expect(201, 422)
    if answer.status == 201:
        assert client.get(answer.header("Location")).json()["productName"] == json.loads(
            f'"a{character}b"'
        )


@pytest.mark.parametrize(
    "bad",
    [b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xe2\x82", b"\xf4\x90\x80\x80", b"\x80"],
    ids=["no lead byte", "overlong", "surrogate", "cut short", "beyond U+10FFFF", "stray"],
)
@pytest.mark.parametrize("field", ["productName", "paymentType", "unknownField"])
def test_invalid_utf8_is_refused(client, field, bad):
    body = json.dumps({**COFFEE, field: "@@"}).encode().replace(b"@@", b"a" + bad + b"b")
    client.post("/orders", body).expect(400, 422)


@pytest.mark.parametrize("text", ['"\\ud800"', '"\\udc00"', '"\\ud800x"', '"\\ud800\\ud800"'])
def test_a_lone_surrogate_is_refused(client, text):
    client.post("/orders", with_raw_field(COFFEE, "productName", text)).expect(400, 422)


@pytest.mark.parametrize("value", [1, 1.5, True, None, [], {}, ["Coffee"]])
@pytest.mark.parametrize("field", ["productName", "paymentType"])
def test_what_is_not_a_string_in_a_text_field_gives_422(client, field, value):
    assert_names(client.post("/orders", {**COFFEE, field: value}), field)


# ---------------------------------------------------------------------------------- phone numbers


@pytest.mark.parametrize(
    "given, stored",
    [
        ("0101234", "0101234"),
        ("010123412341234", "010123412341234"),
        ("010-9876-4321", "01098764321"),
        ("010 9876 4321", "01098764321"),
        ("0-1-0-1-2-3-4", "0101234"),
        ("\u202a+82\u00a010\u20139876\u20134321\u202c", "01098764321"),
        ("０１０９８７６４３２１", "01098764321"),
        ("+44 (0)20 7946 0958", "+442079460958"),
    ],
)
def test_phone_numbers_have_7_to_15_digits_after_normalising(client, shop, given, stored):
    assert shop.payment(shop.place(phoneNumber=given))["phoneNumber"] == stored
    assert shop.pay(shop.place(), phoneNumber=given)["phoneNumber"] == stored
    answer = client.post("/stamps", {"phoneNumber": given, "stampQty": 1}).expect(200, 201)
    assert answer.json()["phoneNumber"] == stored


BAD_PHONES = [
    "",
    "010123",
    "0-1-0-1-2-3",
    "0101234123412345",
    "phone",
    "-------",
    "٠١٠١٢٣٤٥",
    1012341234,
    True,
    [],
    {},
    ["01012341234"],
]


@pytest.mark.parametrize("bad", BAD_PHONES, ids=map(str, BAD_PHONES))
def test_a_bad_phone_number_gives_422(client, shop, bad):
    order_id = shop.place()
    assert_names(client.post("/orders", {**COFFEE, "phoneNumber": bad}), "phoneNumber")
    assert_names(client.post("/stamps", {"phoneNumber": bad, "stampQty": 1}), "phoneNumber")
    assert_names(
        client.patch(f"/payments/{order_id}", {"paymentStatus": END, "phoneNumber": bad}),
        "phoneNumber",
    )
    assert_names(
        client.put(f"/payments/{order_id}", {"paymentStatus": END, "phoneNumber": bad}),
        "phoneNumber",
    )
    assert_names(
        client.post("/payments", {"orderId": order_id, "paymentStatus": END, "phoneNumber": bad}),
        "phoneNumber",
    )
    assert shop.payment(order_id)["paymentStatus"] == "Not Pay"


@pytest.mark.parametrize("bad", ["phone", "123", "1" * 16, "a b"])
def test_no_account_has_a_bad_phone_number(client, bad):
    client.get(f"/stamps/{quote(bad, safe='%')}").expect(404, 422)


# ------------------------------------------------------------------------------ the other requests


@pytest.mark.parametrize("form", ["{}", '"{}"'])
def test_stamp_quantities_go_from_minus_to_plus_a_million(client, form):
    phone = fresh_phone()
    for value, balance in [(10**6, 10**6), (-(10**6), 0), (0, 0)]:
        answer = client.post(
            "/stamps", with_raw_field({"phoneNumber": phone}, "stampQty", form.format(value))
        )
        assert answer.expect(200, 201).json()["stampQty"] == balance
    for value in (10**6 + 1, -(10**6) - 1):
        answer = client.post(
            "/stamps", with_raw_field({"phoneNumber": phone}, "stampQty", form.format(value))
        )
        assert_names(answer, "stampQty")


@pytest.mark.parametrize("value", NOT_INTEGERS)
def test_a_stamp_quantity_that_is_not_an_integer_gives_422(client, value):
    body = {"phoneNumber": fresh_phone()}
    assert_names(client.post("/stamps", with_raw_field(body, "stampQty", value)), "stampQty")
    client.get(f"/stamps/{body['phoneNumber']}").expect(404)


@pytest.mark.parametrize("value", NOT_INTEGERS + ["0", "-1", str(MAX_ID + 1)])
def test_an_order_id_that_is_not_one_gives_422(client, value):
    assert_names(
        client.post("/payments", with_raw_field({"paymentStatus": END}, "orderId", value)),
        "orderId",
    )


@pytest.mark.parametrize(
    "word", ["end", "PAID", "", " END", "Order complete", 1, None, True, [], {}]
)
def test_an_unknown_payment_status_gives_422(client, shop, word):
    order_id = shop.place()
    for method in ("PUT", "PATCH"):
        assert_names(
            client.request(method, f"/payments/{order_id}", {"paymentStatus": word}),
            "paymentStatus",
        )
    assert_names(
        client.post("/payments", {"orderId": order_id, "paymentStatus": word}), "paymentStatus"
    )


@pytest.mark.parametrize("value", ["", "x" * 33, "커" * 33, 1, True, [], {}])
def test_a_bad_payment_type_gives_422_when_paying(client, shop, value):
    order_id = shop.place()
    body = {"paymentStatus": END, "paymentType": value}
    assert_names(client.patch(f"/payments/{order_id}", body), "paymentType")


@pytest.mark.parametrize("word", ["ready", "DONE", "", "DELIVERY READY", 1, None, True, [], {}])
def test_an_unknown_delivery_status_gives_422(client, shop, word):
    order_id = shop.paid_order()
    shop.wait_delivery(order_id, PREPARE)
    for method in ("PUT", "PATCH"):
        assert_names(
            client.request(method, f"/deliveries/{order_id}", {"deliveryStatus": word}),
            "deliveryStatus",
        )


def test_a_destination_has_1_to_200_characters(shop):
    order_id = shop.paid_order()
    shop.wait_delivery(order_id, PREPARE)
    for bad in ("", "커" * 201, 1, True, [], {}):
        assert_names(shop.move(order_id, READY, destination=bad), "destination")
    assert shop.delivery_status(order_id) == PREPARE
    assert (
        shop.move(order_id, READY, destination="커" * 200).expect(200).json()["destination"]
        == "커" * 200
    )


@pytest.mark.parametrize("field", sorted(COFFEE))
def test_a_missing_field_of_an_order_gives_422(client, field):
    assert_names(client.post("/orders", with_field(COFFEE, field, ABSENT)), field)


def test_the_other_requests_name_their_missing_fields(client, shop):
    order_id = shop.paid_order()
    shop.wait_delivery(order_id, PREPARE)
    assert_names(client.post("/stamps", {}), "phoneNumber", "stampQty")
    assert_names(client.post("/payments", {}), "orderId", "paymentStatus")
    for method in ("PUT", "PATCH"):
        assert_names(client.request(method, f"/payments/{order_id}", {}), "paymentStatus")
        assert_names(client.request(method, f"/deliveries/{order_id}", {}), "deliveryStatus")


def test_every_bad_field_is_named(client):
    assert_names(client.post("/orders", {}), *COFFEE)
    assert_names(
        client.post("/orders", {**COFFEE, "qty": 0, "cost": -1, "productName": ""}),
        "qty",
        "cost",
        "productName",
    )


def test_unknown_fields_are_ignored(client, shop):
    extra = {
        "id": 5,
        "orderStatus": "Order Cancelled",
        "delivered": True,
        "colour": {"deep": [1, 2.5, None]},
    }
    order = client.post("/orders", {**COFFEE, **extra}).expect(201).json()
    assert order["orderStatus"] == "Order complete" and order["delivered"] is False
    assert "colour" not in order
    shop.pay(order["id"], colour="red")
    shop.wait_delivery(order["id"], PREPARE)
    shop.move(order["id"], READY, colour="red").expect(200)
    client.post("/stamps", {"phoneNumber": fresh_phone(), "stampQty": 1, "colour": 1}).expect(201)
