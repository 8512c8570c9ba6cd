"""Refusals: application/problem+json, malformed bodies, unknown paths."""

import pytest
from rest import PREPARE, READY, assert_problem, raw_exchange

MAX_ID = 2**53 - 1
BODIES = {
    "nothing": b"",
    "not JSON": b"coffee",
    "cut short": b'{"qty": 1',
    "trailing comma": b'{"qty": 1,}',
    "two values": b"{}{}",
    "trailing text": b"{} x",
    "single quotes": b"{'qty': 1}",
    "NaN": b'{"qty": NaN}',
    "comment": b"{/* */}",
    "array": b"[]",
    "string": b'"x"',
    "number": b"1",
    "null": b"null",
    "true": b"true",
    "deep": b"[" * 30000,
    "deep object": b'{"a":' * 10000,
    "control character": b'{"a": "\x01"}',
    "NUL": b"\x00",
    "byte order mark only": b"\xef\xbb\xbf",
}


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("path", ["/orders", "/payments", "/stamps"])
def test_malformed_json_or_not_an_object_gives_400(client, path, name):
    assert_problem(client.post(path, BODIES[name]), 400)


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_malformed_json_in_a_change_gives_400(client, shop, method):
    order_id = shop.paid_order()
    shop.wait_delivery(order_id, PREPARE)
    for path in (f"/payments/{order_id}", f"/deliveries/{order_id}"):
        assert_problem(client.request(method, path, b"{"), 400)
        assert_problem(client.request(method, path, b"[]"), 400)


def test_every_refusal_is_a_problem(client, shop):
    order_id = shop.delivered_order()
    refusals = [
        (404, "GET", "/nowhere", None),
        (404, "GET", f"/orders/{MAX_ID}", None),
        (405, "PUT", "/orders", {}),
        (409, "DELETE", f"/orders/{order_id}", None),
        (422, "POST", "/stamps", {}),
        (400, "POST", "/orders", b"["),
        (409, "PATCH", f"/deliveries/{order_id}", {"deliveryStatus": READY}),
    ]
    for status, method, path, body in refusals:
        problem = assert_problem(client.request(method, path, body), status)
        assert ("errors" in problem) == (status == 422), problem


ODD_PATHS = [
    "/orders/abc",
    "/orders/0",
    "/orders/-1",
    "/orders/1.0",
    "/orders/1e3",
    "/orders/" + "9" * 30,
    "/orders/1/2",
    "/orders/%ff",
    "/payments/x",
    "/deliveries/x",
    "/orderTraces/x",
    "/orderTraces/x/events",
    "/orders/../orders/0",
    "//orders/0",
    "/orders/;",
    "/nowhere",
    "/",
    "/Orders",
    "/actuator",
    "/actuator/x",
    "/stamps/0101234123/entries/1",
    "/orderTraces/search",
    "/orderTraces/search/findBy",
    "/" + "a" * 3000,
    "/" + "a/" * 1500,
]


@pytest.mark.parametrize("path", ["/%", "/%zz", "/orders/%31%00", "/stamps/%00"])
def test_a_malformed_path_is_refused(client, path):
    answer = client.get(path).expect(400, 404)
    assert_problem(answer, answer.status)


def test_an_unknown_http_version_had_a_problem_type_without_a_name(shared_server):
    answer, _ = raw_exchange(shared_server.port, b"GET / HTTP/2.0\r\n\r\n")
    assert assert_problem(answer, 505)["type"] == "/problems/version-not-supported"


@pytest.mark.parametrize("path", ODD_PATHS, ids=lambda path: path[:30])
def test_an_unknown_path_or_id_gives_404(client, path):
    answer = client.get(path)
    if path == "/":  # may hold its own page
        answer.expect(200, 404)
    else:
        assert_problem(answer, 404)
