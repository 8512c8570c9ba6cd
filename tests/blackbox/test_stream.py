"""Live progress: GET /orderTraces/stream."""

import contextlib
import random
import shutil
import socket
import threading
import time

import pytest
from cluster import Cluster
from event_source import EventSource, stream_request
from rest import COFFEE, DEADLINE_S, END, SERVER_GONE, wait_until
from support import Server, skanu

STEPS = ["Order END", "PAY END", "DELIVERY READY", "DELIVERY START", "DELIVERY END"]


def status(event):
    return event["data"]["status"]


def place_and_pay(client):
    order = client.post("/orders", COFFEE).expect(201).json()["id"]
    client.patch(f"/payments/{order}", {"paymentStatus": END}).expect(200)
    return order


def until_delivered(order):
    return lambda e: e["data"].get("id") == order and status(e) == STEPS[-1]


def test_it_begins_at_the_tail_and_shows_each_step_as_the_trace_does(shared_server):
    with shared_server.client() as client, EventSource(shared_server.port) as stream:
        assert stream.status == 200
        for header in ("Content-Type: text/event-stream", "Cache-Control: no-store, no-transform",
                       "X-Accel-Buffering: no", "Connection: close"):  # fmt: skip
            assert header in stream.head
        assert stream.next()["event"] == "begin"
        order = client.post("/orders", COFFEE).expect(201).json()["id"]
        stream.until(lambda e: e["data"]["id"] == order and status(e) == STEPS[0])
        client.patch(f"/payments/{order}", {"paymentStatus": END}).expect(200)
        shown = stream.until(lambda e: e["data"]["id"] == order and status(e) == STEPS[1])[-1]
        trace = client.get(f"/orderTraces/{order}").expect(200).json()
        assert shown["event"] == "trace"
        time_of_change = shown["data"].pop("timestamp")
        assert shown["data"] == trace
        history = client.get(f"/orderTraces/{order}/events").expect(200).embedded()
        assert time_of_change in [e["timestamp"] for e in history if e["eventType"] == "Paid"]


def test_it_shows_one_order_or_one_status(shared_server):
    with shared_server.client() as client:
        first = place_and_pay(client)
        with EventSource(shared_server.port, f"?orderId={first}", 0) as one, EventSource(
            shared_server.port, "?status=PAY%20END", 0
        ) as paid, EventSource(shared_server.port, f"?orderId={first + 10_000_000}") as unknown:
            second = place_and_pay(client)
            wanted = {first, second}
            while wanted:
                event = paid.next()
                assert status(event) == "PAY END"
                wanted.discard(event["data"]["id"])
            assert [status(e) for e in one.until(lambda e: status(e) == "PAY END")] == STEPS[:2]
            assert one.here() == []
            assert [e["event"] for e in unknown.here()] == ["begin"]


@pytest.mark.parametrize(
    "query, field",
    [("?orderId=0", "orderId"), ("?orderId=x", "orderId"), ("?status=paid", "status"),
     ("?lastEventId=-1", "lastEventId"), ("?lastEventId=1.5", "lastEventId"),
     ("?lastEventId=1-", "lastEventId"), ("?lastEventId=1-xyz", "lastEventId"),
     ("?lastEventId=", "lastEventId"), ("?lastEventId=99999999999999999", "lastEventId")],
)  # fmt: skip
def test_what_it_does_not_understand_is_422(shared_server, query, field):
    with shared_server.client() as client:
        answer = client.get("/orderTraces/stream" + query).expect(422)
        assert [e["field"] for e in answer.json()["errors"]] == [field]
    with shared_server.client() as client:
        answer = client.get("/orderTraces/stream", {"Last-Event-ID": "x"}).expect(422)
        assert answer.json()["errors"][0]["field"] == "Last-Event-ID"


def test_an_id_beyond_the_log_begins_at_the_tail(shared_server):
    with EventSource(shared_server.port, last_event_id=2**52) as stream:
        event = stream.next()
        assert event["event"] == "begin" and event["id"] < 2**52


def test_an_id_of_another_log_begins_at_the_tail(tmp_path):
    """An id of another log must not resume in the middle of a restored log."""
    data, copy = tmp_path / "data", tmp_path / "copy"
    with Server(data) as server:
        with server.client() as client, EventSource(server.port, last_event_id=0) as stream:
            seen = []
            for taken in (False, True):
                last = place_and_pay(client)
                seen += stream.until(
                    lambda e, o=last: e["data"].get("id") == o and status(e) == "PAY END"
                )
                if not taken:
                    assert skanu("backup", "--data", data, "--to", copy).returncode == 0
        known = seen[0]["event_id"], seen[-1]["event_id"]
    shutil.rmtree(data)
    copy.rename(data)
    with Server(data) as server, server.client() as client:
        for _ in range(3):
            last = place_and_pay(client)
        server.shop().wait_trace(last, "PAY END")
        with EventSource(server.port, last_event_id=known[1]) as stream:
            assert stream.next()["event"] == "begin"
        with EventSource(server.port, last_event_id=known[0]) as stream:
            assert stream.next()["id"] == seen[0]["id"] + 1, "that event is in both logs"


def test_head_and_other_methods(shared_server):
    with shared_server.client() as client:
        answer = client.request("HEAD", "/orderTraces/stream").expect(200)
        assert answer.header("Content-Type") == "text/event-stream"
        assert answer.header("Content-Length") is None
    with shared_server.client() as client:
        client.delete("/orderTraces/stream").expect(405)


def test_resuming_after_kill_9_shows_every_step_once(tmp_path):
    """A client that reconnects again and again while the server is killed."""
    events, orders, enough = [], [], threading.Event()
    server = Server(tmp_path / "data").start()

    def follow():
        last = 0
        while not enough.is_set():
            with contextlib.suppress(TimeoutError, *SERVER_GONE):
                with EventSource(server.port, last_event_id=last) as stream:
                    while not enough.is_set():
                        events.append(stream.next(0.2))
                        last = events[-1]["event_id"]

    follower = threading.Thread(target=follow)
    follower.start()
    try:
        for round in range(4):
            end = time.monotonic() + 0.4
            with contextlib.suppress(*SERVER_GONE), server.client() as client:
                killer = threading.Timer(0.15 + random.random() * 0.25, server.process.kill)
                killer.start()
                while time.monotonic() < end + DEADLINE_S:
                    orders.append(place_and_pay(client))
            killer.join()
            server.wait_dead()
            server.start()
        with server.client() as client:
            last = place_and_pay(client)
            wait_until(
                lambda: any(e["data"].get("id") == last and status(e) == "PAY END" for e in events),
                "the last order's step is seen",
                3 * DEADLINE_S,
            )
            enough.set()
            follower.join()
            logged = server.events("--service", "ordertrace")
            assert [e["id"] for e in events] == [e["offset"] for e in logged], "a gap or a double"
            for order in orders[:50]:
                history = client.get(f"/orderTraces/{order}/events").expect(200).embedded()
                steps = [status(e) for e in events if e["data"]["id"] == order]
                assert steps[-1] == "PAY END" and len(steps) == len(set(steps))
                assert {"Ordered", "Paid"} <= {e["eventType"] for e in history}
        server.stop()
        assert server.audit()[0] == 0
    finally:
        enough.set()
        follower.join()
        if server.running():
            server.kill()


def test_one_far_behind_gets_the_whole_log(tmp_path):
    """More events than the ring of a starting server holds."""
    count, threads = 4_500, 8
    with Server(tmp_path / "data", "--log-level", "warn") as server:

        def place_many():
            with server.client() as client:
                for _ in range(count // threads + 1):
                    client.post("/orders", COFFEE).expect(201)

        placing = [threading.Thread(target=place_many) for _ in range(threads)]
        for t in placing:
            t.start()
        for t in placing:
            t.join()
        server.stop()
        server.start()
        with EventSource(server.port, last_event_id=0) as stream:
            got = stream.until(lambda e: e["id"] >= count, 4 * DEADLINE_S)
            assert [e["id"] for e in got] == list(range(1, count + 1))


def test_a_thousand_streams_cost_no_worker_and_more_than_the_bound_are_503(tmp_path):
    with Server(tmp_path / "data", "--max-streams", 1_000, "--log-level", "warn") as server:
        sockets = []
        try:
            for _ in range(1_000):
                s = socket.create_connection(("127.0.0.1", server.port))
                s.sendall(stream_request())
                sockets.append(s)
            with server.client() as client:

                def open_streams():
                    text = client.get("/actuator/prometheus").expect(200).body.decode()
                    return "skanu_http_streams 1000\n" in text

                wait_until(open_streams, "all streams are open", 2 * DEADLINE_S)
                refused = client.get("/orderTraces/stream").expect(503)
                assert refused.header("Retry-After")
                order = client.post("/orders", COFFEE).expect(201).json()["id"]
                needle = f'"id":{order},'.encode()
                for s in sockets:
                    s.settimeout(2 * DEADLINE_S)
                    got = b""
                    while needle not in got:
                        more = s.recv(65536)
                        assert more
                        got += more
            for s in sockets[:10]:
                s.close()
            wait_until(
                lambda: server.client().get("/actuator/prometheus").body.find(b"streams 990\n") > 0,
                "those that went are forgotten",
            )
            began = time.monotonic()
            server.stop()
            assert time.monotonic() - began < 2 * DEADLINE_S
            for s in sockets[10:]:
                while s.recv(65536):
                    pass
        finally:
            for s in sockets:
                s.close()


def test_a_silent_stream_gets_heartbeats(tmp_path):
    with Server(tmp_path / "data", "--stream-heartbeat", 100) as server:
        with EventSource(server.port) as stream:
            stream.next()
            stream.here(0.5)
            assert stream.comments >= 2


def test_a_stream_goes_on_through_another_gateway_and_while_ordertrace_is_away(tmp_path):
    """The node of ordertrace shows streams as well, with the same ids."""
    with Cluster(tmp_path / "nodes", arguments=("--stream-heartbeat", "200")) as nodes:
        with nodes.client() as client:
            first = place_and_pay(client)
            with EventSource(nodes.port, last_event_id=0) as here:
                seen = here.until(lambda e: e["data"]["id"] == first and status(e) == "PAY END")
            second = place_and_pay(client)
            client.patch(f"/payments/{second}", {"paymentStatus": END}).expect(200)
            with EventSource(nodes["ordertrace"].port, last_event_id=seen[-1]["id"]) as there:
                seen += there.until(lambda e: e["data"]["id"] == second and status(e) == "PAY END")
            assert [e["id"] for e in seen] == list(range(1, len(seen) + 1))
            with nodes.client("stamp") as stamps:
                stamps.get("/orderTraces/stream").expect(404)
            with EventSource(nodes.port, last_event_id=seen[-1]["event_id"]) as stream:
                nodes.kill("ordertrace")
                third = place_and_pay(client)
                assert stream.here(1.0) == []
                assert stream.comments > 0, "it stays open"
                nodes.again("ordertrace")
                seen += stream.until(
                    lambda e: e["data"]["id"] == third and status(e) == "PAY END", 3 * DEADLINE_S
                )
            assert [e["id"] for e in seen] == list(range(1, len(seen) + 1))
