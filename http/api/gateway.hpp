// Where HTTP meets the actors: sends a change as a message and waits, within the request's
// deadline, for its durable answer; reads go to the stores' snapshots.
#pragma once

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_set>

#include "http/format/request_fields.hpp"
#include "http/server/bulkhead.hpp"
#include "http/server/serial_executor.hpp"
#include "http/streams/event_stream.hpp"
#include "messages/deadlines.hpp"
#include "messages/interfaces.hpp"
#include "persistence/store.hpp"

namespace skanu {

/// The services as the front sees them, wherever they run.
struct service_directory {
  checkout_actor checkout;
  order_region_actor orders;
  payment_region_actor payments;
  delivery_region_actor deliveries;
  stamp_region_actor stamps;
  /// Where orders about dead letters go; null for a service whose consumers run elsewhere.
  std::array<dead_letter_router_actor, service_count> dead_letter_routers;
  /// What is durable in each of them.
  std::array<std::function<std::unique_ptr<reading>()>, service_count> readers;
  /// Which of them run on another node: whoever reads there waits for an answer.
  std::array<bool, service_count> elsewhere{};
  /// Of what changes in the order traces, where those are shown; outlives the front.
  event_stream* trace_stream = nullptr;
};

/// Thread-safe; its functions block for at most the waiting deadline.
///
/// Waiting takes one of the front's 512 requests, so it is bounded: for each service that runs
/// here, and, where it is longer, for each that runs elsewhere and for all of those together. What
/// the others leave is there for reads and changes of this node and for its health.
class gateway {
 public:
  /// Who waits for other nodes, in all: 64 requests are left to the rest.
  static constexpr int most_elsewhere = 448;
  /// … and for one service there. A link tells soon enough whether its node is silent, and a
  /// restart is waited out: no silence lowers this.
  static constexpr int most_of_one_elsewhere = 256;

  explicit gateway(service_directory directory);

  outcome place(const place_order& order, const change_conditions& c);
  outcome tell_order(entity_id id, const order_command& what, const change_conditions& c);
  outcome tell_payment(entity_id id, const payment_command& what, const change_conditions& c);
  outcome tell_delivery(entity_id id, const delivery_command& what, const change_conditions& c);
  outcome tell_stamps(entity_id id, const stamp_command& what, const change_conditions& c);

  bool has_letter_desk(service s) const { return static_cast<bool>(dead_letter_router(s)); }
  /// Has a consumer settle a dead letter, on this node.
  outcome tell_consumer(service s, const dead_letter_command& what);

  /// What `look` makes of what is durable in a service's store now. It asks once: each question to
  /// another node has a deadline of its own. Throws store_error, overloaded where too many wait.
  template <class Look>
  auto read(service s, Look look) {
    return ask(s, [&] { return look(*services_.readers[static_cast<std::size_t>(s)]()); });
  }

  /// A page of a list. One that walks far through the store, as a deep one does, waits for its
  /// turn: of those one is read at a time. Throws store_error, overloaded where too many wait.
  stored_page page(service s, const page_query& query);

  /// What `question` answers, which waits for a service where that runs on another node. Throws as
  /// it does, and store_error.
  template <class Question>
  auto ask(service s, Question question) {
    std::optional<bulkhead::place> place;
    if (runs_elsewhere(s)) {
      place.emplace(through(s), bulkhead::clock::now());
      if (!*place) throw store_error(errc::overloaded, too_many);
    }
    return question();
  }

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
  bulkhead bulkhead_of_placing();

  outcome carry_out(bulkhead& through, const change_conditions& c,
                    const std::function<void(command_context)>& send);
  outcome repeat_until_deadline(bulkhead& through, command_context r,
                                const std::function<void(command_context)>& send);

  service_directory services_;
  bulkhead elsewhere_{{.waiting_max = most_elsewhere, .waiting_max_when_silent = most_elsewhere}};
  std::array<bulkhead, service_count> bulkheads_;
  bulkhead placing_;
  bulkhead operators_{{.waiting_max = 8, .waiting_max_when_silent = 8}};
  serial_executor far_pages_{128};
  std::mutex mutex_;
  std::unordered_set<std::string> running_;  ///< Clients' operations that this gateway waits for.
};

}  // namespace skanu
