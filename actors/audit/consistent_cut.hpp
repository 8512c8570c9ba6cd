// One moment across several databases.
#pragma once

#include <memory>
#include <vector>

#include "actors/audit/audit_consumers.hpp"
#include "persistence/directory/data_directory.hpp"

namespace skanu {

/// Snapshots of several databases at the same moment. Belongs to the creating thread, and ends
/// before the databases.
class cut {
 public:
  /// Blocks the writers of all processes while the snapshots begin: milliseconds. Throws
  /// store_error, also where two databases hold the same service.
  explicit cut(const std::vector<database>& databases);

  const service_cut& by_service() const { return by_service_; }
  /// Snapshots in the order of the databases.
  const std::vector<std::unique_ptr<snapshot>>& snapshots() const { return snapshots_; }

 private:
  std::vector<std::unique_ptr<snapshot>> snapshots_;
  service_cut by_service_{};
};

}  // namespace skanu
