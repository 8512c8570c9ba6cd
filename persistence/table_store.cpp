#include "persistence/table_store.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <unordered_map>

#include "persistence/document.hpp"

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

constexpr std::string_view format_key = "format";
constexpr std::string_view format_value = "skanu 1";
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
  explicit table_snapshot(std::unique_ptr<table_reader> reader) : reader_(std::move(reader)) {}

  const table_reader& tables() const { return *reader_; }

  std::optional<std::string> entity(service s, entity_id id) const override {
    const auto key = ordered_key(id);
    auto found = reader_->get({s, table_kind::entities}, key);
    if (!found) found = reader_->get({s, table_kind::tombstones}, key);
    if (!found) return std::nullopt;
    return std::string(*found);
  }

  std::optional<std::string> listed_entity(service s, entity_id id) const override {
    const auto found = reader_->get({s, table_kind::entities}, ordered_key(id));
    if (!found) return std::nullopt;
    return std::string(*found);
  }

  std::vector<stored_entity> list(service s, const list_query& query) const override {
    std::vector<stored_entity> found;
    auto skip = query.skip;
    const table entities{s, table_kind::entities};
    const auto take = [&](entity_id id, std::string_view document) {
      if (skip > 0) {
        --skip;
      } else {
        found.push_back({id, std::string(document)});
      }
      return found.size() < query.limit;
    };
    if (query.limit == 0) return found;
    if (!query.status) {
      scan(entities, query, {}, [&](std::string_view key, std::string_view document) {
        return take(number_of_key(key), document);
      });
      return found;
    }
    const std::string prefix(1, static_cast<char>(*query.status));
    scan({s, table_kind::status_index}, query, prefix, [&](std::string_view key, std::string_view) {
      if (!key.starts_with(prefix)) return false;
      key.remove_prefix(1);
      if (skip > 0) return take(0, {});
      const auto document = reader_->get(entities, key);
      if (!document) throw store_error(errc::undecodable, "the status index names a lost entity");
      return take(number_of_key(key), *document);
    });
    return found;
  }

  std::int64_t count(service s, std::optional<std::uint8_t> status) const override {
    const table meta{s, table_kind::meta};
    if (status) return integer_in(reader_->get(meta, count_key(*status)));
    std::int64_t sum = 0;
    reader_->scan_up(meta, count_prefix, [&](std::string_view key, std::string_view value) {
      if (!key.starts_with(count_prefix)) return false;
      sum += integer_in(value);
      return true;
    });
    return sum;
  }

  std::vector<stored_entity> tombstones(service s, entity_id after,
                                        std::size_t limit) const override {
    std::vector<stored_entity> found;
    reader_->scan_up({s, table_kind::tombstones}, ordered_key(after + 1),
                     [&](std::string_view key, std::string_view document) {
                       if (found.size() == limit) return false;
                       found.push_back({number_of_key(key), std::string(document)});
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
    reader_->scan_up({s, table_kind::log}, ordered_key(from),
                     [&](std::string_view key, std::string_view body) {
                       if (found.size() == limit || bytes > max_bytes) return false;
                       found.push_back({number_of_key(key), std::string(body)});
                       bytes += body.size();
                       return true;
                     });
    return found;
  }

  log_offset log_end(service s) const override { return last_offset(*reader_, s); }

  std::optional<std::string> row(service s, row_space space, std::string_view key) const override {
    const auto found = reader_->get(table_of(s, space), key);
    if (!found) return std::nullopt;
    return std::string(*found);
  }

  std::vector<stored_row> rows(service s, row_space space, std::string_view prefix,
                               std::string_view after, std::size_t limit,
                               bool descending) const override {
    std::vector<stored_row> found;
    const auto take = [&](std::string_view key, std::string_view value) {
      if (!key.starts_with(prefix) || found.size() == limit) return false;
      if (key != after) found.push_back({std::string(key), std::string(value)});
      return true;
    };
    const auto t = table_of(s, space);
    if (!descending) {
      reader_->scan_up(t, std::max(prefix, after), take);
    } else {
      const auto end = std::string(prefix) + std::string(16, '\xff');
      reader_->scan_down(t, after.empty() ? end : std::min<std::string_view>(end, after), take);
    }
    return found;
  }

 private:
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
};

/// One batch on its way into the tables. Entities that several commits of the batch change are read
/// once and written once, as the last of them leaves them.
class batch_writer {
 public:
  explicit batch_writer(table_writer& tables) : tables_(tables) {}

  /// Checks a commit's conditions, and takes it over where they hold.
  commit_result add(const commit& c) {
    try {
      if (!conditions_hold(c)) return errc::conflicting_commit;
    } catch (const decode_error&) {
      return errc::undecodable;  // damage in one entity's document must not hold up the others'
    }
    for (const auto& change : c.changes) take(c.of, change);
    auto& end = log_end(c.of);
    for (const auto& event : c.events)
      tables_.put({c.of, table_kind::log}, ordered_key(++end), event, put_mode::append);
    for (const auto& row : c.rows) {
      const auto t = table_of(c.of, row.space);
      if (row.value) {
        tables_.put(t, row.key, *row.value, put_mode::any);
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
    const auto stored = tables_.get(table_of(s, row.space), row.key);
    if (row.must_be_new) return !stored;
    return row.replaces->empty() ? !stored : stored == *row.replaces;
  }

  std::int64_t epoch_of(service s) {
    auto& known = epochs_[static_cast<std::size_t>(s)];
    if (!known) known = integer_in(tables_.get({s, table_kind::meta}, epoch_key));
    return *known;
  }

  touched_entity& entity(service s, entity_id id) {
    const auto [found, is_new] = entities_[static_cast<std::size_t>(s)].try_emplace(id);
    if (is_new) {
      const auto key = ordered_key(id);
      auto document = tables_.get({s, table_kind::entities}, key);
      if (!document) document = tables_.get({s, table_kind::tombstones}, key);
      if (document) found->second.version = parts_of(*document).version;
    }
    return found->second;
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
    tables_.put({s, e.listed ? table_kind::entities : table_kind::tombstones}, key, *e.document,
                put_mode::any);
    const table index{s, table_kind::status_index};
    if (e.listed_before == e.listed && e.status_before == e.status) return;
    auto& counts = counts_[static_cast<std::size_t>(s)];
    if (e.listed_before) {
      tables_.erase(index, status_key(e.status_before, id));
      --counts.at(e.status_before);
    }
    if (e.listed) {
      tables_.put(index, status_key(e.status, id), {}, put_mode::any);
      ++counts.at(e.status);
    }
  }

  void add_to_count(service s, std::uint8_t status, std::int64_t change) {
    const table meta{s, table_kind::meta};
    const auto key = count_key(status);
    tables_.put(meta, key, std::to_string(integer_in(tables_.get(meta, key)) + change),
                put_mode::any);
  }

  table_writer& tables_;
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
      batch_writer writer(*transaction);
      for (const auto* c : batch) results.push_back(writer.add(*c));
      writer.finish();
      transaction->commit();
    } catch (const store_error& e) {
      results.assign(batch.size(), e.code());
    }
    return results;
  }

  std::unique_ptr<snapshot> read() const override {
    return std::make_unique<table_snapshot>(tables_->begin_read());
  }

  std::unique_ptr<void, void (*)(void*)> hold_writers() override {
    return {tables_->begin_write().release(),
            [](void* held) { delete static_cast<table_writer*>(held); }};
  }

  void copy_to(const std::string& to, const snapshot& moment) const override {
    const auto* own = dynamic_cast<const table_snapshot*>(&moment);
    if (own == nullptr) throw std::logic_error("a snapshot of another store");
    const auto copy = tables_->make_empty(to, services_);
    for (const auto s : services_)
      for (std::size_t kind = 0; kind < table_kind_count; ++kind)
        copy_table({s, static_cast<table_kind>(kind)}, own->tables(), *copy);
  }

  const std::vector<service>& services() const override { return services_; }

 private:
  /// Marks new tables as ours, and refuses those that are not.
  void prepare() {
    std::vector<service> fresh;
    {
      const auto reader = tables_->begin_read();
      for (const auto s : services_) {
        const auto format = reader->get({s, table_kind::meta}, format_key);
        if (!format) {
          fresh.push_back(s);
        } else if (*format != format_value) {
          throw store_error(errc::store_failed,
                            "the tables of " + std::string(name_of(s)) +
                                " are of another format: " + std::string(*format));
        }
      }
    }
    if (fresh.empty()) return;
    const auto writer = tables_->begin_write();
    for (const auto s : fresh) {
      writer->put({s, table_kind::meta}, format_key, format_value, put_mode::any);
      writer->put({s, table_kind::meta}, epoch_key, "1", put_mode::any);
    }
    writer->commit();
  }

  std::unique_ptr<ordered_tables> tables_;
  std::vector<service> services_;
};

}  // namespace

std::unique_ptr<store> make_table_store(std::unique_ptr<ordered_tables> tables,
                                        std::vector<service> services) {
  return std::make_unique<table_store>(std::move(tables), std::move(services));
}

}  // namespace skanu
