// A plain model of a store, to compare stores with.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "persistence/store.hpp"

namespace skanu {

/// The contract of store.hpp in containers. A copy is a snapshot.
class store_model final : public snapshot {
 public:
  struct entity_now {
    version_number version = 0;
    std::string document;
    std::uint8_t status = 0;
    bool listed = false;
  };

  commit_result apply(const commit& c);
  /// The entity's present state; version 0 for an unknown entity.
  entity_now now(service s, entity_id id) const;

  std::optional<std::string> entity(service s, entity_id id) const override;
  std::optional<std::string> entity_for_change(service s, entity_id id) const override {
    return entity(s, id);
  }
  std::optional<std::string> listed_entity(service s, entity_id id) const override;
  std::vector<stored_entity> list(service s, const list_query& query) const override;
  std::int64_t count(service s, std::optional<std::uint8_t> status) const override;
  std::vector<stored_entity> tombstones(service s, entity_id after,
                                        std::size_t limit) const override;
  std::vector<index_entry> status_index(service s, index_entry after,
                                        std::size_t limit) const override;
  std::vector<logged_event> events(service s, log_offset from, std::size_t limit,
                                   std::size_t max_bytes) const override;
  log_offset log_end(service s) const override;
  std::optional<std::string> row(service s, row_space space, std::string_view key) const override;
  std::vector<stored_row> rows(service s, row_space space, std::string_view prefix,
                               std::string_view after, std::size_t limit,
                               bool descending) const override;
  /// The model never holds damage.
  std::vector<table_check> check_values(service) const override { return {}; }

 private:
  struct service_data {
    std::map<entity_id, entity_now> entities;
    std::vector<std::string> log;
    std::map<row_space, std::map<std::string, std::string, std::less<>>> rows;
  };

  service_data& of(service s) { return services_[static_cast<std::size_t>(s)]; }
  const service_data& of(service s) const { return services_[static_cast<std::size_t>(s)]; }

  std::array<service_data, service_count> services_;
};

/// Every entity, list, count, event and row of the services, one line each: equal texts mean equal
/// contents. The text omits the store's own rows for format, epoch and counts.
std::string contents_of(const snapshot& s, const std::vector<service>& services);

/// Makes valid commits of orders, from the states left by the commits before.
class commit_maker {
 public:
  explicit commit_maker(service of) : of_(of) {}

  /// The entity's next version, with one event, in the given status; assumes that the test writes
  /// the commit.
  commit next(entity_id id, std::uint8_t status = 1, bool listed = true);
  /// The version after the last commit.
  version_number version(entity_id id) const;

 private:
  service of_;
  std::map<entity_id, store_model::entity_now> known_;
};

/// A document in the entities' format.
std::string sample_document(service of, entity_id id, version_number version);

}  // namespace skanu
