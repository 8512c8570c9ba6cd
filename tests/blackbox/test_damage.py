"""A server's reaction to data damaged while the server was stopped."""

import re

import pytest
from damage import in_lmdb, in_lmdb_row
from rest import COFFEE, END
from support import Server, skanu

ROWS = [
    "ids.reserved",
    "ids.floor",
    "log.timelines",
    "position:stamp-follows-payment",
    "timelines:stamp-follows-payment",
]


def stopped_server(folder, orders=3):
    with Server(folder / "data") as server:
        shop = server.shop()
        for _ in range(orders):
            shop.wait_consistent(shop.paid_order())
    return server


def refused_start(data):
    """The only line of a refused start."""
    done = skanu("serve", "--http", "127.0.0.1:0", "--data", data, "--log-level", "off")
    assert (done.returncode, done.stdout) == (2, ""), done
    assert len(done.stderr.splitlines()) == 1, done.stderr
    return done.stderr


@pytest.mark.parametrize("row", ROWS)
def test_a_damaged_row_that_an_actor_begins_with_refuses_the_start(tmp_path, row):
    server = stopped_server(tmp_path)
    content = (server.data / "lmdb" / "data.mdb").read_bytes()
    for digit in set(re.findall(row.encode() + rb"(\d)", content)):
        in_lmdb_row(server.data, row, digit, b"x")
    assert row in refused_start(server.data)


def test_ids_that_would_be_handed_out_again_refuse_the_start(tmp_path):
    server = stopped_server(tmp_path)
    in_lmdb_row(server.data, "ids.reserved", b"3", b"2")
    assert "order 3" in refused_start(server.data)


def test_an_entity_that_crashes_is_named_in_the_log_and_not_on_standard_output(tmp_path):
    """CAF's own messages must not go to standard output; stop() checks the output."""
    server = stopped_server(tmp_path)
    in_lmdb(server.data, "payment", '"id":2,', '"schema":1', '"schema":9')
    with server:
        client = server.client()
        client.patch("/payments/2", {"paymentStatus": END}).expect(503)
        client.post("/orders", COFFEE).expect(201)
        server.stop()
    assert "event=entity_crashed service=payment id=2 " in server.stderr()


def test_a_limit_on_the_length_of_files_gives_507_and_ends_nothing(tmp_path):
    """SIGXFSZ must not end the process."""
    options = ["--log-level", "off"]
    with Server(tmp_path / "data", *options, prefix=["prlimit", "--fsize=12000000"]) as server:
        client, statuses = server.client(), []
        while len(statuses) < 20_000 and statuses[-20:] != [507] * 20:
            statuses.append(client.post("/orders", {**COFFEE, "productName": "x" * 200}).status)
        assert set(statuses) == {201, 507}
        client.get("/orders/1").expect(200)
        server.stop()
