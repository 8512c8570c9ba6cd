"""The REST API as its users meet it: an HTTP client, and the saga's steps.

SKANU_TIME_SCALE stretches every deadline, for sanitizer builds.
"""

import http.client
import itertools
import json
import os
import re
import select
import socket
import threading
import time
from urllib.parse import urlencode

from api_document import check_raw, judge

TIME_SCALE = float(os.environ.get("SKANU_TIME_SCALE", "1"))
DEADLINE_S = 5 * TIME_SCALE
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\Z")
SERVER_GONE = (OSError, http.client.HTTPException)
"""What a request raises where the server was killed under it."""

COFFEE = {"productId": 1, "productName": "Coffee", "qty": 1, "cost": 1000, "paymentType": "cash"}

PREPARE, READY, START, END, CANCEL = "Prepare Delivery...", "READY", "START", "END", "CANCEL"
DELIVERY_STEPS = (READY, START, END)
TRACE_OF_DELIVERY = {
    PREPARE: "PAY END",
    READY: "DELIVERY READY",
    START: "DELIVERY START",
    END: "DELIVERY END",
}


def wait_until(predicate, what, deadline_s=DEADLINE_S):
    """Polls until `predicate()` is truthy, and returns that; fails with `what` at the deadline."""
    pause = threading.Event()
    end = time.monotonic() + deadline_s
    while True:
        value = predicate()
        if value:
            return value
        assert time.monotonic() < end, f"not within {deadline_s} s: {what}"
        pause.wait(0.005)


_phone_numbers = itertools.count(int(time.time() * 10) % 9_000_000)


def fresh_phone():
    """A normalised phone number that no other test uses and no log holds by accident."""
    return f"0107{next(_phone_numbers):07d}"


# ---------------------------------------------------------------------------------------- HTTP


class Response:
    """One answer. Header names are case-insensitive."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    def header(self, name, default=None):
        return self.headers.get(name, default)

    def expect(self, *statuses):
        assert self.status in statuses, f"wanted {statuses}, got {self}"
        return self

    def embedded(self):
        """The only list in `_embedded`."""
        (items,) = self.json()["_embedded"].values()
        return items

    def __repr__(self):
        return f"<{self.status} {dict(self.headers)} {self.body[:600]!r}>"


class Client:
    """A client on one keep-alive connection. Never repeats a request, and fails where an answer
    differs from the OpenAPI document."""

    def __init__(self, port, host="127.0.0.1", timeout_s=10 * TIME_SCALE, admin_token=None,
                 judged=True):
        """Requests to /admin carry `admin_token`. `judged` False: for paths without a document."""
        self.admin_token, self.judged = admin_token, judged
        self.connection = http.client.HTTPConnection(host, port, timeout=timeout_s)

    def request(self, method, path, body=None, headers=None):
        """`body`: bytes and str are sent unchanged, other values as JSON."""
        headers = dict(headers or {})
        if self.admin_token and path.startswith("/admin"):
            headers.setdefault("Authorization", f"Bearer {self.admin_token}")
        if body is not None:
            if not isinstance(body, (bytes, str)):
                body = json.dumps(body)
            body = body.encode() if isinstance(body, str) else body
            headers.setdefault("Content-Type", "application/json")
        try:
            self.connection.request(method, path, body, headers)
            answer = self.connection.getresponse()
            response = Response(answer.status, answer.headers, answer.read())
        except BaseException:
            self.connection.close()
            raise
        assert response.status != 500, f"nothing that a client sends gives a 500: {response}"
        if self.judged:
            judge.check(method, path, body, response)
        return response

    def get(self, path, headers=None, **query):
        return self.request("GET", path + ("?" + urlencode(query) if query else ""), None, headers)

    def post(self, path, body=None, headers=None):
        return self.request("POST", path, body, headers)

    def put(self, path, body=None, headers=None):
        return self.request("PUT", path, body, headers)

    def patch(self, path, body=None, headers=None):
        return self.request("PATCH", path, body, headers)

    def delete(self, path, headers=None):
        return self.request("DELETE", path, None, headers)

    def local_port(self):
        return self.connection.sock.getsockname()[1] if self.connection.sock else None

    def close(self):
        self.connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def assert_problem(answer, status):
    """An RFC 9457 answer of this status; returns its members."""
    answer.expect(status)
    assert answer.header("Content-Type").startswith("application/problem+json")
    problem = answer.json()
    assert {"type", "title", "status", "detail"} <= set(problem), problem
    assert problem["status"] == status
    assert all(
        isinstance(problem[member], str) and problem[member]
        for member in ("type", "title", "detail")
    )
    return problem


def raw_exchange(port, data, method="GET"):
    """Sends raw bytes. Returns (answer, True where the server then closed the connection)."""
    with socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_S) as sock:
        sock.sendall(data)
        answer = http.client.HTTPResponse(sock, method=method)
        answer.begin()
        response = Response(answer.status, answer.headers, answer.read())
        check_raw(data, response)
        return response, closed_by_peer(sock, 1)


def closed_by_peer(sock, deadline_s):
    """True where the other side closes `sock` (or has closed it) within the deadline."""
    readable, _, _ = select.select([sock], [], [], deadline_s)
    if not readable:
        return False
    try:
        return sock.recv(1) == b""
    except ConnectionResetError:
        return True


# ----------------------------------------------------------------------------- the saga's steps


class Shop:
    """The saga as its users drive it; every step asserts the answer that the contract promises."""

    def __init__(self, client):
        self.client = client

    def place(self, **fields):
        return self.client.post("/orders", {**COFFEE, **fields}).expect(201).json()["id"]

    def pay(self, order_id, **fields):
        return (
            self.client.patch(f"/payments/{order_id}", {"paymentStatus": END, **fields})
            .expect(200)
            .json()
        )

    def paid_order(self, phone=None, **fields):
        order_id = self.place(**fields)
        self.pay(order_id, **({"phoneNumber": phone} if phone else {}))
        return order_id

    def move(self, order_id, status, **fields):
        return self.client.patch(f"/deliveries/{order_id}", {"deliveryStatus": status, **fields})

    def deliver(self, order_id, until=END):
        """Takes a paid order's delivery up to `until`; at END waits until the order is closed."""
        self.wait_delivery(order_id, PREPARE)
        for status in DELIVERY_STEPS[: (PREPARE, *DELIVERY_STEPS).index(until)]:
            self.move(order_id, status).expect(200)
        if until == END:
            wait_until(lambda: self.order(order_id)["delivered"], f"order {order_id} delivered")
        return order_id

    def delivered_order(self, phone=None, **fields):
        return self.deliver(self.paid_order(phone, **fields))

    def cancel_order(self, order_id):
        return self.client.delete(f"/orders/{order_id}").expect(204)

    def cancel_payment(self, payment_id):
        return self.client.delete(f"/payments/{payment_id}").expect(204)

    def add_stamps(self, phone, quantity):
        return (
            self.client.post("/stamps", {"phoneNumber": phone, "stampQty": quantity})
            .expect(200, 201)
            .json()
        )

    def order(self, order_id):
        return self.client.get(f"/orders/{order_id}").expect(200).json()

    def payment(self, order_id):
        return self.client.get(f"/payments/{order_id}").expect(200).json()

    def _field(self, path, field, absent=None):
        answer = self.client.get(path).expect(200, 404)
        return answer.json()[field] if answer.status == 200 else absent

    def delivery_status(self, order_id):
        """The delivery's status; None without a delivery."""
        return self._field(f"/deliveries/{order_id}", "deliveryStatus")

    def trace_status(self, order_id):
        """The trace's status; None without a trace."""
        return self._field(f"/orderTraces/{order_id}", "status")

    def stamps(self, phone):
        return self._field(f"/stamps/{phone}", "stampQty", 0)

    def entries(self, phone):
        return self.client.get(f"/stamps/{phone}/entries").expect(200).embedded()

    def history(self, order_id):
        """The event types of the order's history, in its order."""
        answer = self.client.get(f"/orderTraces/{order_id}/events", size=1000).expect(200)
        return [event["eventType"] for event in answer.embedded()]

    def inconsistency(self, order_id):
        """The first inconsistency among an order, its payment, delivery and trace, or None.

        Unfinished work of the policies shows as an inconsistency until done.
        """
        order, payment = self.order(order_id), self.payment(order_id)["paymentStatus"]
        delivery, trace = self.delivery_status(order_id), self.trace_status(order_id)
        cancelled = order["orderStatus"] == "Order Cancelled"
        if cancelled:
            payments, deliveries, traces = [CANCEL], [None, CANCEL, END], ["ORDER CANCEL"]
        elif payment == CANCEL:
            payments, deliveries = [CANCEL], [None, CANCEL, END]
            traces = ["PAY CANCEL"] if delivery == END else ["PAY CANCEL", "DELIVERY CANCEL"]
        elif payment == END:
            payments, deliveries = [END], list(TRACE_OF_DELIVERY)
            traces = [TRACE_OF_DELIVERY.get(delivery)]
        else:
            payments, deliveries, traces = ["Not Pay"], [None], ["Order END"]
        fits = payment in payments and delivery in deliveries and trace in traces
        closed = cancelled or order["delivered"] == (delivery == END)
        if fits and closed:
            return None
        return f"{order}, payment {payment}, delivery {delivery}, trace {trace}"

    def wait_consistent(self, *orders):
        for order_id in orders:
            last = []

            def fits():
                last[:] = [self.inconsistency(order_id)]
                return last == [None]

            try:
                wait_until(fits, "")
            except AssertionError:
                raise AssertionError(f"order {order_id} does not settle: {last[0]}") from None

    def wait_delivery(self, order_id, *statuses):
        return wait_until(
            lambda: (s := self.delivery_status(order_id)) in statuses and s,
            f"delivery {order_id} at {statuses}",
        )

    def wait_trace(self, order_id, *statuses):
        return wait_until(
            lambda: (s := self.trace_status(order_id)) in statuses and s,
            f"trace {order_id} at {statuses}",
        )

    def wait_payment(self, order_id, *statuses):
        return wait_until(
            lambda: (s := self.payment(order_id)["paymentStatus"]) in statuses and s,
            f"payment {order_id} at {statuses}",
        )

    def wait_stamps(self, phone, quantity):
        wait_until(lambda: self.stamps(phone) == quantity, f"account {phone} at {quantity} stamps")


def total(client, collection, **query):
    """The number of elements in a collection."""
    return client.get(f"/{collection}", size=1, **query).expect(200).json()["page"]["totalElements"]


def in_parallel(calls):
    """Runs the callables at the same moment, each in a thread; returns their results in order."""
    results, barrier = [None] * len(calls), threading.Barrier(len(calls))

    def run(index, call):
        barrier.wait(DEADLINE_S)
        try:
            results[index] = call()
        except BaseException as error:  # handed to the caller below
            results[index] = error

    threads = [threading.Thread(target=run, args=item) for item in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return results
