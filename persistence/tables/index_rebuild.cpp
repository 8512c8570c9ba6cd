#include "persistence/tables/index_rebuild.hpp"

#include <array>
#include <functional>

#include "messages/fields.hpp"
#include "persistence/tables/reading_progress.hpp"
#include "persistence/tables/table_keys.hpp"

namespace skanu {

namespace {

/// Keys in a transaction.
constexpr std::size_t keys_at_once = 1'000;
constexpr std::size_t statuses = 256;

class index_rebuild {
 public:
  index_rebuild(ordered_tables& tables, const seals& sealed, service s,
                const listing_reader& listing_in)
      : tables_(tables), sealed_(sealed), of_(s), listing_in_(listing_in) {}

  index_changes run() {
    each_key(table_kind::entities, [this](const std::string& key) { check_entity(key); });
    each_key(table_kind::tombstones, [this](const std::string& key) { check_tombstone(key); });
    each_key(table_kind::status_index, [this](const std::string& key) { check_entry(key); });
    in_transaction([this] { check_counts(); });
    return changes_;
  }

 private:
  table in(table_kind kind) const { return {of_, kind}; }

  /// Calls `work` in a transaction; a transaction with writes becomes durable.
  void in_transaction(const std::function<void()>& work) {
    writer_ = tables_.begin_write();
    written_ = false;
    work();
    if (written_) writer_->commit();
    writer_.reset();
  }

  /// Visits the present keys of a table, in transactions of keys_at_once.
  void each_key(table_kind kind, const std::function<void(const std::string&)>& visit) {
    std::vector<std::string> keys;
    std::string after;
    do {
      in_transaction([&] {
        keys.clear();
        writer_->scan_up(in(kind), after, [&](std::string_view key, std::string_view) {
          if (key == after) return true;
          note_reading(in(kind));
          keys.emplace_back(key);
          return keys.size() < keys_at_once;
        });
        for (const auto& key : keys) visit(key);
      });
      if (!keys.empty()) after = keys.back();
    } while (keys.size() == keys_at_once);
  }

  /// Returns the listing of a document; nullopt for an unreadable document.
  std::optional<listing> listing_of(table_kind kind, const std::string& key) {
    const auto stored = writer_->get(in(kind), key);
    const auto document = stored ? sealed_.open(in(kind), key, *stored) : std::nullopt;
    if (!document) return std::nullopt;
    try {
      return listing_in_(of_, *document);
    } catch (const decode_error&) {
      return std::nullopt;
    }
  }

  void check_entity(const std::string& key) {
    const auto found = listing_of(table_kind::entities, key);
    if (found && !found->listed)  // looked at once more among the tombstones
      return move(key, table_kind::entities, table_kind::tombstones);
    ++changes_.documents;
    if (!found) return unreadable(key);
    add_entry(*found, key);
  }

  /// Where an entity stands in both tables, the listed document counts, as in reading.
  void check_tombstone(const std::string& key) {
    ++changes_.documents;
    if (writer_->get(in(table_kind::entities), key)) {
      erase(in(table_kind::tombstones), key);
      ++changes_.moved;
      return;
    }
    const auto found = listing_of(table_kind::tombstones, key);
    if (!found) return unreadable(key);
    if (!found->listed) return;
    move(key, table_kind::tombstones, table_kind::entities);
    add_entry(*found, key);
  }

  /// An entry of an unreadable document stays: the entry may be right.
  void check_entry(const std::string& key) {
    const auto stored = writer_->get(in(table_kind::status_index), key);
    bool fits =
        key.size() == 9 && stored && sealed_.verified(in(table_kind::status_index), key, *stored);
    if (fits) {
      const auto id = key.substr(1);
      const auto found = listing_of(table_kind::entities, id);
      fits = found ? found->status == static_cast<std::uint8_t>(key.front())
                   : writer_->get(in(table_kind::entities), id).has_value();
    }
    if (fits) {
      ++counts_[static_cast<std::uint8_t>(key.front())];
    } else {
      erase(in(table_kind::status_index), key);
      ++changes_.removed;
    }
  }

  void check_counts() {
    auto missing = counts_;
    std::vector<std::string> keys;
    writer_->scan_up(in(table_kind::meta), count_prefix, [&](std::string_view key, auto) {
      if (!key.starts_with(count_prefix)) return false;
      keys.emplace_back(key);
      return true;
    });
    for (const auto& key : keys) {
      const auto status = status_of_count(key);
      if (!status) {
        erase(in(table_kind::meta), key);
        ++changes_.counts;
        continue;
      }
      missing[*status] = 0;
      const auto counted = std::to_string(counts_[*status]);
      const auto stored = writer_->get(in(table_kind::meta), key);
      if (sealed_.open(in(table_kind::meta), key, *stored) == counted) continue;
      put(in(table_kind::meta), key, counted);
      ++changes_.counts;
    }
    for (std::size_t status = 0; status < statuses; ++status) {
      if (missing[status] == 0) continue;
      put(in(table_kind::meta), count_key(static_cast<std::uint8_t>(status)),
          std::to_string(missing[status]));
      ++changes_.counts;
    }
  }

  /// Returns the status of a count's key; nullopt for a key of no count.
  static std::optional<std::uint8_t> status_of_count(const std::string& key) {
    for (std::size_t status = 0; status < statuses; ++status)
      if (count_key(static_cast<std::uint8_t>(status)) == key)
        return static_cast<std::uint8_t>(status);
    return std::nullopt;
  }

  void add_entry(const listing& l, const std::string& key) {
    const auto entry = static_cast<char>(l.status) + key;
    if (const auto stored = writer_->get(in(table_kind::status_index), entry);
        stored && sealed_.verified(in(table_kind::status_index), entry, *stored))
      return;
    put(in(table_kind::status_index), entry, {});
    ++changes_.added;
  }

  void move(const std::string& key, table_kind from, table_kind to) {
    const auto document = std::string(sealed_.opened(in(from), key, *writer_->get(in(from), key)));
    put(in(to), key, document);
    erase(in(from), key);
    ++changes_.moved;
  }

  void unreadable(const std::string& key) {
    constexpr std::size_t most_named = 10;
    if (++changes_.unreadable <= static_cast<std::int64_t>(most_named))
      changes_.named.push_back(number_of_key(key));
  }

  void put(table t, std::string_view key, std::string_view value) {
    std::string sealed;
    append_sealed(sealed, t, key, value);
    writer_->put(t, key, sealed, put_mode::any);
    written_ = true;
  }
  void erase(table t, std::string_view key) {
    writer_->erase(t, key);
    written_ = true;
  }

  ordered_tables& tables_;
  const seals& sealed_;
  service of_;
  const listing_reader& listing_in_;
  std::unique_ptr<table_writer> writer_;
  bool written_ = false;
  std::array<std::int64_t, statuses> counts_{};  ///< Entries of the index, by status.
  index_changes changes_;
};

}  // namespace

index_changes rebuild_index(ordered_tables& tables, const seals& sealed, service s,
                            const listing_reader& listing_in) {
  return index_rebuild(tables, sealed, s, listing_in).run();
}

}  // namespace skanu
