// Functions on stacks of their own.
#include "http/server/fiber.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace skanu {
namespace {

TEST(fiber, goes_on_where_it_paused) {
  std::vector<int> steps;
  fiber* self = nullptr;
  fiber one{64 * 1024, [&] {
              for (int i = 0; i < 3; ++i) {
                steps.push_back(i);
                self->pause();
              }
            }};
  self = &one;
  for (int i = 0; i < 3; ++i) {
    one.resume();
    steps.push_back(10 + i);
  }
  one.resume();
  EXPECT_EQ(steps, (std::vector<int>{0, 10, 1, 11, 2, 12}));
}

TEST(fiber, catches_within_itself) {
  bool caught = false;
  fiber* self = nullptr;
  fiber one{64 * 1024, [&] {
              try {
                self->pause();
                throw std::runtime_error{"inside"};
              } catch (const std::runtime_error&) {
                caught = true;
              }
            }};
  self = &one;
  one.resume();
  one.resume();
  EXPECT_TRUE(caught);
}

#if defined(__SANITIZE_ADDRESS__)
// SQLite's shared memory once came to lie where an ended request's stack had been, and the
// sanitizer reported SQLite.
TEST(fiber, leaves_no_marks_of_the_sanitizer_where_its_stack_was) {
  constexpr std::size_t upper_part = 2 * 1024;
  char* on_stack = nullptr;
  {
    fiber ended(64 * 1024, [&] {
      char here = 0;
      on_stack = &here;
    });
    ended.resume();
  }
  EXPECT_EQ(__asan_region_is_poisoned(on_stack - upper_part, 2 * upper_part), nullptr);
}
#endif

}  // namespace
}  // namespace skanu
