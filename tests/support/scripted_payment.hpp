// A payment service that keeps each command until the test answers.
#pragma once

#include <utility>
#include <vector>

#include "messages/interfaces.hpp"

namespace skanu {

/// A command received by the payment service; the test answers later.
struct question {
  entity_id id = 0;
  payment_command what;
  command_context how;
};

inline payment_region_actor::behavior_type scripted_payment(payment_region_actor::pointer,
                                                            std::vector<question>* asked_of_it) {
  return {[=](entity_id id, payment_command& c, command_context& r) {
    asked_of_it->push_back({id, std::move(c), std::move(r)});
  }};
}

}  // namespace skanu
