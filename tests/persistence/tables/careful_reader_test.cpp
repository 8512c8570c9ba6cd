// Reads of a page with a damaged key: sound entries are found, damaged entries are named.
#include "persistence/tables/careful_reader.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "persistence/store.hpp"

namespace skanu {
namespace {

constexpr table rows{service::stamp, table_kind::rows};

/// A page of a database: entries at fixed places, found by a binary search that trusts the keys.
class page final : public table_reader {
 public:
  struct entry {
    std::string key, stored;
  };
  std::vector<entry> entries;

  std::optional<std::string_view> get(table, std::string_view key) const override {
    const auto at = place_of(key);
    if (at == entries.size() || entries[at].key != key) return std::nullopt;
    return entries[at].stored;
  }
  void scan_up(table, std::string_view from, const visitor& visit) const override {
    for (auto i = from.empty() ? 0 : place_of(from); i < entries.size(); ++i)
      if (!visit(entries[i].key, entries[i].stored)) return;
  }
  void scan_down(table, std::string_view below, const visitor& visit) const override {
    for (auto i = below.empty() ? entries.size() : place_of(below); i > 0; --i)
      if (!visit(entries[i - 1].key, entries[i - 1].stored)) return;
  }

 private:
  std::size_t place_of(std::string_view key) const {
    std::size_t low = 0, high = entries.size();
    while (low < high) {
      const auto middle = (low + high) / 2;
      if (entries[middle].key == key) return middle;
      (entries[middle].key < key ? low = middle + 1 : high = middle);
    }
    return low;
  }
};

std::string key_of(std::int64_t number) { return "account" + ordered_key(number); }
std::string text_of(std::int64_t number) { return "{\"entry\":" + std::to_string(number) + "}"; }

/// The rows 2, 4, … 2 × `size`.
page page_of(std::int64_t size) {
  page made;
  for (std::int64_t i = 1; i <= size; ++i) {
    made.entries.push_back({key_of(2 * i), {}});
    append_sealed(made.entries.back().stored, rows, key_of(2 * i), text_of(2 * i));
  }
  return made;
}

using found_entries = std::map<std::string, bool>;  ///< By written key: whether the value is sound.

/// Every flipped bit in every key of a page.
template <class Check>
void each_damage(std::int64_t size, Check check) {
  const seals sealed;
  for (std::size_t at = 0; at < static_cast<std::size_t>(size); ++at) {
    for (std::size_t bit = 0; bit < key_of(0).size() * 8; ++bit) {
      auto damaged = page_of(size);
      auto& byte = damaged.entries[at].key[bit / 8];
      byte = static_cast<char>(byte ^ (1 << bit % 8));
      check(careful_reader(damaged, sealed), 2 * static_cast<std::int64_t>(at + 1), bit);
    }
  }
}

TEST(a_damaged_key, hides_its_value_from_no_get_and_no_other_value) {
  each_damage(9, [](const careful_reader& reader, std::int64_t damaged, std::size_t bit) {
    for (std::int64_t number = 0; number <= 19; ++number) {
      if (number == damaged) {
        EXPECT_THROW(reader.get(rows, key_of(number)), damaged_value) << damaged << " " << bit;
        continue;
      }
      std::optional<std::string> found;
      try {
        found = reader.get(rows, key_of(number));
      } catch (const damaged_value&) {
        // the damaged key became this one
        EXPECT_FALSE(number % 2 == 0 && number > 0) << number << " " << damaged << " " << bit;
        continue;
      }
      const bool is_there = number > 0 && number <= 18 && number % 2 == 0;
      EXPECT_EQ(found, is_there ? std::optional(text_of(number)) : std::nullopt)
          << number << " " << damaged << " " << bit;
    }
  });
}

TEST(a_damaged_key, lets_no_change_find_a_wrong_place) {
  const seals sealed;
  each_damage(9, [](const careful_reader& reader, std::int64_t damaged, std::size_t bit) {
    for (std::int64_t number = 2; number <= 18; number += 2) {
      try {
        EXPECT_EQ(reader.get_for_change(rows, key_of(number)), text_of(number))
            << number << " " << damaged << " " << bit;
        EXPECT_NE(number, damaged);
      } catch (const damaged_value&) {
        // refused
      }
    }
  });
  // the search for 16, behind the last key, ends before the damaged key
  auto ends_there = page_of(7);
  ends_there.entries[3].key[7] ^= 0x40;
  const careful_reader reader(ends_there, sealed);
  EXPECT_EQ(reader.get(rows, key_of(16)), std::nullopt);
  EXPECT_THROW(reader.get_for_change(rows, key_of(16)), damaged_value);
  EXPECT_EQ(reader.get_for_change(rows, key_of(1)), std::nullopt);
}

TEST(a_damaged_key, lets_scans_of_either_direction_miss_no_entry_and_show_none_of_elsewhere) {
  each_damage(9, [](const careful_reader& reader, std::int64_t damaged, std::size_t bit) {
    for (std::int64_t bound = 0; bound <= 19; ++bound) {
      found_entries up, down, above, below;
      reader.scan_up(rows, key_of(bound), [&](std::string_view key, std::string_view stored) {
        const auto e = reader.read(rows, key, stored);
        up.emplace(e.key, e.value.has_value());
        return true;
      });
      reader.scan_down(rows, key_of(bound), [&](std::string_view key, std::string_view stored) {
        const auto e = reader.read(rows, key, stored);
        down.emplace(e.key, e.value.has_value());
        return true;
      });
      for (std::int64_t number = 2; number <= 18; number += 2)
        (number < bound ? below : above).emplace(key_of(number), number != damaged);
      EXPECT_EQ(up, above) << bound << " " << damaged << " " << bit;
      EXPECT_EQ(down, below) << bound << " " << damaged << " " << bit;
    }
  });
}

TEST(a_damaged_value, lets_other_keys_be_absent) {
  auto damaged = page_of(9);
  damaged.entries.back().stored[2] ^= 1;
  const seals sealed;
  EXPECT_EQ(careful_reader(damaged, sealed).get(rows, key_of(20)), std::nullopt);
  EXPECT_EQ(careful_reader(damaged, sealed).get_for_change(rows, key_of(20)), std::nullopt);
  EXPECT_EQ(careful_reader(damaged, sealed).get_for_change(rows, key_of(17)), std::nullopt);
}

}  // namespace
}  // namespace skanu
