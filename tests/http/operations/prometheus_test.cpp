// GET /actuator/prometheus of made-up figures: each figure under its own name, type and labels.
#include <gtest/gtest.h>

#include "actors/rules/consumers.hpp"
#include "http/operations/actuator.hpp"
#include "persistence/log/consumer_keys.hpp"
#include "persistence/tables/memory_tables.hpp"
#include "persistence/tables/table_store.hpp"
#include "tests/support/scripted_log.hpp"

namespace skanu {
namespace {

class prometheus_test : public testing::Test {
 protected:
  prometheus_test() {
    view.services = {service::order, service::stamp};
    view.metrics = &metrics;
  }

  /// The lines of the answer, without HELP.
  std::vector<std::string> lines() const {
    std::vector<std::string> all;
    std::istringstream text(render_metrics(view, request_metrics{{}}));
    for (std::string line; std::getline(text, line);)
      if (!line.starts_with("# HELP")) all.push_back(line);
    return all;
  }

  void expect(const std::vector<std::string>& wanted) const {
    const auto all = lines();
    for (const auto& line : wanted) EXPECT_EQ(std::count(all.begin(), all.end(), line), 1) << line;
  }

  node_metrics metrics;
  actuator_view view;
};

TEST_F(prometheus_test, each_figure_of_a_service_stands_under_its_own_name) {
  const struct {
    const char *name, *type;
    counter service_metrics::*member;
  } table[] = {
      {"skanu_commands_total", "counter", &service_metrics::commands},
      {"skanu_commands_waiting", "gauge", &service_metrics::waiting},
      {"skanu_refusals_total", "counter", &service_metrics::refusals},
      {"skanu_live_entities", "gauge", &service_metrics::live_entities},
      {"skanu_passivations_total", "counter", &service_metrics::passivations},
      {"skanu_entity_failures_total", "counter", &service_metrics::entity_failures},
      {"skanu_events_total", "counter", &service_metrics::events},
      {"skanu_dead_letters_total", "counter", &service_metrics::dead_letters},
      {"skanu_consumer_restarts_total", "counter", &service_metrics::consumer_restarts},
  };
  std::int64_t figure = 10;
  std::vector<std::string> wanted;
  for (const auto& row : table) {
    wanted.push_back(std::string("# TYPE ") + row.name + ' ' + row.type);
    for (const auto s : view.services) {
      metrics.of(s).*row.member = ++figure;
      wanted.push_back(std::string(row.name) + "{service=\"" + std::string(name_of(s)) + "\"} " +
                       std::to_string(figure));
    }
  }
  expect(wanted);
}

TEST_F(prometheus_test, each_database_shows_its_own_journal) {
  const auto data = make_table_store(make_memory_tables(), {service::order});
  const journal writer{*data, nullptr};
  journal_metrics first, second;
  first.commits = 5;
  first.failed_commits = 2;
  first.flush_us.observe(300);
  first.batch.observe(1);
  view.databases = {{"lmdb", &writer, &first, nullptr}, {"sqlite", &writer, &second, nullptr}};
  expect({"# TYPE skanu_journal_commits_total counter",
          "skanu_journal_commits_total{journal=\"lmdb\"} 5",
          "skanu_journal_commits_total{journal=\"sqlite\"} 0",
          "# TYPE skanu_journal_failed_commits_total counter",
          "skanu_journal_failed_commits_total{journal=\"lmdb\"} 2",
          "# TYPE skanu_journal_waiting gauge", "skanu_journal_waiting{journal=\"lmdb\"} 0",
          "skanu_journal_flush_duration_seconds_bucket{journal=\"lmdb\",le=\"0.00025\"} 0",
          "skanu_journal_flush_duration_seconds_bucket{journal=\"lmdb\",le=\"0.0005\"} 1",
          "skanu_journal_flush_duration_seconds_sum{journal=\"lmdb\"} 0.0003",
          "skanu_journal_batch_commits_bucket{journal=\"lmdb\",le=\"1\"} 1",
          "skanu_journal_batch_commits_count{journal=\"sqlite\"} 0"});
}

TEST_F(prometheus_test, a_consumer_shows_how_far_behind_it_is_and_what_nobody_has_settled) {
  const auto data =
      make_table_store(make_memory_tables(), {std::begin(all_services), std::end(all_services)});
  append_events(*data, service::payment, std::vector<std::string>(5, "{}"));
  const std::string name(consumers::stamp_follows_payment.name);
  commit c{.of = service::stamp};
  c.rows = {
      {row_space::meta, position_key(name), "3"},
      {row_space::dead_letters, dead_letter_prefix(name) + ordered_key(1) + ordered_key(1), "{}"},
      {row_space::dead_letters, dead_letter_prefix(name) + ordered_key(2) + ordered_key(2), "{}"},
      {row_space::dead_letters, discarded_prefix(name) + ordered_key(3) + ordered_key(3), "{}"}};
  write_commit(*data, c);
  view.services = {service::stamp};
  view.stores[static_cast<std::size_t>(service::stamp)] = data.get();
  const std::string labels = "{consumer=\"stamp-follows-payment\",log=\"payment\"} ";
  expect({"skanu_consumer_offset" + labels + "3", "skanu_dead_letters_present" + labels + "2"});
  for (const auto& line : lines())
    EXPECT_FALSE(line.starts_with("skanu_consumer_lag_events{"))
        << "its log is elsewhere: " << line;
  view.services = {service::payment, service::stamp};
  view.stores[static_cast<std::size_t>(service::payment)] = data.get();
  expect({"skanu_log_end_offset{log=\"payment\"} 5", "skanu_consumer_lag_events" + labels + "2"});
}

TEST_F(prometheus_test, an_open_breaker_is_shown_open_with_the_calls_that_it_kept_back) {
  breaker_display breaker;
  breaker.set({.state = breaker_state::open, .not_permitted_calls = 4});
  breaker.count(call_outcome::timeout);
  view.breaker = &breaker;
  const std::string label = "{breaker=\"payment\"";
  expect({"skanu_circuit_breaker_state" + label + ",state=\"CLOSED\"} 0",
          "skanu_circuit_breaker_state" + label + ",state=\"OPEN\"} 1",
          "skanu_circuit_breaker_state" + label + ",state=\"HALF_OPEN\"} 0",
          "skanu_circuit_breaker_calls_total" + label + ",outcome=\"timeout\"} 1",
          "skanu_circuit_breaker_calls_total" + label + ",outcome=\"success\"} 0",
          "skanu_circuit_breaker_not_permitted_calls_total" + label + "} 4"});
}

TEST_F(prometheus_test, says_which_node_is_there_and_since_when_this_process) {
  view.elsewhere = {{service::payment, [] { return remote_status{true}; }},
                    {service::delivery, [] { return remote_status{false}; }},
                    {service::stamp, [] { return std::nullopt; }}};
  view.started = *from_rfc3339("2026-11-22T12:00:00.000Z");
  expect({"skanu_peer_up{service=\"payment\"} 1", "skanu_peer_up{service=\"delivery\"} 0",
          "skanu_peer_up{service=\"stamp\"} 0", "process_start_time_seconds 1795348800"});
}

TEST_F(prometheus_test, counts_listed_entities_by_status_and_every_status_from_the_start) {
  const auto data = make_table_store(make_memory_tables(), {service::order, service::stamp});
  for (const auto s : view.services) view.stores[static_cast<std::size_t>(s)] = data.get();
  expect({"skanu_entities{service=\"order\",status=\"Order complete\"} 0",
          "skanu_entities{service=\"order\",status=\"Order Cancelled\"} 0",
          "skanu_entities{service=\"stamp\"} 0"});
  for (const auto& line : lines())
    EXPECT_EQ(line.find("Rejected"), line.npos) << "nobody can see such an order: " << line;
  commit c{.of = service::order};
  for (const entity_id id : {1, 2}) {
    entity_change change;
    change.id = id;
    change.next = 1;
    change.status = static_cast<std::uint8_t>(order_status::complete);
    change.listed = true;
    change.document = std::make_shared<const std::string>("{}");
    c.changes.push_back(change);
  }
  const auto* one = &c;
  ASSERT_EQ(data->write({&one, 1}).front(), std::nullopt);
  expect({"skanu_entities{service=\"order\",status=\"Order complete\"} 2"});
}

TEST_F(prometheus_test, names_its_build_and_its_process_as_prometheus_libraries_do) {
  view.build = {"1.2.3", "abc", 3, 5};
  expect({"skanu_build_info{version=\"1.2.3\",commit=\"abc\",protocol=\"5\"} 1",
          "# TYPE process_cpu_seconds_total counter", "# TYPE process_resident_memory_bytes gauge",
          "# TYPE process_virtual_memory_bytes gauge", "# TYPE process_open_fds gauge",
          "# TYPE process_max_fds gauge", "# TYPE process_start_time_seconds gauge"});
  for (const auto& line : lines())
    if (line.starts_with("process_")) {
      EXPECT_GE(std::stod(line.substr(line.find(' '))), 0) << line;
    }
}

}  // namespace
}  // namespace skanu
