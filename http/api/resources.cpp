#include "http/api/resources.hpp"

#include "actors/rules/stamp_rules.hpp"
#include "actors/rules/trace_rules.hpp"
#include "http/api/resource_collections.hpp"
#include "http/server/server.hpp"
#include "http/streams/event_stream.hpp"
#include "persistence/document.hpp"

namespace skanu {

namespace {

effect effect_of(const outcome& result) {
  const auto* done = std::get_if<accepted>(&result);
  return done ? done->what : effect::unchanged;
}

}  // namespace

void orders::place(const call& c) {
  auto body = c.body();
  place_order order;
  order.details.product_id = body.integer("productId", id_range).value_or(0);
  order.details.product_name = body.text("productName", name_length).value_or("");
  order.details.qty = body.integer("qty", qty_range).value_or(0);
  order.details.cost = body.integer("cost", cost_range).value_or(0);
  order.details.payment_type = body.text("paymentType", payment_type_length).value_or("");
  order.phone_number = body.phone("phoneNumber", false, c.to().country());
  call::require(body);
  auto conditions = c.conditions();
  conditions.condition.reset();  // a new order has no version yet
  const auto result = c.to().place(order, conditions);
  const auto* done = std::get_if<accepted>(&result);
  answer(c, result, 201, order_collection, done ? done->id : 0);
}

void orders::show(const call& c) { show_item(c, order_collection, c.id()); }

void orders::cancel(const call& c) {
  c.answer_empty(c.to().tell(c.id(), order_command(cancel_order{}), c.conditions()));
}

void orders::list(const call& c) { show_page(c, order_collection); }

void payments::pay(const call& c) {
  auto body = c.body();
  const auto order = body.integer("orderId", id_range);
  update_payment update;
  update.target = body.word<payment_status>("paymentStatus").value_or(update.target);
  update.phone_number = body.phone("phoneNumber", false, c.to().country());
  update.payment_type = body.text("paymentType", payment_type_length, false);
  call::require(body);
  if (update.target != payment_status::paid)
    throw refused{{errc::invalid_field,
                   "A field is out of range.",
                   {{"paymentStatus", "must be END: this pays"}}}};
  const auto result = c.to().tell(*order, payment_command(update), c.conditions());
  answer(c, result, effect_of(result) == effect::unchanged ? 200 : 201, payment_collection, *order);
}

void payments::show(const call& c) { show_item(c, payment_collection, c.id()); }

void payments::update(const call& c) {
  const auto id = c.id();
  auto body = c.body();
  update_payment update;
  update.target = body.word<payment_status>("paymentStatus").value_or(update.target);
  update.phone_number = body.phone("phoneNumber", false, c.to().country());
  update.payment_type = body.text("paymentType", payment_type_length, false);
  update.id = body.integer("id", id_range, false);
  update.order_id = body.integer("orderId", id_range, false);
  update.product_id = body.integer("productId", id_range, false);
  update.product_name = body.text("productName", name_length, false);
  update.qty = body.integer("qty", qty_range, false);
  update.cost = body.integer("cost", cost_range, false);
  call::require(body);
  answer(c, c.to().tell(id, payment_command(update), c.conditions()), 200, payment_collection, id);
}

void payments::cancel(const call& c) {
  c.answer_empty(
      c.to().tell(c.id(), payment_command(cancel_payment{cancel_cause::client}), c.conditions()));
}

void payments::list(const call& c) { show_page(c, payment_collection); }

void deliveries::show(const call& c) { show_item(c, delivery_collection, c.id()); }

void deliveries::update(const call& c) {
  const auto id = c.id();
  auto body = c.body();
  move_delivery move;
  move.target = body.word<delivery_status>("deliveryStatus").value_or(move.target);
  move.destination = body.text("destination", name_length, false);
  call::require(body);
  answer(c, c.to().tell(id, delivery_command(move), c.conditions()), 200, delivery_collection, id);
}

void deliveries::list(const call& c) { show_page(c, delivery_collection); }

void stamps::add(const call& c) {
  auto body = c.body();
  const auto phone = body.phone("phoneNumber", true, c.to().country());
  const auto qty = body.integer("stampQty", stamp_range);
  call::require(body);
  const auto account = account_id_of(*phone);
  const auto result = c.to().tell(account, stamp_command(add_stamps{*qty}), c.conditions());
  answer(c, result, effect_of(result) == effect::created ? 201 : 200, stamp_collection, account);
}

void stamps::show(const call& c) { show_item(c, stamp_collection, c.account()); }

void stamps::entries(const call& c) {
  const auto account = c.account();
  show_rows(c, {service::stamp, account, "entries", stamp_collection.path_of(account) + "/entries",
                stamp_rules::ledger_prefix(account), "There is no such stamp account."});
}

void stamps::list(const call& c) { show_page(c, stamp_collection); }

void order_traces::show(const call& c) { show_item(c, trace_collection, c.id()); }

void order_traces::find_by_order(const call& c) {
  const auto wanted = c.query("orderId");
  const auto id = wanted ? integer_of(*wanted) : std::nullopt;
  if (!id || *id < 1 || *id > max_safe_integer)
    throw refused{{errc::invalid_field,
                   "A query parameter is wrong.",
                   {{"orderId", "must be an order's id"}}}};
  page p{.collection = "orderTraces",
         .path = std::string(c.base()) + "/orderTraces/search/findByOrderId",
         .request = {}};
  const auto found = c.to().read(service::ordertrace, [&](const reading& now) {
    return now.listed_entity(service::ordertrace, *id);
  });
  if (found) {
    p.items.push_back(trace_collection.item(*id, parts_of(*found).data, c.base()));
    p.total = 1;
  }
  c.send(hal_list(p, p.path + "?orderId=" + std::to_string(*id)), hal_type);
}

void order_traces::events(const call& c) {
  const auto id = c.id();
  show_rows(c, {service::ordertrace, id, "events", trace_collection.path_of(id) + "/events",
                history_prefix(id), "There is no such order."});
}

void order_traces::stream(const call& c) {
  const auto asked = stream_request_of(c.in());
  stream_filter wanted{asked.order_ids, 0};
  if (asked.status) {
    const auto status = trace_collection.status_of(*asked.status);
    if (!status)
      throw refused{{errc::invalid_field,
                     "A query parameter is wrong.",
                     {{"status", "is not a known status"}}}};
    wanted.status = *status;
  }
  auto& streams = c.to().trace_stream();
  const auto place = streams.take_place(c.in().remote_addr);
  if (!place)
    throw refused{
        {errc::overloaded, "No further stream can be opened now. Please come back later."}};
  c.out().status = 200;
  c.out().set_header("Content-Type", "text/event-stream");
  // A proxy that compresses, or changes bytes in another way, first collects them.
  c.out().set_header("Cache-Control", "no-store, no-transform");
  c.out().set_header("X-Accel-Buffering", "no");
  c.hand_over([&streams, wanted, asked, place](file_descriptor socket, std::string unsent) {
    streams.subscribe({std::move(socket), std::move(unsent), wanted, asked.last_seen, place,
                       asked.timeline, asked.visible_heartbeats});
  });
}

void order_traces::list(const call& c) { show_page(c, trace_collection); }

}  // namespace skanu
