// Ordered tables in memory, for tests: what the other backends are compared with.
#pragma once

#include <memory>

#include "persistence/tables/tables.hpp"

namespace skanu {

/// Empty tables that live as long as the object. A commit costs time in proportion to what its
/// tables hold.
std::unique_ptr<ordered_tables> make_memory_tables();

}  // namespace skanu
