"""Customers under load: each drives its own orders, repeats every change under the same key until
the answer is definite, and records the answers (invariant 7)."""

import random

from cluster import PATHS
from rest import (
    CANCEL,
    COFFEE,
    DELIVERY_STEPS,
    END,
    SERVER_GONE,
    TIME_SCALE,
    fresh_phone,
    in_parallel,
    wait_until,
)

PATIENCE_S = 30 * TIME_SCALE


def is_definite(answer):
    """True for an answer that tells a request's fate; "still being carried out" does not."""
    running = answer.status == 409 and answer.json()["type"] == "/problems/operation-running"
    return answer.status < 500 and not running


class Record:
    """The answers given to one order's owner."""

    def __init__(self, order_id, qty, phone):
        self.order_id, self.qty, self.phone = order_id, qty, phone
        self.paid = self.pay_cancelled = self.order_cancelled = False
        self.step = 0
        """How many of DELIVERY_STEPS were acknowledged."""

    def cancelled(self):
        return self.pay_cancelled or self.order_cancelled


class Customer:
    """One client with orders and a stamp account of its own, and a share in a common account."""

    def __init__(self, seed, server, common_phone, stop):
        self.random, self.server, self.stop = random.Random(seed), server, stop
        self.phones = [fresh_phone(), common_phone]
        self.by_hand = {phone: 0 for phone in self.phones}
        self.records, self.client, self.requests = [], None, 0
        self.seed = seed

    def insist(self, method, path, body=None, keyed=True):
        """Repeats the request until the answer is definite."""
        self.requests += 1
        headers = {"Idempotency-Key": f"{self.seed}-{self.requests}"} if keyed else {}

        def definite():
            try:
                if self.client is None:
                    self.client = self.server.client()
                answer = self.client.request(method, path, body, headers)
            except SERVER_GONE:
                self.client = None
                return None
            return answer if is_definite(answer) else None

        return wait_until(definite, f"{method} {path} has a definite answer", PATIENCE_S)

    def run(self):
        while not self.stop.is_set():
            steps = [self.place, self.stamps_by_hand]
            if self.records:
                steps += [
                    self.pay,
                    self.deliver,
                    self.deliver,
                    self.cancel_payment,
                    self.cancel_order,
                    self.read,
                ]
            self.random.choice(steps)()

    def any_record(self):
        return self.random.choice(self.records[-10:])

    def place(self):
        phone, qty = self.random.choice(self.phones), self.random.randint(1, 5)
        body = {**COFFEE, "qty": qty, "phoneNumber": phone}
        placed = self.insist("POST", "/orders", body).expect(201).json()
        self.records.append(Record(placed["id"], qty, phone))

    def stamps_by_hand(self):
        phone, quantity = self.random.choice(self.phones), self.random.randint(1, 5)
        self.insist("POST", "/stamps", {"phoneNumber": phone, "stampQty": quantity}).expect(
            200, 201
        )
        self.by_hand[phone] += quantity

    def pay(self):
        """Repeating without a key is safe, too: equal fields are a no-op."""
        record = self.any_record()
        answer = self.insist(
            "PATCH",
            f"/payments/{record.order_id}",
            {"paymentStatus": END},
            keyed=self.random.random() < 0.5,
        )
        answer.expect(200, 409)
        assert (
            answer.status == 200 or record.cancelled()
        ), f"order {record.order_id} refuses to be paid: {answer}"
        assert answer.status == 409 or not record.pay_cancelled, f"cancelled, and paid: {answer}"
        record.paid = record.paid or answer.status == 200

    def deliver(self):
        record = self.any_record()
        if not record.paid or record.step == len(DELIVERY_STEPS):
            return
        answer = self.insist(
            "PATCH",
            f"/deliveries/{record.order_id}",
            {"deliveryStatus": DELIVERY_STEPS[record.step]},
            keyed=self.random.random() < 0.5,
        )
        answer.expect(200, 404, 409)
        assert (
            answer.status != 409 or record.cancelled()
        ), f"order {record.order_id} is not delivered: {answer}"
        record.step += answer.status == 200

    def cancel_payment(self):
        record = self.any_record()
        answer = self.insist(
            "DELETE", f"/payments/{record.order_id}", keyed=self.random.random() < 0.5
        )
        self.cancel_answered(record, answer)
        record.pay_cancelled = record.pay_cancelled or answer.status == 204

    def cancel_order(self):
        record = self.any_record()
        answer = self.insist(
            "DELETE", f"/orders/{record.order_id}", keyed=self.random.random() < 0.5
        )
        self.cancel_answered(record, answer)
        record.order_cancelled = record.order_cancelled or answer.status == 204

    @staticmethod
    def cancel_answered(record, answer):
        answer.expect(204, 409)
        assert answer.status == 204 or record.step == len(
            DELIVERY_STEPS
        ), f"not delivered, not cancelled: {answer}"

    def read(self):
        record = self.any_record()
        self.insist("GET", f"/orders/{record.order_id}", keyed=False).expect(200)

    def earned(self, phone):
        """The account's stamps by this client's record."""
        return self.by_hand[phone] + sum(
            record.qty
            for record in self.records
            if record.phone == phone and record.paid and not record.cancelled()
        )


class ImpatientCustomer(Customer):
    """Counts every failure as final. Only when its gateway is gone, repeats the request under the
    same key at another gateway, like a proxy before several gateways."""

    def __init__(self, seed, cluster, gateways, common_phone, stop):
        super().__init__(seed, cluster, common_phone, stop)
        self.gateways = gateways
        self.moves = 0

    def insist(self, method, path, body=None, keyed=True):
        self.requests += 1
        headers = {"Idempotency-Key": f"{self.seed}-{self.requests}"} if keyed else {}

        def definite():
            gateway = self.gateways[self.moves % len(self.gateways)]
            try:
                if self.client is None:
                    self.client = self.server.client(gateway)
                answer = self.client.request(method, path, body, headers)
            except SERVER_GONE:
                self.moves += 1
                self.client = None
                return None
            assert answer.status < 500, f"{method} {path}: {answer}"
            return answer if is_definite(answer) else None

        return wait_until(definite, f"{method} {path} has a definite answer")

    def read(self):
        path = self.random.choice(list(PATHS.values()))
        self.insist("GET", f"{path}?size=1", keyed=False).expect(200)
        super().read()


def check_record(shop, record):
    """Demands that the server confirms the answers given to an owner."""
    shop.wait_consistent(record.order_id)
    order, payment = shop.order(record.order_id), shop.payment(record.order_id)
    assert (order["orderStatus"] == "Order Cancelled") == record.order_cancelled, (
        vars(record),
        order,
    )
    wanted = CANCEL if record.cancelled() else END if record.paid else "Not Pay"
    assert payment["paymentStatus"] == wanted, (vars(record), payment)
    delivery = shop.delivery_status(record.order_id)
    if wanted == END:
        assert delivery == (("Prepare Delivery...", *DELIVERY_STEPS)[record.step]), (
            vars(record),
            delivery,
        )
    elif record.step == len(DELIVERY_STEPS):
        assert delivery == END, (vars(record), delivery)


def drive(customers, disturb, stop):
    """Runs all customers until `disturb()` returns; any failure ends the run."""

    def run(customer):
        try:
            customer.run()
        except BaseException:
            stop.set()
            raise

    def disturb_and_stop():
        try:
            disturb()
        finally:
            stop.set()

    in_parallel([disturb_and_stop, *(lambda c=c: run(c) for c in customers)])


def check_customers(shop, customers):
    """Demands that the server confirms the answers given to all customers."""
    records = [record for customer in customers for record in customer.records]
    print(f"{len(records)} orders, {sum(customer.requests for customer in customers)} requests")
    for record in records:
        check_record(shop, record)
    for phone in {phone for customer in customers for phone in customer.phones}:
        shop.wait_stamps(
            phone, sum(customer.earned(phone) for customer in customers if phone in customer.phones)
        )
