// A single seed yields all seeds, each different.
#include "actors/operations/randomness.hpp"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace skanu {
namespace {

std::vector<std::uint64_t> seeds_of(std::uint64_t seed) {
  seed_source source(seed);
  std::vector<std::uint64_t> seeds;
  for (int i = 0; i < 1'000; ++i) seeds.push_back(source.next());
  return seeds;
}

TEST(seed_source, repeats_itself_from_its_seed) { EXPECT_EQ(seeds_of(7), seeds_of(7)); }

TEST(seed_source, gives_each_asker_another_seed) {
  std::set<std::uint64_t> all;
  for (const std::uint64_t seed : {0, 1, 2})
    for (const auto s : seeds_of(seed)) all.insert(s);
  EXPECT_EQ(all.size(), 3'000U);
}

}  // namespace
}  // namespace skanu
