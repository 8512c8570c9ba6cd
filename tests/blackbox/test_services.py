"""`serve --services`: a node for some of the services."""

import pytest
from rest import COFFEE, fresh_phone
from support import Server, skanu

ALL = "order,payment,delivery,ordertrace,stamp,gateway"


def test_naming_every_service_is_the_default(serve, phone):
    shop = serve("--services", ALL).shop()
    order_id = shop.paid_order(phone)
    shop.wait_stamps(phone, 1)
    shop.wait_trace(order_id, "PAY END")


@pytest.mark.parametrize(
    "services, databases",
    [("stamp", {"lmdb"}), ("delivery", {"delivery.sqlite3"}), ("order,payment", {"lmdb"})],
)
def test_a_node_has_just_its_own_databases(tmp_path, services, databases):
    with Server(tmp_path / "data", "--services", services) as server:
        present = {name for name in ("lmdb", "delivery.sqlite3") if (server.data / name).exists()}
    assert present == databases


def test_the_whole_has_both_databases(serve):
    server = serve()
    assert (server.data / "lmdb").is_dir() and (server.data / "delivery.sqlite3").is_file()


def test_a_node_for_one_service_serves_it(tmp_path):
    with Server(tmp_path / "data", "--services", "stamp") as server:
        phone, client = fresh_phone(), server.client()
        client.post("/stamps", {"phoneNumber": phone, "stampQty": 2}).expect(201)
        assert client.get(f"/stamps/{phone}").expect(200).json()["stampQty"] == 2


def test_a_gateway_alone_stays_up_and_says_who_is_away(tmp_path):
    with Server(tmp_path / "data", "--services", "gateway") as server:
        client = server.client()
        health = client.get("/actuator/health").expect(200).json()
        assert health["status"] == "UP"
        down = {
            name
            for name, component in health["components"].items()
            if component["status"] == "DOWN"
        }
        for service in ("order", "payment", "delivery", "ordertrace", "stamp"):
            assert any(service in name for name in down), (service, health)
        for path in ("/orders", "/stamps/0101234123"):
            assert int(client.get(path).expect(503).header("Retry-After")) >= 1
        assert int(client.post("/orders", COFFEE).expect(503).header("Retry-After")) >= 1


def test_a_service_named_twice_or_unknown_is_a_bad_option(tmp_path):
    assert skanu("serve", "--services", "order,coffee", "--data", tmp_path / "data").returncode == 2
