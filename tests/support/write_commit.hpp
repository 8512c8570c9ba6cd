// Direct writes to a store, without actors.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "persistence/store.hpp"

namespace skanu {

inline void write_commit(store& to, const commit& c) {
  const auto* one = &c;
  ASSERT_EQ(to.write({&one, 1}).front(), std::nullopt);
}

/// Appends events to a service's log, without an entity.
inline void append_events(store& to, service of, std::vector<std::string> bodies) {
  commit c{.of = of};
  c.events = std::move(bodies);
  write_commit(to, c);
}

/// Writes rows of a service without any entity.
inline void write_rows(store& to, service of, std::vector<row_write> rows) {
  commit c{.of = of};
  c.rows = std::move(rows);
  write_commit(to, c);
}

}  // namespace skanu
