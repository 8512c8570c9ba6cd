#include "http/actuator.hpp"

#include <algorithm>
#include <cstdio>
#include <fstream>

#include "messages/json.hpp"

namespace skanu {

namespace {

std::string status_object(std::string_view status, std::string_view reason = {}) {
  std::string out;
  json_object_writer writer(out);
  writer("status", status);
  if (!reason.empty()) writer.raw("details", "{\"reason\":\"" + std::string(reason) + "\"}");
  writer.close();
  return out;
}

std::string percent(double value) {
  std::array<char, 32> text;
  std::snprintf(text.data(), text.size(), "%.1f", value);
  return text.data();
}

void metric(std::string& out, std::string_view name, std::string_view kind, std::string_view help) {
  out.append("# HELP ").append(name).append(" ").append(help).append("\n# TYPE ");
  out.append(name).append(" ").append(kind).append("\n");
}

void sample(std::string& out, std::string_view name, std::string_view label, std::string_view value,
            std::string_view number) {
  out.append(name);
  if (!label.empty()) out.append("{").append(label).append("=\"").append(value).append("\"}");
  out.append(" ").append(number).append("\n");
}

constexpr std::chrono::seconds longest_write{3};
constexpr std::chrono::seconds fresh{30};

struct finding {
  std::string_view trouble;  ///< Empty: none.
  bool gone = false;         ///< Not to be written at all now, as far as is known.
};

finding look_at(const journal_health& h, std::chrono::steady_clock::time_point now) {
  const auto since = h.writing_since.load();
  const bool writing = since != journal_health::time_point{};
  if (writing && now - since > longest_write) return {"stalled", true};
  const auto failure = h.last_failure.load();
  if (failure < 0) return {};
  const auto code = static_cast<errc>(failure);
  return {name_of(code), code != errc::store_full && now - h.failed_at.load() < fresh};
}

std::string health_object(bool up, const actuator_view& view,
                          std::chrono::steady_clock::time_point now) {
  std::string components;
  json_object_writer list(components);
  for (const auto s : view.services) list.raw(name_of(s), status_object("UP"));
  for (const auto& s : view.elsewhere) {
    const bool there = s.up != nullptr && s.up->load();
    list.raw(name_of(s.of), status_object(there ? "UP" : "DOWN", there ? "" : "service-away"));
  }
  for (const auto& d : view.databases) {
    const auto found = look_at(*d.health, now);
    list.raw(d.name, status_object(found.trouble.empty() ? "UP" : "DOWN", found.trouble));
  }
  list.close();
  std::string out;
  json_object_writer writer(out);
  writer("status", up ? "UP" : "DOWN");
  writer.raw("components", components);
  writer.close();
  return out;
}

struct service_metric {
  std::string_view name, kind, help;
  counter service_metrics::*member;
};

constexpr service_metric service_table[] = {
    {"skanu_commands_total", "counter", "Commands that entities looked at.", &service_metrics::commands},
    {"skanu_refusals_total", "counter", "Commands that entities refused.", &service_metrics::refusals},
    {"skanu_live_entities", "gauge", "Entities in memory.", &service_metrics::live_entities},
    {"skanu_passivations_total", "counter", "Entities put to sleep.", &service_metrics::passivations},
    {"skanu_entity_failures_total", "counter", "Entities that crashed or whose commit failed.",
     &service_metrics::entity_failures},
    {"skanu_events_total", "counter", "Events made durable since the start.", &service_metrics::events},
    {"skanu_dead_letters_total", "counter", "Events that this service's consumers set aside.",
     &service_metrics::dead_letters},
    {"skanu_consumer_restarts_total", "counter", "Restarts of policies and views.",
     &service_metrics::consumer_restarts},
};

}  // namespace

actuator_answer render_health(const actuator_view& view,
                              std::chrono::steady_clock::time_point now) {
  const bool up = view.databases.empty() ||
                  !std::ranges::all_of(view.databases, [now](const database_view& d) {
                    return look_at(*d.health, now).gone;
                  });
  return {health_object(up, view, now), up ? 200 : 503};
}

actuator_answer render_liveness(const actuator_view& view,
                                std::chrono::steady_clock::time_point now) {
  return {health_object(true, view, now)};
}

std::string render_circuit_breakers(const actuator_view& view) {
  if (view.breaker == nullptr && !view.breaker_elsewhere) return R"({"circuitBreakers":{}})";
  std::string breaker;
  json_object_writer writer(breaker);
  const auto f = view.breaker != nullptr ? view.breaker->get() : view.breaker_elsewhere();
  writer("state", name_of(f.state));
  writer.raw("failureRate", percent(f.failure_rate));
  writer.raw("slowCallRate", percent(f.slow_call_rate));
  writer("bufferedCalls", static_cast<std::int64_t>(f.buffered_calls));
  writer("failedCalls", static_cast<std::int64_t>(f.failed_calls));
  writer("notPermittedCalls", f.not_permitted_calls);
  writer.close();
  return R"({"circuitBreakers":{"payment":)" + breaker + "}}";
}

std::string render_metrics(const actuator_view& view, const request_metrics& requests) {
  std::string out;
  requests.render(out);
  for (const auto& m : service_table) {
    metric(out, m.name, m.kind, m.help);
    for (const auto s : view.services)
      sample(out, m.name, "service", name_of(s), std::to_string((view.metrics->of(s).*m.member).load()));
  }
  const auto journal_metric = [&](std::string_view name, std::string_view kind, std::string_view help,
                                  auto value) {
    metric(out, name, kind, help);
    for (const auto& d : view.databases) sample(out, name, "journal", d.name, value(d));
  };
  journal_metric("skanu_journal_flushes_total", "counter", "Transactions flushed to disk.",
                 [](const database_view& d) { return std::to_string(d.metrics->flushes.load()); });
  journal_metric("skanu_journal_commits_total", "counter", "Commits made durable.",
                 [](const database_view& d) { return std::to_string(d.metrics->commits.load()); });
  journal_metric("skanu_journal_failed_commits_total", "counter", "Commits that were refused.",
                 [](const database_view& d) { return std::to_string(d.metrics->failed_commits.load()); });
  journal_metric("skanu_journal_waiting", "gauge", "Commits that wait to be written.",
                 [](const database_view& d) { return std::to_string(d.writer->waiting()); });
  journal_metric("skanu_journal_busy_seconds_total", "counter", "Time spent writing and flushing.",
                 [](const database_view& d) {
                   std::array<char, 32> text;
                   std::snprintf(text.data(), text.size(), "%.6f",
                                 static_cast<double>(d.metrics->busy_microseconds.load()) / 1e6);
                   return std::string(text.data());
                 });
  metric(out, "skanu_http_connections", "gauge", "Open connections.");
  sample(out, "skanu_http_connections", {}, {}, std::to_string(view.open_connections()));
  metric(out, "skanu_http_streams", "gauge", "Open event streams.");
  sample(out, "skanu_http_streams", {}, {}, std::to_string(view.open_streams()));
  if (view.breaker == nullptr) return out;
  const auto f = view.breaker->get();
  metric(out, "skanu_circuit_breaker_state", "gauge", "1 for the state the breaker is in.");
  for (const auto s : {breaker_state::closed, breaker_state::open, breaker_state::half_open})
    sample(out, "skanu_circuit_breaker_state", "state", name_of(s), f.state == s ? "1" : "0");
  metric(out, "skanu_circuit_breaker_not_permitted_calls_total", "counter", "Calls the breaker kept back.");
  sample(out, "skanu_circuit_breaker_not_permitted_calls_total", {}, {},
         std::to_string(f.not_permitted_calls));
  return out;
}

}  // namespace skanu
