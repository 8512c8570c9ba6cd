"""The process dies at every named commit point of every step of the saga.

Each case: a data directory prepared without a fault, a server that is killed at a point's Nth pass,
a restart, and then: what was acknowledged is there, all parts fit together, the client's repeat
under the same Idempotency-Key has its effect exactly once, and the audit is sound. SKANU_SWEEP=full
tries the first three passes behind the ready line instead of the first one.
"""

import os
import re
import shutil
import signal

import pytest
from rest import (
    CANCEL,
    COFFEE,
    DEADLINE_S,
    END,
    PREPARE,
    READY,
    SERVER_GONE,
    START,
    fresh_phone,
    total,
    wait_until,
)
from support import BINARY, NotReady, Server, assert_sound, skanu

PASSES = 3 if os.environ.get("SKANU_SWEEP") == "full" else 1
HIGHEST_PASS = 12
QTY = 2
KILLED = (-9, 137)
KEY = {"Idempotency-Key": "sweep"}


def crash_points():
    """The names of the points, from `skanu serve --fault help`."""
    _, _, below = skanu("serve", "--fault", "help").stdout.partition("crash-at")
    return [
        match[1]
        for line in below.splitlines()[1:]
        if (match := re.fullmatch(r"\s+([a-z][a-z0-9._-]*)(?:\s.*)?", line))
    ]


def pytest_generate_tests(metafunc):
    if "point" in metafunc.fixturenames:
        metafunc.parametrize("point", crash_points() if BINARY.exists() else [])


class Step:
    """One request of the saga, with its preparation and its expected outcome."""

    def __init__(self, prepare, request, statuses, outcome, fault=None, refused=()):
        """`refused` are statuses permitted while `fault` is active; a step with a fault is slow."""
        self.prepare, self.request, self.statuses = prepare, request, statuses
        self.outcome, self.fault, self.refused = outcome, fault, refused


def paid(shop, phone):
    order_id = shop.paid_order(phone, qty=QTY)
    shop.wait_delivery(order_id, PREPARE)
    shop.wait_stamps(phone, QTY)
    shop.wait_trace(order_id, "PAY END")
    return order_id


def placed(shop, phone):
    order_id = shop.place(qty=QTY)
    shop.wait_trace(order_id, "Order END")
    return order_id


def moved(status, before):
    return Step(
        lambda shop, phone: shop.deliver(paid(shop, phone), until=before),
        lambda order_id, phone: ("PATCH", f"/deliveries/{order_id}", {"deliveryStatus": status}),
        {200},
        {"payment": END, "delivery": status, "stamps": QTY},
    )


def cancelled(kind):
    return Step(
        paid,
        lambda order_id, phone: ("DELETE", f"/{kind}/{order_id}", None),
        {204},
        {"payment": CANCEL, "delivery": CANCEL, "stamps": 0},
    )


STEPS = {
    "place": Step(
        lambda shop, phone: None,
        lambda order_id, phone: ("POST", "/orders", {**COFFEE, "qty": QTY}),
        {201},
        {"payment": "Not Pay", "delivery": None, "stamps": 0},
    ),
    "pay": Step(
        placed,
        lambda order_id, phone: (
            "PATCH",
            f"/payments/{order_id}",
            {"paymentStatus": END, "phoneNumber": phone},
        ),
        {200},
        {"payment": END, "delivery": PREPARE, "stamps": QTY},
    ),
    "ready": moved(READY, PREPARE),
    "start": moved(START, READY),
    "end": moved(END, START),
    "cancel order": cancelled("orders"),
    "cancel payment": cancelled("payments"),
    "stamp by hand": Step(
        lambda shop, phone: None,
        lambda order_id, phone: ("POST", "/stamps", {"phoneNumber": phone, "stampQty": QTY}),
        {200, 201},
        {"stamps": QTY},
    ),
    "place while payment fails": Step(
        lambda shop, phone: None,
        lambda order_id, phone: ("POST", "/orders", {**COFFEE, "qty": QTY}),
        {201},
        {"payment": "Not Pay", "delivery": None, "stamps": 0},
        fault="payment-lose-reply=1",
        refused={503},
    ),
}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """prepared(step) gives (data directory, order id, phone number), made once; to be copied."""
    made = {}

    def of(name):
        if name not in made:
            phone = fresh_phone()
            with Server(tmp_path_factory.mktemp("prepared") / "data") as server:
                made[name] = (server.data, STEPS[name].prepare(server.shop(), phone), phone)
        return made[name]

    return of


def outcome(shop, step, order_id, phone):
    """The present values of the fields named by the step's outcome."""
    now = {"stamps": shop.stamps(phone)}
    if "payment" in step.outcome and order_id:
        now |= {
            "payment": shop.payment(order_id)["paymentStatus"],
            "delivery": shop.delivery_status(order_id),
        }
    return now


def all_fit(shop):
    return all(
        shop.inconsistency(order["id"]) is None
        for order in shop.client.get("/orders", size=1000).expect(200).embedded()
    )


def start_or_die(server):
    """Starts the server; False where the process dies at a crash point before readiness."""
    server.start(wait=False)
    try:
        server.wait_ready()
        return True
    except NotReady as failure:
        if failure.status not in KILLED:
            raise
        return False


def crash_during(server, step, request, order_id, phone):
    """(the request's answer or None, whether the process died at the point)."""
    answer = None
    try:
        answer = server.client().request(*request, KEY)
        answer.expect(*step.statuses, *step.refused)
    except SERVER_GONE:
        pass  # the crash point's effect

    def completed():
        if answer is None:
            return False
        shop = server.shop()
        if answer.status in step.refused:
            return all_fit(shop)
        known_id = order_id or answer.json().get("id")
        return outcome(shop, step, known_id, phone) == step.outcome and all_fit(shop)

    def died_or_completed():
        if not server.running():
            return "died"
        try:
            return completed() and "completed"
        except SERVER_GONE:
            return False

    what = f"{request} completes, answered {answer}, or the process dies"
    died = wait_until(died_or_completed, what, 2 * DEADLINE_S) == "died"
    if not died:
        server.send_signal(signal.SIGTERM)  # leaving also commits, and so may pass the point
    server.wait_dead()
    assert server.process.returncode in (KILLED if died else (0, *KILLED)), server.stderr()[-2000:]
    return answer, server.process.returncode != 0


def check_after_crash(server, step, request, order_id, phone, answer):
    """Everything acknowledged is there, and the repeat has its effect exactly once."""
    shop = server.restart().shop()
    acknowledged = answer is not None and answer.status in step.statuses
    if acknowledged and (order_id or answer.json().get("id")):
        shop.order(order_id or answer.json()["id"])
    wait_until(lambda: all_fit(shop), "everything fits together after the restart")
    repeated = shop.client.request(*request, KEY).expect(*step.statuses)
    if acknowledged:
        assert repeated.body == answer.body, "the stored answer"
    if request[1] == "/orders":
        order_id = repeated.json()["id"]
        # The payment of a rejected id leaves the list once payment has read the rejection.
        wait_until(
            lambda: total(shop.client, "orders") == total(shop.client, "payments") == 1,
            "one order with its payment",
        )
    wait_until(
        lambda: outcome(shop, step, order_id, phone) == step.outcome, f"the outcome {step.outcome}"
    )
    if order_id:
        shop.wait_consistent(order_id)
    server.stop()
    assert_sound(server.data)


@pytest.mark.slow
def test_killed_at_a_commit_point_nothing_acknowledged_is_lost(point, prepared, tmp_path):
    reached = []
    for name, step in STEPS.items():
        if step.fault and reached and PASSES == 1:
            continue
        template, order_id, phone = prepared(name)
        request, crashes = step.request(order_id, phone), 0
        for nth in range(1, HIGHEST_PASS + 1):
            data = tmp_path / f"{name.replace(' ', '-')}-{nth}"
            shutil.copytree(template, data)
            faults = [f"crash-at={point}:{nth}", *([step.fault] if step.fault else [])]
            server = Server(data, *(word for fault in faults for word in ("--fault", fault)))
            answer, died = None, True
            ready = start_or_die(server)
            if ready:
                answer, died = crash_during(server, step, request, order_id, phone)
            if died:
                reached.append((name, nth))
                check_after_crash(server, step, request, order_id, phone, answer)
            shutil.rmtree(data)
            crashes += ready
            if not died or crashes == PASSES:
                break
    print(f"{point} was passed at {reached}")
    assert reached, f"no step passes {point}"


@pytest.mark.slow
def test_there_are_crash_points():
    assert len(crash_points()) >= 3
