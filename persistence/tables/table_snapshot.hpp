// The snapshot of a store on ordered tables.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "persistence/store.hpp"
#include "persistence/tables/careful_reader.hpp"
#include "persistence/tables/sealed_value.hpp"
#include "persistence/tables/table_keys.hpp"
#include "persistence/tables/tables.hpp"

namespace skanu {

class table_snapshot final : public snapshot {
 public:
  /// `sealed` outlives the snapshot.
  table_snapshot(std::unique_ptr<table_reader> reader, const seals& sealed)
      : reader_(std::move(reader)), sealed_(sealed), careful_(*reader_, sealed_) {}

  const table_reader& tables() const { return *reader_; }

  std::optional<std::string> entity(service s, entity_id id) const override;
  std::optional<std::string> entity_for_change(service s, entity_id id) const override;
  std::optional<std::string> listed_entity(service s, entity_id id) const override;
  std::vector<stored_entity> list(service s, const list_query& query) const override;
  std::int64_t count(service s, std::optional<std::uint8_t> status) const override;
  std::vector<stored_entity> tombstones(service s, entity_id after,
                                        std::size_t limit) const override;
  std::vector<index_entry> status_index(service s, index_entry after,
                                        std::size_t limit) const override;
  std::vector<logged_event> events(service s, log_offset from, std::size_t limit,
                                   std::size_t max_bytes) const override;
  log_offset log_end(service s) const override { return tail_of_log(*reader_, sealed_, s).last; }
  std::optional<std::string> row(service s, row_space space, std::string_view key) const override;
  std::vector<stored_row> rows(service s, row_space space, std::string_view prefix,
                               std::string_view after, std::size_t limit,
                               bool descending) const override;
  std::vector<table_check> check_values(service s) const override;

 private:
  std::optional<std::string> value(table t, std::string_view key) const;
  stored_entity entity_in(table t, std::string_view key, std::string_view stored) const;
  /// Reads the document of an entity that the status index names.
  void read_document(table entities, stored_entity& listed) const;
  /// Reads an event that a scan did not find: a damaged key hides sound events from a scan.
  void look_again(table log, logged_event& passed_over) const;
  void check_value(table_check& check, table t, std::string_view key,
                   std::string_view stored) const;
  /// Visits the keys of a list of ids behind `prefix`, from where the query begins.
  void scan(table t, const list_query& query, const std::string& prefix,
            const table_reader::visitor& visit) const;

  std::unique_ptr<table_reader> reader_;
  const seals& sealed_;
  careful_reader careful_;
};

}  // namespace skanu
