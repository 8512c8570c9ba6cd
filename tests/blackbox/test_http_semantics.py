"""Caching, preconditions and forms of requests, as RFC 9110, 9111 and 9112 say."""

import pytest

from rest import END, assert_problem, raw_exchange


@pytest.fixture
def paths(shop, phone):
    return {"order": shop.paid_order(phone), "phone": phone}


KEPT, NOT_KEPT = "private, no-cache", "no-store"


@pytest.mark.parametrize("path, expected", [
    ("/orders", KEPT), ("/orders/{order}", KEPT), ("/orders/999999999", KEPT),
    ("/deliveries", KEPT), ("/orderTraces", KEPT),
    ("/orderTraces/search/findByOrderId?orderId=1", KEPT),
    ("/payments", NOT_KEPT), ("/payments/{order}", NOT_KEPT),
    ("/stamps", NOT_KEPT), ("/stamps/{phone}", NOT_KEPT), ("/stamps/01000000009/entries", NOT_KEPT),
    ("/actuator/health", NOT_KEPT), ("/actuator/prometheus", NOT_KEPT),
    ("/admin/deadLetters", NOT_KEPT),
    ("/nothing/here", NOT_KEPT), ("/", "no-cache"),
])
def test_a_shared_cache_keeps_no_answer_of_a_person(client, paths, path, expected):
    answer = client.get(path.format(**paths))
    assert answer.header("Cache-Control") == expected
    assert answer.header("X-Content-Type-Options") == "nosniff"


def test_an_answer_to_a_malformed_request_is_not_kept_either(shared_server):
    answer, _ = raw_exchange(shared_server.port, b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n")
    answer.expect(400)
    assert answer.header("Cache-Control") == "no-store"
    assert answer.header("X-Content-Type-Options") == "nosniff"


def test_a_304_may_be_kept_as_the_answer_before(client, paths):
    path = f"/orders/{paths['order']}"
    etag = client.get(path).header("ETag")
    answer = client.get(path, {"If-None-Match": etag}).expect(304)
    assert (answer.header("Cache-Control"), answer.header("ETag")) == (KEPT, etag)


def test_if_none_match_of_the_present_version_refuses_a_change(client, shop):
    path = f"/payments/{shop.place()}"
    etag = client.get(path).header("ETag")
    body = {"paymentStatus": END}
    for header in (etag, f"W/{etag}", "*", f'"77", {etag}'):
        assert_problem(client.patch(path, body, {"If-None-Match": header}), 412)
    client.patch(path, body, {"If-None-Match": '"77"'}).expect(200)


def test_if_none_match_of_any_lets_a_new_stamp_account_be_made_once(client, phone):
    body = {"phoneNumber": phone, "stampQty": 2}
    client.post("/stamps", body, {"If-None-Match": "*"}).expect(201)
    client.post("/stamps", body, {"If-None-Match": "*"}).expect(412)
    assert client.get(f"/stamps/{phone}").json()["stampQty"] == 2


def test_a_weak_tag_that_a_proxy_made_is_named_as_the_reason(client, shop):
    path = f"/payments/{shop.place()}"
    weak = "W/" + client.get(path).header("ETag")
    for answer in (client.patch(path, {"paymentStatus": END}, {"If-Match": weak}),
                   client.delete(path, {"If-Match": weak})):
        assert "weak" in assert_problem(answer, 412)["detail"]
    assert "weak" not in assert_problem(client.delete(path, {"If-Match": '"77"'}), 412)["detail"]


def test_json_patch_is_no_type_of_a_body(client, shop):
    path = f"/payments/{shop.place()}"
    headers = {"Content-Type": "application/json-patch+json"}
    answer = client.patch(path, {"paymentStatus": END}, headers)
    assert_problem(answer, 415)
    assert "application/merge-patch+json" in answer.header("Accept-Patch")
    merge = {"Content-Type": "application/merge-patch+json"}
    client.patch(path, {"paymentStatus": END}, merge).expect(200)


def ask(server, line):
    host = f"127.0.0.1:{server.port}"
    text = f"{line.format(host=host)}\r\nHost: {host}\r\n\r\n"
    return raw_exchange(server.port, text.encode(), line.split()[0])[0]


def test_an_absolute_form_is_answered_as_its_path_is(shared_server, shop):
    order_id = shop.place()
    answer = ask(shared_server, f"GET http://{{host}}/orders/{order_id} HTTP/1.1").expect(200)
    assert answer.json()["id"] == order_id


def test_an_absolute_form_of_another_host_is_misdirected(shared_server):
    ask(shared_server, "GET http://elsewhere.example/orders HTTP/1.1").expect(421)


def test_options_of_the_whole_server_names_its_methods(shared_server):
    for line in ("OPTIONS * HTTP/1.1", "OPTIONS http://{host} HTTP/1.1"):
        answer = ask(shared_server, line).expect(204)
        assert {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} == \
            set(answer.header("Allow").split(", "))


def test_an_encoded_slash_separates_no_segments(client, shop):
    order_id = shop.place()
    client.get(f"/orders%2F{order_id}").expect(404)
    client.get(f"/orderTraces%2f{order_id}/events").expect(404)


def test_a_later_minor_version_is_answered(shared_server):
    ask(shared_server, "GET /orders HTTP/1.2").expect(200)
    ask(shared_server, "GET /orders HTTP/2.0").expect(505)


def test_an_absent_payment_is_not_remembered_under_its_key(client, shop):
    """A board pays as soon as the order is there: its repeat under the same key must succeed."""
    last = shop.place()
    ahead = last + 1
    headers = {"Idempotency-Key": f"ahead-{ahead}"}
    body = {"paymentStatus": END}
    client.patch(f"/payments/{ahead}", body, headers).expect(404)
    for _ in range(1000):
        last = shop.place()
        if last >= ahead:
            break
    client.patch(f"/payments/{ahead}", body, headers).expect(200)
    again = client.patch(f"/payments/{ahead}", body, headers).expect(200)
    assert again.json()["paymentStatus"] == END


def test_adding_to_a_negative_account_is_allowed(client, shop, phone):
    """422 stands only where taking would make the balance negative."""
    order_id = shop.paid_order(phone, qty=3)
    shop.wait_stamps(phone, 3)
    client.post("/stamps", {"phoneNumber": phone, "stampQty": -3}).expect(200)
    client.delete(f"/orders/{order_id}").expect(204)
    shop.wait_stamps(phone, -3)
    client.post("/stamps", {"phoneNumber": phone, "stampQty": 1}).expect(200)
    assert client.get(f"/stamps/{phone}").json()["stampQty"] == -2
    client.post("/stamps", {"phoneNumber": phone, "stampQty": -1}).expect(422)
