"""The wall clock jumps between two runs: keys last a day, and no other behaviour depends on the
clock."""

import re
import uuid
from concurrent.futures import ThreadPoolExecutor

from clock import clock_at, needs_a_faked_clock
from cluster import Cluster
from rest import COFFEE, wait_until

pytestmark = needs_a_faked_clock


def restart_after(server, offset):
    """Restarts the server with its wall clock shifted by the difference."""
    server.stop()
    server.env = clock_at(offset)
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


def test_a_gateway_that_is_eleven_minutes_behind_counts_nothing_twice(tmp_path, phone):
    cluster = Cluster(tmp_path / "cluster")
    cluster["gateway"].env = clock_at("-11m")
    with cluster:
        stamp, before = cluster["stamp"], cluster["stamp"].arguments
        wait_until(
            lambda: "event=clock_differs peer=gateway" in stamp.stderr(), "the difference is said"
        )
        metrics = cluster.client().get("/actuator/prometheus").expect(200).body.decode()
        offset = re.search(r'skanu_peer_clock_offset_seconds{service="stamp"} (\S+)', metrics)
        assert abs(float(offset[1]) - 660) < 5
        for count in range(1, 4):
            # The service stores the change and dies before its answer; the gateway repeats.
            stamp.stop()
            stamp.restart(*before, "--fault", "crash-at=stamp.after-commit:1")
            cluster.wait_up()
            with ThreadPoolExecutor(1) as pool:
                added = pool.submit(
                    cluster.client().post, "/stamps", {"phoneNumber": phone, "stampQty": 1}
                )
                stamp.wait_dead()
                stamp.restart(*before)
                added.result().expect(200, 201)
            cluster.wait_up()
            assert cluster.shop().stamps(phone) == count
