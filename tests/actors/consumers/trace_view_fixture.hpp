// The trace view with logs of orders, payments and deliveries.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "actors/consumers/event_log.hpp"
#include "actors/consumers/trace_view.hpp"
#include "actors/rules/trace_rules.hpp"
#include "messages/delivery.hpp"
#include "messages/payment.hpp"
#include "persistence/log/consumer_keys.hpp"
#include "tests/support/sample_orders.hpp"
#include "tests/support/scripted_log.hpp"

namespace skanu {

inline const std::string noon = "2026-11-22T12:00:00.000Z";

template <class Event, class Fields>
Event with(const Fields& fields) {
  Event e;
  static_cast<Fields&>(e) = fields;
  return e;
}

/// The first events of one order, by service.
inline std::string placed(entity_id id) {
  return encode_event(order_event(ordered{id, coffee}), 1, noon);
}
inline std::string cancelled(entity_id id) {
  return encode_event(order_event(order_cancelled{id, coffee}), 2, noon);
}
inline std::string payment_event_of(entity_id id) {
  return encode_event(
      payment_event(with<paid>(payment_fields{id, id, coffee, payment_status::paid, {}})), 2, noon);
}
inline std::string delivery_event_of(entity_id id) {
  return encode_event(delivery_event(with<delivery_ready>(
                          delivery_fields{id, id, id, 7, "Coffee", 2, delivery_status::ready, {}})),
                      2, noon);
}

class trace_view_test : public actor_fixture {
 protected:
  trace_view_test() {
    for (const auto s : followed) {
      logs.push_back({s, keep(system.spawn(event_log, &env(s), s))});
      hint_to(s, logs.back().log);
    }
  }

  void start_view(consumer_limits limits = {}) {
    view = start<trace_view>(env(service::ordertrace), logs, limits);
    advance(milliseconds(30), false);
  }

  void kill_view() {
    caf::anon_send_exit(view, caf::exit_reason::kill);
    run();
  }

  void happen(service s, std::vector<std::string> bodies) {
    append_events(data, s, std::move(bodies));
    caf::anon_send(logs[s == service::order     ? 0
                        : s == service::payment ? 1
                                                : 2]
                       .log,
                   hint_atom::value);
    run();
  }

  /// Lets the view catch up.
  void catch_up() { advance(milliseconds(200)); }

  std::string status_of(entity_id id) {
    return std::string(word_of(stored_state<order_trace>(service::ordertrace, id).status));
  }
  bool shown(entity_id id) {
    return data.read()->listed_entity(service::ordertrace, id).has_value();
  }

  std::vector<std::string> history_of(entity_id id) {
    std::vector<std::string> lines;
    for (const auto& row :
         data.read()->rows(service::ordertrace, row_space::rows, history_prefix(id), {}, 100)) {
      const auto line = nlohmann::json::parse(row.value);
      lines.push_back(line.at("service").get<std::string>() + " " +
                      std::to_string(line.at("offset").get<int>()) + " " +
                      line.at("eventType").get<std::string>());
    }
    return lines;
  }

  static constexpr service followed[] = {service::order, service::payment, service::delivery};
  std::vector<trace_view::source> logs;
  int ignored_pulls = 0;
  consumer_actor view;
};

}  // namespace skanu
