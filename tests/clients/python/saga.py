"""The saga through the package that openapi-python-client made; an error ends the program."""

import sys
import threading
import time

import httpx
from skanu_client import Client
from skanu_client.api.deliveries import get_delivery, move_delivery
from skanu_client.api.operations import get_circuit_breakers, get_health, get_metrics
from skanu_client.api.order_traces import (
    find_order_trace,
    get_order_trace,
    list_order_events,
    stream_order_traces,
)
from skanu_client.api.orders import get_order, list_orders, place_order
from skanu_client.api.pages import get_problem, get_root
from skanu_client.api.payments import pay_order
from skanu_client.api.stamps import get_stamp_account, list_stamp_entries
from skanu_client.models import (
    CircuitBreakers,
    Delivery,
    DeliveryChangeRequest,
    DeliveryEvent,
    DeliveryStatus,
    Health,
    ListSort,
    Order,
    OrderEvent,
    OrderRequest,
    OrderTrace,
    Payment,
    PaymentRequest,
    PaymentRequestPaymentStatus,
    PaymentStatus,
    Problem,
    ProblemExplanation,
    Root,
    StampAccount,
    TraceStatus,
)

LARGEST_ID = 2**53 - 1
PHONE = "010-7000-0002"


def had(kind, answer):
    """The answer, which must be of this kind."""
    assert isinstance(answer, kind), answer
    return answer


def sooner(make):
    """Calls until the answer is no problem, for 5 seconds at most."""
    pause, end = threading.Event(), time.monotonic() + 5
    while isinstance(answer := make(), Problem) and time.monotonic() < end:
        pause.wait(0.01)
    return answer


def place(client):
    wanted = OrderRequest(
        product_id=LARGEST_ID,
        product_name="라떼",
        qty=2,
        cost=10**12,
        payment_type="card",
    )
    order = had(Order, place_order.sync(client=client, body=wanted, idempotency_key="of-python"))
    assert (order.product_id, order.cost, order.product_name) == (LARGEST_ID, 10**12, "라떼")
    again = had(Order, place_order.sync(client=client, body=wanted, idempotency_key="of-python"))
    assert again == order
    return order.id


def pay(client, order_id):
    wanted = PaymentRequest(
        order_id=order_id, payment_status=PaymentRequestPaymentStatus.END, phone_number=PHONE
    )
    payment = had(Payment, pay_order.sync(client=client, body=wanted))
    assert (payment.payment_status, payment.order_id) == (PaymentStatus.PAID, order_id)


def deliver(client, order_id):
    had(Delivery, sooner(lambda: get_delivery.sync(order_id, client=client)))
    for step in (DeliveryStatus.READY, DeliveryStatus.STARTED, DeliveryStatus.DELIVERED):
        wanted = DeliveryChangeRequest(delivery_status=step)
        moved = had(Delivery, move_delivery.sync(order_id, client=client, body=wanted))
        assert moved.delivery_status is step


def read_stamps(client):
    account = had(StampAccount, sooner(lambda: get_stamp_account.sync(PHONE, client=client)))
    assert account.stamp_qty == 2
    (entry,) = list_stamp_entries.sync(PHONE, client=client).field_embedded.entries
    assert entry.stamp_qty == 2


def read_trace(client, order_id):
    end = time.monotonic() + 5
    while get_order_trace.sync(order_id, client=client).status is not TraceStatus.DELIVERY_END:
        assert time.monotonic() < end
    (trace,) = find_order_trace.sync(client=client, order_id=order_id).field_embedded.order_traces
    assert had(OrderTrace, trace).order_id == order_id
    events = list_order_events.sync(order_id, client=client).field_embedded.events
    assert isinstance(events[0], OrderEvent)
    assert sum(isinstance(each, DeliveryEvent) for each in events) == 4


def meet_problems(client):
    answer = get_order.sync_detailed(LARGEST_ID, client=client)
    assert answer.status_code == 404
    assert had(Problem, answer.parsed).type_ == "/problems/not-found"
    wanted = OrderRequest(product_id=1, product_name="x", qty=0, cost=1, payment_type="card")
    problem = had(Problem, place_order.sync(client=client, body=wanted))
    assert problem.status == 422 and problem.errors[0].field == "qty"


def read_pages(client, order_id):
    page = list_orders.sync(client=client, size=1, sort=ListSort.ID_DESC)
    assert page.page.size == 1 and page.field_embedded.orders[0].id >= order_id
    assert had(Root, get_root.sync(client=client)).field_links["orders"].templated
    assert had(ProblemExplanation, get_problem.sync("not-found", client=client)).status == 404


def read_operations(client):
    assert had(Health, get_health.sync(client=client)).status == "UP"
    breakers = had(CircuitBreakers, get_circuit_breakers.sync(client=client))
    assert breakers.circuit_breakers.payment.state == "CLOSED"
    assert "skanu_http_requests_total" in get_metrics.sync(client=client)


def read_stream(client, order_id):
    """Reads the stream of one order from its start, as a body that grows."""
    request = stream_order_traces._get_kwargs(order_id=[order_id], last_event_id_query="0")
    with client.get_httpx_client().stream(**request, timeout=httpx.Timeout(5)) as answer:
        assert answer.headers["Content-Type"] == "text/event-stream"
        assert any('"DELIVERY END"' in line for line in answer.iter_lines())


def main(base):
    client = Client(base_url=base, raise_on_unexpected_status=True)
    order_id = place(client)
    pay(client, order_id)
    deliver(client, order_id)
    read_stamps(client)
    read_trace(client, order_id)
    meet_problems(client)
    read_pages(client, order_id)
    read_operations(client)
    read_stream(client, order_id)
    print(order_id)


if __name__ == "__main__":
    main(sys.argv[1])
