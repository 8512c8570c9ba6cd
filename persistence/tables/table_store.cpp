#include "persistence/tables/table_store.hpp"

#include <array>

#include "persistence/document.hpp"
#include "persistence/tables/batch_plan.hpp"
#include "persistence/tables/index_rebuild.hpp"
#include "persistence/tables/reading_progress.hpp"
#include "persistence/tables/sealed_value.hpp"
#include "persistence/tables/table_keys.hpp"
#include "persistence/tables/table_snapshot.hpp"

namespace skanu {

namespace {

/// The first write to tables without checksums sets the present format, and adds the row: some
/// values still carry no checksum.
constexpr std::string_view unsealed_key = "values.without_checksum";
constexpr std::string_view unsealed_value = "allowed";

/// Answers the reads of a batch's plan from ordered tables, and carries out the writes there.
class batch_transaction {
 public:
  batch_transaction(table_writer& tables, const seals& sealed) : tables_(tables), sealed_(sealed) {}

  std::vector<commit_result> carry_out(std::span<const commit* const> batch) {
    batch_plan plan(batch);
    answer(plan.reads());
    auto decided = plan.decide();
    write(decided);
    return std::move(decided.results);
  }

 private:
  void answer(batch_reads& reads) {
    for (auto& s : reads.services) {
      s.failure = failure_of([&] {
        s.epoch = integer_in(opened({s.of, table_kind::meta}, epoch_key));
      });
      if (!s.appends) continue;
      const auto tail = tail_of_log(tables_, sealed_, s.of);
      s.log_end = tail.last;
      if (!tail.is_ordered) unordered_log_.at(static_cast<std::size_t>(s.of)) = true;
    }
    for (auto& e : reads.entities)
      e.failure = failure_of([&] { e.version = stored_version(e.of, e.id); });
    for (auto& r : reads.rows) {
      const auto t = table_of(r.of, r.space);
      const auto stored = tables_.get(t, r.key);
      if (!stored) continue;
      r.text.emplace();
      if (r.needs_text)
        r.failure = failure_of([&] { *r.text = sealed_.opened(t, r.key, *stored); });
    }
  }

  /// Damage in a place must not hold up the commits without a need for the place.
  template <class Read>
  static std::optional<errc> failure_of(Read read) {
    try {
      read();
      return std::nullopt;
    } catch (const decode_error&) {
      return errc::undecodable;
    } catch (const damaged_value& problem) {
      return problem.code();
    }
  }

  version_number stored_version(service s, entity_id id) const {
    const auto key = ordered_key(id);
    auto document = opened({s, table_kind::entities}, key);
    if (!document) document = opened({s, table_kind::tombstones}, key);
    return document ? parts_of(*document).version : 0;
  }

  /// Throws damaged_value.
  std::optional<std::string_view> opened(table t, std::string_view key) const {
    const auto stored = tables_.get(t, key);
    if (!stored) return stored;
    return sealed_.opened(t, key, *stored);
  }

  void write(const batch_outcome& decided) {
    for (const auto& e : decided.events) append(e);
    for (const auto& [of, row] : decided.rows) {
      const auto t = table_of(of, row->space);
      if (row->value) {
        put(t, row->key, *row->value);
      } else {
        tables_.erase(t, row->key);
      }
    }
    for (const auto& e : decided.entities) write(e);
    for (const auto& change : decided.counts) write(change);
  }

  void append(const event_write& e) {
    const table log{e.of, table_kind::log};
    const auto key = ordered_key(e.offset);
    if (!unordered_log_.at(static_cast<std::size_t>(e.of)))
      return put(log, key, e.body, put_mode::append);
    if (tables_.get(log, key)) throw damaged_value(log, key);
    put(log, key, e.body);
  }

  void write(const entity_write& e) {
    const auto key = ordered_key(e.id);
    const table entities{e.of, table_kind::entities}, tombstones{e.of, table_kind::tombstones};
    if (e.listed_before && !e.listed) tables_.erase(entities, key);
    if (e.listed && !e.listed_before) tables_.erase(tombstones, key);
    put(e.listed ? entities : tombstones, key, e.document);
    if (!e.moves_in_index()) return;
    const table index{e.of, table_kind::status_index};
    if (e.listed_before) tables_.erase(index, status_key(e.status_before, e.id));
    if (e.listed) put(index, status_key(e.status, e.id), {});
  }

  void write(const count_change& change) {
    const table meta{change.of, table_kind::meta};
    const auto key = count_key(change.status);
    const auto stored = tables_.get(meta, key);
    // The index already has the batch's entries; a readable count has not.
    const bool readable = stored && sealed_.verified(meta, key, *stored);
    const auto before = count_in(tables_, sealed_, change.of, change.status);
    put(meta, key, std::to_string(readable ? before + change.by : before));
  }

  void put(table t, std::string_view key, std::string_view value, put_mode mode = put_mode::any) {
    written_.clear();
    append_sealed(written_, t, key, value);
    tables_.put(t, key, written_, mode);
  }

  table_writer& tables_;
  const seals& sealed_;
  std::array<bool, service_count> unordered_log_{};
  std::string written_;
};

/// Copies a table in transactions of a bounded size.
void copy_table(table t, const table_reader& from, ordered_tables& into) {
  constexpr std::size_t transaction_bytes = std::size_t{16} << 20;
  auto writer = into.begin_write();
  std::size_t bytes = 0;
  from.scan_up(t, {}, [&](std::string_view key, std::string_view value) {
    if (bytes > transaction_bytes) {
      writer->commit();
      writer.reset();  // a single writer at a time
      writer = into.begin_write();
      bytes = 0;
    }
    note_reading(t);
    writer->put(t, key, value, put_mode::append);
    bytes += key.size() + value.size();
    return true;
  });
  writer->commit();
}

class table_store final : public store {
 public:
  table_store(std::unique_ptr<ordered_tables> tables, std::vector<service> services)
      : tables_(std::move(tables)), services_(std::move(services)) {
    prepare();
  }

  std::vector<commit_result> write(std::span<const commit* const> batch) override {
    std::vector<commit_result> results;
    try {
      auto transaction = tables_->begin_write();
      results = batch_transaction(*transaction, sealed_).carry_out(batch);
      for (const auto s : outdated_) mark_as_present(*transaction, s, true);
      transaction->commit();
      outdated_.clear();
    } catch (const store_error& e) {
      results.assign(batch.size(), e.code());
    }
    return results;
  }

  std::unique_ptr<snapshot> read() const override {
    return std::make_unique<table_snapshot>(tables_->begin_read(), sealed_);
  }

  writers_held hold_writers() override { return writers_held(tables_->begin_write()); }

  index_changes rebuild_index(service s, const listing_reader& listing_in) override {
    mark_outdated();
    return skanu::rebuild_index(*tables_, sealed_, s, listing_in);
  }

  void copy_to(const std::string& to, const snapshot& moment) const override {
    const auto* own = dynamic_cast<const table_snapshot*>(&moment);
    if (own == nullptr) throw std::logic_error("a snapshot of another store");
    const auto copy = tables_->make_empty(to, services_);
    for (const auto s : services_)
      for (std::size_t kind = 0; kind < table_kind_count; ++kind)
        copy_table({s, static_cast<table_kind>(kind)}, own->tables(), *copy);
  }

  bool is_open() const override { return tables_->is_open(); }
  reader_figures readers() const override { return tables_->readers(); }

  const std::vector<service>& services() const override { return services_; }

 private:
  /// Marks new tables as ours, and refuses foreign tables.
  void prepare() {
    std::vector<service> fresh;
    {
      const auto reader = tables_->begin_read();
      for (const auto s : services_)
        if (!recognise(*reader, s)) fresh.push_back(s);
    }
    if (fresh.empty()) return;
    const auto writer = tables_->begin_write();
    for (const auto s : fresh) {
      mark_as_present(*writer, s, false);
      put(*writer, {s, table_kind::meta}, epoch_key, "1");
    }
    writer->commit();
  }

  /// False where a service's tables are new.
  bool recognise(const table_reader& tables, service s) {
    const table meta{s, table_kind::meta};
    const auto format = tables.get(meta, format_key);
    if (!format) return refuse_unless_empty(tables, meta);
    if (*format == stored_format_without_checksums) {
      outdated_.push_back(s);
      sealed_.allow_unsealed(s);
    } else if (*format != stored_format) {
      throw store_error(errc::store_failed, "the tables of " + std::string(name_of(s)) +
                                                " are of another format: " + std::string(*format));
    } else if (const auto unsealed = tables.get(meta, unsealed_key)) {
      sealed_.opened(meta, unsealed_key, *unsealed);
      sealed_.allow_unsealed(s);
    }
    return true;
  }

  /// Throws for tables with rows but without a format: only damage loses the format.
  static bool refuse_unless_empty(const table_reader& tables, table meta) {
    tables.scan_up(meta, {}, [&](auto, auto) -> bool {
      throw store_error(errc::damaged, "the tables of " + std::string(name_of(meta.of)) +
                                           " are damaged: their format is gone");
    });
    return false;
  }

  /// Brings tables of the previous format to the present format.
  void mark_outdated() {
    if (outdated_.empty()) return;
    const auto writer = tables_->begin_write();
    for (const auto s : outdated_) mark_as_present(*writer, s, true);
    writer->commit();
    outdated_.clear();
  }

  static void mark_as_present(table_writer& tables, service s, bool has_unsealed) {
    const table meta{s, table_kind::meta};
    put(tables, meta, format_key, stored_format);
    if (has_unsealed) put(tables, meta, unsealed_key, unsealed_value);
  }

  static void put(table_writer& tables, table t, std::string_view key, std::string_view value) {
    std::string sealed;
    append_sealed(sealed, t, key, value);
    tables.put(t, key, sealed, put_mode::any);
  }

  std::unique_ptr<ordered_tables> tables_;
  std::vector<service> services_;
  seals sealed_;
  std::vector<service> outdated_;  ///< Services with tables of the previous format.
};

}  // namespace

std::unique_ptr<store> make_table_store(std::unique_ptr<ordered_tables> tables,
                                        std::vector<service> services) {
  return std::make_unique<table_store>(std::move(tables), std::move(services));
}

}  // namespace skanu
