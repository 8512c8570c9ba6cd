#include "tests/support/small_shop.hpp"

#include <algorithm>
#include <stdexcept>

#include "actors/rules/id_blocks.hpp"
#include "actors/rules/trace_rules.hpp"
#include "persistence/log/consumer_keys.hpp"
#include "persistence/tables/memory_tables.hpp"
#include "persistence/tables/sealed_value.hpp"
#include "persistence/tables/table_store.hpp"
#include "tests/support/sample_orders.hpp"

namespace skanu {

small_shop::small_shop() : small_shop(make_memory_tables()) {}

small_shop::small_shop(std::unique_ptr<ordered_tables> tables)
    : tables_(tables.get()),
      store_(make_table_store(std::move(tables),
                              {std::begin(all_services), std::end(all_services)})) {}

void small_shop::write(const commit& c) {
  const commit* one[] = {&c};
  if (const auto result = store_->write(one).at(0))
    throw std::logic_error("not stored: " + std::string(name_of(*result)));
}

void small_shop::place(entity_id id, std::optional<std::string> phone) {
  tell<payment_rules>(id, open_payment{coffee, std::move(phone)});
  tell<order_rules>(id, register_order{coffee});
}

void small_shop::pay(entity_id id, std::optional<std::string> phone) {
  update_payment wish;
  wish.phone_number = std::move(phone);
  tell<payment_rules>(id, wish);
}

void small_shop::work_off(const consumer& who) {
  const auto position = store_->read()->row(who.of, row_space::meta, position_key(who.name));
  const auto from = position ? std::stoll(*position) + 1 : 1;
  for (const auto& e : store_->read()->events(who.follows, from, 10'000)) {
    if (who.of == service::ordertrace) {
      trace(who, e);
    } else {
      react(who, e);
    }
  }
  skip(who);
}

void small_shop::work_off_all() {
  const auto everything = [this] {
    log_offset sum = 0;
    for (const auto s : all_services) sum += store_->read()->log_end(s);
    return sum;
  };
  for (log_offset before = -1; std::exchange(before, everything()) != everything();)
    for (const auto& who : consumers::all) work_off(who);
}

void small_shop::skip(const consumer& who) {
  set_meta(who.of, position_key(who.name), std::to_string(store_->read()->log_end(who.follows)));
}

/// The saga's table (actors/rules/reactions.hpp), without its actors.
void small_shop::react(const consumer& who, const logged_event& e) {
  const auto body = parse_stored_json(e.body);
  const auto type = event_type_of(e.body);
  const bool refunded = body.value("refunded", false);
  if (who.name == consumers::stamp_follows_payment.name) {
    if (!body.contains("phoneNumber")) return;
    const auto account = account_id_of(body.at("phoneNumber").get<std::string>());
    const auto payment = body.at("id").get<entity_id>();
    if (type == "Paid")
      tell<stamp_rules>(account, earn_stamps{payment, body.at("qty").get<std::int64_t>()});
    if (type == "PayCancelled" && refunded) tell<stamp_rules>(account, deduct_stamps{payment});
    return;
  }
  const auto id = body.at("id").get<entity_id>();
  if (who.of == service::order && type == "Delivered") tell<order_rules>(id, close_order{});
  if (who.of == service::payment) {
    if (type == "Delivered") tell<payment_rules>(id, close_payment{});
    if (type == "OrderCancelled")
      tell<payment_rules>(id, cancel_payment{cancel_cause::order_cancelled});
    if (type == "OrderRejected")
      tell<payment_rules>(id, cancel_payment{cancel_cause::order_rejected});
  }
  if (who.of == service::delivery) {
    if (type == "Paid") {
      const auto p = from_json<payment_fields>(body);
      tell<delivery_rules>(
          id, prepare_delivery{p.details.product_id, p.details.product_name, p.details.qty});
    }
    if (type == "OrderCancelled" || (type == "PayCancelled" && refunded))
      tell<delivery_rules>(id, cancel_delivery{});
  }
}

void small_shop::trace(const consumer& who, const logged_event& e) {
  const auto id = order_of(e.body);
  order_trace t;
  version_number version = 0;
  if (const auto document = store_->read()->entity(service::ordertrace, id)) {
    t = decode_document<order_trace>(*document);
    version = parts_of(*document).version;
  }
  entity_change change{.id = id,
                       .expected = version,
                       .next = version + 1,
                       .status_before = static_cast<std::uint8_t>(t.status),
                       .listed_before = listed(t)};
  const auto before = shown_step(t);
  apply_event(t, id, e.body);
  change.document =
      std::make_shared<const std::string>(encode_document(service::ordertrace, version + 1, t));
  change.status = static_cast<std::uint8_t>(t.status);
  change.listed = listed(t);
  commit c{.of = service::ordertrace};
  if (auto shows = change_of(t, before, version + 1, e.body)) c.events.push_back(std::move(*shows));
  c.changes.push_back(std::move(change));
  c.rows.push_back({row_space::rows, history_prefix(id) + ordered_key(version + 1),
                    located_event(who.follows, e.offset, e.body)});
  write(c);
}

void small_shop::set_aside(const consumer& who, entity_id target, log_offset offset) {
  commit c{.of = who.of};
  c.rows.push_back({row_space::dead_letters,
                    dead_letter_prefix(who.name) + ordered_key(target) + ordered_key(offset),
                    R"({"reason":"a test's"})"});
  write(c);
}

void small_shop::discard(const consumer& who, entity_id target, log_offset offset) {
  commit c{.of = who.of};
  c.rows.push_back({row_space::dead_letters,
                    discarded_prefix(who.name) + ordered_key(target) + ordered_key(offset),
                    R"({"reason":"a test's"})"});
  write(c);
}

void small_shop::set_meta(service s, std::string_view key, std::string_view value) {
  commit c{.of = s};
  c.rows.push_back({row_space::meta, std::string(key), std::string(value)});
  write(c);
}

audit_report small_shop::audit(const std::vector<service>& without) const {
  const auto moment = store_->read();
  service_cut cut;
  cut.fill(moment.get());
  for (const auto s : without) cut[static_cast<std::size_t>(s)] = nullptr;
  return skanu::audit(cut);
}

void small_shop::put(table t, std::string_view key, std::string_view value) {
  std::string sealed;
  append_sealed(sealed, t, key, value);
  put_as_it_is(t, key, sealed);
}

void small_shop::put_as_it_is(table t, std::string_view key, std::string_view stored) {
  const auto writer = tables_->begin_write();
  writer->put(t, key, stored, put_mode::any);
  writer->commit();
}

void small_shop::erase(table t, std::string_view key) {
  value(t, key);
  const auto writer = tables_->begin_write();
  writer->erase(t, key);
  writer->commit();
}

void small_shop::edit(table t, std::string_view key, std::string_view from, std::string_view to) {
  auto text = value(t, key);
  const auto found = text.find(from);
  if (found == text.npos) throw std::logic_error(std::string(from) + " is not in " + text);
  put(t, key, text.replace(found, from.size(), to));
}

std::string small_shop::value(table t, std::string_view key) const {
  const auto reader = tables_->begin_read();
  const auto found = reader->get(t, key);
  if (!found) throw std::logic_error("no such row in " + name_of(t));
  return std::string(seals().opened(t, key, *found));
}

std::vector<stored_row> small_shop::all(table t) const {
  std::vector<stored_row> rows;
  tables_->begin_read()->scan_up(t, {}, [&](std::string_view key, std::string_view found) {
    rows.push_back({std::string(key), std::string(seals().opened(t, key, found))});
    return true;
  });
  return rows;
}

void small_shop::append_event(service s, std::string body) {
  commit c{.of = s};
  c.events.push_back(std::move(body));
  write(c);
}

void fill(small_shop& shop) {
  using namespace stages;
  for (const auto id :
       {placed, preparing, closed, order_cancelled_paid, payment_cancelled, order_cancelled_unpaid})
    shop.place(id, phone);
  shop.place(ready_without_phone);
  shop.tell<payment_rules>(rejected_open, open_payment{{1, "Tea", 1, 5'000, "cash"}, {}});
  shop.tell<payment_rules>(undecided, open_payment{{1, "Tea", 1, 5'000, "cash"}, {}});
  shop.tell<order_rules>(rejected_open, reject_order{});
  shop.tell<order_rules>(rejected_unopened, reject_order{});
  for (const auto id :
       {preparing, closed, order_cancelled_paid, payment_cancelled, ready_without_phone})
    shop.pay(id);
  shop.tell<stamp_rules>(account, add_stamps{5});
  shop.work_off_all();
  shop.cancel_order(order_cancelled_paid);
  shop.cancel_order(order_cancelled_unpaid);
  shop.cancel_payment_by_client(payment_cancelled);
  for (const auto step : {delivery_status::ready, delivery_status::started, delivery_status::ended})
    shop.move(closed, step);
  shop.move(ready_without_phone, delivery_status::ready);
  shop.set_meta(service::order, reserved_ids_key, "32");
  shop.set_meta(service::order, decided_ids_key, "10");
  shop.work_off_all();
}

}  // namespace skanu
