// What one request has, and who gives up first: of those that wait for each other, the one that
// knows more. Each says "certainly not" or "unknown"; whoever merely waited could only say
// "unknown".
#pragma once

#include <chrono>

namespace skanu {

/// What a client's request has in all.
inline constexpr std::chrono::milliseconds request_deadline{2'000};

/// Placing an order, up to the decision to reject its id: what is left stores the rejection.
inline constexpr auto checkout_deadline = request_deadline - std::chrono::milliseconds(150);

/// A call to another node.
inline constexpr auto call_deadline = request_deadline - std::chrono::milliseconds(50);

/// A thread that waits for the answer.
inline constexpr auto waiting_deadline = request_deadline + std::chrono::milliseconds(50);

}  // namespace skanu
