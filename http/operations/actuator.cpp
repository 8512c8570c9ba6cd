#include "http/operations/actuator.hpp"

#include <algorithm>
#include <cstdio>
#include <fstream>

#include "actors/rules/consumers.hpp"
#include "messages/fields.hpp"
#include "persistence/log/log_position.hpp"

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

constexpr std::chrono::seconds longest_write{3};
constexpr std::chrono::seconds fresh{30};

struct finding {
  std::string_view trouble;  ///< Empty: no trouble.
  bool gone = false;         ///< As far as known, no write can succeed now.
};

bool is_closed(const database_view& d) { return d.data != nullptr && !d.data->is_open(); }

finding look_at(const database_view& d, std::chrono::steady_clock::time_point now) {
  if (is_closed(d)) return {"closed", true};
  const auto& h = *d.health;
  const auto since = h.writing_since.load();
  const bool writing = since != journal_health::time_point{};
  if (writing && now - since > longest_write) return {"stalled", true};
  const auto failure = h.last_failure.load();
  if (failure < 0) return {};
  const auto code = static_cast<errc>(failure);
  return {name_of(code), code != errc::store_full && now - h.failed_at.load() < fresh};
}

/// Consumers with a replaced log that no operator has accepted yet.
std::vector<std::string_view> forked_consumers(const actuator_view& view) {
  std::vector<std::string_view> found;
  for (const auto& who : consumers::all) {
    const auto* data = view.stores[static_cast<std::size_t>(who.of)];
    if (data == nullptr) continue;
    try {
      const auto forks = stored_forks(*data->read(), who.of, who.name);
      if (!std::ranges::all_of(forks, &log_fork::accepted)) found.push_back(who.name);
    } catch (const std::exception&) {
      // An unreadable store shows as DOWN under the database's name.
    }
  }
  return found;
}

std::string health_object(bool up, const actuator_view& view,
                          std::chrono::steady_clock::time_point now, bool leaving = false) {
  std::string components;
  json_object_writer list(components);
  for (const auto s : view.services) {
    const bool too_old = view.metrics != nullptr && view.metrics->of(s).unreserved_ids_seen > 0;
    list.raw(name_of(s), status_object(too_old ? "DOWN" : "UP",
                                       too_old ? name_of(errc::data_too_old) : std::string_view{}));
  }
  for (const auto& s : view.elsewhere) {
    const bool there = s.up();
    list.raw(name_of(s.of), status_object(there ? "UP" : "DOWN", there ? "" : "service-away"));
  }
  for (const auto& d : view.databases) {
    const auto found = look_at(d, now);
    list.raw(d.name, status_object(found.trouble.empty() ? "UP" : "DOWN", found.trouble));
  }
  if (!view.data_is_there()) list.raw("data", status_object("DOWN", "gone"));
  for (const auto& who : forked_consumers(view)) list.raw(who, status_object("DOWN", "log-forked"));
  if (leaving) list.raw("node", status_object("DOWN", "leaving"));
  list.close();
  std::string out;
  json_object_writer writer(out);
  writer("status", up ? "UP" : "DOWN");
  writer.raw("components", components);
  writer.close();
  return out;
}

bool can_serve(const actuator_view& view, std::chrono::steady_clock::time_point now) {
  const bool all_gone =
      !view.databases.empty() && std::ranges::all_of(view.databases, [now](const database_view& d) {
        return look_at(d, now).gone;
      });
  return !all_gone && std::ranges::none_of(view.databases, is_closed) && view.data_is_there();
}

}  // namespace

actuator_answer render_health(const actuator_view& view,
                              std::chrono::steady_clock::time_point now) {
  const bool up = can_serve(view, now);
  return {health_object(up, view, now), up ? 200 : 503};
}

actuator_answer render_readiness(const actuator_view& view,
                                 std::chrono::steady_clock::time_point now) {
  const bool leaving = view.is_leaving();
  const bool up = !leaving && can_serve(view, now);
  return {health_object(up, view, now, leaving), up ? 200 : 503};
}

actuator_answer render_liveness(const actuator_view& view,
                                std::chrono::steady_clock::time_point now) {
  const bool up = std::ranges::none_of(view.databases, is_closed);
  return {health_object(up, view, now), up ? 200 : 503};
}

std::string render_info(const actuator_view& view) {
  const auto& b = view.build;
  std::string build, commit, protocol, out;
  json_object_writer of_build(build);
  of_build("name", std::string_view("skanu"));
  of_build("version", b.version);
  of_build.close();
  json_object_writer of_commit(commit);
  of_commit("id", b.commit);
  of_commit.close();
  json_object_writer of_protocol(protocol);
  of_protocol("oldest", b.oldest_protocol);
  of_protocol("newest", b.newest_protocol);
  of_protocol.close();
  json_object_writer writer(out);
  writer.raw("build", build);
  writer.raw("git", "{\"commit\":" + commit + "}");
  writer.raw("protocol", protocol);
  writer.close();
  return out;
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

}  // namespace skanu
