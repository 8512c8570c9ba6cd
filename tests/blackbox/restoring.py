"""Backups, older copies put in place, and sales to compare with."""

import shutil

from rest import PREPARE
from support import skanu


def backup(data, to):
    done = skanu("backup", "--data", data, "--to", to)
    assert done.returncode == 0, done.stderr


def put_in_place(copy, data):
    shutil.rmtree(data)
    shutil.copytree(copy, data)


def sell(shop, count, phone=None):
    """Paid orders, each followed by kitchen and trace."""
    sold = [shop.paid_order(phone) for _ in range(count)]
    for order_id in sold:
        shop.wait_delivery(order_id, PREPARE)
        shop.wait_trace(order_id, "PAY END")
    return sold
