// GET /actuator/prometheus.
#include <span>

#include <spdlog/spdlog.h>

#include "actors/rules/consumers.hpp"
#include "http/operations/actuator.hpp"
#include "http/operations/process_metrics.hpp"
#include "messages/delivery.hpp"
#include "messages/order.hpp"
#include "messages/order_trace.hpp"
#include "messages/payment.hpp"
#include "persistence/log/consumer_keys.hpp"
#include "persistence/log/log_position.hpp"
#include "persistence/stored_number.hpp"
#include "persistence/tables/sealed_value.hpp"

namespace skanu {

namespace {

struct service_metric {
  std::string_view name, type, help;
  counter service_metrics::*member;
};

constexpr service_metric service_table[] = {
    {"skanu_commands_total", "counter", "Commands that entities looked at.",
     &service_metrics::commands},
    {"skanu_commands_waiting", "gauge", "Commands in the mailboxes of entities.",
     &service_metrics::waiting},
    {"skanu_refusals_total", "counter", "Commands that entities refused.",
     &service_metrics::refusals},
    {"skanu_live_entities", "gauge", "Entities in memory.", &service_metrics::live_entities},
    {"skanu_passivations_total", "counter", "Entities put to sleep.",
     &service_metrics::passivations},
    {"skanu_entity_failures_total", "counter", "Entities that crashed or whose commit failed.",
     &service_metrics::entity_failures},
    {"skanu_events_total", "counter", "Events made durable since the start.",
     &service_metrics::events},
    {"skanu_dead_letters_total", "counter",
     "Events that this service's consumers set aside since the start.",
     &service_metrics::dead_letters},
    {"skanu_consumer_restarts_total", "counter", "Restarts of policies and views.",
     &service_metrics::consumer_restarts},
    {"skanu_unreserved_ids_seen", "gauge",
     "The last order id known to a node that has seen newer data than this one's; 0: none.",
     &service_metrics::unreserved_ids_seen},
};

void render_journals(metrics_text& out, const std::vector<database_view>& databases) {
  const auto each = [&](std::string_view name, std::string_view type, std::string_view help,
                        auto value) {
    out.metric(name, type, help);
    for (const auto& d : databases) out.sample({{"journal", d.name}}, value(d));
  };
  each("skanu_journal_commits_total", "counter", "Commits made durable.",
       [](const auto& d) { return d.metrics->commits.load(); });
  each("skanu_journal_failed_commits_total", "counter", "Commits that were refused.",
       [](const auto& d) { return d.metrics->failed_commits.load(); });
  each("skanu_journal_waiting", "gauge", "Commits that wait to be written.",
       [](const auto& d) { return static_cast<std::int64_t>(d.writer->waiting()); });
  out.metric("skanu_journal_flush_duration_seconds", "histogram",
             "Time to write and flush one transaction.");
  for (const auto& d : databases) out.sample({{"journal", d.name}}, d.metrics->flush_us, 1e-6);
  out.metric("skanu_journal_batch_commits", "histogram", "Commits in one transaction.");
  for (const auto& d : databases) out.sample({{"journal", d.name}}, d.metrics->batch, 1);
}

/// Renders the age of the oldest reader of a past moment, and the bytes held for the reader.
void render_readers(metrics_text& out, const std::vector<database_view>& databases) {
  std::vector<std::pair<std::string_view, reader_figures>> found;
  for (const auto& d : databases) {
    if (d.data == nullptr) continue;
    try {
      found.emplace_back(d.name, d.data->readers());
    } catch (const store_error&) {
      // An unreadable store shows no figures; the figures of its journal say why.
    }
  }
  out.metric("skanu_store_oldest_reader_seconds", "gauge",
             "How long the oldest reader of a past moment has been at it, in any process.");
  for (const auto& [name, f] : found) out.sample({{"database", name}}, f.oldest_seconds);
  out.metric("skanu_store_held_bytes", "gauge",
             "Bytes of replaced pages that cannot be used again before that reader ends.");
  for (const auto& [name, f] : found) out.sample({{"database", name}}, f.held_bytes);
}

/// Positions of the logs and their consumers, from the stores' present state.
class log_figures {
 public:
  explicit log_figures(const actuator_view& view) {
    for (const auto s : view.services)
      if (const auto* data = view.stores[index(s)]) look_at(*data, s);
  }

  void render(metrics_text& out) const {
    out.metric("skanu_log_end_offset", "gauge", "Offset of the last event of a service's log.");
    for (const auto s : all_services)
      if (const auto end = ends_[index(s)]) out.sample({{"log", name_of(s)}}, *end);
    each(out, "skanu_consumer_offset",
         "Offset up to which a consumer has worked off the log that it follows.",
         [](const state& c) { return c.position; });
    each(out, "skanu_consumer_lag_events",
         "Events that a consumer has still to work off, where it and the log are on one node.",
         [this](const state& c) {
           const auto end = ends_[index(c.who->follows)];
           return end ? std::max<std::int64_t>(0, *end - c.position) : -1;
         });
    each(out, "skanu_dead_letters_present",
         "Events that a consumer set aside and nobody settled; counted up to 10000.",
         [](const state& c) { return c.letters; });
    each(out, "skanu_log_forks",
         "Times that a consumer's log was replaced under it, which nobody has accepted yet.",
         [](const state& c) { return c.forks; });
    each(out, "skanu_log_lost_events",
         "Events that a consumer had worked off and that are not in its log any more.",
         [](const state& c) { return c.lost_events; });
  }

 private:
  static constexpr std::int64_t most_letters = 10'000;

  struct state {
    const consumer* who;
    std::int64_t position, letters, forks = 0, lost_events = 0;
  };

  static std::size_t index(service s) { return static_cast<std::size_t>(s); }

  void look_at(const store& data, service s) {
    try {
      const auto now = data.read();
      // Reads the position before the end of the log, so that the end is not before the position.
      for (const auto& who : consumers::all)
        if (who.of == s) look_at(*now, who);
      ends_[index(s)] = now->log_end(s);
    } catch (const std::exception&) {
      // An unreadable store shows no figures; the figures of its journal say why.
    }
  }

  /// A damaged row hides the figures of its own consumer alone.
  void look_at(const snapshot& now, const consumer& who) {
    try {
      state c{&who, meta_number(now, who.of, position_key(who.name)), letters_of(now, who)};
      for (const auto& fork : stored_forks(now, who.of, who.name)) {
        c.forks += fork.accepted ? 0 : 1;
        c.lost_events += fork.known - fork.common;
      }
      consumers_.push_back(c);
    } catch (const std::exception& problem) {
      spdlog::error("event=damaged service={} consumer={} reason=\"{}\"", name_of(who.of), who.name,
                    problem.what());
    }
  }

  static std::int64_t letters_of(const snapshot& now, const consumer& who) {
    const auto prefix = dead_letter_prefix(who.name);
    std::string after;
    std::int64_t found = 0;
    for (std::size_t page = 1; page > 0 && found < most_letters;) {
      const auto rows = now.rows(who.of, row_space::dead_letters, prefix, after, 500);
      page = rows.size();
      found += static_cast<std::int64_t>(page);
      if (page > 0) after = rows.back().key;
    }
    return found;
  }

  template <class Value>
  void each(metrics_text& out, std::string_view name, std::string_view help, Value value) const {
    out.metric(name, "gauge", help);
    for (const auto& c : consumers_)
      if (const auto v = value(c); v >= 0)
        out.sample({{"consumer", c.who->name}, {"log", name_of(c.who->follows)}}, v);
  }

  std::vector<state> consumers_;
  std::array<std::optional<std::int64_t>, service_count>
      ends_;  ///< No value for an unreadable log.
};

void render_breaker(metrics_text& out, const breaker_display& breaker) {
  const auto f = breaker.get();
  constexpr std::string_view name = "payment";
  out.metric("skanu_circuit_breaker_state", "gauge", "1 for the state the breaker is in.");
  for (const auto s : {breaker_state::closed, breaker_state::open, breaker_state::half_open})
    out.sample({{"breaker", name}, {"state", name_of(s)}}, std::int64_t{f.state == s});
  out.metric("skanu_circuit_breaker_calls_total", "counter", "Calls made, by what became of them.");
  for (const auto outcome : {call_outcome::success, call_outcome::failure, call_outcome::timeout})
    out.sample({{"breaker", name}, {"outcome", name_of(outcome)}}, breaker.calls(outcome));
  out.metric("skanu_circuit_breaker_not_permitted_calls_total", "counter",
             "Calls that the breaker kept back.");
  out.sample({{"breaker", name}}, f.not_permitted_calls);
}

/// The words of a service's listed entities' status, by number; none for accounts of stamps.
std::span<const std::string_view> status_words_of(service s) {
  switch (s) {
    case service::order:  // rejected orders are not listed
      return std::span(enum_words<order_status>::list)
          .first(static_cast<std::size_t>(order_status::rejected));
    case service::payment: return enum_words<payment_status>::list;
    case service::delivery: return enum_words<delivery_status>::list;
    case service::ordertrace: return enum_words<trace_status>::list;
    case service::stamp: break;
  }
  return {};
}

/// Renders the shop's figures: how many orders, payments, deliveries and accounts there are.
void render_entities(metrics_text& out, const actuator_view& view) {
  out.metric("skanu_entities", "gauge",
             "Listed orders, payments, deliveries, traces and stamp accounts, by status.");
  for (const auto s : view.services) {
    const auto* data = view.stores[static_cast<std::size_t>(s)];
    if (data == nullptr) continue;
    try {
      const auto now = data->read();
      const auto words = status_words_of(s);
      if (words.empty()) out.sample({{"service", name_of(s)}}, now->count(s, std::nullopt));
      for (std::size_t status = 1; status < words.size(); ++status)
        out.sample({{"service", name_of(s)}, {"status", words[status]}},
                   now->count(s, static_cast<std::uint8_t>(status)));
    } catch (const std::exception&) {
      // An unreadable store shows no figures; the figures of its journal say why.
    }
  }
}

void render_build(metrics_text& out, const build_info& build) {
  out.metric("skanu_build_info", "gauge", "1, with the program's version, commit and protocol.");
  out.sample({{"version", build.version},
              {"commit", build.commit},
              {"protocol", std::to_string(build.newest_protocol)}},
             std::int64_t{1});
}

}  // namespace

std::string render_metrics(const actuator_view& view, const request_metrics& requests) {
  metrics_text out;
  requests.render(out);
  for (const auto& m : service_table) {
    out.metric(m.name, m.type, m.help);
    for (const auto s : view.services)
      out.sample({{"service", name_of(s)}}, (view.metrics->of(s).*m.member).load());
  }
  render_journals(out, view.databases);
  render_readers(out, view.databases);
  log_figures(view).render(out);
  render_entities(out, view);
  for (const auto& g : view.gauges) {
    out.metric(g.name, "gauge", g.help);
    out.sample({}, g.value());
  }
  out.metric("skanu_store_damaged_values_total", "counter",
             "Stored values that were read and did not match their checksum.");
  out.sample({}, damaged_values_met());
  out.metric("skanu_peer_up", "gauge", "1 where the node of a service is there.");
  for (const auto& s : view.elsewhere)
    out.sample({{"service", name_of(s.of)}}, std::int64_t{s.up()});
  out.metric("skanu_peer_clock_offset_seconds", "gauge",
             "How far the clock of a service's node is ahead of this node's.");
  for (const auto& s : view.elsewhere)
    if (const auto now = s.status())
      out.sample({{"service", name_of(s.of)}}, static_cast<double>(now->clock_offset_ms) / 1e3);
  if (view.breaker != nullptr) render_breaker(out, *view.breaker);
  render_process(out, view.started);
  render_build(out, view.build);
  return out.take();
}

}  // namespace skanu
