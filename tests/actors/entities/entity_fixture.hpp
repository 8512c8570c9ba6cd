// Regions of orders and of stamp accounts, for tests of the features of every entity.
#pragma once

#include <gtest/gtest.h>

#include <stdexcept>

#include "actors/entities/region.hpp"
#include "actors/rules/order_rules.hpp"
#include "actors/rules/stamp_rules.hpp"
#include "tests/support/actor_fixture.hpp"
#include "tests/support/sample_orders.hpp"

namespace skanu {

inline const entity_id account = account_id_of("01012341234");

/// Rules of an order with a failing rejection.
struct fragile_rules : order_rules {
  static decision<event> decide(const state& s, const command& c, entity_id id,
                                const decision_context& = {}) {
    if (std::holds_alternative<reject_order>(c)) throw std::runtime_error("a test's crash");
    return order_rules::decide(s, c, id);
  }
};

class entity_test : public actor_fixture {
 protected:
  template <class Rules = order_rules>
  region_actor<typename Rules::command> orders(region_limits limits = {}) {
    return start<region<Rules>>(env(Rules::of), limits);
  }

  template <class Rules = stamp_rules>
  region_actor<typename Rules::command> stamps(region_limits limits = {}) {
    return start<region<Rules>>(env(Rules::of), limits);
  }

  void refuse_writes(errc code, std::size_t times = 1) {
    data.inject({.name = "refused", .code = code, .times = times});
  }
};

}  // namespace skanu
