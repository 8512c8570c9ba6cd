// The store on top of ordered tables, the only place of carrying out a commit.
#pragma once

#include <memory>
#include <vector>

#include "persistence/store.hpp"
#include "persistence/tables/tables.hpp"

namespace skanu {

/// Makes a store of `services` in `tables`. Throws store_error where the tables hold foreign data
/// or a store written by a newer program.
std::unique_ptr<store> make_table_store(std::unique_ptr<ordered_tables> tables,
                                        std::vector<service> services);

}  // namespace skanu
