// Damages within a service: states, indexes and counts contradict the service's own log.
#include "actors/rules/id_blocks.hpp"
#include "persistence/log/consumer_keys.hpp"
#include "tests/actors/audit/audit_breaks.hpp"

namespace skanu {
namespace {

const damage broken_states[] = {
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

INSTANTIATE_TEST_SUITE_P(invariant_2, audit_names, testing::ValuesIn(broken_states),
                         name_of_damage);

}  // namespace
}  // namespace skanu
