// Where HTTP meets the actors: sends a change as a message and waits, within the request's
// deadline, for its durable answer; reads go to the stores' snapshots.
#pragma once

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_set>

#include "actors/placement.hpp"
#include "http/bulkhead.hpp"
#include "http/request_fields.hpp"
#include "messages/interfaces.hpp"
#include "persistence/store.hpp"

namespace skanu {

/// The services as the front sees them, wherever they run.
struct service_directory {
  placement_actor placement;
  order_region_actor orders;
  payment_region_actor payments;
  delivery_region_actor deliveries;
  stamp_region_actor stamps;
  /// What is durable in each of them.
  std::array<std::function<std::unique_ptr<reading>()>, service_count> readers;
};

/// Thread-safe; its functions block for at most the deadline.
class gateway {
 public:
  static constexpr std::chrono::milliseconds deadline{2'000};

  explicit gateway(service_directory directory) : services_(std::move(directory)) {}

  outcome place(const place_order& order, const change_conditions& c);
  outcome tell_order(entity_id id, const order_command& what, const change_conditions& c);
  outcome tell_payment(entity_id id, const payment_command& what, const change_conditions& c);
  outcome tell_delivery(entity_id id, const delivery_command& what, const change_conditions& c);
  outcome tell_stamps(entity_id id, const stamp_command& what, const change_conditions& c);

  /// What is durable in a service's store now. Throws store_error.
  std::unique_ptr<reading> read(service s) const {
    return services_.readers[static_cast<std::size_t>(s)]();
  }

 private:
  outcome carry_out(bulkhead& through, const change_conditions& c,
                    const std::function<void(request)>& send);
  outcome repeat_until_deadline(bulkhead& through, request r,
                                const std::function<void(request)>& send);

  service_directory services_;
  /// Apart from the orders, whose cancels go on while payment is frozen; wider, since placement has
  /// a bulkhead of its own behind it, and with more patience, since one attempt at a payment may
  /// take 610 ms.
  bulkhead placing_{{.most = 384, .patience = std::chrono::seconds{1}}};
  bulkhead orders_, payments_, deliveries_, stamps_;
  std::mutex mutex_;
  std::unordered_set<std::string> running_;  ///< Clients' operations that this gateway waits for.
};

}  // namespace skanu
