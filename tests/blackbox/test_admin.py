"""What operators do: dead letters, and what is open of one order."""

import re
import sqlite3

import pytest
from rest import PREPARE, READY, Client, fresh_phone, wait_until
from support import assert_sound

LETTERS = "/admin/deadLetters"


def key(number):
    return number.to_bytes(8, "big")


def edit_delivery(data, order_id, old, new):
    """Changes a stored delivery beside the running server, which must not be at work on it."""
    database = sqlite3.connect(data / "delivery.sqlite3", timeout=10)
    statement = (
        'update "delivery.entities" set value = replace(value, ?, ?) where key = ? and instr(value, ?)'
    )
    changed = database.execute(
        statement, (old.encode(), new.encode(), key(order_id), old.encode())
    ).rowcount
    database.commit()
    database.close()
    assert changed == 1, f"{old} is not in delivery {order_id}"


GOOD, BAD = f'"deliveryStatus":"{READY}"', '"deliveryStatus":"READX"'


def letters_of(client, order_id):
    listed = client.get(LETTERS).expect(200).json()["_embedded"]["deadLetters"]
    return [letter for letter in listed if letter["entity"] == order_id]


def with_stuck_orders(serve, count):
    """A server with orders whose deliveries could not take their cancellation; now they could."""
    server = serve()
    shop = server.shop()
    ids = [shop.deliver(shop.paid_order(fresh_phone()), until=READY) for _ in range(count)]
    server.stop()
    for order_id in ids:
        edit_delivery(server.data, order_id, GOOD, BAD)
    server.restart()
    client = server.client()
    for order_id in ids:
        client.delete(f"/orders/{order_id}").expect(204)
    for order_id in ids:
        wait_until(lambda: len(letters_of(client, order_id)) == 2, "two dead letters")
        edit_delivery(server.data, order_id, BAD, GOOD)
    assert_sound(server.data)
    return server, client, ids


@pytest.fixture
def stuck(serve):
    server, client, (order_id,) = with_stuck_orders(serve, 1)
    return server, client, order_id, letters_of(client, order_id)


def status_of(client, order_id):
    return client.get(f"/deliveries/{order_id}").expect(200).json()["deliveryStatus"]


def test_a_dead_letter_is_listed_and_replayed_once(stuck):
    server, client, order_id, letters = stuck
    assert {letter["consumer"] for letter in letters} == {
        "delivery-follows-order",
        "delivery-follows-payment",
    }
    for letter in letters:
        assert letter["attempts"] >= 1 and letter["reason"] and letter["timestamp"].endswith("Z")
        assert letter["id"] == f"{letter['consumer']}:{order_id}:{letter['offset']}"
        assert letter["event"]["id"] == order_id and "eventType" in letter["event"]
        assert letter["service"] in ("order", "payment")
    told = client.get(f"/admin/explain/orders/{order_id}").expect(200).json()
    assert "replay or discard its dead letter" in told["openSteps"][0]
    assert told["deadLetters"] == [
        {**{name: letter[name] for name in ("id", "attempts", "reason")},
         "eventType": letter["event"]["eventType"]}
        for letter in letters
    ]  # fmt: skip
    assert status_of(client, order_id) == READY
    # The region may still keep the entity that failed aside, for a moment.
    for letter in letters:
        path = f"{LETTERS}/{letter['id']}"
        wait_until(lambda path=path: client.post(f"{path}/replay").status == 204, "its replay")
        client.post(f"{path}/replay").expect(404)
        assert_sound(server.data)
    assert status_of(client, order_id) == "CANCEL"
    assert letters_of(client, order_id) == []
    assert "discarded" not in server.audit()[1]


def test_a_discarded_letter_changes_nothing_and_the_audit_knows_of_it(stuck):
    server, client, order_id, letters = stuck
    for letter in letters:
        client.delete(f"{LETTERS}/{letter['id']}").expect(204)
        client.delete(f"{LETTERS}/{letter['id']}").expect(404)
        assert_sound(server.data)
    server.kill()
    server.restart()
    assert letters_of(server.client(), order_id) == []
    assert status_of(server.client(), order_id) == READY
    _, report = server.audit()
    assert report["sound"] and sum(report["discarded"].values()) == 2
    assert {p["id"] for p in report["parked"]} == {order_id}


def test_dead_letters_are_paged(stuck):
    _, client, order_id, letters = stuck
    first = client.get(f"{LETTERS}?size=1").expect(200).json()
    second = client.get(first["_links"]["next"]["href"]).expect(200).json()
    got = [page["_embedded"]["deadLetters"][0]["id"] for page in (first, second)]
    assert sorted(got) == sorted(letter["id"] for letter in letters)
    assert "next" not in second["_links"]
    for query in ("size=0", "size=1001", "size=x", "after=1", "after=nobody:1:1"):
        client.get(f"{LETTERS}?{query}").expect(422)


def test_pages_of_dead_letters_leave_none_out_and_show_none_twice(serve):
    _, client, _ = with_stuck_orders(serve, 3)
    whole = [letter["id"] for letter in client.get(LETTERS).expect(200).embedded()]
    assert len(whole) == 6
    for size in (1, 2, 4):
        got, path = [], f"{LETTERS}?size={size}"
        while path and len(got) <= len(whole):
            page = client.get(path).expect(200)
            got += [letter["id"] for letter in page.embedded()]
            path = page.json()["_links"].get("next", {}).get("href")
        assert got == whole, f"in pages of {size}"


@pytest.mark.parametrize("name", ["x", "nobody:1:1", "stamp-follows-payment:1:1", "a:b:c", "::"])
def test_a_dead_letter_that_is_not_there_is_not_found(client, name):
    client.delete(f"{LETTERS}/{name}").expect(404)
    client.post(f"{LETTERS}/{name}/replay").expect(404)


def test_an_order_explains_itself(client, shop):
    phone = fresh_phone()
    order_id = shop.place(phoneNumber=phone)
    explain = f"/admin/explain/orders/{order_id}"

    def wait_steps(*expected):
        wait_until(
            lambda: client.get(explain).expect(200).json()["openSteps"] == list(expected), expected
        )

    wait_steps("payment is waited for")
    shop.pay(order_id)
    shop.wait_delivery(order_id, PREPARE)
    wait_steps("the kitchen is making it")
    shop.deliver(order_id)
    wait_steps("nothing is open: it was delivered")
    answer = client.get(explain).expect(200)
    assert phone not in answer.body.decode(), "its phone number is masked"
    told = answer.json()
    assert set(told["entities"]) == {"order", "payment", "delivery", "stamp", "ordertrace"}
    assert told["entities"]["payment"]["version"] >= 2
    assert told["entities"]["order"]["state"]["delivered"] is True
    # The view reads each service's log by itself: only the history says in which order it did.
    steps = {"Ordered", "Paid", "Delivered"}

    def events_are_those_of_the_history():
        shown = client.get(explain).expect(200).json()["events"]
        history = client.get(f"/orderTraces/{order_id}/events").expect(200).embedded()
        return steps <= {event["eventType"] for event in shown} and shown == [
            {name: event[name] for name in ("service", "offset", "eventType", "timestamp")}
            for event in history
        ]

    wait_until(events_are_those_of_the_history, "the events of its history")
    assert told["circuitBreakers"]["payment"]["state"] == "CLOSED"
    assert told["deadLetters"] == [] and len(told["positions"]) == 9

    def positions_shown():
        figures = client.get("/actuator/prometheus").expect(200).body.decode()
        found = re.findall(r'^skanu_consumer_offset{consumer="(.+)",log=.+} (\d+)$', figures, re.M)
        return {name: int(offset) for name, offset in found}

    wait_until(
        lambda: client.get(explain).expect(200).json()["positions"] == positions_shown(),
        "explain and the metrics say the same of the consumers",
    )
    client.get("/admin/explain/orders/9007199254740991").expect(404)
    client.get("/admin/explain/orders/x").expect(404)


# ------------------------------------------------------------------------------------ who may see it


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example:8088"},
        {"Host": "10.1.2.3"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"X-Forwarded-For": "10.1.2.3"},
        {"X-Forwarded-Host": "evil.example"},
        {"X-Forwarded-Proto": "https"},
        {"X-Real-IP": "10.1.2.3"},
        {"Forwarded": "for=10.1.2.3"},
        {"Via": "1.1 proxy"},
    ],
)
def test_to_others_admin_is_not_there(client, headers):
    for method, path in (
        ("GET", LETTERS),
        ("OPTIONS", LETTERS),
        ("POST", f"{LETTERS}/stamp-follows-payment:1:1/replay"),
        ("DELETE", f"{LETTERS}/stamp-follows-payment:1:1"),
        ("GET", "/admin/explain/orders/1"),
    ):
        answer = client.request(method, path, headers=headers)
        assert answer.status == 404, (method, path)
        assert answer.header("Allow") is None


def test_admin_carries_no_cors_headers(client):
    for answer in (client.get(LETTERS), client.get("/admin/explain/orders/x")):
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]
    assert client.get("/orders").header("Access-Control-Allow-Origin") == "*"


def test_an_own_port_serves_admin_and_the_first_does_not(serve):
    server = serve("--admin", "127.0.0.1:0")
    client = server.client()
    client.get(LETTERS).expect(404)
    client.get("/actuator/health").expect(200)
    said = wait_until(
        lambda: re.search(r"event=admin_listens address=127\.0\.0\.1:(\d+)", server.stderr()),
        "the operators' port",
    )
    operator = Client(int(said[1]))
    operator.get(LETTERS).expect(200)
    operator.get("/actuator/health").expect(200)
    refusal = operator.get("/orders").expect(404).json()
    assert operator.get(refusal["type"]).expect(200).json()["title"] == refusal["title"]
    operator.request("GET", LETTERS, headers={"Host": "evil.example"}).expect(404)
    operator.request("GET", LETTERS, headers={"Origin": "http://evil.example"}).expect(404)


def test_a_phone_number_in_a_letters_name_is_masked_in_the_log(serve):
    server = serve()
    phone = fresh_phone()
    server.client().delete(f"{LETTERS}/stamp-follows-payment:1{phone}:1").expect(404)
    server.stop()
    assert "/admin/deadLetters/" in server.stderr()
    assert phone not in server.stderr()
