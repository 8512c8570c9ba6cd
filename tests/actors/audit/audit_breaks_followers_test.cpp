// Damages of followers: the stamp ledger and the traces contradict the followed events.
#include "actors/rules/event_commit.hpp"
#include "actors/rules/trace_rules.hpp"
#include "persistence/log/consumer_keys.hpp"
#include "tests/actors/audit/audit_breaks.hpp"
#include "tests/support/write_commit.hpp"

namespace skanu {
namespace {

const std::string other_phone = "821012341234";

/// Stores half of a join.
void join_in_part(small_shop& shop, const std::vector<stamp_event>& events) {
  commit half{.of = stamp};
  auto entity = decode_versioned<stamp_rules>(shop.data().read()->entity(stamp, account));
  add_events(half, account, entity, events, instant{std::chrono::hours{1}});
  write_commit(shop.data(), half);
}

const damage broken_ledgers[] = {
    {"a balance that the ledger does not have",
     [](small_shop& shop) {
       shop.edit(entities(stamp), ordered_key(account), R"("stampQty":9)", R"("stampQty":90)");
     },
     {2, 3},
     stamp,
     account},
    {"stamps that were moved out and came in nowhere",
     [](small_shop& shop) {
       join_in_part(shop, {stamps_moved_out{phone, other_phone, -9}});
     },
     {3},
     stamp,
     account},
    {"stamps that were moved in and came from nowhere",
     [](small_shop& shop) {
       join_in_part(shop, {stamps_moved_in{phone, other_phone, 1}});
     },
     {3},
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

std::string last_change_of(small_shop& shop, entity_id id) {
  std::string last;
  for (const auto& row : shop.all(log_of(ordertrace)))
    if (order_of(row.value) == id) last = row.key;
  return last;
}

const damage broken_traces[] = {
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

INSTANTIATE_TEST_SUITE_P(invariant_3, audit_names, testing::ValuesIn(broken_ledgers),
                         name_of_damage);
INSTANTIATE_TEST_SUITE_P(invariant_6, audit_names, testing::ValuesIn(broken_traces),
                         name_of_damage);

}  // namespace
}  // namespace skanu
