// The audit finds sound data sound at every moment, counts lag and pending checkouts as no
// violations, and notices every damage. The tests of audit_breaks.hpp check the names of the
// damage.
#include "actors/audit/audit.hpp"

#include <gtest/gtest.h>

#include <set>

#include "actors/rules/id_blocks.hpp"
#include "tests/actors/audit/shop_tables.hpp"

namespace skanu {
namespace {

// Sound data.

TEST(audit, finds_an_empty_store_sound) { EXPECT_TRUE(small_shop().audit().sound()); }

TEST(audit, finds_orders_at_every_stage_sound_and_counts_them) {
  small_shop shop;
  fill(shop);
  const auto report = shop.audit();
  EXPECT_TRUE(report.sound()) << report.to_json();
  EXPECT_EQ(report.pending, 1);
  EXPECT_EQ(report.services.at(order).entities, 7);
  EXPECT_EQ(report.services.at(order).tombstones, 2);
  EXPECT_EQ(report.services.at(payment).entities, 8);
  EXPECT_EQ(report.services.at(delivery).entities, 5);
  EXPECT_EQ(report.services.at(delivery).tombstones, 1);
  EXPECT_EQ(report.services.at(stamp).entities, 1);
  EXPECT_EQ(report.services.at(ordertrace).entities, 7);
  for (const auto& [name, events] : report.lag) EXPECT_EQ(events, 0) << name;
}

TEST(audit, is_sound_at_every_moment_between_the_consumers_steps) {
  small_shop shop;
  fill(shop);
  for (const auto& first : consumers::all) {
    for (const auto& second : consumers::all) {
      const auto id = fresh + (&first - consumers::all) * 10 + (&second - consumers::all);
      shop.set_meta(order, reserved_ids_key, "1000");
      shop.place(id, phone);
      shop.pay(id);
      shop.work_off(first);
      ASSERT_TRUE(shop.audit().sound()) << shop.audit().to_json();
      if (id % 2 == 0) {
        shop.cancel_order(id);
      } else {
        shop.cancel_payment_by_client(id);
      }
      shop.work_off(second);
      ASSERT_TRUE(shop.audit().sound()) << shop.audit().to_json();
      shop.work_off(first);
      ASSERT_TRUE(shop.audit().sound()) << shop.audit().to_json();
    }
  }
  shop.work_off_all();
  EXPECT_TRUE(shop.audit().sound()) << shop.audit().to_json();
}

TEST(audit, reports_what_consumers_have_not_seen_as_lag) {
  small_shop shop;
  shop.set_meta(order, reserved_ids_key, "32");
  shop.place(1, phone);
  shop.pay(1);
  shop.cancel_order(1);
  const auto report = shop.audit();
  EXPECT_TRUE(report.sound()) << report.to_json();
  EXPECT_EQ(report.lag.at("payment-follows-order"), 2);
  EXPECT_EQ(report.lag.at("delivery-follows-payment"), 2);
  EXPECT_EQ(report.lag.at("stamp-follows-payment"), 2);
  EXPECT_EQ(report.lag.at("ordertrace-follows-order"), 2);
  EXPECT_EQ(report.lag.at("order-follows-delivery"), 0);
}

TEST(audit, takes_a_document_that_another_program_wrote_with_the_same_meaning) {
  small_shop shop;
  fill(shop);
  const auto key = ordered_key(placed);
  shop.edit(entities(order), key, R"("data":{"id":1,)", R"("data":{"later":"unknown","id":1,)");
  EXPECT_TRUE(shop.audit().sound()) << shop.audit().to_json();
}

TEST(audit, takes_traces_of_an_older_program_that_kept_no_log_of_their_changes) {
  small_shop shop;
  fill(shop);
  const table changes{ordertrace, table_kind::log};
  ASSERT_FALSE(shop.all(changes).empty());
  for (const auto& row : shop.all(changes)) shop.erase(changes, row.key);
  EXPECT_TRUE(shop.audit().sound()) << shop.audit().to_json();
}

TEST(audit, takes_traces_of_an_older_program_without_the_time_of_their_last_step) {
  small_shop shop;
  fill(shop);
  std::size_t old_rows = 0;
  for (const auto& t : {entities(ordertrace), table{ordertrace, table_kind::log}})
    for (const auto& row : shop.all(t)) {
      constexpr std::string_view shape = R"(,"changedAt":"2026-11-22T12:00:00.000Z")";
      const auto at = row.value.find(shape.substr(0, 14));
      if (at == row.value.npos) continue;
      shop.edit(t, row.key, row.value.substr(at, shape.size()), "");
      ++old_rows;
    }
  EXPECT_GT(old_rows, 1U);
  EXPECT_TRUE(shop.audit().sound()) << shop.audit().to_json();
}

TEST(audit, takes_a_cancel_that_overtook_the_delivery_and_the_stamps) {
  small_shop shop;
  shop.set_meta(order, reserved_ids_key, "32");
  shop.place(1, phone);
  shop.pay(1);
  shop.cancel_payment_by_client(1);
  shop.tell<delivery_rules>(1, cancel_delivery{});
  shop.tell<stamp_rules>(account, deduct_stamps{1});
  shop.work_off_all();
  EXPECT_TRUE(shop.audit().sound()) << shop.audit().to_json();
}

TEST(audit, names_services_that_are_missing_and_checks_the_others) {
  for (const auto missing : all_services) {
    small_shop shop;
    fill(shop);
    const auto report = shop.audit({missing});
    EXPECT_TRUE(report.sound()) << report.to_json();
    const auto json = nlohmann::json::parse(report.to_json());
    EXPECT_EQ(json.at("missing"), nlohmann::json::array({name_of(missing)}));
    EXPECT_FALSE(json.at("services").contains(name_of(missing)));
  }
}

// Dead letters.

TEST(audit, reports_what_a_dead_letter_parks_and_finds_it_sound) {
  small_shop shop;
  fill(shop);
  shop.place(fresh, phone);
  shop.pay(fresh);
  const auto paid_at = shop.data().read()->log_end(payment);
  shop.set_aside(consumers::stamp_follows_payment, account, paid_at);
  shop.set_aside(consumers::delivery_follows_payment, fresh, paid_at);
  for (const auto& who : consumers::all)
    if (who.follows == payment && who.of != ordertrace) shop.skip(who);
  shop.work_off_all();
  const auto report = shop.audit();
  EXPECT_TRUE(report.sound()) << report.to_json();
  EXPECT_EQ(report.dead_letters.at("stamp-follows-payment"), 1);
  EXPECT_EQ(report.dead_letters.at("delivery-follows-payment"), 1);
  ASSERT_EQ(report.parked_effects().size(), 2u);
  std::set<std::string> consumers_of_parked;
  for (const auto& p : report.parked_effects()) consumers_of_parked.insert(p.consumer);
  EXPECT_EQ(consumers_of_parked,
            (std::set<std::string>{"stamp-follows-payment", "delivery-follows-payment"}));
}

// The discarded letter's row explains the missing effect.
TEST(audit, finds_what_an_operator_discarded_sound) {
  small_shop shop;
  fill(shop);
  shop.place(fresh, phone);
  shop.work_off_all();
  shop.pay(fresh);
  const auto paid_at = shop.data().read()->log_end(payment);
  shop.discard(consumers::stamp_follows_payment, account, paid_at);
  shop.discard(consumers::trace_follows_payment, fresh, paid_at);
  for (const auto& who : consumers::all)
    if (who.follows == payment && who.of != service::delivery) shop.skip(who);
  shop.work_off_all();
  const auto report = shop.audit();
  EXPECT_TRUE(report.sound()) << report.to_json();
  EXPECT_TRUE(report.dead_letters.empty());
  EXPECT_EQ(report.discarded.at("stamp-follows-payment"), 1);
  EXPECT_EQ(report.parked_effects().size(), 1u);
  shop.place(fresh + 1, phone);
  shop.pay(fresh + 1);
  shop.skip(consumers::stamp_follows_payment);
  EXPECT_FALSE(shop.audit().sound()) << "another event of that account is not excused";
}

TEST(audit, leaves_out_of_the_trace_what_the_view_has_set_aside) {
  small_shop shop;
  fill(shop);
  shop.place(fresh);
  shop.work_off_all();
  shop.pay(fresh);
  shop.set_aside(consumers::trace_follows_payment, fresh, shop.data().read()->log_end(payment));
  shop.skip(consumers::trace_follows_payment);
  shop.work_off_all();
  EXPECT_TRUE(shop.audit().sound()) << shop.audit().to_json();
}

// Completeness: the audit reads every row.

constexpr table_kind checked_tables[] = {table_kind::entities, table_kind::tombstones,
                                         table_kind::status_index, table_kind::log,
                                         table_kind::rows};

TEST(audit, notices_each_single_row_that_is_lost) {
  small_shop shop;
  fill(shop);
  for (const auto s : all_services) {
    for (const auto kind : checked_tables) {
      for (const auto& row : shop.all({s, kind})) {
        shop.erase({s, kind}, row.key);
        EXPECT_FALSE(shop.audit().sound()) << name_of(table{s, kind}) << ": " << row.value;
        shop.put({s, kind}, row.key, row.value);
      }
    }
  }
  EXPECT_TRUE(shop.audit().sound()) << shop.audit().to_json();
}

TEST(audit, notices_each_single_value_that_is_cut_off_or_in_anothers_place) {
  small_shop shop;
  fill(shop);
  for (const auto s : all_services) {
    for (const auto kind : checked_tables) {
      std::string other;
      for (const auto& row : shop.all({s, kind})) {
        if (row.value.empty()) continue;
        shop.put({s, kind}, row.key, row.value.substr(0, row.value.size() - 1));
        EXPECT_FALSE(shop.audit().sound()) << name_of(table{s, kind}) << ": " << row.value;
        if (other != row.value) {
          shop.put({s, kind}, row.key, other);
          EXPECT_FALSE(shop.audit().sound()) << name_of(table{s, kind}) << ": " << row.value;
        }
        shop.put({s, kind}, row.key, row.value);
        other = row.value;
      }
    }
  }
  EXPECT_TRUE(shop.audit().sound()) << shop.audit().to_json();
}

TEST(audit, ends_and_does_not_crash_whatever_the_keys_are) {
  for (const auto s : all_services) {
    for (std::size_t kind = 0; kind < table_kind_count; ++kind) {
      for (const auto& key :
           {std::string("\1"), std::string("\xff"), std::string(9, '\xff'), std::string(40, 'k'),
            ordered_key(5) + "x", std::string("count:"), std::string("a/b")}) {
        small_shop shop;
        fill(shop);
        shop.put({s, static_cast<table_kind>(kind)}, key, "{\"id\":1}");
        shop.audit();
      }
    }
  }
}

// The report.

TEST(audit_report, keeps_only_the_first_violations_of_each_invariant_and_counts_all) {
  audit_report report;
  for (entity_id id = 1; id <= 1'000; ++id) report.violated(2, order, id, "broken");
  report.violated(6, ordertrace, 7, "broken too");
  const auto json = nlohmann::json::parse(report.to_json());
  EXPECT_EQ(json.at("violationCount"), 1'001);
  EXPECT_EQ(json.at("violations").size(), audit_report::most_kept + 1);
  EXPECT_EQ(json.at("violations").back(),
            (nlohmann::json{
                {"invariant", 6}, {"service", "ordertrace"}, {"id", 7}, {"what", "broken too"}}));
  EXPECT_EQ(json.at("sound"), false);
}

TEST(audit_report, is_JSON_whatever_stands_in_damaged_rows) {
  audit_report report;
  report.dead_letters["\xff\xfe"] = 1;
  report.violated(2, order, 0, "a name \"\xff\"");
  EXPECT_TRUE(nlohmann::json::accept(report.to_json()));
}

}  // namespace
}  // namespace skanu
