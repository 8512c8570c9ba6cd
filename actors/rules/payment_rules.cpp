#include "actors/rules/payment_rules.hpp"

#include "messages/unicode.hpp"

namespace skanu {

namespace {

using decided = decision<payment_event>;

decided no_such_payment() { return decided::refuse(errc::not_found, "There is no such payment."); }

payment_fields fields_of(const payment_state& s, payment_status status) {
  return {s.id, s.order_id, s.details, status, s.phone_number};
}

pay_cancelled cancellation_of(const payment_state& s, bool rejected) {
  pay_cancelled e;
  static_cast<payment_fields&>(e) = fields_of(s, payment_status::cancelled);
  e.refunded = s.status == payment_status::paid;
  e.rejected = rejected;
  return e;
}

decided open(const payment_state& s, const open_payment& c, entity_id id) {
  if (s.rejected) return decided::refuse(errc::not_allowed, "The order was rejected.");
  if (s.status != payment_status::none) {
    return s.details == c.details
               ? decided::nothing()
               : decided::refuse(errc::not_allowed, "The payment is open for another order.");
  }
  payment_requested e;
  static_cast<payment_fields&>(e) = {id, id, c.details, payment_status::not_paid, c.phone_number};
  return decided::of(e);
}

/// Returns the fields of a change whose values differ from the payment's fixed values.
std::vector<field_error> fixed_fields_changed(const payment_state& s, const update_payment& c) {
  std::vector<field_error> changed;
  const auto compare = [&](const char* name, const auto& wanted, const auto& fixed) {
    if (wanted && *wanted != fixed) changed.push_back({name, "cannot be changed"});
  };
  if (c.product_name && !is_same_text(*c.product_name, s.details.product_name))
    changed.push_back({"productName", "cannot be changed"});
  compare("id", c.id, s.id);
  compare("orderId", c.order_id, s.order_id);
  compare("productId", c.product_id, s.details.product_id);
  compare("qty", c.qty, s.details.qty);
  compare("cost", c.cost, s.details.cost);
  return changed;
}

decided cancel(const payment_state& s, cancel_cause cause, entity_id id) {
  const bool by_client = cause == cancel_cause::client;
  const bool by_rejection = cause == cancel_cause::order_rejected;
  if (s.status == payment_status::none || (by_client && s.rejected)) {
    if (!by_rejection) return no_such_payment();
    return s.rejected ? decided::nothing() : decided::of(payment_rejected{id});
  }
  if (s.status == payment_status::cancelled)
    return by_rejection && !s.rejected ? decided::of(payment_rejected{id}) : decided::nothing();
  // An accepted cancel of the order wins over a delivery that ends at the same moment.
  if (by_client && s.closed)
    return decided::refuse(errc::already_delivered,
                           "The order was delivered: its payment cannot be cancelled any more.");
  return decided::of(cancellation_of(s, by_rejection));
}

decided pay(const payment_state& s, const update_payment& c) {
  if (s.status == payment_status::cancelled)
    return decided::refuse(errc::already_cancelled, "The payment was cancelled.");
  if (s.status == payment_status::paid) {
    const bool same = (!c.phone_number || c.phone_number == s.phone_number) &&
                      (!c.payment_type || is_same_text(*c.payment_type, s.details.payment_type));
    return same ? decided::nothing()
                : decided::refuse(errc::already_paid, "It was paid already, with other fields.");
  }
  paid e;
  static_cast<payment_fields&>(e) = fields_of(s, payment_status::paid);
  if (c.phone_number) e.phone_number = c.phone_number;
  if (c.payment_type) e.details.payment_type = *c.payment_type;
  return decided::of(e);
}

decided update(const payment_state& s, const update_payment& c, entity_id id) {
  if (s.status == payment_status::none || s.rejected) return no_such_payment();
  if (auto changed = fixed_fields_changed(s, c); !changed.empty())
    return decided::refuse(errc::immutable_field, "A field that cannot change has another value.",
                           std::move(changed));
  switch (c.target) {
    case payment_status::paid: return pay(s, c);
    case payment_status::cancelled: return cancel(s, cancel_cause::client, id);
    default: break;
  }
  switch (s.status) {
    case payment_status::not_paid: return decided::nothing();
    case payment_status::paid:
      return decided::refuse(errc::already_paid, "It was paid: that is undone by cancelling it.");
    default: return decided::refuse(errc::already_cancelled, "The payment was cancelled.");
  }
}

}  // namespace

decided payment_rules::decide(const state& s, const command& c, entity_id id,
                              const decision_context&) {
  return std::visit(
      overloaded{[&](const open_payment& o) { return open(s, o, id); },
                 [&](const update_payment& u) { return update(s, u, id); },
                 [&](const cancel_payment& p) { return cancel(s, p.cause, id); },
                 [&](const close_payment& close) {
                   switch (s.status) {
                     case payment_status::paid:
                       return s.closed ? decided::nothing()
                                       : decided::of(payment_closed{id, close.delivered_at});
                     case payment_status::cancelled: return decided::nothing();
                     case payment_status::not_paid:
                       return decided::refuse(errc::not_allowed, "It was delivered, but not paid.");
                     default: return no_such_payment();
                   }
                 }},
      c);
}

void payment_rules::apply(state& s, const event& e) {
  const auto take = [&](const payment_fields& f) {
    s.id = f.id;
    s.order_id = f.order_id;
    s.details = f.details;
    s.status = f.status;
    s.phone_number = f.phone_number;
  };
  std::visit(
      overloaded{[&](const payment_requested& r) { take(r); }, [&](const paid& p) { take(p); },
                 [&](const pay_cancelled& p) {
                   take(p);
                   s.refunded = p.refunded;
                   s.rejected = p.rejected;
                 },
                 [&](const payment_rejected& r) {
                   s.id = r.id;
                   s.order_id = r.id;
                   s.status = payment_status::cancelled;
                   s.rejected = true;
                 },
                 [&](const payment_closed&) { s.closed = true; }},
      e);
}

void payment_rules::note_time(state& s, const event& e, instant at) {
  std::visit(overloaded{[&](const payment_requested&) { s.times.ordered_at = at; },
                        [&](const paid&) { s.times.paid_at = at; },
                        [&](const pay_cancelled&) { s.times.cancelled_at = at; },
                        [&](const payment_closed& c) {
                          s.times.delivered_at = c.delivered_at.value_or(at);
                        },
                        [](const payment_rejected&) {}},
             e);
}

}  // namespace skanu
