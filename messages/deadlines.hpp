// Time limits of a request and its steps. The inner call times out before the outer: only the inner
// call can tell "certainly not done" from "unknown", while a mere waiter could only report
// "unknown".
#pragma once

#include <chrono>

namespace skanu {

/// Limit of a client's whole request.
inline constexpr std::chrono::milliseconds request_deadline{2'000};

/// Limit for placing an order, up to the rejection of the id; the rest is left to store the
/// rejection.
inline constexpr auto checkout_deadline = request_deadline - std::chrono::milliseconds(150);

/// Limit of a call to another node.
inline constexpr auto call_deadline = request_deadline - std::chrono::milliseconds(50);

/// Limit of a thread's wait for the answer.
inline constexpr auto waiting_deadline = request_deadline + std::chrono::milliseconds(50);

}  // namespace skanu
