"""A data directory belongs to one server, and a server notices when its data is taken away."""

import shutil
import socket

import pytest
from rest import COFFEE, DEADLINE_S, PREPARE, READY, wait_until
from support import Server, assert_sound, skanu


def serve_beside(data):
    return skanu("serve", "--http", "127.0.0.1:0", "--data", data, deadline_s=DEADLINE_S)


def test_a_second_server_is_refused_although_the_lock_file_was_removed(serve):
    server = serve()
    server.shop().paid_order()
    (server.data / "lock").unlink()
    second = serve_beside(server.data)
    assert second.returncode == 2
    assert "held by another server" in second.stderr
    server.shop().paid_order()
    server.stop()
    assert_sound(server.data)


def test_a_link_to_the_folder_is_the_same_folder(serve, tmp_path):
    server = serve()
    link = tmp_path / "link"
    link.symlink_to(server.data)
    (server.data / "lock").unlink()
    assert serve_beside(link).returncode == 2


@pytest.mark.parametrize("linked", ["lmdb", "lmdb/data.mdb", "delivery.sqlite3"])
def test_two_folders_with_links_to_the_same_database_were_both_served(tmp_path, linked):
    server, other = Server(tmp_path / "data").start(), tmp_path / "other"
    order_id = server.shop().paid_order()
    server.stop()
    shutil.copytree(server.data, other)
    shutil.rmtree(other / linked) if linked == "lmdb" else (other / linked).unlink()
    (other / linked).symlink_to(server.data / linked)
    server.start()
    second = serve_beside(other)
    assert second.returncode == 2
    assert "is held by another server" in second.stderr
    assert linked.split("/")[0] in second.stderr
    server.client().get(f"/deliveries/{order_id}").expect(200)
    server.shop().wait_delivery(server.shop().paid_order(), PREPARE)
    server.stop()
    assert_sound(server.data)
    if linked.startswith("lmdb"):  # of SQLite the log must lie beside
        with Server(other):
            assert serve_beside(server.data).returncode == 2


def test_a_refused_start_threw_a_write_ahead_log_away_with_what_was_acknowledged(tmp_path):
    data, aside = tmp_path / "data", tmp_path / "delivery.sqlite3"
    server = Server(data).start()
    shop = server.shop()
    orders = [shop.deliver(shop.paid_order(), until=READY) for _ in range(3)]
    server.kill()
    log = (data / "delivery.sqlite3-wal").read_bytes()
    assert log, "its deliveries are in the log"
    (data / "delivery.sqlite3").rename(aside)
    for restored in ([], ["--restored"]):
        refused = skanu("serve", "--http", "127.0.0.1:0", "--data", data, *restored)
        assert refused.returncode == 2 and "write-ahead log" in refused.stderr, refused
        assert (data / "delivery.sqlite3-wal").read_bytes() == log
    aside.rename(data / "delivery.sqlite3")
    with Server(data) as server:
        for order_id in orders:
            delivery = server.client().get(f"/deliveries/{order_id}").expect(200).json()
            assert delivery["deliveryStatus"] == READY
    assert_sound(data)


def test_a_refused_start_took_the_lock_file_from_under_other_readers(tmp_path):
    data = tmp_path / "data"
    with Server(data) as server:
        server.shop().paid_order()
    (data / "lmdb" / "lock.mdb").unlink()  # as in a backup
    (data / "delivery.sqlite3").unlink()
    assert serve_beside(data).returncode == 2
    assert (data / "lmdb" / "lock.mdb").exists(), "an audit beside may have begun to use it"
    assert not list(data.glob("delivery.sqlite3*"))


def test_a_refused_start_burned_ids_that_a_later_start_rejected_each(tmp_path):
    data = tmp_path / "data"
    with Server(data) as server:
        assert server.shop().place() == 1
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for _ in range(3):
            refused = skanu(
                "serve", "--http", "127.0.0.1:0", "--data", data, "--name", "all",
                "--node", f"127.0.0.1:{port}",
            )  # fmt: skip
            assert refused.returncode == 2 and str(port) in refused.stderr, refused
    with Server(data) as server:
        assert server.shop().place() == 2
    assert_sound(data)


def test_a_refused_start_leaves_nothing_that_looks_like_data(tmp_path):
    data = tmp_path / "data"
    with Server(data) as server:
        server.shop().paid_order()
    shutil.rmtree(data / "lmdb")
    before = sorted(p.name for p in data.iterdir())
    assert serve_beside(data).returncode == 2
    assert sorted(p.name for p in data.iterdir()) == before


def health(server):
    return server.client().get("/actuator/health")


def assert_gone(server):
    wait_until(lambda: health(server).status == 503, "health is DOWN")
    shown = health(server).json()
    assert shown["status"] == "DOWN"
    assert shown["components"]["data"] == {"status": "DOWN", "details": {"reason": "gone"}}
    refused = server.client().post("/orders", COFFEE).expect(503)
    assert refused.json()["type"] == "/problems/store-failed"
    wait_until(lambda: "event=data_is_gone" in server.stderr(), "the log says so")


def test_a_directory_that_is_deleted_under_a_server_is_noticed(tmp_path):
    server = Server(tmp_path / "data").start()
    order_id = server.shop().paid_order()
    shutil.rmtree(server.data)
    assert_gone(server)
    server.client().get(f"/orders/{order_id}").expect(200)
    server.stop()


def test_a_database_that_is_replaced_under_a_server_is_noticed_and_its_return_too(tmp_path):
    server = Server(tmp_path / "data").start()
    server.shop().paid_order()
    away = server.data / "away"
    (server.data / "lmdb").rename(away)
    shutil.copytree(away, server.data / "lmdb")
    assert_gone(server)
    shutil.rmtree(server.data / "lmdb")
    away.rename(server.data / "lmdb")
    wait_until(lambda: health(server).status == 200, "health is UP again")
    order_id = server.shop().paid_order()
    server.stop()
    with server:
        server.client().get(f"/orders/{order_id}").expect(200)


@pytest.mark.parametrize(
    "part", ["delivery.sqlite3-wal", "delivery.sqlite3-shm", "delivery.sqlite3", "lmdb/lock.mdb"]
)
def test_a_file_that_a_database_needs_was_removed_without_a_word(tmp_path, part):
    server = Server(tmp_path / "data").start()
    order_id = server.shop().paid_order()
    server.shop().wait_delivery(order_id, PREPARE)
    (server.data / part).unlink()
    assert_gone(server)
    server.stop()


def test_what_reads_beside_a_server_and_a_long_log_remove_no_file_of_it(tmp_path):
    with Server(tmp_path / "data") as server:
        shop = server.shop()
        for _ in range(2):
            for _ in range(50):
                shop.paid_order()
            assert skanu("audit", "--data", server.data).returncode == 0
            copy = tmp_path / f"copy{shop.place()}"
            assert skanu("backup", "--data", server.data, "--to", copy).returncode == 0
        assert health(server).status == 200
        assert "event=data_is_gone" not in server.stderr()


@pytest.mark.parametrize(
    ("held", "asked"),
    [("payment", "stamp"), ("payment", "delivery"), ("delivery", "payment,stamp")],
)
def test_a_node_began_its_tables_in_another_nodes_folder_without_a_word(tmp_path, held, asked):
    data = tmp_path / "data"
    Server(data, "--services", held).start().stop()
    before = skanu("audit", "--data", data)
    for options in ([], ["--restored"]):
        refused = skanu(
            "serve", "--http", "127.0.0.1:0", "--data", data, "--services", asked, *options
        )
        assert refused.returncode == 2
        assert f"it holds {held}, and not {asked}" in refused.stderr
        assert refused.stderr.count("\n") == 1
    assert skanu("audit", "--data", data).stdout == before.stdout, "something was made in it"
    Server(data, "--services", held).start().stop()


def test_a_directory_takes_more_services_than_it_held(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    for services in ("payment", "payment,delivery", "delivery,stamp", "stamp"):
        Server(data, "--services", services).start().stop()
