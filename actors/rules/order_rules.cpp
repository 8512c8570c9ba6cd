#include "actors/rules/order_rules.hpp"

namespace skanu {

namespace {

using decided = decision<order_event>;

decided no_such_order() { return decided::refuse(errc::not_found, "There is no such order."); }

}  // namespace

decided order_rules::decide(const state& s, const command& c, entity_id id,
                            const decision_context&) {
  return std::visit(
      overloaded{[&](const register_order& r) {
                   switch (s.status) {
                     case order_status::none: return decided::of(ordered{id, r.details});
                     case order_status::rejected:
                       return decided::refuse(errc::not_allowed, "The order was rejected.");
                     default:
                       return s.details == r.details
                                  ? decided::nothing()
                                  : decided::refuse(errc::not_allowed, "The order is another one.");
                   }
                 },
                 [&](const reject_order&) {
                   switch (s.status) {
                     case order_status::none: return decided::of(order_rejected{id});
                     case order_status::rejected: return decided::nothing();
                     default: return decided::refuse(errc::not_allowed, "The order is registered.");
                   }
                 },
                 [&](const cancel_order&) {
                   switch (s.status) {
                     case order_status::complete:
                       return s.delivered ? decided::refuse(errc::already_delivered,
                                                            "The order was delivered: it cannot be "
                                                            "cancelled any more.")
                                          : decided::of(order_cancelled{id, s.details});
                     case order_status::cancelled: return decided::nothing();
                     default: return no_such_order();
                   }
                 },
                 [&](const close_order& close) {
                   switch (s.status) {
                     case order_status::complete:
                       return s.delivered ? decided::nothing()
                                          : decided::of(order_closed{id, close.delivered_at});
                     // An accepted cancel wins over a delivery that ends at the same moment; so
                     // does a rejection after the payment was paid.
                     case order_status::cancelled:
                     case order_status::rejected: return decided::nothing();
                     default: return no_such_order();
                   }
                 }},
      c);
}

void order_rules::apply(state& s, const event& e) {
  std::visit(overloaded{[&](const ordered& o) {
                          s.id = o.id;
                          s.details = o.details;
                          s.status = order_status::complete;
                        },
                        [&](const order_cancelled&) { s.status = order_status::cancelled; },
                        [&](const order_rejected& r) {
                          s.id = r.id;
                          s.status = order_status::rejected;
                        },
                        [&](const order_closed&) { s.delivered = true; }},
             e);
}

void order_rules::note_time(state& s, const event& e, instant at) {
  std::visit(
      overloaded{[&](const ordered&) { s.times.ordered_at = at; },
                 [&](const order_cancelled&) { s.times.cancelled_at = at; },
                 [&](const order_closed& c) { s.times.delivered_at = c.delivered_at.value_or(at); },
                 [](const order_rejected&) {}},
      e);
}

}  // namespace skanu
