#include "persistence/tables/table_store.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <unordered_map>

#include "persistence/document.hpp"
#include "persistence/tables/reading_progress.hpp"
#include "persistence/tables/sealed_value.hpp"

namespace skanu {

std::string ordered_key(std::int64_t value) {
  std::string key;
  append_ordered_key(key, value);
  return key;
}

void append_ordered_key(std::string& key, std::int64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8) key += static_cast<char>((value >> shift) & 0xff);
}

std::int64_t number_of_key(std::string_view key) {
  std::int64_t value = 0;
  for (std::size_t i = 0; i < 8 && i < key.size(); ++i)
    value = value << 8 | static_cast<unsigned char>(key[i]);
  return value;
}

std::string name_of(table t) {
  constexpr std::array<std::string_view, table_kind_count> kinds = {
      "entities",     "tombstones", "status_index",    "log", "rows", "meta",
      "dead_letters", "operations", "operation_expiry"};
  return std::string(name_of(t.of)) + "." + std::string(kinds[static_cast<std::size_t>(t.kind)]);
}

namespace {

constexpr std::string_view format_value = "skanu 2";
/// The format before values had checksums. A service's first write turns it into the present one,
/// with a row that says that some values still have none.
constexpr std::string_view format_without_checksums = "skanu 1";
constexpr std::string_view unsealed_key = "values.without_checksum";
constexpr std::string_view unsealed_value = "allowed";
constexpr std::string_view epoch_key = "epoch";
constexpr std::string_view count_prefix = "count:";

table table_of(service s, row_space space) {
  switch (space) {
    case row_space::rows: return {s, table_kind::rows};
    case row_space::meta: return {s, table_kind::meta};
    case row_space::dead_letters: return {s, table_kind::dead_letters};
    case row_space::operations: return {s, table_kind::operations};
    case row_space::operation_expiry: return {s, table_kind::operation_expiry};
  }
  return {s, table_kind::rows};
}

std::string status_key(std::uint8_t status, entity_id id) {
  std::string key(1, static_cast<char>(status));
  append_ordered_key(key, id);
  return key;
}

std::string count_key(std::uint8_t status) {
  return std::string(count_prefix) + std::to_string(status);
}

/// The integer that a row of ours spells; 0 where there is no row.
std::int64_t integer_in(std::optional<std::string_view> text) {
  std::int64_t value = 0;
  if (!text) return value;
  const auto* end = text->data() + text->size();
  if (const auto read = std::from_chars(text->data(), end, value);
      read.ec != std::errc{} || read.ptr != end)
    throw store_error(errc::undecodable, "a count or an epoch is not a number");
  return value;
}

/// How many entities the status index lists, in one status or in all: what their count should be.
std::int64_t counted_anew(const table_reader& tables, service s,
                          std::optional<std::uint8_t> status) {
  const auto prefix = status ? std::string(1, static_cast<char>(*status)) : std::string();
  std::int64_t found = 0;
  tables.scan_up({s, table_kind::status_index}, prefix,
                 [&](std::string_view key, std::string_view) {
                   if (!key.starts_with(prefix)) return false;
                   ++found;
                   return true;
                 });
  return found;
}

/// The count of a status. A damaged one is no loss: it is counted anew.
std::int64_t count_in(const table_reader& tables, const seals& sealed, service s,
                      std::uint8_t status) {
  const table meta{s, table_kind::meta};
  const auto key = count_key(status);
  const auto stored = tables.get(meta, key);
  if (!stored) return 0;
  const auto value = sealed.open(meta, key, *stored);
  return value ? integer_in(*value) : counted_anew(tables, s, status);
}

log_offset last_offset(const table_reader& tables, service s) {
  log_offset last = 0;
  tables.scan_down({s, table_kind::log}, {}, [&](std::string_view key, std::string_view) {
    last = number_of_key(key);
    return false;
  });
  return last;
}

class table_snapshot final : public snapshot {
 public:
  /// `sealed` outlives it.
  table_snapshot(std::unique_ptr<table_reader> reader, const seals& sealed)
      : reader_(std::move(reader)), sealed_(sealed) {}

  const table_reader& tables() const { return *reader_; }

  std::optional<std::string> entity(service s, entity_id id) const override {
    auto found = value({s, table_kind::entities}, ordered_key(id));
    if (!found) found = value({s, table_kind::tombstones}, ordered_key(id));
    return found;
  }

  std::optional<std::string> listed_entity(service s, entity_id id) const override {
    return value({s, table_kind::entities}, ordered_key(id));
  }

  std::vector<stored_entity> list(service s, const list_query& query) const override {
    std::vector<stored_entity> found;
    auto skip = query.skip;
    const table entities{s, table_kind::entities};
    const auto take = [&](std::string_view key, std::string_view stored) {
      if (skip > 0) {
        --skip;
      } else {
        found.push_back(entity_in(entities, key, stored));
      }
      return found.size() < query.limit;
    };
    if (query.limit == 0) return found;
    if (!query.status) {
      scan(entities, query, {}, take);
      return found;
    }
    const std::string prefix(1, static_cast<char>(*query.status));
    scan({s, table_kind::status_index}, query, prefix, [&](std::string_view key, std::string_view) {
      if (!key.starts_with(prefix)) return false;
      key.remove_prefix(1);
      if (skip > 0) return take(key, {});
      const auto document = reader_->get(entities, key);
      if (!document) throw store_error(errc::undecodable, "the status index names a lost entity");
      return take(key, *document);
    });
    return found;
  }

  std::int64_t count(service s, std::optional<std::uint8_t> status) const override {
    const table meta{s, table_kind::meta};
    if (status) return count_in(*reader_, sealed_, s, *status);
    std::int64_t sum = 0;
    bool damaged = false;
    reader_->scan_up(meta, count_prefix, [&](std::string_view key, std::string_view stored) {
      if (!key.starts_with(count_prefix)) return false;
      const auto count = sealed_.open(meta, key, stored);
      if (count) sum += integer_in(*count);
      damaged = !count;
      return !damaged;
    });
    if (damaged) return counted_anew(*reader_, s, {});
    return sum;
  }

  std::vector<stored_entity> tombstones(service s, entity_id after,
                                        std::size_t limit) const override {
    std::vector<stored_entity> found;
    const table tombstones{s, table_kind::tombstones};
    reader_->scan_up(tombstones, ordered_key(after + 1),
                     [&](std::string_view key, std::string_view stored) {
                       if (found.size() == limit) return false;
                       found.push_back(entity_in(tombstones, key, stored));
                       return true;
                     });
    return found;
  }

  std::vector<index_entry> status_index(service s, index_entry after,
                                        std::size_t limit) const override {
    std::vector<index_entry> found;
    reader_->scan_up(
        {s, table_kind::status_index}, status_key(after.status, after.id + 1),
        [&](std::string_view key, std::string_view) {
          if (found.size() == limit) return false;
          found.push_back({static_cast<std::uint8_t>(key.front()), number_of_key(key.substr(1))});
          return true;
        });
    return found;
  }

  std::vector<logged_event> events(service s, log_offset from, std::size_t limit,
                                   std::size_t max_bytes) const override {
    std::vector<logged_event> found;
    std::size_t bytes = 0;
    const table log{s, table_kind::log};
    reader_->scan_up(log, ordered_key(from), [&](std::string_view key, std::string_view stored) {
      if (found.size() == limit || bytes > max_bytes) return false;
      note_reading(log);
      const auto body = sealed_.open(log, key, stored);
      found.push_back({number_of_key(key), std::string(body.value_or(std::string_view())), !body});
      bytes += body ? body->size() : stored.size();
      return true;
    });
    return found;
  }

  log_offset log_end(service s) const override { return last_offset(*reader_, s); }

  std::optional<std::string> row(service s, row_space space, std::string_view key) const override {
    return value(table_of(s, space), key);
  }

  std::vector<stored_row> rows(service s, row_space space, std::string_view prefix,
                               std::string_view after, std::size_t limit,
                               bool descending) const override {
    std::vector<stored_row> found;
    const auto t = table_of(s, space);
    const auto take = [&](std::string_view key, std::string_view stored) {
      if (!key.starts_with(prefix) || found.size() == limit) return false;
      if (key == after) return true;
      note_reading(t);
      const auto value = sealed_.open(t, key, stored);
      found.push_back({std::string(key), std::string(value.value_or(std::string_view())), !value});
      return true;
    };
    if (!descending) {
      reader_->scan_up(t, std::max(prefix, after), take);
    } else {
      const auto end = std::string(prefix) + std::string(16, '\xff');
      reader_->scan_down(t, after.empty() ? end : std::min<std::string_view>(end, after), take);
    }
    return found;
  }

  std::vector<table_check> check_values(service s) const override {
    std::vector<table_check> checks;
    for (std::size_t kind = 0; kind < table_kind_count; ++kind) {
      const table t{s, static_cast<table_kind>(kind)};
      auto& check = checks.emplace_back(table_check{name_of(t)});
      std::optional<std::string> last;
      reader_->scan_up(t, {}, [&](std::string_view key, std::string_view stored) {
        note_reading(t);
        if (last && key <= *last) {  // or it would turn in circles
          ++check.damaged;
          check.named.push_back(shown_key(t, key) + ", which is out of order,");
          return false;
        }
        last.emplace(key);
        take(check, t, key, stored);
        return true;
      });
    }
    return checks;
  }

 private:
  std::optional<std::string> value(table t, std::string_view key) const {
    const auto stored = reader_->get(t, key);
    if (!stored) return std::nullopt;
    return std::string(sealed_.opened(t, key, *stored));
  }

  stored_entity entity_in(table t, std::string_view key, std::string_view stored) const {
    note_reading(t);
    const auto document = sealed_.open(t, key, stored);
    return {number_of_key(key), std::string(document.value_or(std::string_view())), !document};
  }

  void take(table_check& check, table t, std::string_view key, std::string_view stored) const {
    constexpr std::size_t most_named = 10;
    ++check.values;
    if (!sealed_.open(t, key, stored)) {
      ++check.damaged;
      if (check.named.size() < most_named) check.named.push_back(shown_key(t, key));
    } else if (needs_seal(t, key, stored) && !has_seal(stored)) {
      ++check.without_checksum;
    }
  }

  /// Visits the keys of a list of ids behind `prefix`, from where the query begins.
  void scan(table t, const list_query& query, const std::string& prefix,
            const table_reader::visitor& visit) const {
    if (!query.descending) {
      reader_->scan_up(t, prefix + ordered_key(query.after + 1), visit);
    } else {
      const auto below = query.after > 0 ? query.after : max_safe_integer + 1;
      reader_->scan_down(t, prefix + ordered_key(below), visit);
    }
  }

  std::unique_ptr<table_reader> reader_;
  const seals& sealed_;
};

/// One batch on its way into the tables. Entities that several commits of the batch change are read
/// once and written once, as the last of them leaves them.
class batch_writer {
 public:
  batch_writer(table_writer& tables, const seals& sealed) : tables_(tables), sealed_(sealed) {}

  /// Checks a commit's conditions, and takes it over where they hold.
  commit_result add(const commit& c) {
    try {
      if (!conditions_hold(c)) return errc::conflicting_commit;
    } catch (const decode_error&) {
      return errc::undecodable;  // damage in one entity's document must not hold up the others'
    } catch (const damaged_value& problem) {
      return problem.code();
    }
    for (const auto& change : c.changes) take(c.of, change);
    auto& end = log_end(c.of);
    for (const auto& event : c.events)
      put({c.of, table_kind::log}, ordered_key(++end), event, put_mode::append);
    for (const auto& row : c.rows) {
      const auto t = table_of(c.of, row.space);
      if (row.value) {
        put(t, row.key, *row.value);
      } else {
        tables_.erase(t, row.key);
      }
    }
    return std::nullopt;
  }

  /// Writes what was gathered over the whole batch.
  void finish() {
    for (std::size_t i = 0; i < service_count; ++i) {
      const auto s = static_cast<service>(i);
      for (const auto& [id, entity] : entities_[i])
        if (entity.document) write(s, id, entity);
      for (std::size_t status = 0; status < counts_[i].size(); ++status)
        if (counts_[i][status] != 0)
          add_to_count(s, static_cast<std::uint8_t>(status), counts_[i][status]);
    }
  }

 private:
  static constexpr std::size_t status_limit = 16;

  struct touched_entity {
    version_number version = 0;
    std::shared_ptr<const std::string> document;
    std::uint8_t status_before = 0, status = 0;
    bool listed_before = false, listed = false;
  };

  bool conditions_hold(const commit& c) {
    if (epoch_of(c.of) != c.epoch) return false;
    for (const auto& change : c.changes)
      if (entity(c.of, change.id).version != change.expected) return false;
    if (c.requires_entity && entity(c.requires_entity->of, c.requires_entity->id).version == 0)
      return false;
    return std::ranges::all_of(c.rows, [&](const row_write& row) { return may_write(c.of, row); });
  }

  bool may_write(service s, const row_write& row) {
    if (!row.must_be_new && !row.replaces) return true;
    const auto t = table_of(s, row.space);
    if (row.must_be_new) return !tables_.get(t, row.key);
    const auto stored = get(t, row.key);
    return row.replaces->empty() ? !stored : stored == *row.replaces;
  }

  std::int64_t epoch_of(service s) {
    auto& known = epochs_[static_cast<std::size_t>(s)];
    if (!known) known = integer_in(get({s, table_kind::meta}, epoch_key));
    return *known;
  }

  /// Throws damaged_value.
  std::optional<std::string_view> get(table t, std::string_view key) const {
    const auto stored = tables_.get(t, key);
    if (!stored) return stored;
    return sealed_.opened(t, key, *stored);
  }

  void put(table t, std::string_view key, std::string_view value, put_mode mode = put_mode::any) {
    written_.clear();
    append_sealed(written_, t, key, value);
    tables_.put(t, key, written_, mode);
  }

  touched_entity& entity(service s, entity_id id) {
    auto& known = entities_[static_cast<std::size_t>(s)];
    if (const auto found = known.find(id); found != known.end()) return found->second;
    touched_entity e;  // kept once its document could be read: a damaged one is not begun anew
    const auto key = ordered_key(id);
    auto document = get({s, table_kind::entities}, key);
    if (!document) document = get({s, table_kind::tombstones}, key);
    if (document) e.version = parts_of(*document).version;
    return known.emplace(id, std::move(e)).first->second;
  }

  void take(service s, const entity_change& change) {
    if (change.next == change.expected) return;
    auto& e = entity(s, change.id);
    if (!e.document) {
      e.status_before = change.status_before;
      e.listed_before = change.listed_before;
    }
    e.version = change.next;
    e.document = change.document;
    e.status = change.status;
    e.listed = change.listed;
  }

  log_offset& log_end(service s) {
    auto& known = log_ends_[static_cast<std::size_t>(s)];
    if (!known) known = last_offset(tables_, s);
    return *known;
  }

  void write(service s, entity_id id, const touched_entity& e) {
    const auto key = ordered_key(id);
    if (e.listed_before && !e.listed) tables_.erase({s, table_kind::entities}, key);
    if (e.listed && !e.listed_before) tables_.erase({s, table_kind::tombstones}, key);
    put({s, e.listed ? table_kind::entities : table_kind::tombstones}, key, *e.document);
    const table index{s, table_kind::status_index};
    if (e.listed_before == e.listed && e.status_before == e.status) return;
    auto& counts = counts_[static_cast<std::size_t>(s)];
    if (e.listed_before) {
      tables_.erase(index, status_key(e.status_before, id));
      --counts.at(e.status_before);
    }
    if (e.listed) {
      put(index, status_key(e.status, id), {});
      ++counts.at(e.status);
    }
  }

  void add_to_count(service s, std::uint8_t status, std::int64_t change) {
    const table meta{s, table_kind::meta};
    const auto key = count_key(status);
    const auto stored = tables_.get(meta, key);
    // The index has this batch's entries already, a count that can be read has not.
    const bool readable = !stored || sealed_.open(meta, key, *stored);
    const auto before = count_in(tables_, sealed_, s, status);
    put(meta, key, std::to_string(readable ? before + change : before));
  }

  table_writer& tables_;
  const seals& sealed_;
  std::string written_;
  std::array<std::unordered_map<entity_id, touched_entity>, service_count> entities_;
  std::array<std::array<std::int64_t, status_limit>, service_count> counts_{};
  std::array<std::optional<log_offset>, service_count> log_ends_;
  std::array<std::optional<std::int64_t>, service_count> epochs_;
};

/// Copies a table in transactions of a bounded size.
void copy_table(table t, const table_reader& from, ordered_tables& into) {
  constexpr std::size_t transaction_bytes = std::size_t{16} << 20;
  auto writer = into.begin_write();
  std::size_t bytes = 0;
  from.scan_up(t, {}, [&](std::string_view key, std::string_view value) {
    if (bytes > transaction_bytes) {
      writer->commit();
      writer.reset();  // one writer at a time
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
    results.reserve(batch.size());
    try {
      auto transaction = tables_->begin_write();
      batch_writer writer(*transaction, sealed_);
      for (const auto* c : batch) results.push_back(writer.add(*c));
      writer.finish();
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
  /// Marks new tables as ours, and refuses those that are not.
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
    if (*format == format_without_checksums) {
      outdated_.push_back(s);
      sealed_.allow_unsealed(s);
    } else if (*format != format_value) {
      throw store_error(errc::store_failed, "the tables of " + std::string(name_of(s)) +
                                                " are of another format: " + std::string(*format));
    } else if (const auto unsealed = tables.get(meta, unsealed_key)) {
      sealed_.opened(meta, unsealed_key, *unsealed);
      sealed_.allow_unsealed(s);
    }
    return true;
  }

  /// Every table of ours has a format: where only that is missing, it was lost.
  static bool refuse_unless_empty(const table_reader& tables, table meta) {
    tables.scan_up(meta, {}, [&](auto, auto) -> bool {
      throw store_error(errc::damaged, "the tables of " + std::string(name_of(meta.of)) +
                                           " are damaged: their format is gone");
    });
    return false;
  }

  static void mark_as_present(table_writer& tables, service s, bool has_unsealed) {
    const table meta{s, table_kind::meta};
    put(tables, meta, format_key, format_value);
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
  std::vector<service> outdated_;  ///< Their tables say that they are of the format before.
};

}  // namespace

std::unique_ptr<store> make_table_store(std::unique_ptr<ordered_tables> tables,
                                        std::vector<service> services) {
  return std::make_unique<table_store>(std::move(tables), std::move(services));
}

}  // namespace skanu
