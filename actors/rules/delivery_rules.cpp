#include "actors/rules/delivery_rules.hpp"

#include "messages/unicode.hpp"

namespace skanu {

namespace {

using decided = decision<delivery_event>;

template <class Event>
decided recorded(const delivery_fields& fields) {
  Event e;
  static_cast<delivery_fields&>(e) = fields;
  return decided::of(e);
}

decided prepare(const delivery_state& s, const prepare_delivery& c, entity_id id) {
  // Prepared already, or cancelled before: a cancelled delivery is never prepared.
  if (s.status != delivery_status::none) return decided::nothing();
  delivery_fields fields;
  fields.id = fields.order_id = fields.payment_id = id;
  fields.product_id = c.product_id;
  fields.product_name = c.product_name;
  fields.qty = c.qty;
  fields.status = delivery_status::preparing;
  return recorded<delivery_prepared>(fields);
}

decided move(const delivery_state& s, const move_delivery& c) {
  if (!delivery_rules::listed(s))
    return decided::refuse(errc::not_found, "There is no such delivery.");
  const bool new_destination =
      c.destination && !(s.destination && is_same_text(*c.destination, *s.destination));
  delivery_fields fields = s;
  if (c.destination) fields.destination = c.destination;
  fields.status = c.target;
  if (c.target == s.status) {
    if (!new_destination) return decided::nothing();
    if (s.status == delivery_status::ended || s.status == delivery_status::cancelled)
      return decided::refuse(errc::not_allowed, "It is over: it goes nowhere any more.");
    return recorded<destination_changed>(fields);
  }
  if (s.status == delivery_status::cancelled)
    return decided::refuse(errc::already_cancelled, "The delivery was cancelled.");
  if (s.status == delivery_status::preparing && c.target == delivery_status::ready)
    return recorded<delivery_ready>(fields);
  if (s.status == delivery_status::ready && c.target == delivery_status::started)
    return recorded<delivery_started>(fields);
  if (s.status == delivery_status::started && c.target == delivery_status::ended)
    return recorded<delivered>(fields);
  return decided::refuse(errc::not_allowed,
                         "A delivery that is \"" + std::string(word_of(s.status)) +
                             "\" cannot become \"" + std::string(word_of(c.target)) + "\".");
}

decided cancel(const delivery_state& s, entity_id id) {
  switch (s.status) {
    case delivery_status::none: return decided::of(delivery_rejected{id});
    case delivery_status::cancelled:
    // A delivered order stays delivered; the money goes back all the same.
    case delivery_status::ended: return decided::nothing();
    default: break;
  }
  delivery_fields fields = s;
  fields.status = delivery_status::cancelled;
  return recorded<delivery_cancelled>(fields);
}

}  // namespace

decided delivery_rules::decide(const state& s, const command& c, entity_id id,
                               const decision_context&) {
  return std::visit(overloaded{[&](const prepare_delivery& p) { return prepare(s, p, id); },
                               [&](const move_delivery& m) { return move(s, m); },
                               [&](const cancel_delivery&) { return cancel(s, id); }},
                    c);
}

void delivery_rules::apply(state& s, const event& e) {
  std::visit(overloaded{[&](const delivery_rejected& r) {
                          s.id = s.order_id = s.payment_id = r.id;
                          s.status = delivery_status::cancelled;
                          s.rejected = true;
                        },
                        [&](const delivery_fields& f) { static_cast<delivery_fields&>(s) = f; }},
             e);
}

void delivery_rules::note_time(state& s, const event& e, instant at) {
  std::visit(
      overloaded{[&](const delivery_ready&) { s.times.ready_at = at; },
                 [&](const delivered&) { s.times.delivered_at = at; },
                 [&](const delivery_cancelled&) { s.times.cancelled_at = at; }, [](const auto&) {}},
      e);
}

}  // namespace skanu
