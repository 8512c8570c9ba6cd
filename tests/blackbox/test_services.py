"""`serve --services`: a node for a part of the services."""

from support import skanu

ALL = "order,payment,delivery,ordertrace,stamp,gateway"


def test_naming_every_service_is_the_default(serve, phone):
    shop = serve("--services", ALL).shop()
    order_id = shop.paid_order(phone)
    shop.wait_stamps(phone, 1)
    shop.wait_trace(order_id, "PAY END")


def test_the_whole_has_both_databases(serve):
    server = serve()
    assert (server.data / "lmdb").is_dir() and (server.data / "delivery.sqlite3").is_file()


def test_a_service_named_twice_or_unknown_is_a_bad_option(tmp_path):
    assert skanu("serve", "--services", "order,coffee", "--data", tmp_path / "data").returncode == 2
