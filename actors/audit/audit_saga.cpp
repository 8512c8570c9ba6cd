#include "actors/audit/audit_saga.hpp"

#include "actors/rules/id_blocks.hpp"

namespace skanu {

namespace {

bool is_open(const payment_state& p) { return p.status != payment_status::none && !p.rejected; }

/// Compares the goods and the cost; the payment's type may change later.
bool same_goods(const order_details& a, const order_details& b) {
  return a.product_id == b.product_id && a.product_name == b.product_name && a.qty == b.qty &&
         a.cost == b.cost;
}

class saga_check {
 public:
  saga_check(const audited_saga& saga, const consumer_progress& progress, audit_report& report)
      : saga_(saga), progress_(progress), report_(report) {}

  // Invariant 2.

  void no_order_lies_beyond_the_reserved_ids(const snapshot& orders) {
    const auto reserved = meta_number(orders, reserved_ids_key);
    entity_id highest = 0;
    for (const auto& [id, o] : *saga_.orders) highest = std::max(highest, id);
    if (highest > reserved)
      report_.violated(2, service::order, highest,
                       "ids are reserved up to " + std::to_string(reserved) +
                           " only: it will be handed out again");
  }

  // Invariant 1.

  void every_order_has_its_payment() {
    for (const auto& [id, o] : *saga_.orders) {
      const auto* p = find_entity(*saga_.payments, id);
      if (order_rules::listed(o.state)) {
        if (p == nullptr || !is_open(p->state)) {
          report_.violated(1, service::order, id, "it has no payment");
        } else if (!same_goods(o.state.details, p->state.details)) {
          report_.violated(1, service::order, id, "its payment is for something else");
        }
      } else if (o.state.status == order_status::rejected) {
        const bool settled =
            p != nullptr && p->state.rejected && p->state.status == payment_status::cancelled;
        progress_.demand(consumers::payment_follows_order, o.marks.rejected_at, id, settled, 1,
                         service::payment, id, "its order was rejected, and it is not cancelled");
      }
    }
  }

  void every_payment_has_its_order(const snapshot& orders) {
    const auto floor = meta_number(orders, decided_ids_key);
    const auto reserved = meta_number(orders, reserved_ids_key);
    for (const auto& [id, p] : *saga_.payments) {
      if (p.state.status == payment_status::none) continue;
      const auto* o = find_entity(*saga_.orders, id);
      const auto decided = o == nullptr ? order_status::none : o->state.status;
      if (p.state.order_id != id)
        report_.violated(1, service::payment, id,
                         "it is of order " + std::to_string(p.state.order_id));
      if (p.state.rejected) {
        if (decided != order_status::rejected)
          report_.violated(1, service::payment, id, "it is rejected, and its order is not");
      } else if (decided == order_status::none) {
        if (id >= floor && id <= reserved) {
          ++report_.pending;
        } else {
          report_.violated(1, service::payment, id, "it has no order, and none can come");
        }
      }
    }
  }

  // Invariant 4.

  void every_delivery_was_paid() {
    for (const auto& [id, d] : *saga_.deliveries) {
      if (d.marks.prepared > 1)
        report_.violated(4, service::delivery, id,
                         "it was prepared " + std::to_string(d.marks.prepared) + " times");
      if (!delivery_rules::listed(d.state)) continue;
      if (d.state.payment_id != id || d.state.order_id != id)
        report_.violated(4, service::delivery, id,
                         "it is of payment " + std::to_string(d.state.payment_id) + " and order " +
                             std::to_string(d.state.order_id));
      const auto* p = find_entity(*saga_.payments, id);
      if (p == nullptr || p->marks.paid_at == 0) {
        report_.violated(4, service::delivery, id, "its payment was never paid");
      } else if (const auto& bought = p->state.details;
                 d.state.product_id != bought.product_id || d.state.qty != bought.qty ||
                 d.state.product_name != bought.product_name) {
        report_.violated(4, service::delivery, id, "it is of something else than its payment");
      }
    }
  }

  void what_was_paid_is_delivered_or_stopped() {
    for (const auto& [id, p] : *saga_.payments) {
      const auto* d = find_entity(*saga_.deliveries, id);
      if (p.marks.paid_at != 0)
        progress_.demand(consumers::delivery_follows_payment, p.marks.paid_at, id,
                         d != nullptr && d->state.status != delivery_status::none, 4,
                         service::delivery, id, "its payment was paid, and it is not there");
      if (p.marks.refunded_at != 0)
        progress_.demand(consumers::delivery_follows_payment, p.marks.refunded_at, id, is_over(d),
                         4, service::delivery, id,
                         "its payment was cancelled, and it is in progress");
    }
  }

  void a_cancelled_order_stops_its_delivery() {
    for (const auto& [id, o] : *saga_.orders)
      if (o.state.status == order_status::cancelled)
        progress_.demand(consumers::delivery_follows_order, o.marks.cancelled_at, id,
                         is_over(find_entity(*saga_.deliveries, id)), 4, service::delivery, id,
                         "its order was cancelled, and it is in progress");
  }

  void a_delivery_stops_for_a_cancel_only() {
    for (const auto& [id, d] : *saga_.deliveries) {
      if (d.state.status != delivery_status::cancelled) continue;
      const auto* o = find_entity(*saga_.orders, id);
      const auto* p = find_entity(*saga_.payments, id);
      const bool order_cancelled = o != nullptr && o->marks.cancelled_at != 0;
      const bool payment_cancelled = p != nullptr && p->marks.refunded_at != 0;
      if (!order_cancelled && !payment_cancelled)
        report_.violated(4, service::delivery, id,
                         "it is cancelled, and neither its order nor its payment was");
    }
  }

  void what_was_delivered_closes_its_order() {
    for (const auto& [id, d] : *saga_.deliveries) {
      if (d.state.status != delivery_status::ended) continue;
      const auto* o = find_entity(*saga_.orders, id);
      const bool closed =
          o != nullptr && (o->state.delivered || o->state.status == order_status::cancelled);
      progress_.demand(consumers::order_follows_delivery, d.marks.ended_at, id, closed, 4,
                       service::order, id, "it was delivered, and is not closed");
    }
    for (const auto& [id, o] : *saga_.orders)
      if (o.state.delivered && !was_delivered(id))
        report_.violated(4, service::order, id, "it is closed, and was not delivered");
  }

  void what_was_delivered_closes_its_payment() {
    for (const auto& [id, d] : *saga_.deliveries) {
      if (d.state.status != delivery_status::ended) continue;
      const auto* p = find_entity(*saga_.payments, id);
      const bool closed =
          p != nullptr && (p->state.closed || p->state.status == payment_status::cancelled);
      progress_.demand(consumers::payment_follows_delivery, d.marks.ended_at, id, closed, 4,
                       service::payment, id, "it was delivered, and is not closed");
    }
    for (const auto& [id, p] : *saga_.payments)
      if (p.state.closed && !was_delivered(id))
        report_.violated(4, service::payment, id, "it is closed, and was not delivered");
  }

  // Invariant 5.

  void money_adds_up() {
    for (const auto& [id, p] : *saga_.payments) {
      const won kept = p.marks.paid - p.marks.refunded;
      const won due = p.state.status == payment_status::paid ? p.state.details.cost : 0;
      if (kept != due)
        report_.violated(5, service::payment, id,
                         "paid " + std::to_string(p.marks.paid) + " and refunded " +
                             std::to_string(p.marks.refunded) + ", where " + std::to_string(due) +
                             " is due");
    }
  }

  void a_cancelled_order_gives_the_money_back() {
    for (const auto& [id, o] : *saga_.orders) {
      if (o.state.status != order_status::cancelled) continue;
      const auto* p = find_entity(*saga_.payments, id);
      const bool given_back = p != nullptr && p->state.status == payment_status::cancelled &&
                              p->marks.refunded == p->marks.paid;
      progress_.demand(consumers::payment_follows_order, o.marks.cancelled_at, id, given_back, 5,
                       service::payment, id,
                       "its order is cancelled, and it is not cancelled and refunded");
    }
  }

 private:
  template <class Delivery>
  static bool is_over(const Delivery* d) {
    return d != nullptr && (d->state.status == delivery_status::cancelled ||
                            d->state.status == delivery_status::ended);
  }

  bool was_delivered(entity_id id) const {
    const auto* d = find_entity(*saga_.deliveries, id);
    return d != nullptr && d->state.status == delivery_status::ended;
  }

  std::int64_t meta_number(const snapshot& orders, std::string_view key) {
    const auto number = audited_number(orders, service::order, key);
    if (!number)
      report_.violated(2, service::order, 0, "the row " + std::string(key) + " cannot be read");
    return number.value_or(0);
  }

  const audited_saga& saga_;
  const consumer_progress& progress_;
  audit_report& report_;
};

}  // namespace

void audit_saga(const service_cut& cut, const audited_saga& saga, const consumer_progress& progress,
                audit_report& report) {
  saga_check check(saga, progress, report);
  const bool orders = saga.orders != nullptr, payments = saga.payments != nullptr,
             deliveries = saga.deliveries != nullptr;
  if (orders) check.no_order_lies_beyond_the_reserved_ids(*snapshot_of(cut, service::order));
  if (orders && payments) {
    check.every_order_has_its_payment();
    check.every_payment_has_its_order(*snapshot_of(cut, service::order));
    check.a_cancelled_order_gives_the_money_back();
  }
  if (payments) check.money_adds_up();
  if (payments && deliveries) {
    check.every_delivery_was_paid();
    check.what_was_paid_is_delivered_or_stopped();
    check.what_was_delivered_closes_its_payment();
  }
  if (orders && deliveries) {
    check.a_cancelled_order_stops_its_delivery();
    check.what_was_delivered_closes_its_order();
  }
  if (orders && payments && deliveries) check.a_delivery_stops_for_a_cancel_only();
}

}  // namespace skanu
