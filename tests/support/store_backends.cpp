#include "tests/support/store_backends.hpp"

#include <algorithm>
#include <iterator>

#include "persistence/tables/lmdb_tables.hpp"
#include "persistence/tables/memory_tables.hpp"
#include "persistence/tables/sqlite_tables.hpp"
#include "persistence/tables/table_store.hpp"

namespace skanu {

const std::vector<store_backend>& all_backends() {
  static const std::vector<store_backend> backends = {
      {"memory", false,
       [](const std::filesystem::path&, const std::vector<service>& services, std::int64_t) {
         return make_table_store(make_memory_tables(), services);
       }},
      {"sqlite", true,
       [](const std::filesystem::path& folder, const std::vector<service>& services,
          std::int64_t max_bytes) {
         return make_table_store(
             open_sqlite_tables((folder / "store.sqlite3").string(), services, max_bytes),
             services);
       },
       "store.sqlite3"},
      {"lmdb", true,
       [](const std::filesystem::path& folder, const std::vector<service>& services,
          std::int64_t max_bytes) {
         return make_table_store(open_lmdb_tables(folder.string(), services, max_bytes), services);
       },
       "data.mdb"}};
  return backends;
}

std::vector<store_backend> durable_backends() {
  std::vector<store_backend> durable;
  std::copy_if(all_backends().begin(), all_backends().end(), std::back_inserter(durable),
               [](const auto& b) { return b.durable; });
  return durable;
}

}  // namespace skanu
