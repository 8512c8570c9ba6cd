"""HTTP itself: methods, content types, sizes, framing, CORS, keep-alive."""

import gzip
import json
import socket

import pytest
from rest import COFFEE, DEADLINE_S, assert_problem, in_parallel, raw_exchange
from support import Server

LIMIT = 64 * 1024
ORIGIN = {"Origin": "https://cafe.example"}


def padded(length):
    """An order of exactly `length` bytes."""
    body = json.dumps({**COFFEE, "pad": ""})
    return (body[:-2] + "x" * (length - len(body)) + body[-2:]).encode()


def chunked(body, chunk):
    parts = [body[at : at + chunk] for at in range(0, len(body), chunk)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def post_head(*lines):
    start = ["POST /orders HTTP/1.1", "Host: localhost", "Content-Type: application/json"]
    return "\r\n".join([*start, *lines, "", ""]).encode()


# --------------------------------------------------------------------------------------- methods


ALLOWED = {
    "/orders": "GET POST",
    "/orders/{id}": "GET DELETE",
    "/payments": "GET POST",
    "/payments/{id}": "GET PUT PATCH DELETE",
    "/deliveries": "GET",
    "/deliveries/{id}": "GET PUT PATCH",
    "/stamps": "GET POST",
    "/stamps/{phone}": "GET",
    "/stamps/{phone}/entries": "GET",
    "/orderTraces": "GET",
    "/orderTraces/{id}": "GET",
    "/orderTraces/{id}/events": "GET",
    "/orderTraces/search/findByOrderId": "GET",
    "/orderTraces/stream": "GET",
    "/actuator/health": "GET",
    "/actuator/health/liveness": "GET",
    "/actuator/health/readiness": "GET",
    "/actuator/circuitbreakers": "GET",
    "/actuator/prometheus": "GET",
}
WRONG = [
    (path, method)
    for path, allowed in ALLOWED.items()
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE")
    if method not in allowed.split()
]


def resolve(path, shop, phone):
    if "{phone}" in path:
        shop.add_stamps(phone, 1)
    return path.format(id=shop.place() if "{id}" in path else None, phone=phone)


@pytest.mark.parametrize("path, method", WRONG, ids=[f"{method} {path}" for path, method in WRONG])
def test_a_wrong_method_gives_405_with_allow(client, shop, phone, path, method):
    body = None if method == "DELETE" else {}
    answer = client.request(method, resolve(path, shop, phone), body).expect(405)
    words = [word.strip() for word in answer.header("Allow").split(",")]
    allow = set(words)
    assert len(words) == len(allow), "a method is named once"
    assert set(ALLOWED[path].split()) <= allow
    assert method not in allow
    assert answer.header("Content-Type").startswith("application/problem+json")


@pytest.mark.parametrize("method", ["BREW", "TRACE", "CONNECT", "PROPFIND", "get"])
def test_a_method_of_no_resource_gave_501_and_not_405_with_allow(client, method):
    answer = client.request(method, "/orders").expect(405)
    assert answer.header("Allow") == "GET, HEAD, POST, OPTIONS"
    client.request(method, "/nowhere").expect(404)


def test_a_tunnel_is_refused(shared_server):
    data = b"CONNECT cafe.example:443 HTTP/1.1\r\nHost: x\r\n\r\n"
    raw_exchange(shared_server.port, data)[0].expect(400)


@pytest.mark.parametrize("path", ["/orders", "/orders/{id}", "/actuator/health"])
def test_head_answers_as_get_does_but_without_a_body(client, shop, phone, path):
    path = resolve(path, shop, phone)
    head, get = client.request("HEAD", path).expect(200), client.get(path).expect(200)
    assert head.body == b""
    assert head.header("Content-Type") == get.header("Content-Type")
    assert head.header("ETag") == get.header("ETag")


def test_head_of_an_unknown_order_gives_404_without_a_body(client):
    assert client.request("HEAD", f"/orders/{2**53 - 1}").expect(404).body == b""


@pytest.mark.parametrize("path", ["/orders", "/payments/{id}", "/deliveries"])
def test_options_tells_the_methods(client, shop, phone, path):
    answer = client.request("OPTIONS", resolve(path, shop, phone)).expect(200, 204)
    assert set(ALLOWED[path].split()) <= {
        word.strip() for word in answer.header("Allow").split(",")
    }


# -------------------------------------------------------------------------- content and its size


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        "Application/JSON",
        "application/json;charset=UTF-8",
    ],
)
def test_json_is_taken(client, content_type):
    client.post("/orders", json.dumps(COFFEE), {"Content-Type": content_type}).expect(201)


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/xml",
        "json",
        "application/jsonx",
        "multipart/form-data; boundary=x",
        "",
        ";",
    ],
)
def test_another_content_type_gives_415(client, shop, content_type):
    header = {"Content-Type": content_type}
    client.post("/orders", json.dumps(COFFEE), header).expect(415)
    client.patch(f"/payments/{shop.place()}", json.dumps({"paymentStatus": "END"}), header).expect(
        415
    )


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "made-up"])
def test_any_content_encoding_gives_415(client, encoding):
    body = gzip.compress(json.dumps(COFFEE).encode())
    client.post("/orders", body, {"Content-Encoding": encoding}).expect(415)


def test_a_body_of_64_kib_is_taken_and_one_byte_more_gives_413(client):
    client.post("/orders", padded(LIMIT)).expect(201)
    with_more = client.post("/orders", padded(LIMIT + 1)).expect(413)
    assert with_more.header("Content-Type").startswith("application/problem+json")


@pytest.mark.parametrize("length, status", [(LIMIT, 201), (LIMIT + 1, 413), (10 * LIMIT, 413)])
@pytest.mark.parametrize("chunk", [97, 5000])
def test_the_size_of_a_chunked_body_counts_decoded(shared_server, length, status, chunk):
    data = post_head("Transfer-Encoding: chunked") + chunked(padded(length), chunk)
    answer, _ = raw_exchange(shared_server.port, data, "POST")
    answer.expect(status)


def test_a_claimed_length_beyond_the_limit_gives_413_before_the_body(shared_server):
    answer, _ = raw_exchange(shared_server.port, post_head("Content-Length: 99999999999"), "POST")
    answer.expect(413)


# --------------------------------------------------------------------------------------- framing


@pytest.mark.parametrize(
    "lines",
    [
        ("Content-Length: 2", "Transfer-Encoding: chunked"),
        ("Transfer-Encoding: chunked", "Content-Length: 2"),
        ("Content-Length: 2", "Transfer-Encoding: identity"),
    ],
)
def test_both_content_length_and_transfer_encoding_give_400_and_close(shared_server, lines):
    answer, closed = raw_exchange(
        shared_server.port, post_head(*lines) + b"2\r\n{}\r\n0\r\n\r\n", "POST"
    )
    answer.expect(400)
    assert closed, "the connection stays open"


@pytest.mark.parametrize(
    "data",
    [
        b"coffee please\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /orders\r\n\r\n",
        b"GET /orders HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\r\n\r\n",
        b"GET /orders HTTP/1.1\r\nno colon here\r\n\r\n",
        b"GET /orders HTTP/1.1\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
        post_head("Content-Length: x") + b"{}",
        post_head("Content-Length: -1") + b"{}",
        post_head("Content-Length: 2", "Content-Length: 3") + b"{}",
        post_head("Transfer-Encoding: chunked") + b"zz\r\n{}\r\n0\r\n\r\n",
    ],
    ids=lambda data: repr(data[:24] + b" ... " + data[-24:]),
)
def test_malformed_http_is_refused_or_cut_off_and_never_gives_500(shared_server, client, data):
    with socket.create_connection(("127.0.0.1", shared_server.port), timeout=DEADLINE_S) as sock:
        try:
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
            received = sock.recv(65536)
        except TimeoutError:
            raise
        except OSError:  # cut off
            received = b""
    status = int(received.split(b" ")[1]) if received.startswith(b"HTTP/") else None
    assert status is None or status < 500 or status in (501, 505), received
    client.get("/actuator/health").expect(200)


def test_a_client_that_leaves_in_the_middle_of_a_request_harms_nobody(shared_server, client):
    for data in (
        b"GET /ord",
        post_head("Content-Length: 200") + b'{"qty"',
        post_head("Transfer-Encoding: chunked"),
    ):
        with socket.create_connection(
            ("127.0.0.1", shared_server.port), timeout=DEADLINE_S
        ) as sock:
            sock.sendall(data)
    client.post("/orders", COFFEE).expect(201)


def test_a_chunked_body_is_taken(shared_server):
    data = post_head("Transfer-Encoding: chunked") + chunked(json.dumps(COFFEE).encode(), 7)
    raw_exchange(shared_server.port, data, "POST")[0].expect(201)


def test_http_1_0_and_connection_close_end_the_connection(shared_server):
    for head in (
        b"GET /orders HTTP/1.0\r\n\r\n",
        b"GET /orders HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    ):
        answer, closed = raw_exchange(shared_server.port, head)
        answer.expect(200)
        assert closed


# ------------------------------------------------------------------------------------- keep-alive


def test_one_connection_serves_many_requests(client):
    client.post("/orders", COFFEE).expect(201)
    port = client.local_port()
    for _ in range(100):
        client.get("/orders", size=1).expect(200)
        client.post("/orders", {}).expect(422)
        client.get("/nowhere").expect(404)
    assert client.local_port() == port


def test_200_connections_at_the_same_moment_are_all_served(shared_server):
    def once():
        with shared_server.client() as one:
            return one.get("/actuator/health/liveness").status

    assert in_parallel([once] * 200) == [200] * 200


@pytest.mark.last
@pytest.mark.slow
def test_an_idle_keep_alive_connection_is_kept_for_60_s(idle_connections):
    idle_connections.join(idle_connections.WATCHED_FOR_S + DEADLINE_S)
    assert not idle_connections.closed_early
    assert getattr(idle_connections.late_answer, "status", idle_connections.late_answer) == 200
    assert idle_connections.same_connection
    assert idle_connections.closed_late


# ------------------------------------------------------------------------------------------ CORS


def assert_allows(answer, origin):
    assert answer.header("Access-Control-Allow-Origin") in ("*", origin)
    assert answer.header("Access-Control-Allow-Credentials") is None


@pytest.fixture(scope="module")
def open_to_all(tmp_path_factory):
    """A client of a server with --cors *, like the original's gateway."""
    with Server(tmp_path_factory.mktemp("open") / "data", "--cors", "*") as server:
        with server.client() as client:
            yield client


@pytest.mark.parametrize("origin", ["https://cafe.example", "http://localhost:3000", "null"])
@pytest.mark.parametrize(
    "method, path, body, status",
    [
        ("GET", "/orders", None, 200),
        ("POST", "/orders", COFFEE, 201),
        ("POST", "/orders", {}, 422),
        ("GET", "/nowhere", None, 404),
        ("PUT", "/orders", {}, 405),
        ("GET", "/actuator/health", None, 200),
    ],
)
def test_every_origin_may_read_every_answer(open_to_all, origin, method, path, body, status):
    answer = open_to_all.request(method, path, body, {"Origin": origin}).expect(status)
    assert_allows(answer, origin)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["/orders", "/payments/1", "/stamps/0101234123"])
def test_preflight_allows_every_method_and_header(open_to_all, method, path):
    answer = open_to_all.request(
        "OPTIONS",
        path,
        None,
        {
            **ORIGIN,
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": "content-type,idempotency-key,x-anything",
        },
    ).expect(200, 204)
    assert_allows(answer, ORIGIN["Origin"])
    methods = answer.header("Access-Control-Allow-Methods")
    assert "*" in methods or method in [word.strip() for word in methods.split(",")]
    headers = answer.header("Access-Control-Allow-Headers").lower()
    assert "*" in headers or {"content-type", "idempotency-key", "x-anything"} <= {
        h.strip() for h in headers.split(",")
    }


def test_cors_option_narrows_the_origins(serve):
    client = serve("--cors", ORIGIN["Origin"]).client()
    preflight = {"Access-Control-Request-Method": "DELETE"}
    for method, extra in (("GET", {}), ("OPTIONS", preflight)):
        allowed = client.request(method, "/orders", None, {**ORIGIN, **extra}).expect(200, 204)
        assert_allows(allowed, ORIGIN["Origin"])
        other = client.request(method, "/orders", None, {"Origin": "https://evil.example", **extra})
        assert other.header("Access-Control-Allow-Origin") not in ("*", "https://evil.example")
        assert other.header("Access-Control-Allow-Credentials") is None


def varies(answer):
    return [word.strip() for each in answer.headers.get_all("Vary", []) for word in each.split(",")]


def test_with_a_list_of_origins_a_cache_keeps_an_answer_for_each(serve):
    client = serve("--cors", "https://a.example,https://b.example").client()
    asked = ("https://a.example", "https://b.example", "https://evil.example", None)
    for path, status in (("/orders", 200), ("/nowhere", 404), ("/", 200)):
        for origin in asked:
            answer = client.get(path, {"Origin": origin} if origin else {}).expect(status)
            assert "Origin" in varies(answer), (path, origin)


@pytest.mark.parametrize("origins", ["*", "own", "none"])
def test_without_a_list_no_answer_depends_on_the_origin(serve, origins):
    answer = serve("--cors", origins).client().get("/orders", ORIGIN).expect(200)
    assert "Origin" not in varies(answer)


PREFLIGHT = {"Access-Control-Request-Method": "DELETE", "Access-Control-Request-Headers": "x-any"}


def permissions(answer):
    return {name for name in answer.headers if name.lower().startswith("access-control")}


def test_by_default_another_sites_page_may_nothing(client):
    for origin in ("https://evil.example", "null", "http://127.0.0.1", "http://localhost:1"):
        for method, path, extra in (
            ("GET", "/orders", {}),
            ("OPTIONS", "/orders", PREFLIGHT),
            ("GET", "/nowhere", {}),
            ("OPTIONS", "/orders/1", PREFLIGHT),
        ):
            answer = client.request(method, path, None, {"Origin": origin, **extra})
            assert not permissions(answer), (origin, method, path)


def test_by_default_the_own_origin_may_everything(shared_server, client):
    own = f"http://127.0.0.1:{shared_server.port}"
    assert_allows(client.get("/orders", {"Origin": own}).expect(200), own)
    answer = client.request("OPTIONS", "/orders", None, {"Origin": own, **PREFLIGHT}).expect(204)
    assert_allows(answer, own)
    assert answer.header("Access-Control-Allow-Headers") == "x-any"


def test_cors_none_answers_no_preflight(serve):
    server = serve("--cors", "none")
    for origin in ("https://evil.example", f"http://127.0.0.1:{server.port}"):
        for method, extra in (("GET", {}), ("OPTIONS", PREFLIGHT)):
            answer = server.client().request(method, "/orders", None, {"Origin": origin, **extra})
            assert not permissions(answer.expect(200, 204))


# ------------------------------------------------------------------------------------------ Host


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8088", "10.0.0.1", "localhost.evil"]
)
def test_a_name_that_points_at_loopback_placed_orders(client, host):
    for method, path, body in (
        ("POST", "/orders", COFFEE),
        ("GET", "/orders", None),
        ("GET", "/", None),
        ("GET", "/actuator/health", None),
        ("OPTIONS", "/orders", None),
        ("GET", "/nowhere", None),
    ):
        problem = assert_problem(client.request(method, path, body, {"Host": host}), 421)
        assert "--allowed-host" in problem["detail"]


@pytest.mark.parametrize(
    "host", ["localhost:99999", "localhost:x", "localhost@evil.example", "[::1", "::1", "a b"]
)
def test_a_malformed_host_was_answered_as_anothers(client, host):
    assert "Host" in assert_problem(client.get("/orders", {"Host": host}), 400)["detail"]


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:1", "127.0.0.1", "127.1.2.3:9", "[::1]:9"]
)
def test_every_name_of_loopback_is_answered(client, host):
    client.get("/orders", {"Host": host}).expect(200)


def test_an_allowed_host_is_answered_and_no_other(serve):
    server = serve("--allowed-host", "shop.example,two.example", "--allowed-host", "10.0.0.7")
    client = server.client()
    for host in ("shop.example", "Shop.Example:80", "two.example", "10.0.0.7:8088", "127.0.0.1"):
        client.get("/orders", {"Host": host}).expect(200)
    for host in ("example", "a.shop.example", "shop.example.evil"):
        client.get("/orders", {"Host": host}).expect(421)


def test_a_request_of_http_1_0_needs_no_host(shared_server):
    answer, _ = raw_exchange(shared_server.port, b"GET /orders HTTP/1.0\r\n\r\n")
    answer.expect(200)


# ------------------------------------------------------------------------------------ the answers


def test_items_are_hal_with_links_without_a_host(client, shop, phone):
    order_id = shop.paid_order(phone)
    shop.wait_delivery(order_id, "Prepare Delivery...")
    shop.wait_stamps(phone, 1)
    shop.wait_trace(order_id, "PAY END")
    for path in (
        f"/orders/{order_id}",
        f"/payments/{order_id}",
        f"/deliveries/{order_id}",
        f"/stamps/{phone}",
        f"/orderTraces/{order_id}",
    ):
        answer = client.get(path).expect(200)
        assert answer.header("Content-Type").split(";")[0] == "application/hal+json"
        assert answer.json()["_links"]["self"]["href"] == path


def test_a_created_answer_is_hal_with_a_location_without_a_host(client):
    answer = client.post("/orders", COFFEE).expect(201)
    assert answer.header("Content-Type").split(";")[0] == "application/hal+json"
    assert answer.header("Location").startswith("/orders/")
