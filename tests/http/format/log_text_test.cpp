// Texts from outside, in log lines.
#include "http/format/log_text.hpp"

#include <gtest/gtest.h>

namespace skanu {
namespace {

TEST(log_text, a_path_could_pass_for_fields_of_its_own) {
  EXPECT_EQ(in_quotes("/orders/1"), R"("/orders/1")");
  EXPECT_EQ(in_quotes("/orders/1 status=200\""), R"("/orders/1 status=200\"")");
  EXPECT_EQ(in_quotes("a\\b"), R"("a\\b")");
  EXPECT_EQ(in_quotes("a\r\nb\x1b\x7f"), R"("a\x0d\x0ab\x1b\x7f")");
  EXPECT_EQ(in_quotes("\xc3\xa9\xff"), R"("\xc3\xa9\xff")");
}

TEST(log_text, a_phone_number_in_the_place_of_an_id_was_shown_whole) {
  EXPECT_EQ(without_phone("01012345678", false), "*********78");
  EXPECT_EQ(without_phone("010-1234-5678", false), "***********78");
  EXPECT_EQ(without_phone("+821012345678", false), "***********78");
  EXPECT_EQ(without_phone("01012345678", true), "*********78");
  EXPECT_EQ(without_phone("1234567", true), "*****67");
  for (const auto* id : {"1", "1234567", "9007199254740991", "x", "010"})
    EXPECT_EQ(without_phone(id, false), id);
}

}  // namespace
}  // namespace skanu
