"""`serve --services`: a node for some of the services."""

import pytest
from support import skanu

ALL = "order,payment,delivery,ordertrace,stamp,gateway"


def test_naming_every_service_is_the_default(serve, phone):
    shop = serve("--services", ALL).shop()
    order_id = shop.paid_order(phone)
    shop.wait_stamps(phone, 1)
    shop.wait_trace(order_id, "PAY END")


@pytest.mark.parametrize("services", ["stamp", "delivery", "order,payment", "gateway"])
def test_a_part_of_the_services_is_refused_in_so_many_words(tmp_path, services):
    refused = skanu("serve", "--services", services, "--data", tmp_path / "data")
    assert refused.returncode == 2 and "one process" in refused.stderr
    assert not (tmp_path / "data").exists()


def test_the_whole_has_both_databases(serve):
    server = serve()
    assert (server.data / "lmdb").is_dir() and (server.data / "delivery.sqlite3").is_file()


def test_a_service_named_twice_or_unknown_is_a_bad_option(tmp_path):
    assert skanu("serve", "--services", "order,coffee", "--data", tmp_path / "data").returncode == 2
