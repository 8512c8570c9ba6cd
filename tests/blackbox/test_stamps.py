"""POST /stamps, GET /stamps/{phoneNumber} and its entries."""

from urllib.parse import quote

import pytest
from rest import in_parallel, wait_until
from support import Server, skanu


def entry_quantity(entry):
    """The stamps earned (positive) or taken (negative) by one line of the ledger."""
    return entry["stampQty"]


def test_the_first_stamps_of_an_account_give_201_later_ones_200(client, phone):
    created = client.post("/stamps", {"phoneNumber": phone, "stampQty": 2}).expect(201).json()
    assert (created["phoneNumber"], created["stampQty"]) == (phone, 2)
    assert created["_links"]["self"]["href"] == f"/stamps/{phone}"
    again = client.post("/stamps", {"phoneNumber": phone, "stampQty": 3}).expect(200).json()
    assert (again["phoneNumber"], again["stampQty"]) == (phone, 5)
    assert client.get(f"/stamps/{phone}").expect(200).json() == again


def test_an_account_that_a_payment_opened_gives_200(client, shop, phone):
    shop.paid_order(phone, qty=1)
    shop.wait_stamps(phone, 1)
    client.post("/stamps", {"phoneNumber": phone, "stampQty": 1}).expect(200)


def test_an_unknown_account_gives_404(client, phone):
    client.get(f"/stamps/{phone}").expect(404)
    client.get(f"/stamps/{phone}/entries").expect(404)


def test_the_account_of_a_phone_number_is_the_same_however_it_is_written(client, phone):
    dashed = f"{phone[:3]}-{phone[3:7]}-{phone[7:]}"
    spaced = f"{phone[:3]} {phone[3:7]} {phone[7:]}"
    client.post("/stamps", {"phoneNumber": dashed, "stampQty": 1}).expect(201)
    client.post("/stamps", {"phoneNumber": spaced, "stampQty": 1}).expect(200)
    assert (
        client.post("/stamps", {"phoneNumber": phone, "stampQty": 1}).expect(200).json()["stampQty"]
        == 3
    )
    assert client.get(f"/stamps/{dashed}").expect(200).json()["phoneNumber"] == phone


def test_a_payments_phone_number_is_normalised(shop, phone):
    order_id = shop.place(qty=2)
    payment = shop.pay(order_id, phoneNumber=f"{phone[:3]}-{phone[3:7]}-{phone[7:]}")
    assert payment["phoneNumber"] == phone
    shop.wait_stamps(phone, 2)


@pytest.mark.parametrize("quantity", ["-2", -2])
def test_stamps_can_be_taken_by_hand(client, shop, phone, quantity):
    shop.add_stamps(phone, 5)
    assert (
        client.post("/stamps", {"phoneNumber": phone, "stampQty": quantity})
        .expect(200)
        .json()["stampQty"]
        == 3
    )


def test_stamps_can_be_taken_down_to_zero(shop, phone):
    shop.add_stamps(phone, 5)
    assert shop.add_stamps(phone, -5)["stampQty"] == 0


def test_a_manual_change_below_zero_gives_422_and_changes_nothing(client, shop, phone):
    shop.add_stamps(phone, 2)
    client.post("/stamps", {"phoneNumber": phone, "stampQty": -3}).expect(422)
    assert shop.stamps(phone) == 2
    assert len(shop.entries(phone)) == 1


def test_a_new_account_below_zero_gives_422_and_is_not_opened(client, phone):
    client.post("/stamps", {"phoneNumber": phone, "stampQty": -1}).expect(422)
    client.get(f"/stamps/{phone}").expect(404)


def test_a_cancelled_payment_may_make_the_balance_negative(client, shop, phone):
    order_id = shop.paid_order(phone, qty=3)
    shop.wait_stamps(phone, 3)
    shop.add_stamps(phone, -2)
    shop.cancel_payment(order_id)
    shop.wait_stamps(phone, -2)
    client.post("/stamps", {"phoneNumber": phone, "stampQty": -1}).expect(422)
    assert shop.add_stamps(phone, 5)["stampQty"] == 3


def test_a_cancelled_payment_takes_exactly_what_it_earned(shop, phone):
    kept, cancelled = shop.paid_order(phone, qty=2), shop.paid_order(phone, qty=3)
    shop.wait_stamps(phone, 5)
    shop.cancel_order(cancelled)
    shop.wait_stamps(phone, 2)
    assert shop.payment(kept)["paymentStatus"] == "END"


def test_the_ledger_shows_what_each_payment_and_manual_change_earned_and_took(shop, phone):
    order_id = shop.paid_order(phone, qty=4)
    shop.wait_stamps(phone, 4)
    shop.add_stamps(phone, 3)
    shop.add_stamps(phone, -1)
    shop.cancel_payment(order_id)
    shop.wait_stamps(phone, 2)
    entries = shop.entries(phone)
    assert sorted(map(entry_quantity, entries)) == [-4, -1, 3, 4]
    of_payment = [entry for entry in entries if entry.get("paymentId") == order_id]
    assert sorted(map(entry_quantity, of_payment)) == [-4, 4]
    assert sum(map(entry_quantity, entries)) == shop.stamps(phone)


def test_the_ledger_is_paged(client, shop, phone):
    for quantity in range(1, 8):
        shop.add_stamps(phone, quantity)
    first = client.get(f"/stamps/{phone}/entries", size=3).expect(200)
    assert first.json()["page"] == {"size": 3, "number": 0, "totalElements": 7, "totalPages": 3}
    seen, page = [], first
    while True:
        seen += map(entry_quantity, page.embedded())
        following = page.json()["_links"].get("next")
        if not following:
            break
        page = client.get(following["href"]).expect(200)
    assert sorted(seen) == list(range(1, 8))


def test_many_clients_on_one_account_lose_nothing(shared_server, shop, phone):
    body = {"phoneNumber": phone, "stampQty": 2}

    def add_many(client):
        return [client.post("/stamps", body).expect(200, 201) for _ in range(25)]

    answers = sum(in_parallel([lambda c=shared_server.client(): add_many(c) for _ in range(8)]), [])
    assert [answer.status for answer in answers].count(201) == 1
    assert sorted(answer.json()["stampQty"] for answer in answers) == [2 * n for n in range(1, 201)]
    assert shop.stamps(phone) == 400


def test_stamps_are_earned_and_taken_in_either_order(shop, phone):
    """A cancel right behind the payment: in any order of reading, the account ends at zero."""
    orders = [shop.place(qty=2) for _ in range(20)]
    for order_id in orders:
        shop.pay(order_id, phoneNumber=phone)
        shop.cancel_order(order_id)
    for order_id in orders:
        shop.wait_payment(order_id, "CANCEL")
        shop.wait_trace(order_id, "ORDER CANCEL")
    shop.add_stamps(phone, 7)
    wait_until(lambda: shop.stamps(phone) == 7, "every earned stamp was taken again")


def test_four_ways_of_writing_one_number_were_four_accounts(client, phone):
    national = phone[1:]
    ways = [
        phone,
        f"+82-{national}",
        f"+82 (0){national}",
        f"0082 {national}",
        f"\u202a+82\u00a0{national}\u202c",
    ]
    for way in ways:
        client.post("/stamps", {"phoneNumber": way, "stampQty": 1}).expect(200, 201)
    for way in ways:
        account = client.get(f"/stamps/{quote(way)}").expect(200).json()
        assert account == {**account, "phoneNumber": phone, "stampQty": len(ways)}


def test_country_says_whose_numbers_need_no_code(tmp_path):
    with Server(tmp_path / "data", "--country", "DE") as server, server.client() as client:
        for way in ("030 901820", "+49 (0)30 901820", "0049 30 901820"):
            client.post("/stamps", {"phoneNumber": way, "stampQty": 1}).expect(200, 201)
        assert client.get("/stamps/030901820").expect(200).json()["stampQty"] == 3
        korean = client.post("/stamps", {"phoneNumber": "+82 10 1234 1234", "stampQty": 1})
        assert korean.expect(201).json()["phoneNumber"] == "+821012341234"
        page = client.get("/", {"Accept": "text/html"}).expect(200).body.decode()
        assert '<html data-calling-code="49" data-trunk="0" lang="en">' in page
    done = skanu("serve", "--data", tmp_path / "data", "--country", "XX")
    assert done.returncode == 2 and "XX" in done.stderr
