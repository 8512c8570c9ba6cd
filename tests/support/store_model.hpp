// What a store must do, written as plainly as can be: stores are compared with it.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "persistence/store.hpp"

namespace skanu {

/// The words of store.hpp in containers. Copying it is taking a snapshot.
class store_model final : public snapshot {
 public:
  struct entity_now {
    version_number version = 0;
    std::string document;
    std::uint8_t status = 0;
    bool listed = false;
  };

  commit_result apply(const commit& c);
  /// The entity as it is now; version 0 where there is none.
  entity_now now(service s, entity_id id) const;

  std::optional<std::string> entity(service s, entity_id id) const override;
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
  /// Nothing is damaged here.
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

/// Every entity, list, count, event and row of these services, one line each: equal texts are equal
/// contents. The store's own bookkeeping rows (its format, its epoch, its counts) are left out.
std::string contents_of(const snapshot& s, const std::vector<service>& services);

/// Makes right commits of orders: knows what the last one of each left.
class commit_maker {
 public:
  explicit commit_maker(service of) : of_(of) {}

  /// The entity's next version, with one event, in that status; counts on its being written.
  commit next(entity_id id, std::uint8_t status = 1, bool listed = true);
  /// The version that the last commit left.
  version_number version(entity_id id) const;

 private:
  service of_;
  std::map<entity_id, store_model::entity_now> known_;
};

/// A document as entities store it.
std::string sample_document(service of, entity_id id, version_number version);

}  // namespace skanu
