"""The operators' work: dead letters, and the open steps of an order."""

import json
import os
import re
import sqlite3
import stat

import pytest
from rest import PREPARE, READY, Client, assert_problem, fresh_phone, wait_until
from support import Server, assert_sound, skanu

LETTERS = "/admin/deadLetters"


@pytest.fixture
def operator(shared_server):
    with shared_server.operator() as one:
        yield one


def key(number):
    return number.to_bytes(8, "big")


def edit_delivery(data, order_id, old, new):
    """Changes a stored delivery beside the running server, which must not be at work on it."""
    database = sqlite3.connect(data / "delivery.sqlite3", timeout=10)
    statement = (
        'update "delivery.entities" set value = replace(value, ?, ?)'
        " where key = ? and instr(value, ?)"
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
    """A server with orders whose deliveries missed their cancellation; the cause is gone."""
    server = serve()
    shop = server.shop()
    ids = [shop.deliver(shop.paid_order(fresh_phone()), until=READY) for _ in range(count)]
    server.stop()
    for order_id in ids:
        edit_delivery(server.data, order_id, GOOD, BAD)
    server.restart()
    client = server.operator()
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
    # The region may still hold off the failed entity for a moment.
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
    assert letters_of(server.operator(), order_id) == []
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
def test_a_dead_letter_that_is_not_there_is_not_found(operator, name):
    client = operator
    client.delete(f"{LETTERS}/{name}").expect(404)
    client.post(f"{LETTERS}/{name}/replay").expect(404)


def test_an_order_explains_itself(operator, shop):
    client = operator
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
    # The view reads each service's log on its own: only the history tells the order between logs.
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


# ----------------------------------------------------------------------------------- who may see it

ADMIN_REQUESTS = (
    ("GET", LETTERS),
    ("HEAD", LETTERS),
    ("OPTIONS", LETTERS),
    ("POST", f"{LETTERS}/stamp-follows-payment:1:1/replay"),
    ("DELETE", f"{LETTERS}/stamp-follows-payment:1:1"),
    ("GET", "/admin/explain/orders/1"),
    ("GET", "/admin/nowhere"),
    ("GET", "/admin"),
)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Host": "127.0.0.1"},  # as nginx rewrites it
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer x"},
        {"Authorization": "Basic dXNlcjpwYXNz"},
    ],
)
def test_behind_a_proxy_on_loopback_admin_answered_the_internet(shared_server, headers):
    client = shared_server.client()
    for method, path in ADMIN_REQUESTS:
        answer = client.request(method, path, headers=headers)
        assert answer.status == 401, (method, path)
        assert answer.header("WWW-Authenticate") == "Bearer"
        assert answer.header("Allow") is None
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]
        if method != "HEAD":
            assert_problem(answer, 401)


def test_a_token_that_is_nearly_right_is_wrong(shared_server):
    token = shared_server.admin_token()
    wrong = (token[:-1], token + "0", "0" + token, token.upper() + "x", token[:-1] + "g", token * 2)
    for each in wrong:
        client = shared_server.client(admin_token=each)
        client.get(LETTERS).expect(401)
    shared_server.client(admin_token=token).get(LETTERS).expect(200)
    shared_server.client().get(LETTERS, {"Authorization": f"bearer  {token}"}).expect(200)


def test_the_token_is_long_its_owners_alone_and_stays(tmp_path):
    with Server(tmp_path / "data") as server:
        first = server.admin_token()
        assert re.fullmatch(r"[0-9a-f]{64}", first)
        assert stat.S_IMODE(os.stat(server.data / "admin.token").st_mode) == 0o600
        assert first not in server.stderr()
    with Server(tmp_path / "data") as server:
        assert server.admin_token() == first
    with Server(tmp_path / "other") as server:
        assert server.admin_token() != first


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o666, 0o620])
def test_a_token_that_others_may_read_lets_nobody_in(tmp_path, mode):
    Server(tmp_path / "data").start().stop()
    os.chmod(tmp_path / "data" / "admin.token", mode)
    with Server(tmp_path / "data") as server:
        server.operator().get(LETTERS).expect(401)
        server.client().get("/orders").expect(200)
        wait_until(lambda: "event=admin_token_refused" in server.stderr(), "the log says so")
        done = admin(server, "dead-letters")
        assert done.returncode == 2
        token = server.data / "admin.token"
        assert done.stderr == f"skanu: others may read the secret in {token}: chmod 600 it\n"


def test_a_token_that_can_be_guessed_lets_nobody_in(tmp_path):
    Server(tmp_path / "data").start().stop()
    (tmp_path / "data" / "admin.token").write_text("secret\n")
    with Server(tmp_path / "data") as server:
        server.operator().get(LETTERS).expect(401)
        wait_until(lambda: "event=admin_token_refused" in server.stderr(), "the log says so")


def test_admin_carries_no_cors_headers(serve):
    server = serve("--cors", "*")
    client = server.operator()
    for answer in (client.get(LETTERS), client.get("/admin/explain/orders/x")):
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]
    assert client.get("/orders").header("Access-Control-Allow-Origin") == "*"


def test_an_own_port_asks_for_no_token_and_the_first_one_does(serve):
    server = serve("--admin", "127.0.0.1:0")
    client = server.client()
    client.get(LETTERS).expect(401)
    server.operator().get(LETTERS).expect(200)
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


# ------------------------------------------------------------------------- nobody's number is whole


def test_a_phone_number_in_a_letters_name_is_masked_in_the_log(serve):
    server = serve()
    phone = fresh_phone()
    server.operator().delete(f"{LETTERS}/stamp-follows-payment:1{phone}:1").expect(404)
    server.stop()
    assert "/admin/deadLetters/" in server.stderr()
    assert phone not in server.stderr()


# ------------------------------------------------------------------------------------- skanu admin


def admin(server, *words, **options):
    address = f"127.0.0.1:{server.port}"
    return skanu("admin", "--data", server.data, "--http", address, *words, **options)


def test_skanu_admin_does_what_operators_may_ask(serve):
    server, client, ids = with_stuck_orders(serve, 2)
    done = admin(server, "dead-letters")
    assert done.returncode == 0 and done.stderr == ""
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert told == client.get(LETTERS).expect(200).embedded() and len(told) == 4
    explained = json.loads(admin(server, "explain", ids[0]).stdout)
    assert explained["id"] == ids[0] and len(explained["deadLetters"]) == 2
    for letter in told:
        wish = "replay" if letter["entity"] == ids[0] else "discard"
        wait_until(lambda: admin(server, wish, letter["id"]).returncode == 0, f"its {wish}")
    assert admin(server, "dead-letters").stdout == ""
    assert [status_of(client, order_id) for order_id in ids] == ["CANCEL", READY]


def test_skanu_admin_was_silent_about_damaged_letters(tmp_path):
    server, client, (order_id,) = with_stuck_orders(lambda: Server(tmp_path / "data").start(), 1)
    whole, damaged = letters_of(client, order_id)
    server.stop()
    name = damaged["consumer"].encode() + b"/" + key(order_id) + key(damaged["offset"])
    database = sqlite3.connect(server.data / "delivery.sqlite3")
    statement = 'update "delivery.dead_letters" set value = replace(value, ?, ?) where key = ?'
    changed = database.execute(statement, (b'"attempts"', b'"attempty"', name)).rowcount
    database.commit()
    database.close()
    assert changed == 1
    with server:
        done = admin(server, "dead-letters")
        assert done.returncode == 1
        assert [json.loads(line) for line in done.stdout.splitlines()] == [whole]
        assert done.stderr == f"skanu: the dead letter {damaged['id']} is damaged\n"
        assert admin(server, "replay", damaged["id"]).returncode == 1
        assert admin(server, "discard", damaged["id"]).returncode == 0, "nothing got rid of it"
        assert admin(server, "discard", whole["id"]).returncode == 0
        assert admin(server, "dead-letters").returncode == 0


def test_skanu_admin_says_why_it_could_not(serve, tmp_path):
    server = serve()
    for words in (("replay", "stamp-follows-payment:1:1"), ("explain", "x"), ("discard", "../x?y")):
        done = admin(server, *words)
        assert (done.returncode, done.stdout) == (1, "") and "404 There is no" in done.stderr
    (tmp_path / "data" / "admin.token").rename(tmp_path / "away")
    done = admin(server, "dead-letters")
    assert done.returncode == 2 and str(tmp_path / "data" / "admin.token") in done.stderr
    (tmp_path / "away").rename(tmp_path / "data" / "admin.token")
    server.stop()
    done = admin(server, "dead-letters")
    assert done.returncode == 2
    assert done.stderr == f"skanu: nobody answers at 127.0.0.1:{server.port}: Connection refused\n"
    for words in ((), ("nonsense",), ("replay",), ("explain", "1", "2")):
        done = skanu("admin", *words)
        assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
