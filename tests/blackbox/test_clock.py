"""The wall clock jumps between two runs: keys are kept for a day, and nothing else depends on it."""

import os
import uuid
from pathlib import Path

import pytest
from rest import COFFEE, wait_until

# A preloaded library must not come before the sanitizer's own.
pytestmark = pytest.mark.skipif(
    "asan" in os.environ.get("SKANU_BIN", ""), reason="the clock is faked by a preloaded library"
)


def restart_after(server, offset):
    """Stops it and starts it again with its wall clock that far away; timers run on as they are."""
    server.stop()
    library = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    server.env = {"LD_PRELOAD": library, "FAKETIME": offset, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    return server.start().client()


def test_a_key_gives_its_stored_answer_for_a_day_and_is_then_forgotten(serve):
    server = serve()
    key = {"Idempotency-Key": str(uuid.uuid4())}
    first = server.client().post("/orders", COFFEE, key).expect(201)
    other = {**COFFEE, "qty": 3}

    client = restart_after(server, "+23h")
    again = client.post("/orders", COFFEE, key).expect(201)
    assert again.body == first.body
    client.post("/orders", other, key).expect(422)

    client = restart_after(server, "+25h")
    answers = []

    def taken_anew():
        answers.append(client.post("/orders", other, key))
        return answers[-1].status == 201

    wait_until(taken_anew, "the key is forgotten")
    assert answers[-1].json()["id"] > first.json()["id"]
    assert answers[-1].json()["qty"] == 3


def test_a_clock_that_went_back_a_day_changes_nothing(serve):
    server = serve()
    key = {"Idempotency-Key": str(uuid.uuid4())}
    first = server.client().post("/orders", COFFEE, key).expect(201)
    client = restart_after(server, "-25h")
    assert client.post("/orders", COFFEE, key).expect(201).body == first.body
    order_id = client.post("/orders", COFFEE).expect(201).json()["id"]
    assert order_id > first.json()["id"]
    client.delete(f"/orders/{order_id}").expect(204)
    server.shop().wait_trace(order_id, "ORDER CANCEL")
