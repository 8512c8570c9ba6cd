// One moment of several databases.
#pragma once

#include <memory>
#include <vector>

#include "actors/audit/audit_consumers.hpp"
#include "persistence/directory/data_directory.hpp"

namespace skanu {

/// A snapshot of each of a few databases, all of the same moment. Belongs to the thread that took
/// it, and ends before the databases.
class cut {
 public:
  /// Holds the writers of all processes out for as long as it takes to begin reading: milliseconds.
  /// Throws store_error, also where a service is in two of the databases.
  explicit cut(const std::vector<database>& databases);

  const service_cut& by_service() const { return by_service_; }
  /// In the order of the databases.
  const std::vector<std::unique_ptr<snapshot>>& snapshots() const { return snapshots_; }

 private:
  std::vector<std::unique_ptr<snapshot>> snapshots_;
  service_cut by_service_{};
};

}  // namespace skanu
