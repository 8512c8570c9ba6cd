// The audit names each deliberate damage by invariant, service and entity.
#include "actors/audit/audit.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "actors/rules/id_blocks.hpp"
#include "actors/rules/trace_rules.hpp"
#include "persistence/log/consumer_keys.hpp"
#include "tests/support/small_shop.hpp"

namespace skanu {
namespace {

using namespace stages;

constexpr auto order = service::order;
constexpr auto payment = service::payment;
constexpr auto delivery = service::delivery;
constexpr auto stamp = service::stamp;
constexpr auto ordertrace = service::ordertrace;

table entities(service s) { return {s, table_kind::entities}; }
table tombstones(service s) { return {s, table_kind::tombstones}; }
table rows(service s) { return {s, table_kind::rows}; }
table meta(service s) { return {s, table_kind::meta}; }
table log_of(service s) { return {s, table_kind::log}; }
table index_of(service s) { return {s, table_kind::status_index}; }

struct damage {
  std::string name;
  void (*inflict)(small_shop&);
  std::set<int> invariants;  // exactly these invariants
  service of;
  entity_id id;
};

std::ostream& operator<<(std::ostream& out, const damage& d) { return out << d.name; }

class audit_names : public testing::TestWithParam<damage> {};

TEST_P(audit_names, it) {
  small_shop shop;
  fill(shop);
  GetParam().inflict(shop);
  const auto report = shop.audit();
  EXPECT_FALSE(report.sound());
  std::set<int> broken;
  bool named = false;
  for (const auto& v : report.violations()) {
    broken.insert(v.invariant);
    named = named || (v.invariant == *GetParam().invariants.rbegin() && v.of == GetParam().of &&
                      v.id == GetParam().id);
  }
  EXPECT_EQ(broken, GetParam().invariants) << report.to_json();
  EXPECT_TRUE(named) << report.to_json();
}

std::string name_of_damage(const testing::TestParamInfo<damage>& info) {
  auto name = info.param.name;
  std::replace(name.begin(), name.end(), ' ', '_');
  return name;
}

const damage one[] = {
    {"an order without a payment",
     [](small_shop& shop) {
       shop.tell<order_rules>(fresh, register_order{{1, "Tea", 1, 5'000, "cash"}});
       shop.work_off_all();
     },
     {1},
     order,
     fresh},
    {"an order with a payment for something else",
     [](small_shop& shop) {
       shop.tell<payment_rules>(fresh, open_payment{{1, "Tea", 1, 5'000, "cash"}, {}});
       shop.tell<order_rules>(fresh, register_order{{1, "Tea", 2, 5'000, "cash"}});
       shop.work_off_all();
     },
     {1},
     order,
     fresh},
    {"a payment of an id that was never reserved",
     [](small_shop& shop) {
       shop.tell<payment_rules>(40, open_payment{{1, "Tea", 1, 5'000, "cash"}, {}});
       shop.work_off_all();
     },
     {1},
     payment,
     40},
    {"a payment left behind by a decided id",
     [](small_shop& shop) { shop.set_meta(order, decided_ids_key, "11"); },
     {1},
     payment,
     undecided},
    {"a payment rejected though its order stands",
     [](small_shop& shop) {
       shop.tell<payment_rules>(placed, cancel_payment{cancel_cause::order_rejected});
       shop.work_off_all();
     },
     {1},
     payment,
     placed},
    {"a payment that outlives the rejection of its order",
     [](small_shop& shop) {
       shop.tell<order_rules>(undecided, reject_order{});
       shop.skip(consumers::payment_follows_order);
       shop.work_off_all();
     },
     {1},
     payment,
     undecided},
    {"a rejected id that may still be opened",
     [](small_shop& shop) {
       shop.tell<order_rules>(fresh, reject_order{});
       shop.skip(consumers::payment_follows_order);
       shop.work_off_all();
     },
     {1},
     payment,
     fresh},
};

const damage two[] = {
    {"ids that will be handed out again",
     [](small_shop& shop) { shop.set_meta(order, reserved_ids_key, "8"); },
     {1, 2},
     order,
     ready_without_phone},
    {"a state that events did not make",
     [](small_shop& shop) {
       shop.edit(entities(delivery), ordered_key(ready_without_phone), R"("READY")", R"("START")");
     },
     {2},
     delivery,
     ready_without_phone},
    {"a field that events did not set",
     [](small_shop& shop) {
       shop.edit(entities(delivery), ordered_key(preparing), R"("deliveryStatus")",
                 R"("destination":"Moon","deliveryStatus")");
     },
     {2},
     delivery,
     preparing},
    {"a lost state",
     [](small_shop& shop) { shop.erase(tombstones(order), ordered_key(rejected_unopened)); },
     {1, 2},
     order,
     rejected_unopened},
    {"a state of another version",
     [](small_shop& shop) {
       shop.edit(entities(order), ordered_key(placed), R"("version":1)", R"("version":2)");
     },
     {2},
     order,
     placed},
    {"a state that is no JSON",
     [](small_shop& shop) { shop.put(entities(order), ordered_key(placed), "no JSON"); },
     {2},
     order,
     placed},
    {"a state of a later schema",
     [](small_shop& shop) {
       shop.edit(entities(order), ordered_key(placed), R"("schema":1)", R"("schema":9)");
     },
     {2},
     order,
     placed},
    {"a state of another kind",
     [](small_shop& shop) {
       shop.edit(entities(order), ordered_key(placed), R"("type":"order")", R"("type":"stamp")");
     },
     {2},
     order,
     placed},
    {"a state without events",
     [](small_shop& shop) {
       shop.put(entities(delivery), ordered_key(77),
                shop.value(entities(delivery), ordered_key(preparing)));
     },
     {2},
     delivery,
     77},
    {"a tombstone that is listed",
     [](small_shop& shop) {
       const auto key = ordered_key(rejected_unopened);
       shop.put(entities(order), key, shop.value(tombstones(order), key));
       shop.erase(tombstones(order), key);
     },
     {2},
     order,
     rejected_unopened},
    {"a listed entity that is a tombstone as well",
     [](small_shop& shop) {
       const auto key = ordered_key(placed);
       shop.put(tombstones(order), key, shop.value(entities(order), key));
     },
     {2},
     order,
     placed},
    {"an index without an entity",
     [](small_shop& shop) {
       shop.erase(index_of(order), std::string(1, '\1') + ordered_key(placed));
     },
     {2},
     order,
     placed},
    {"an index with an entity under another status",
     [](small_shop& shop) {
       shop.put(index_of(order), std::string(1, '\2') + ordered_key(placed), "");
     },
     {2},
     order,
     placed},
    {"an index with an entity that is not there",
     [](small_shop& shop) {
       shop.put(index_of(order), std::string(1, '\2') + ordered_key(77), "");
     },
     {2},
     order,
     77},
    {"a wrong count",
     [](small_shop& shop) { shop.put(meta(order), "count:1", "17"); },
     {2},
     order,
     0},
    {"a count that is lost",
     [](small_shop& shop) { shop.erase(meta(payment), "count:2"); },
     {2},
     payment,
     0},
    {"a count of a status that nothing has",
     [](small_shop& shop) { shop.put(meta(order), "count:9", "3"); },
     {2},
     order,
     0},
    {"a count that is no number",
     [](small_shop& shop) { shop.put(meta(order), "count:1", "many"); },
     {2},
     order,
     0},
    {"an event that is there twice",
     [](small_shop& shop) { shop.append_event(stamp, shop.value(log_of(stamp), ordered_key(1))); },
     {2, 3},
     stamp,
     account},
    {"an event of an unknown type",
     [](small_shop& shop) {
       shop.append_event(
           delivery, R"({"eventType":"Eaten","schema":1,"timestamp":"2026-11-22T12:00:00.000Z",)"
                     R"("version":3,"id":2})");
       for (const auto& who : consumers::all)
         if (who.follows == delivery) shop.set_aside(who, 0, shop.data().read()->log_end(delivery));
     },
     {2},
     delivery,
     0},
    {"a position beyond its log",
     [](small_shop& shop) { shop.set_meta(stamp, position_key("stamp-follows-payment"), "1000"); },
     {2},
     payment,
     0},
    {"a position that is no number",
     [](small_shop& shop) { shop.set_meta(order, position_key("order-follows-delivery"), "far"); },
     {2},
     order,
     0},
};

const damage three[] = {
    {"a balance that the ledger does not have",
     [](small_shop& shop) {
       shop.edit(entities(stamp), ordered_key(account), R"("stampQty":9)", R"("stampQty":90)");
     },
     {2, 3},
     stamp,
     account},
    {"a line that is lost",
     [](small_shop& shop) {
       shop.erase(rows(stamp), stamp_rules::ledger_prefix(account) + ordered_key(1));
     },
     {3},
     stamp,
     account},
    {"a line with another quantity",
     [](small_shop& shop) {
       shop.edit(rows(stamp), stamp_rules::ledger_prefix(account) + ordered_key(1),
                 R"("stampQty":5)", R"("stampQty":6)");
     },
     {3},
     stamp,
     account},
    {"a line that is no JSON",
     [](small_shop& shop) {
       shop.put(rows(stamp), stamp_rules::ledger_prefix(account) + ordered_key(1), "{");
     },
     {3},
     stamp,
     account},
    {"a line of no account",
     [](small_shop& shop) {
       shop.put(rows(stamp), stamp_rules::ledger_prefix(77) + ordered_key(1), "{}");
     },
     {3},
     stamp,
     77},
    {"a lost mark of what a payment earned",
     [](small_shop& shop) {
       shop.erase(rows(stamp), ordered_key(account) + 'k' + ordered_key(preparing) + 'e');
     },
     {3},
     stamp,
     account},
    {"a payment that earned twice",
     [](small_shop& shop) {
       const auto mark = ordered_key(account) + 'k' + ordered_key(preparing) + 'e';
       shop.erase(rows(stamp), mark);
       shop.tell<stamp_rules>(account, earn_stamps{preparing, 2});
     },
     {3},
     stamp,
     account},
    {"a payment that earned in two accounts",
     [](small_shop& shop) {
       shop.tell<stamp_rules>(account_id_of("0100000000"), earn_stamps{preparing, 2});
     },
     {3},
     stamp,
     account_id_of("0100000000")},
    {"a payment that earned unpaid",
     [](small_shop& shop) {
       shop.tell<stamp_rules>(account, earn_stamps{placed, 2});
     },
     {3},
     stamp,
     account},
    {"a payment that earned too much",
     [](small_shop& shop) {
       shop.place(fresh, phone);
       shop.pay(fresh);
       shop.tell<stamp_rules>(account, earn_stamps{fresh, 100});
       shop.work_off_all();
     },
     {3},
     stamp,
     account},
    {"a payment that earned without a phone number",
     [](small_shop& shop) {
       shop.tell<stamp_rules>(account, earn_stamps{ready_without_phone, 2});
     },
     {3},
     stamp,
     account},
    {"a payment that earned nothing",
     [](small_shop& shop) {
       shop.place(fresh, phone);
       shop.pay(fresh);
       shop.skip(consumers::stamp_follows_payment);
       shop.work_off_all();
     },
     {3},
     stamp,
     account},
    {"a cancelled payment that kept its stamps",
     [](small_shop& shop) {
       shop.cancel_payment_by_client(preparing);
       shop.skip(consumers::stamp_follows_payment);
       shop.work_off_all();
     },
     {3},
     stamp,
     account},
    {"a payment that stands and lost its stamps",
     [](small_shop& shop) { shop.tell<stamp_rules>(account, deduct_stamps{preparing}); },
     {3},
     stamp,
     account},
};

const damage four[] = {
    {"a delivery that nobody paid",
     [](small_shop& shop) {
       shop.tell<delivery_rules>(placed, prepare_delivery{7, "Coffee", 2});
       shop.work_off_all();
     },
     {4},
     delivery,
     placed},
    {"a delivery of something else",
     [](small_shop& shop) {
       shop.place(fresh);
       shop.pay(fresh);
       shop.tell<delivery_rules>(fresh, prepare_delivery{7, "Coffee", 3});
       shop.work_off_all();
     },
     {4},
     delivery,
     fresh},
    {"a delivery of another payment",
     [](small_shop& shop) {
       shop.edit(entities(delivery), ordered_key(preparing), R"("paymentId":2)",
                 R"("paymentId":3)");
     },
     {2, 4},
     delivery,
     preparing},
    {"a delivery that was prepared twice",
     [](small_shop& shop) {
       shop.append_event(delivery, shop.value(log_of(delivery), ordered_key(1)));
       shop.work_off_all();
     },
     {2, 4},
     delivery,
     preparing},
    {"a paid order that is not made",
     [](small_shop& shop) {
       shop.place(fresh);
       shop.pay(fresh);
       shop.skip(consumers::delivery_follows_payment);
       shop.work_off_all();
     },
     {4},
     delivery,
     fresh},
    {"a delivery that goes on for a cancelled order",
     [](small_shop& shop) {
       shop.cancel_order(preparing);
       shop.skip(consumers::delivery_follows_order);
       shop.work_off(consumers::payment_follows_order);
       shop.skip(consumers::delivery_follows_payment);
       shop.work_off_all();
     },
     {4},
     delivery,
     preparing},
    {"a delivery that goes on for a cancelled payment",
     [](small_shop& shop) {
       shop.cancel_payment_by_client(preparing);
       shop.skip(consumers::delivery_follows_payment);
       shop.work_off_all();
     },
     {4},
     delivery,
     preparing},
    {"a delivery that stopped by itself",
     [](small_shop& shop) {
       shop.tell<delivery_rules>(preparing, cancel_delivery{});
       shop.work_off_all();
     },
     {4},
     delivery,
     preparing},
    {"an order that is closed and was not delivered",
     [](small_shop& shop) {
       shop.tell<order_rules>(preparing, close_order{});
       shop.work_off_all();
     },
     {4},
     order,
     preparing},
    {"a payment that is closed and was not delivered",
     [](small_shop& shop) {
       shop.tell<payment_rules>(preparing, close_payment{});
       shop.work_off_all();
     },
     {4},
     payment,
     preparing},
    {"an order that was delivered and is not closed",
     [](small_shop& shop) {
       shop.move(ready_without_phone, delivery_status::started);
       shop.move(ready_without_phone, delivery_status::ended);
       shop.skip(consumers::order_follows_delivery);
       shop.work_off_all();
     },
     {4},
     order,
     ready_without_phone},
    {"a payment that was delivered and is not closed",
     [](small_shop& shop) {
       shop.move(ready_without_phone, delivery_status::started);
       shop.move(ready_without_phone, delivery_status::ended);
       shop.skip(consumers::payment_follows_delivery);
       shop.work_off_all();
     },
     {4},
     payment,
     ready_without_phone},
};

/// The key of the first event of a type for an entity in a service's log.
std::string offset_of(const small_shop& shop, service s, std::string_view type, entity_id id) {
  for (const auto& row : shop.all(log_of(s)))
    if (event_type_of(row.value) == type &&
        row.value.find(R"("id":)" + std::to_string(id) + ',') != row.value.npos)
      return row.key;
  throw std::logic_error("no such event");
}

const damage five[] = {
    {"a payment that forgot that it was paid",
     [](small_shop& shop) {
       const auto key = ordered_key(closed);
       shop.edit(entities(payment), key, R"("END")", R"("Not Pay")");
     },
     {2, 5},
     payment,
     closed},
    {"a payment that says END and was never paid",
     [](small_shop& shop) {
       shop.edit(entities(payment), ordered_key(placed), R"("Not Pay")", R"("END")");
     },
     {2, 5},
     payment,
     placed},
    {"a payment of another cost",
     [](small_shop& shop) {
       shop.edit(entities(payment), ordered_key(preparing), R"("cost":9000)", R"("cost":9001)");
     },
     {1, 2, 5},
     payment,
     preparing},
    {"a payment that was paid twice",
     [](small_shop& shop) {
       const auto at = offset_of(shop, payment, "Paid", preparing);
       shop.append_event(payment, shop.value(log_of(payment), at));
       shop.work_off_all();
     },
     {2, 5},
     payment,
     preparing},
    {"a cancelled order whose payment stands",
     [](small_shop& shop) {
       shop.cancel_order(preparing);
       shop.skip(consumers::payment_follows_order);
       shop.work_off_all();
     },
     {5},
     payment,
     preparing},
    {"a cancelled order whose payment is still open",
     [](small_shop& shop) {
       shop.cancel_order(placed);
       shop.skip(consumers::payment_follows_order);
       shop.work_off_all();
     },
     {5},
     payment,
     placed},
    {"a cancelled order without a refund",
     [](small_shop& shop) {
       const auto at = offset_of(shop, payment, "Paid", ready_without_phone);
       shop.append_event(
           payment,
           R"({"eventType":"PayCancelled","schema":1,"timestamp":"2026-11-22T12:00:00.000Z",)"
           R"("version":3,)" +
               shop.value(log_of(payment), at)
                   .substr(shop.value(log_of(payment), at).find(R"("id")")));
       shop.cancel_order(ready_without_phone);
       shop.skip(consumers::payment_follows_order);
       shop.work_off_all();
     },
     {2, 5},
     payment,
     ready_without_phone},
};

std::string last_change_of(small_shop& shop, entity_id id) {
  std::string last;
  for (const auto& row : shop.all(log_of(ordertrace)))
    if (order_of(row.value) == id) last = row.key;
  return last;
}

const damage six[] = {
    {"a trace at another step",
     [](small_shop& shop) {
       shop.edit(entities(ordertrace), ordered_key(ready_without_phone), R"("DELIVERY READY")",
                 R"("DELIVERY START")");
     },
     {2, 6},
     ordertrace,
     ready_without_phone},
    {"a trace of another order",
     [](small_shop& shop) {
       shop.edit(entities(ordertrace), ordered_key(placed), R"("cost":9000)", R"("cost":1)");
     },
     {6},
     ordertrace,
     placed},
    {"a trace that is lost",
     [](small_shop& shop) {
       const auto key = ordered_key(placed);
       shop.erase(entities(ordertrace), key);
       shop.erase(index_of(ordertrace), std::string(1, '\1') + key);
       shop.put(meta(ordertrace), "count:1", "0");
     },
     {6},
     ordertrace,
     placed},
    {"a trace of nothing",
     [](small_shop& shop) {
       shop.put(tombstones(ordertrace), ordered_key(77),
                shop.value(entities(ordertrace), ordered_key(placed)));
     },
     {6},
     ordertrace,
     77},
    {"a history that lost its end",
     [](small_shop& shop) {
       shop.erase(rows(ordertrace), history_prefix(placed) + ordered_key(2));
     },
     {6},
     ordertrace,
     placed},
    {"a history with a gap",
     [](small_shop& shop) {
       shop.erase(rows(ordertrace), history_prefix(closed) + ordered_key(2));
     },
     {6},
     ordertrace,
     closed},
    {"a history with another event",
     [](small_shop& shop) {
       shop.edit(rows(ordertrace), history_prefix(placed) + ordered_key(1), R"("cost":9000)",
                 R"("cost":9)");
     },
     {6},
     ordertrace,
     placed},
    {"a history out of order",
     [](small_shop& shop) {
       // Version 1 is Ordered; later versions come from the payment's log.
       const auto first = history_prefix(preparing) + ordered_key(2);
       const auto second = history_prefix(preparing) + ordered_key(3);
       const auto value = shop.value(rows(ordertrace), first);
       shop.put(rows(ordertrace), first, shop.value(rows(ordertrace), second));
       shop.put(rows(ordertrace), second, value);
     },
     {6},
     ordertrace,
     preparing},
    {"a whole history that is lost",
     [](small_shop& shop) {
       for (const auto& row : shop.all(rows(ordertrace)))
         if (row.key.starts_with(history_prefix(placed))) shop.erase(rows(ordertrace), row.key);
     },
     {6},
     ordertrace,
     placed},
    {"a history of nothing",
     [](small_shop& shop) {
       shop.put(rows(ordertrace), history_prefix(77) + ordered_key(1),
                shop.value(rows(ordertrace), history_prefix(placed) + ordered_key(1)));
     },
     {6},
     ordertrace,
     77},
    {"an event that the view has passed over",
     [](small_shop& shop) {
       shop.pay(placed);
       shop.skip(consumers::trace_follows_payment);
       shop.work_off_all();
     },
     {6},
     ordertrace,
     placed},
    {"a change that says another step",
     [](small_shop& shop) {
       shop.edit(log_of(ordertrace), last_change_of(shop, ready_without_phone),
                 R"("DELIVERY READY")", R"("DELIVERY END")");
     },
     {6},
     ordertrace,
     ready_without_phone},
    {"a log of changes with a gap",
     [](small_shop& shop) { shop.erase(log_of(ordertrace), ordered_key(1)); },
     {2},
     ordertrace,
     0},
    {"a change that is told twice",
     [](small_shop& shop) {
       shop.append_event(ordertrace,
                         shop.value(log_of(ordertrace), last_change_of(shop, ready_without_phone)));
     },
     {6},
     ordertrace,
     ready_without_phone},
    {"a change of no trace",
     [](small_shop& shop) {
       shop.append_event(
           ordertrace,
           R"({"eventType":"TraceChanged","schema":1,"timestamp":"2026-11-22T12:00:00.000Z",)"
           R"("version":1,"id":77,"orderId":77})");
     },
     {6},
     ordertrace,
     77},
    {"a view that is before its own position",
     [](small_shop& shop) {
       shop.place(fresh);
       shop.work_off_all();
       const auto end = shop.data().read()->log_end(order);
       shop.set_meta(ordertrace, position_key("ordertrace-follows-order"), std::to_string(end - 1));
     },
     {6},
     ordertrace,
     fresh},
};

INSTANTIATE_TEST_SUITE_P(invariant_1, audit_names, testing::ValuesIn(one), name_of_damage);
INSTANTIATE_TEST_SUITE_P(invariant_2, audit_names, testing::ValuesIn(two), name_of_damage);
INSTANTIATE_TEST_SUITE_P(invariant_3, audit_names, testing::ValuesIn(three), name_of_damage);
INSTANTIATE_TEST_SUITE_P(invariant_4, audit_names, testing::ValuesIn(four), name_of_damage);
INSTANTIATE_TEST_SUITE_P(invariant_5, audit_names, testing::ValuesIn(five), name_of_damage);
INSTANTIATE_TEST_SUITE_P(invariant_6, audit_names, testing::ValuesIn(six), name_of_damage);

}  // namespace
}  // namespace skanu
