// Ordered tables in memory, the reference for tests of the other backends.
#pragma once

#include <memory>

#include "persistence/tables/tables.hpp"

namespace skanu {

/// Returns empty tables, which live as long as the object. A commit's cost grows with the size of
/// the changed tables.
std::unique_ptr<ordered_tables> make_memory_tables();

}  // namespace skanu
