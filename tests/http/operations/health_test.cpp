// Health of made-up databases.
#include <gtest/gtest.h>

#include "actors/rules/consumers.hpp"
#include "http/operations/actuator.hpp"
#include "persistence/log/log_position.hpp"
#include "persistence/tables/sealed_value.hpp"
#include "tests/support/scripted_log.hpp"
#include "tests/support/small_shop.hpp"

namespace skanu {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class health_test : public testing::Test {
 protected:
  health_test() {
    view.services = {service::order, service::delivery};
    view.databases = {{"lmdb", nullptr, nullptr, &lmdb}, {"sqlite", nullptr, nullptr, &sqlite}};
  }

  void fail(journal_health& h, errc code, milliseconds ago) {
    h.last_failure = static_cast<int>(code);
    h.failed_at = now - ago;
  }
  void stall(journal_health& h, milliseconds since) { h.writing_since = now - since; }

  /// Text such as "200 UP lmdb=UP sqlite=DOWN".
  std::string told(const actuator_answer& answer) const {
    const auto json = nlohmann::json::parse(answer.body);
    auto text = std::to_string(answer.status) + ' ' + json["status"].get<std::string>();
    for (const auto& d : view.databases)
      text += ' ' + d.name + '=' + json["components"][d.name]["status"].get<std::string>();
    return text;
  }
  std::string health() const { return told(render_health(view, now)); }
  std::string liveness() const { return told(render_liveness(view, now)); }

  journal_health lmdb, sqlite;
  actuator_view view;
  const std::chrono::steady_clock::time_point now{std::chrono::hours(1)};
};

TEST_F(health_test, is_up_where_nothing_fails) {
  EXPECT_EQ(health(), "200 UP lmdb=UP sqlite=UP");
  stall(lmdb, seconds(3));
  EXPECT_EQ(health(), "200 UP lmdb=UP sqlite=UP") << "a write of 3 s is slow, not stalled";
}

TEST_F(health_test, a_database_that_is_stuck_in_a_write_is_down) {
  stall(sqlite, milliseconds(3'001));
  EXPECT_EQ(health(), "200 UP lmdb=UP sqlite=DOWN");
  EXPECT_NE(render_health(view, now).body.find("stalled"), std::string::npos);
}

TEST_F(health_test, a_leaving_node_is_not_ready_and_still_healthy_and_alive) {
  view.is_leaving = [] { return true; };
  const auto ready = render_readiness(view, now);
  EXPECT_EQ(told(ready), "503 DOWN lmdb=UP sqlite=UP");
  EXPECT_NE(ready.body.find(R"("node":{"status":"DOWN","details":{"reason":"leaving"}})"),
            std::string::npos);
  EXPECT_EQ(health(), "200 UP lmdb=UP sqlite=UP");
  EXPECT_EQ(liveness(), "200 UP lmdb=UP sqlite=UP");
}

TEST_F(health_test, readiness_is_down_with_health) {
  view.data_is_there = [] { return false; };
  EXPECT_EQ(render_readiness(view, now).status, 503);
}

/// A database that cannot be opened again after a failure.
class closed_store final : public store {
 public:
  std::vector<commit_result> write(std::span<const commit* const> batch) override {
    return std::vector<commit_result>(batch.size(), errc::store_failed);
  }
  std::unique_ptr<snapshot> read() const override {
    throw store_error(errc::store_failed, "closed");
  }
  writers_held hold_writers() override { return {}; }
  index_changes rebuild_index(service, const listing_reader&) override { return {}; }
  void copy_to(const std::string&, const snapshot&) const override {}
  bool is_open() const override { return open; }
  const std::vector<service>& services() const override { return services_; }

  bool open = false;

 private:
  std::vector<service> services_;
};

// A closed database refuses every change and read, so health and liveness must report DOWN.
TEST_F(health_test, is_down_and_not_alive_while_a_database_is_closed) {
  closed_store closed;
  view.databases[0].data = &closed;
  EXPECT_EQ(health(), "503 DOWN lmdb=DOWN sqlite=UP");
  EXPECT_EQ(liveness(), "503 DOWN lmdb=DOWN sqlite=UP");
  closed.open = true;
  EXPECT_EQ(health(), "200 UP lmdb=UP sqlite=UP");
  EXPECT_EQ(liveness(), "200 UP lmdb=UP sqlite=UP");
}

// A fork was said no more once its row was damaged.
TEST_F(health_test, a_fork_whose_row_is_damaged_is_still_said) {
  small_shop shop;
  constexpr table metas{service::stamp, table_kind::meta};
  const std::string consumer(consumers::stamp_follows_payment.name);
  const auto row = fork_row({consumer, "payment", 6, 3, 3, "2026-11-22T12:00:00.000Z"});
  write_rows(shop.data(), service::stamp, {row});
  std::string stored;
  append_sealed(stored, metas, row.key, *row.value);
  stored[stored.size() / 2] ^= 4;
  shop.put_as_it_is(metas, row.key, stored);
  view.stores[static_cast<std::size_t>(service::stamp)] = &shop.data();
  auto told = nlohmann::json::parse(render_health(view, now).body);
  EXPECT_EQ(told["components"][consumer]["details"]["reason"], "log-forked") << told;
}

TEST_F(health_test, a_node_whose_every_database_fails_says_that_it_cannot_serve) {
  fail(lmdb, errc::store_failed, seconds(1));
  EXPECT_EQ(health(), "200 UP lmdb=DOWN sqlite=UP");
  stall(sqlite, seconds(60));
  EXPECT_EQ(health(), "503 DOWN lmdb=DOWN sqlite=DOWN");
  EXPECT_EQ(liveness(), "200 UP lmdb=DOWN sqlite=DOWN");
}

TEST_F(health_test, a_full_store_still_serves_reads) {
  fail(lmdb, errc::store_full, seconds(1));
  fail(sqlite, errc::store_failed, seconds(1));
  EXPECT_EQ(health(), "200 UP lmdb=DOWN sqlite=DOWN");
}

TEST_F(health_test, an_old_failure_does_not_keep_the_traffic_away_for_ever) {
  fail(lmdb, errc::store_failed, milliseconds(29'999));
  fail(sqlite, errc::store_failed, seconds(1));
  EXPECT_EQ(health(), "503 DOWN lmdb=DOWN sqlite=DOWN");
  lmdb.failed_at = now - seconds(30);
  EXPECT_EQ(health(), "200 UP lmdb=DOWN sqlite=DOWN");
}

TEST_F(health_test, a_node_without_a_database_is_up) {
  view.databases.clear();
  EXPECT_EQ(health(), "200 UP");
}

}  // namespace
}  // namespace skanu
