"""The collections: HAL, paging, sort, status filter, and `next` by key."""

import threading

import pytest
from rest import CANCEL, END, PREPARE, Shop, fresh_phone, in_parallel
from support import Server

COLLECTIONS = ["orders", "payments", "deliveries", "stamps", "orderTraces"]
COUNT = 45
CANCELLED = 5
STATUS_COUNTS = [
    ("orders", "Order complete", COUNT - CANCELLED),
    ("orders", "Order Cancelled", CANCELLED),
    ("payments", END, COUNT - CANCELLED),
    ("payments", CANCEL, CANCELLED),
    ("payments", "Not Pay", 0),
    ("deliveries", PREPARE, COUNT - CANCELLED),
    ("deliveries", CANCEL, CANCELLED),
    ("deliveries", END, 0),
    ("orderTraces", "PAY END", COUNT - CANCELLED),
    ("orderTraces", "ORDER CANCEL", CANCELLED),
]


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """A client of a server with 45 paid orders of as many accounts, five of them cancelled."""
    with Server(tmp_path_factory.mktemp("lists") / "data") as server:
        shop = Shop(server.client())
        phones = [fresh_phone() for _ in range(COUNT)]
        orders = [shop.paid_order(phone, qty=1) for phone in phones]
        for order_id, phone in zip(orders, phones):
            shop.wait_delivery(order_id, PREPARE)
            shop.wait_stamps(phone, 1)
        for order_id in orders[:CANCELLED]:
            shop.cancel_order(order_id)
            shop.wait_delivery(order_id, CANCEL)
            shop.wait_trace(order_id, "ORDER CANCEL")
        for order_id in orders[CANCELLED:]:
            shop.wait_trace(order_id, "PAY END")
        yield shop.client


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("empty") / "data") as server:
        yield server.client()


def key(collection, item):
    return item["phoneNumber"] if collection == "stamps" else item["id"]


def keys(collection, answer):
    return [key(collection, item) for item in answer.json()["_embedded"][collection]]


def all_keys(client, collection):
    return keys(collection, client.get(f"/{collection}", size=1000).expect(200))


def follow_next(client, path, collection):
    """Every page from `path` on, and every key on the pages."""
    pages, seen = [], []
    while path:
        answer = client.get(path).expect(200)
        pages.append(answer.json())
        seen += keys(collection, answer)
        path = answer.json()["_links"].get("next", {}).get("href")
        assert len(pages) < 100, "next never ends"
    return pages, seen


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_an_empty_collection_is_an_empty_list(empty, collection):
    listing = empty.get(f"/{collection}").expect(200).json()
    assert listing["_embedded"][collection] == []
    assert listing["page"] == {"size": 20, "number": 0, "totalElements": 0, "totalPages": 0}
    assert "next" not in listing["_links"] and "prev" not in listing["_links"]


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_a_list_is_hal_of_20_by_default(full, collection):
    answer = full.get(f"/{collection}").expect(200)
    assert answer.header("Content-Type").startswith("application/hal+json")
    listing = answer.json()
    assert len(listing["_embedded"][collection]) == 20
    assert listing["page"] == {"size": 20, "number": 0, "totalElements": COUNT, "totalPages": 3}
    links = listing["_links"]
    assert {"self", "first", "next", "last"} <= set(links) and "prev" not in links
    for link in links.values():
        assert link["href"].startswith(f"/{collection}")
    assert "after=" in links["next"]["href"]


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_every_item_of_a_list_is_the_item_itself(full, collection):
    for item in full.get(f"/{collection}", size=3).expect(200).json()["_embedded"][collection]:
        href = item["_links"]["self"]["href"]
        assert href == f"/{collection}/{key(collection, item)}"
        assert full.get(href).expect(200).json() == item


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_a_list_is_sorted_by_id(full, collection):
    ascending = all_keys(full, collection)
    assert ascending == sorted(ascending) and len(set(ascending)) == COUNT
    assert keys(collection, full.get(f"/{collection}", size=1000, sort="id,asc")) == ascending
    assert keys(collection, full.get(f"/{collection}", size=1000, sort="id")) == ascending
    assert (
        keys(collection, full.get(f"/{collection}", size=1000, sort="id,desc")) == ascending[::-1]
    )


def test_a_list_is_sorted_by_nothing_else(full):
    answer = full.get("/orders", size=1000, sort="cost,desc").expect(200, 422)
    if answer.status == 200:
        assert keys("orders", answer) == all_keys(full, "orders")


@pytest.mark.parametrize("order", ["id,asc", "id,desc"])
@pytest.mark.parametrize("collection", COLLECTIONS)
def test_following_next_shows_everything_once_and_in_order(full, collection, order):
    expected = keys(collection, full.get(f"/{collection}", size=1000, sort=order))
    pages, seen = follow_next(full, f"/{collection}?size=7&sort={order}", collection)
    assert seen == expected
    assert len(pages) == 7
    for page in pages[:-1]:
        assert "after=" in page["_links"]["next"]["href"]
    for page in pages:
        assert page["page"]["totalElements"] == COUNT and page["page"]["size"] == 7


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_pages_by_number_show_the_same_as_following_next(full, collection):
    expected = all_keys(full, collection)
    for number in range(3):
        answer = full.get(f"/{collection}", page=number, size=20).expect(200)
        assert keys(collection, answer) == expected[20 * number : 20 * number + 20]
        assert answer.json()["page"]["number"] == number
        links = answer.json()["_links"]
        assert ("prev" in links) == (number > 0)
        assert ("next" in links) == (number < 2)


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_the_links_lead_where_they_say(full, collection):
    expected = all_keys(full, collection)
    links = full.get(f"/{collection}", page=1, size=20).expect(200).json()["_links"]
    leads = {
        name: keys(collection, full.get(link["href"]).expect(200)) for name, link in links.items()
    }
    assert leads["self"] == expected[20:40]
    assert leads["first"] == leads["prev"] == expected[:20]
    assert leads["next"] == leads["last"] == expected[40:]


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_a_page_beyond_the_end_is_empty(full, collection):
    listing = full.get(f"/{collection}", page=9, size=20).expect(200).json()
    assert listing["_embedded"][collection] == []
    assert listing["page"]["totalElements"] == COUNT
    assert "next" not in listing["_links"]


@pytest.mark.parametrize("collection, status, count", STATUS_COUNTS)
def test_a_status_filter_lists_and_counts_those_only(full, collection, status, count):
    field = {
        "orders": "orderStatus",
        "payments": "paymentStatus",
        "deliveries": "deliveryStatus",
        "orderTraces": "status",
    }[collection]
    listing = full.get(f"/{collection}", status=status, size=100).expect(200).json()
    assert [item[field] for item in listing["_embedded"][collection]] == [status] * count
    assert listing["page"]["totalElements"] == count


@pytest.mark.parametrize("collection, status, count", STATUS_COUNTS)
def test_next_keeps_the_status_filter(full, collection, status, count):
    path = (
        full.get(f"/{collection}", status=status, size=4)
        .expect(200)
        .json()["_links"]["self"]["href"]
    )
    pages, seen = follow_next(full, path, collection)
    assert len(seen) == len(set(seen)) == count
    assert pages[-1]["page"]["totalElements"] == count


@pytest.mark.parametrize("collection", ["orders", "payments", "deliveries", "orderTraces"])
def test_an_unknown_status_word_gives_422(full, collection):
    answer = full.get(f"/{collection}", status="Order Eaten").expect(422)
    assert [error["field"] for error in answer.json()["errors"]] == ["status"]


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_a_page_holds_1000_at_most(full, collection):
    assert full.get(f"/{collection}", size=1000).expect(200).json()["page"]["size"] == 1000
    beyond = full.get(f"/{collection}", size=1001).expect(200, 422)
    if beyond.status == 200:
        assert beyond.json()["page"]["size"] == 1000


@pytest.mark.parametrize(
    "page, size, status",
    [
        (100, 1000, 200),
        (101, 1000, 422),
        (5000, 20, 200),
        (5001, 20, 422),
        (100_000, 1, 200),
        (100_001, 1, 422),
        (10**15, 1000, 422),
    ],
)
@pytest.mark.parametrize("collection", COLLECTIONS)
def test_page_times_size_goes_up_to_100_000(full, collection, page, size, status):
    answer = full.get(f"/{collection}", page=page, size=size).expect(status)
    if status == 422:
        assert "next" in answer.body.decode(), "the refusal points to next"


@pytest.mark.parametrize(
    "query",
    [
        {"page": "x"},
        {"page": -1},
        {"page": "1.0"},
        {"size": "x"},
        {"size": 0},
        {"size": -1},
        {"page": "9" * 30},
        {"size": "9" * 30},
        {"after": "x y"},
    ],
)
def test_a_bad_query_gives_422_that_names_it(full, query):
    answer = full.get("/orders", **query).expect(422)
    assert [error["field"] for error in answer.json()["errors"]] == list(query)


def test_an_unknown_query_parameter_is_ignored(full):
    assert len(full.get("/orders", projection="x").expect(200).embedded()) == 20


def test_a_list_shows_what_was_just_acknowledged(shop):
    order_id = shop.place()
    newest = shop.client.get("/orders", size=5, sort="id,desc").expect(200).embedded()
    assert order_id in [order["id"] for order in newest]


def test_orders_added_while_following_next_are_neither_doubled_nor_skipped(serve):
    shop = serve().shop()
    before = [shop.place() for _ in range(6)]
    answer = shop.client.get("/orders", size=3).expect(200)
    later = [shop.place() for _ in range(3)]
    _, rest = follow_next(shop.client, answer.json()["_links"]["next"]["href"], "orders")
    assert keys("orders", answer) + rest == before + later


# ---------------------------------------------------------------------------- the rows of an entity


def entry_numbers(answer):
    return [entry["entry"] for entry in answer.expect(200).embedded()]


@pytest.fixture(scope="module")
def ledger(shared_server):
    """The path of a ledger of ten entries."""
    phone, shop = fresh_phone(), shared_server.shop()
    for _ in range(10):
        shop.add_stamps(phone, 1)
    return f"/stamps/{phone}/entries"


def test_the_ledger_skipped_entries_while_it_grew(serve, phone):
    """The total and the rows must come from one snapshot."""
    server, enough = serve(), threading.Event()

    def grow(client):
        while not enough.is_set():
            Shop(client).add_stamps(phone, 1)

    def look():
        client = server.client()
        try:
            for _ in range(300):
                page = client.get(f"/stamps/{phone}/entries", size=3, sort="id,desc")
                newest = page.json()["page"]["totalElements"]
                assert entry_numbers(page) == list(range(newest, max(newest - 3, 0), -1))
                if newest > 6:
                    following = client.get(page.json()["_links"]["next"]["href"])
                    assert entry_numbers(following) == [newest - 3, newest - 4, newest - 5]
        finally:
            enough.set()

    Shop(server.client()).add_stamps(phone, 1)
    in_parallel([look, *[lambda c=server.client(): grow(c) for _ in range(8)]])


@pytest.mark.parametrize(
    "order, expected", [("id,asc", [1, 2, 3]), ("id,desc", [10, 9, 8])], ids=["asc", "desc"]
)
def test_after_0_listed_no_entry_backwards(client, ledger, order, expected):
    """In collections and ledgers, 0 means from the start, regardless of page."""
    for query in ({"after": 0}, {"after": 0, "page": 2}):
        page = client.get(ledger, size=3, sort=order, **query)
        assert entry_numbers(page) == expected
        assert "prev" not in page.json()["_links"]
        orders = keys("orders", client.get("/orders", size=3, sort=order, **query))
        assert orders == keys("orders", client.get("/orders", size=3, sort=order))


@pytest.mark.parametrize(
    "order, after, before, here, behind",
    [
        ("id,asc", 5, [3, 4, 5], [6, 7, 8], [9, 10]),
        ("id,asc", 2, [1, 2, 3], [3, 4, 5], [6, 7, 8]),
        ("id,asc", 9, [7, 8, 9], [10], None),
        ("id,asc", 10, None, [], None),
        ("id,desc", 6, [8, 7, 6], [5, 4, 3], [2, 1]),
        ("id,desc", 2, [4, 3, 2], [1], None),
        ("id,desc", 1, None, [], None),
        ("id,desc", 99, None, [10, 9, 8], [7, 6, 5]),
    ],
)
@pytest.mark.parametrize("page", [None, 0, 7])
def test_prev_of_a_ledger_was_wrong_where_page_and_after_were_given(
    client, ledger, order, after, before, here, behind, page
):
    query = {"size": 3, "sort": order, "after": after} | ({} if page is None else {"page": page})
    answer = client.get(ledger, **query)
    links = answer.json()["_links"]

    def led(name):
        return entry_numbers(client.get(links[name]["href"])) if name in links else None

    assert (led("prev"), entry_numbers(answer), led("next")) == (before, here, behind)
    assert led("first") == ([1, 2, 3] if order == "id,asc" else [10, 9, 8])
    assert led("last") == ([10] if order == "id,asc" else [1])
