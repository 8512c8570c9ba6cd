#include "actors/audit/consistent_cut.hpp"

namespace skanu {

cut::cut(const std::vector<database>& databases) {
  // The first read of a database may set up caches; doing so here keeps the writers' wait short.
  for (const auto& d : databases) d.data->read();
  {
    std::vector<writers_held> held;
    held.reserve(databases.size());
    for (const auto& d : databases) held.push_back(d.data->hold_writers());
    for (const auto& d : databases) snapshots_.push_back(d.data->read());
  }
  for (std::size_t i = 0; i < databases.size(); ++i) {
    for (const auto s : databases[i].data->services()) {
      auto& found = by_service_[static_cast<std::size_t>(s)];
      if (found != nullptr)
        throw store_error(errc::store_failed,
                          "the service " + std::string(name_of(s)) + " is in two of the databases");
      found = snapshots_[i].get();
    }
  }
}

}  // namespace skanu
