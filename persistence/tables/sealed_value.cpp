#include "persistence/tables/sealed_value.hpp"

#include <algorithm>
#include <atomic>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace skanu {

namespace {

constexpr char separator = '\x1e';
constexpr std::size_t digits = 8;
constexpr std::size_t seal_size = 1 + digits;

std::atomic<std::int64_t> met = 0;

bool is_index(table t) {
  return t.kind == table_kind::status_index || t.kind == table_kind::operation_expiry;
}

bool is_format(table t, std::string_view key) {
  return t.kind == table_kind::meta && key == format_key;
}

/// Returns the hash of each table's name, by the table's index.
const std::array<XXH64_hash_t, service_count * table_kind_count>& name_hashes() {
  static const auto hashes = [] {
    std::array<XXH64_hash_t, service_count * table_kind_count> all{};
    for (const auto s : all_services) {
      for (std::size_t kind = 0; kind < table_kind_count; ++kind) {
        const table t{s, static_cast<table_kind>(kind)};
        const auto name = name_of(t);
        all.at(t.index()) = XXH3_64bits(name.data(), name.size());
      }
    }
    return all;
  }();
  return hashes;
}

/// Returns the separator and the digits.
std::array<char, seal_size> seal_of(table t, std::string_view key, std::string_view value) {
  const auto place = XXH3_64bits_withSeed(key.data(), key.size(), name_hashes()[t.index()]);
  auto rest = static_cast<std::uint32_t>(XXH3_64bits_withSeed(value.data(), value.size(), place));
  std::array<char, seal_size> seal{};
  seal.front() = separator;
  for (std::size_t i = digits; i > 0; --i, rest >>= 4) seal[i] = "0123456789abcdef"[rest & 0xf];
  return seal;
}

bool is_number(std::string_view value) {
  return !value.empty() &&
         std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// True if a program without checksums may have written the value. Among the rows, an entry of a
/// ledger is an object, and the effect of a payment on a stamp account a number, less than 0 for
/// stamps taken back.
bool looks_whole(table t, std::string_view value) {
  if (t.kind == table_kind::meta) return is_number(value);
  if (t.kind == table_kind::rows && is_number(value.starts_with('-') ? value.substr(1) : value))
    return true;
  return value.size() >= 2 && value.front() == '{' && value.back() == '}';
}

}  // namespace

damaged_value::damaged_value(table t, std::string_view key)
    : store_error(errc::damaged, "the value of " + shown_key(t, key) + " in the table " +
                                     name_of(t) + " is damaged: it is not what was written") {}

void append_sealed(std::string& to, table t, std::string_view key, std::string_view value) {
  to += value;
  if (!needs_seal(t, key)) return;
  const auto seal = seal_of(t, key, value);
  to.append(seal.data(), seal.size());
}

bool needs_seal(table t, std::string_view key) { return !is_format(t, key); }

bool has_seal(std::string_view stored) {
  return stored.size() >= seal_size && stored[stored.size() - seal_size] == separator;
}

std::optional<std::string_view> seals::verified(table t, std::string_view key,
                                                std::string_view stored) const {
  if (!needs_seal(t, key)) return stored;
  if (has_seal(stored)) {
    const auto value = stored.substr(0, stored.size() - seal_size);
    const auto seal = seal_of(t, key, value);
    if (stored.substr(value.size()) == std::string_view(seal.data(), seal.size())) return value;
    return std::nullopt;
  }
  // an entry of an index, written by a program without checksums of entries
  if (is_index(t) && stored.empty()) return stored;
  if (unsealed_allowed_[static_cast<std::size_t>(t.of)] && looks_whole(t, stored)) return stored;
  return std::nullopt;
}

std::optional<std::string_view> seals::open(table t, std::string_view key,
                                            std::string_view stored) const {
  const auto value = verified(t, key, stored);
  if (!value) note_damaged_value();
  return value;
}

std::optional<std::string> seals::written_key(table t, std::string_view key,
                                              std::string_view stored) const {
  if (!has_seal(stored)) return std::nullopt;
  std::string other(key);
  for (std::size_t bit = 0; bit < key.size() * 8; ++bit) {
    const auto flip = static_cast<char>(1U << bit % 8);
    other[bit / 8] = static_cast<char>(other[bit / 8] ^ flip);
    if (verified(t, other, stored)) return other;
    other[bit / 8] = static_cast<char>(other[bit / 8] ^ flip);
  }
  return std::nullopt;
}

std::string_view seals::opened(table t, std::string_view key, std::string_view stored) const {
  const auto value = open(t, key, stored);
  if (!value) throw damaged_value(t, key);
  return *value;
}

void note_damaged_value() { met.fetch_add(1, std::memory_order_relaxed); }

std::int64_t damaged_values_met() { return met.load(std::memory_order_relaxed); }

std::string shown_key(table t, std::string_view key) {
  switch (t.kind) {
    case table_kind::entities:
    case table_kind::tombstones: return entity_in_log(t.of, number_of_key(key));
    case table_kind::log: return "offset " + std::to_string(number_of_key(key));
    case table_kind::meta:
      if (std::all_of(key.begin(), key.end(), [](char c) { return c > ' ' && c < '\x7f'; }))
        return std::string(key);
      break;
    default: break;
  }
  return "a row";  // the key may contain a phone number or a client's text
}

}  // namespace skanu
