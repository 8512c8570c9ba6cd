// The store on top of ordered tables: the one place where a commit is carried out.
#pragma once

#include <memory>
#include <vector>

#include "persistence/store.hpp"
#include "persistence/tables/tables.hpp"

namespace skanu {

/// A store of `services` in `tables`. Throws store_error where the tables hold something else than
/// a store of this program, or one that a newer program wrote.
std::unique_ptr<store> make_table_store(std::unique_ptr<ordered_tables> tables,
                                        std::vector<service> services);

}  // namespace skanu
