// Plans a batch of commits without a database: the needed reads, the result of each commit, and the
// writes. Pure: a database answers the reads and carries the writes out, in any number of
// statements.
//
//   batch_plan plan(batch);
//   for (auto& e : plan.reads().entities) e.version = …;   // likewise rows and services
//   const batch_outcome decided = plan.decide();
//
// Keys, documents and values are views into the commits; the commits outlive plan and outcome.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "persistence/store.hpp"

namespace skanu {

/// The stored version of an entity. The database fills in the last two members.
struct entity_read {
  service of = service::order;
  entity_id id = 0;
  version_number version = 0;        ///< 0: there is none.
  std::optional<errc> failure = {};  ///< Refuses the commits that need the entity.
};

/// A row needed by a commit. The database fills in the last two members.
struct row_read {
  service of = service::order;
  row_space space = row_space::rows;
  std::string_view key;
  bool needs_text = false;               ///< False where only the row's presence counts.
  std::optional<std::string> text = {};  ///< nullopt: no row. Empty if not needed.
  std::optional<errc> failure = {};      ///< Refuses the commits that compare the text.
};

/// A service of the commits. The database fills in the last three members.
struct service_read {
  service of = service::order;
  bool appends = false;  ///< False where the log's end is not needed.
  std::int64_t epoch = 0;
  log_offset log_end = 0;
  std::optional<errc> failure = {};  ///< Refuses the commits of the service.
};

/// All reads of a batch, each key once.
struct batch_reads {
  std::vector<service_read> services;
  std::vector<entity_read> entities;
  std::vector<row_read> rows;
};

struct event_write {
  service of;
  log_offset offset;
  std::string_view body;
};

struct planned_row {
  service of;
  const row_write* row;
};

/// An entity after the entity's last commit.
struct entity_write {
  service of;
  entity_id id;
  std::string_view document;
  std::uint8_t status_before, status;
  bool listed_before, listed;

  bool moves_in_index() const {
    return listed_before != listed || (listed && status_before != status);
  }
};

/// The change of the number of listed entities in a status.
struct count_change {
  service of;
  std::uint8_t status;
  std::int64_t by;
};

struct batch_outcome {
  std::vector<commit_result> results;  ///< For each commit, in the batch's order.
  std::vector<event_write> events;     ///< In the order of each log.
  std::vector<planned_row> rows;       ///< In order: the last row of a key counts.
  std::vector<entity_write> entities;  ///< Each entity once.
  std::vector<count_change> counts;    ///< Each status once.
};

/// Decides a batch. A commit is refused alone, with conflicting_commit where a condition of the
/// commit does not hold, or with the failure of a needed read; later commits build on the accepted
/// commits.
class batch_plan {
 public:
  /// All statuses are lower.
  static constexpr std::size_t status_limit = 16;

  explicit batch_plan(std::span<const commit* const> batch);

  batch_reads& reads() { return reads_; }

  /// To be called once, when the reads are answered. Throws std::out_of_range for a status beyond
  /// the limit.
  batch_outcome decide();

 private:
  /// The places of a commit's reads: of the changes and the required entity, and of the rows.
  struct places {
    const std::uint32_t* entities;
    const std::uint32_t* rows;
  };
  /// The first and the last change of an entity in the batch.
  struct touched_entity {
    const entity_change* first = nullptr;
    const entity_change* last = nullptr;
  };

  void gather_services();
  void gather_entities();
  void gather_rows();

  commit_result refusal_of(const commit& c, places at) const;
  static commit_result refusal_of(const row_write& row, const row_read& stored);
  void take(const commit& c, places at, batch_outcome& decided);
  void finish(batch_outcome& decided) const;
  service_read& of(service s) { return reads_.services[service_at_[static_cast<std::size_t>(s)]]; }
  const service_read& of(service s) const { return const_cast<batch_plan*>(this)->of(s); }

  std::span<const commit* const> batch_;
  batch_reads reads_;
  std::array<std::uint32_t, service_count> service_at_{};
  std::vector<std::uint32_t> entity_places_;  ///< Places of changes and required entities.
  std::vector<std::uint32_t> row_places_;     ///< Places of rows; UINT32_MAX: not read.
  std::vector<touched_entity> touched_;       ///< Beside reads_.entities.
};

}  // namespace skanu
