#include "persistence/tables/lmdb_process_number.hpp"

#include <set>

#include <gtest/gtest.h>
#include <unistd.h>

namespace skanu {
namespace {

TEST(LmdbProcessNumber, DiffersByChanceAndHoldsTheProcessId) {
  std::set<pid_t> numbers;
  for (int i = 0; i < 100; ++i) {
    const auto number = lmdb_process_number_by_chance();
    EXPECT_GT(number, 1 << 22) << "no process has such an id";
    EXPECT_EQ(process_id_of(number), ::getpid());
    numbers.insert(number);
  }
  EXPECT_GT(numbers.size(), 50U);
}

TEST(LmdbProcessNumber, AnIdOfAnotherProgramIsItself) {
  EXPECT_EQ(process_id_of(1), 1);
  EXPECT_EQ(process_id_of(4'194'303), 4'194'303);
}

TEST(LmdbProcessNumber, HoldsForTheThreadUntilTheEndOfTheScope) {
  {
    const under_lmdb_number known_as(8'388'609);
    EXPECT_EQ(lmdb_process_number, 8'388'609);
  }
  EXPECT_EQ(lmdb_process_number, 0);
}

}  // namespace
}  // namespace skanu
