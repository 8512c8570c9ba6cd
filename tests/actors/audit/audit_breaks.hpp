// Damages for the audit, and the test of each: the audit names the damage by invariant, service and
// entity.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>
#include <set>
#include <string>

#include "tests/actors/audit/shop_tables.hpp"

namespace skanu {

struct damage {
  std::string name;
  void (*inflict)(small_shop&);
  std::set<int> invariants;  ///< Exactly the broken invariants.
  service of;
  entity_id id;
};

inline std::ostream& operator<<(std::ostream& out, const damage& d) { return out << d.name; }

class audit_names : public testing::TestWithParam<damage> {};

inline std::string name_of_damage(const testing::TestParamInfo<damage>& info) {
  auto name = info.param.name;
  std::replace(name.begin(), name.end(), ' ', '_');
  return name;
}

}  // namespace skanu
