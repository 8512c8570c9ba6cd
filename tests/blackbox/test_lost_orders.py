"""The order node's data is older than what other nodes know: no id is given again."""

import shutil
import time
from concurrent.futures import ThreadPoolExecutor

from rest import COFFEE, DEADLINE_S, total, wait_until
from restoring import put_in_place, sell


def order_goes(shop):
    return shop.client.post("/orders", COFFEE).expect(201, 503).status == 201


def hammer(server, seconds):
    """The ids of the orders that several clients place at a node's own port."""
    ids, until = set(), time.monotonic() + seconds

    def place(_):
        with server.client() as client:
            while time.monotonic() < until:
                answer = client.post("/orders", COFFEE).expect(201, 503)
                if answer.status == 201:
                    ids.add(answer.json()["id"])

    with ThreadPoolExecutor(8) as clients:
        list(clients.map(place, range(8)))
    return ids


def test_order_and_payment_restored_by_cp_give_no_id_again(cluster, tmp_path):
    shop, both = cluster.shop(), (cluster["order"], cluster["payment"])
    sell(shop, 2)
    for node in both:
        node.stop()
        shutil.copytree(node.data, tmp_path / node.data.name)
        node.start()
    cluster.wait_whole()
    given = {*sell(shop, 2), *(shop.place() for _ in range(20))}
    wait_until(
        lambda: all(total(shop.client, p) >= 25 for p in ("orders", "orderTraces")),
        "delivery and trace have looked at the orders",
    )
    for node in both:
        node.kill()
        put_in_place(tmp_path / node.data.name, node.data)
    cluster["payment"].start()
    again = hammer(cluster["order"].start(), 5)
    assert not again & given
    wait_until(lambda: "event=data_too_old" in cluster["order"].stderr(), "the log says so")
    components = cluster.client("order").get("/actuator/health").expect(200).json()
    shown = components["components"]["order"]
    assert shown == {"status": "DOWN", "details": {"reason": "data-too-old"}}
    # The followers have gone on from the common events: a restart knows all the same.
    cluster["order"].kill()
    assert not hammer(cluster["order"].start(), 3)
    cluster["order"].stop()
    cluster["order"].restart(*cluster["order"].arguments, "--restored")
    cluster.wait_whole()
    new = {*sell(shop, 3)}
    assert not new & given
    # A follower that was away meanwhile has nothing more to say about it.
    cluster["order"].stop()
    cluster["order"].restart(*cluster["order"].arguments[:-1])
    cluster.wait_whole()
    assert not {*sell(shop, 1)} & (given | new)


def test_a_follower_that_missed_the_restore_stops_no_orders(cluster, tmp_path):
    shop, order, payment = cluster.shop(), cluster["order"], cluster["payment"]
    sell(shop, 1)
    for node in (order, payment):
        node.stop()
        shutil.copytree(node.data, tmp_path / node.data.name)
        node.start()
    cluster.wait_whole()
    given = {*sell(shop, 3)}
    for name in ("order", "payment", "delivery"):
        cluster.kill(name)
    for node in (order, payment):
        put_in_place(tmp_path / node.data.name, node.data)
    payment.start()
    order.restart(*order.arguments, "--restored")
    cluster.wait_up("order", "payment")
    wait_until(lambda: order_goes(shop), "orders go", 2 * DEADLINE_S)
    given |= {shop.place()}
    order.stop()
    order.restart(*order.arguments[:-1])
    cluster.again("delivery")
    wait_until(
        lambda: "consumer=delivery-follows-order" in cluster["delivery"].stderr(),
        "delivery notices the fork",
    )
    cluster.wait_whole()
    assert not {*sell(shop, 2)} & given
    assert "event=data_too_old" not in order.stderr()
