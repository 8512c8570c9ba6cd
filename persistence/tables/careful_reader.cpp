#include "persistence/tables/careful_reader.hpp"

#include <utility>
#include <vector>

namespace skanu {

namespace {

/// Entries looked at on either side of a damaged key: more than a page of a database holds.
constexpr std::size_t reach = 256;

}  // namespace

std::optional<std::string> careful_reader::get(table t, std::string_view key) const {
  if (auto found = find(t, key)) return found;
  if (surroundings_of(t, key) == surroundings::sound) return std::nullopt;
  return search(t, key);
}

std::optional<std::string> careful_reader::get_for_change(table t, std::string_view key) const {
  if (auto found = find(t, key)) return found;
  const auto around = surroundings_of(t, key);
  if (around == surroundings::sound) return std::nullopt;
  if (around == surroundings::misplaced || search(t, key)) {
    note_damaged_value();
    throw damaged_value(t, key);
  }
  return std::nullopt;
}

std::optional<std::string> careful_reader::find(table t, std::string_view key) const {
  const auto stored = tables_.get(t, key);
  if (!stored) return std::nullopt;
  if (const auto value = sealed_.verified(t, key, *stored)) return std::string(*value);
  const std::string damaged(*stored);
  auto found = search(t, key);
  // another key's damaged value is no damage of the searched key
  if (!found && !sealed_.written_key(t, key, damaged)) sealed_.opened(t, key, damaged);  // throws
  return found;
}

careful_reader::surroundings careful_reader::surroundings_of(table t, std::string_view key) const {
  auto found = surroundings::sound;
  const auto look = [&](bool in_order, std::string_view at, std::string_view stored) {
    const bool is_sound = sealed_.verified(t, at, stored).has_value();
    if (!in_order || (!is_sound && sealed_.written_key(t, at, stored))) {
      found = surroundings::misplaced;
    } else if (!is_sound && found == surroundings::sound) {
      found = surroundings::damaged;
    }
    return false;
  };
  tables_.scan_down(t, key, [&](std::string_view below, std::string_view stored) {
    return look(below < key, below, stored);
  });
  tables_.scan_up(t, key, [&](std::string_view above, std::string_view stored) {
    return look(above > key, above, stored);
  });
  return found;
}

std::optional<std::string> careful_reader::search(table t, std::string_view key) const {
  std::optional<std::string> found;
  bool is_misplaced = false;
  std::size_t looked_at = 0;
  const auto look = [&](std::string_view at, std::string_view stored) {
    const auto value =
        has_seal(stored) || at == key ? sealed_.verified(t, key, stored) : std::nullopt;
    if (value && at == key) found = std::string(*value);
    is_misplaced = value && at != key;
    return !value && ++looked_at < reach;
  };
  tables_.scan_down(t, key, look);
  looked_at = 0;
  if (!found && !is_misplaced) tables_.scan_up(t, key, look);
  if (is_misplaced) {
    note_damaged_value();
    throw damaged_value(t, key);
  }
  return found;
}

careful_reader::entry careful_reader::read(table t, std::string_view key,
                                           std::string_view stored) const {
  entry e{std::string(key), sealed_.open(t, key, stored)};
  if (e.value) return e;
  auto written = sealed_.written_key(t, key, stored);
  e.is_placed = written.has_value();
  if (written) e.key = std::move(*written);
  return e;
}

void careful_reader::scan_up(table t, std::string_view from,
                             const table_reader::visitor& visit) const {
  scan(t, from, visit, &table_reader::scan_up, &table_reader::scan_down,
       [from](std::string_view key) { return key >= from; });
}

void careful_reader::scan_down(table t, std::string_view below,
                               const table_reader::visitor& visit) const {
  scan(t, below, visit, &table_reader::scan_down, &table_reader::scan_up,
       [below](std::string_view key) { return key < below; });
}

template <class Belongs>
void careful_reader::scan(table t, std::string_view bound, const table_reader::visitor& visit,
                          raw_scan ahead, raw_scan back, Belongs belongs) const {
  if (bound.empty()) return (tables_.*ahead)(t, bound, visit);
  const auto written = [&](std::string_view key, std::string_view stored, bool sound) {
    if (sound) return std::string(key);
    return sealed_.written_key(t, key, stored).value_or(std::string());
  };
  // Entries between the place where the search ended and the first sound entry before the bound.
  std::vector<std::pair<std::string, std::string>> passed_over;
  std::size_t looked_at = 0;
  (tables_.*back)(t, bound, [&](std::string_view key, std::string_view stored) {
    const bool sound = sealed_.verified(t, key, stored).has_value();
    if (sound && !belongs(key)) return false;
    if (const auto own = written(key, stored, sound); !own.empty() && belongs(own))
      passed_over.emplace_back(key, stored);
    return ++looked_at < reach;
  });
  for (; !passed_over.empty(); passed_over.pop_back())
    if (!visit(passed_over.back().first, passed_over.back().second)) return;
  bool begun = false;
  (tables_.*ahead)(t, bound, [&](std::string_view key, std::string_view stored) {
    if (begun) return visit(key, stored);
    const bool sound = sealed_.verified(t, key, stored).has_value();
    const auto own = written(key, stored, sound);
    if (!own.empty() && !belongs(own)) return true;
    begun = sound;
    return visit(key, stored);
  });
}

}  // namespace skanu
