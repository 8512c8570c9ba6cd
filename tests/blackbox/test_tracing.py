"""traceparent: the trace id follows one order through the logs of all nodes."""

import pytest
from cluster import NODES, Cluster
from rest import COFFEE, PREPARE, fresh_phone, wait_until

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def traced(trace=TRACE):
    return {"traceparent": f"00-{trace}-00f067aa0ba902b7-01"}


def lines_of(server, trace=TRACE):
    return [line for line in server.stderr().splitlines() if f" trace={trace}" in line]


def test_one_order_is_followed_over_all_nodes(tmp_path):
    phone = fresh_phone()
    with Cluster(tmp_path / "nodes") as cluster:
        client, shop = cluster.client(), cluster.shop()
        order_id = client.post("/orders", COFFEE, traced()).expect(201).json()["id"]
        shop.place()  # another order, without a trace
        pay = {"paymentStatus": "END", "phoneNumber": phone}
        client.patch(f"/payments/{order_id}", pay, traced()).expect(200)
        shop.wait_delivery(order_id, PREPARE)
        shop.wait_stamps(phone, COFFEE["qty"])
        client.delete(f"/orders/{order_id}", traced()).expect(204)
        expected = {
            "gateway": [
                'event=request method=POST path="/orders" status=201',
                f'event=request method=PATCH path="/payments/{order_id}" status=200',
                f'event=request method=DELETE path="/orders/{order_id}" status=204',
            ],
            "order": [
                f"event=decided service=order id={order_id} eventType=Ordered",
                f"event=decided service=order id={order_id} eventType=OrderCancelled",
            ],
            "payment": [
                f"event=decided service=payment id={order_id} eventType=PaymentRequested",
                f"event=decided service=payment id={order_id} eventType=Paid",
                f"event=decided service=payment id={order_id} eventType=PayCancelled",
                "event=step consumer=payment-follows-order",
            ],
            "delivery": [
                f"event=decided service=delivery id={order_id} eventType=DeliveryPrepared",
                f"event=decided service=delivery id={order_id} eventType=DeliveryCancelled",
                "event=step consumer=delivery-follows-payment",
                "event=step consumer=delivery-follows-order",
            ],
            "stamp": [
                "eventType=StampsEarned",
                "eventType=StampsDeducted",
                "event=step consumer=stamp-follows-payment",
            ],
            "ordertrace": [
                "event=step consumer=ordertrace-follows-order",
                "event=step consumer=ordertrace-follows-payment",
                "event=step consumer=ordertrace-follows-delivery",
            ],
        }
        assert set(expected) == set(NODES)
        for name, wanted in expected.items():
            for part in wanted:
                wait_until(
                    lambda name=name, part=part: any(
                        part in line for line in lines_of(cluster[name])
                    ),
                    f"{part} in the log of {name}",
                )
        for name in NODES:
            assert f"id={order_id + 1} " not in "\n".join(lines_of(cluster[name]))
            assert phone not in cluster[name].stderr()
        history = client.get(f"/orderTraces/{order_id}/events").expect(200)
        assert all(event["traceparent"] == traced()["traceparent"] for event in history.embedded())
        cluster.assert_sound()


@pytest.mark.parametrize(
    "header",
    [
        f"00-{TRACE.upper()}-00f067aa0ba902b7-01",
        f"ff-{TRACE}-00f067aa0ba902b7-01",
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-00f067aa0ba902b7-01-more",
        f"00-{TRACE}-00f067aa0ba902b7",
        "x",
        "",
    ],
)
def test_what_is_no_traceparent_is_ignored(client, shop, header):
    order_id = client.post("/orders", COFFEE, {"traceparent": header}).expect(201).json()["id"]
    shop.wait_trace(order_id, "Order END")
    for event in client.get(f"/orderTraces/{order_id}/events").expect(200).embedded():
        assert "traceparent" not in event


def test_a_later_version_goes_on_as_this_one(client, shop):
    trace = "0af7651916cd43dd8448eb211c80319c"
    headers = {"traceparent": f"cc-{trace}-00f067aa0ba902b7-01-what-the-future-will-be-like"}
    order_id = client.post("/orders", COFFEE, headers).expect(201).json()["id"]
    shop.wait_trace(order_id, "Order END")
    for event in client.get(f"/orderTraces/{order_id}/events").expect(200).embedded():
        assert event["traceparent"] == f"00-{trace}-00f067aa0ba902b7-01"


def test_a_refusal_and_a_letter_set_aside_name_their_trace(serve):
    server = serve()
    client, shop = server.client(), server.shop()
    order_id = shop.delivered_order()
    client.delete(f"/orders/{order_id}", traced()).expect(409)
    server.stop()
    lines = lines_of(server)
    assert any("event=refused service=order" in line for line in lines)
    assert any("event=request" in line and "status=409" in line for line in lines)
