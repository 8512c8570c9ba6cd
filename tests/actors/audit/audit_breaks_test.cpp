// Damages across services: orders, payments and deliveries contradict each other.
#include "tests/actors/audit/audit_breaks.hpp"
#include "actors/rules/id_blocks.hpp"

namespace skanu {
namespace {

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

const damage broken_placements[] = {
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

const damage broken_deliveries[] = {
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

const damage broken_payments[] = {
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

INSTANTIATE_TEST_SUITE_P(invariant_1, audit_names, testing::ValuesIn(broken_placements),
                         name_of_damage);
INSTANTIATE_TEST_SUITE_P(invariant_4, audit_names, testing::ValuesIn(broken_deliveries),
                         name_of_damage);
INSTANTIATE_TEST_SUITE_P(invariant_5, audit_names, testing::ValuesIn(broken_payments),
                         name_of_damage);

}  // namespace
}  // namespace skanu
