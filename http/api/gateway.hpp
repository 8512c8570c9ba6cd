// Between HTTP and the actors. The gateway sends a change as a message and waits, within the
// request's deadline, for the durable answer. Reads go to the stores' snapshots.
#pragma once

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_set>

#include "actors/operations/randomness.hpp"
#include "http/format/request_fields.hpp"
#include "http/server/bulkhead.hpp"
#include "http/server/serial_executor.hpp"
#include "http/streams/event_stream.hpp"
#include "messages/deadlines.hpp"
#include "messages/interfaces.hpp"
#include "messages/phone.hpp"
#include "persistence/store.hpp"

namespace skanu {

/// The services for the front, on any node.
struct service_directory {
  checkout_actor checkout;
  regions entities;
  /// Receivers of dead letter commands; null for a service with consumers on another node.
  std::array<dead_letter_router_actor, service_count> dead_letter_routers;
  /// Readers of each service's durable data.
  std::array<std::function<std::unique_ptr<reading>()>, service_count> readers;
  /// Services on another node: a read there waits for an answer.
  std::array<bool, service_count> elsewhere{};
  /// Stream of changed order traces, null where the node shows none; outlives the front.
  event_stream* trace_stream = nullptr;
  phone_country country = korea;  ///< Country of phone numbers without a country's code.
};

/// Thread-safe. Functions block for at most the waiting deadline.
///
/// A waiting call takes up a request of the front's 512, so waiting is bounded: per service on this
/// node, with higher limits per service elsewhere and for all services elsewhere together. The rest
/// is left to reads, changes and health of this node.
class gateway {
 public:
  /// Limit of requests waiting for other nodes; 64 requests are left to the rest.
  static constexpr int most_elsewhere = 448;
  /// Limit for a single service on another node. Silence does not lower the limit: the peer session
  /// finds out soon enough that a node is silent, and callers wait out a restart.
  static constexpr int most_of_one_elsewhere = 256;

  /// `seeds` outlives the gateway.
  gateway(service_directory directory, seed_source& seeds);

  outcome place(const place_order& order, const change_conditions& c);
  template <class Command>
  outcome tell(entity_id id, const Command& what, const change_conditions& c) {
    return carry_out(through(service_of<Command>()), c, [&](command_context r) {
      caf::anon_send(services_.entities.of<Command>(), id, what, std::move(r));
    });
  }

  bool has_dead_letter_router(service s) const { return static_cast<bool>(dead_letter_router(s)); }
  /// Sends a dead letter command to a consumer on the gateway's own node.
  outcome tell_consumer(service s, const dead_letter_command& what);

  /// Returns the result of `look` on the service's present durable data. `look` asks a single
  /// question, since each question to another node has a separate deadline. Throws store_error,
  /// overloaded where too many requests wait.
  template <class Look>
  auto read(service s, Look look) {
    return ask(s, [&] { return look(*services_.readers[static_cast<std::size_t>(s)]()); });
  }

  /// Reads a page of a list. Pages far from the start take long and are read in sequence, each
  /// waiting for its turn. Throws store_error, overloaded where too many requests wait.
  stored_page page(service s, const page_query& query);

  /// Returns the answer of `question`. A question to a service on another node waits within the
  /// service's bulkhead. Throws store_error and the exceptions of `question`.
  template <class Question>
  auto ask(service s, Question question) {
    std::optional<bulkhead::place> place;
    if (runs_elsewhere(s)) {
      place.emplace(through(s), bulkhead::clock::now());
      if (!*place) throw store_error(errc::overloaded, too_many);
    }
    return question();
  }

  const phone_country& country() const { return services_.country; }
  /// Only on a node that shows order traces.
  event_stream& trace_stream() const { return *services_.trace_stream; }

 private:
  static constexpr const char* too_many =
      "Too many wait for this already. Nothing was done; please come back later.";

  bool runs_elsewhere(service s) const { return services_.elsewhere[static_cast<std::size_t>(s)]; }
  const dead_letter_router_actor& dead_letter_router(service s) const {
    return services_.dead_letter_routers[static_cast<std::size_t>(s)];
  }
  bulkhead& through(service s) { return bulkheads_[static_cast<std::size_t>(s)]; }
  bulkhead bulkhead_of(service s);
  template <std::size_t... Number>
  std::array<bulkhead, service_count> bulkheads_of(std::index_sequence<Number...>) {
    return {bulkhead_of(static_cast<service>(Number))...};
  }
  bulkhead bulkhead_of_checkout();

  outcome carry_out(bulkhead& through, const change_conditions& c,
                    const std::function<void(command_context)>& send);
  outcome repeat_until_deadline(bulkhead& through, command_context r,
                                const std::function<void(command_context)>& send);

  service_directory services_;
  seed_source& seeds_;
  bulkhead elsewhere_{{.waiting_max = most_elsewhere, .waiting_max_when_silent = most_elsewhere}};
  std::array<bulkhead, service_count> bulkheads_;
  bulkhead checkout_bulkhead_;
  bulkhead operators_{{.waiting_max = 8, .waiting_max_when_silent = 8}};
  serial_executor far_pages_{128};
  std::mutex mutex_;
  std::unordered_set<std::string> running_;  ///< Clients' operations in progress at this gateway.
};

}  // namespace skanu
