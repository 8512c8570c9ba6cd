"""A data directory that an earlier program wrote, before values had checksums (commit 661f470).

`earlier_data/record.json` says what its customers did; the archive is the stopped server's folder.
"""

import json
import tarfile
from pathlib import Path

import pytest
from rest import wait_until
from support import Server, assert_sound, skanu

HERE = Path(__file__).resolve().parent / "earlier_data"
RECORD = json.loads((HERE / "record.json").read_text())


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    with tarfile.open(HERE / "661f470.tar.xz") as archive:
        archive.extractall(folder)
    return folder


def test_earlier_data_is_sound_before_and_after_a_start(data):
    assert_sound(data)
    with Server(data):
        pass
    assert_sound(data)
    deep = skanu("audit", "--deep", "--data", data)
    assert deep.returncode == 0, deep.stdout


def test_effects_of_earlier_payments_on_a_stamp_account_were_taken_for_damaged(data):
    """Their rows hold a number, and no object: the account's next event was set aside."""
    phone = RECORD["phone"]
    server = Server(data)
    with server:
        shop = server.shop()
        assert shop.stamps(phone) == RECORD["stamps"]
        refunded = RECORD["paid"][-1]
        quantity = shop.order(refunded)["qty"]
        shop.cancel_order(refunded)
        new = shop.paid_order(phone)
        more = shop.order(new)["qty"]
        shop.wait_stamps(phone, RECORD["stamps"] - quantity + more)
        for order_id in (*RECORD["paid"], RECORD["cancelled"], *RECORD["without_phone"], new):
            wait_until(lambda o=order_id: shop.inconsistency(o) is None, "it fits together")
        assert shop.order(RECORD["placed"])["orderStatus"] == "Order complete"
    assert "damaged" not in server.stderr()
    assert "dead_letter" not in server.stderr()
    assert_sound(data)
