// Texts that show nothing, and texts that are the same.
#include "messages/unicode.hpp"

#include <gtest/gtest.h>

namespace skanu {
namespace {

TEST(unicode, a_text_that_shows_nothing_is_blank) {
  for (const auto* blank : {"", " ", "\t\n", "\u00a0", "\u2003\u3000", "\u200b", "\ufeff",
                            "\u200e\u202a\u2066", "\u2800", "\U0001d159", "\u3164", "\u115f\u1160",
                            "\uffa0", "\u00ad", "\ufe0f", "\U000e0041", "\u2028\u2029", "\ue000"})
    EXPECT_TRUE(is_blank(blank)) << '"' << blank << '"';
  for (const auto* shown :
       {"a", " a ", "\u200b-", "커피", "☕", "☕\ufe0f", "1", ".", "\u0301e", "ㅤ1"})
    EXPECT_FALSE(is_blank(shown)) << '"' << shown << '"';
}

TEST(unicode, texts_are_the_same_however_their_accents_are_composed) {
  EXPECT_TRUE(is_same_text("", ""));
  EXPECT_TRUE(is_same_text("Caf\u00e9", "Cafe\u0301"));
  EXPECT_TRUE(is_same_text("\uac00", "\u1100\u1161"));
  EXPECT_TRUE(is_same_text("\u212b", "\u00c5"));
  EXPECT_FALSE(is_same_text("Coffee", "coffee"));
  EXPECT_FALSE(is_same_text("Cafe", "Caf\u00e9"));
  EXPECT_FALSE(is_same_text("\ufb01", "fi"));
  EXPECT_FALSE(is_same_text("\xff", "\xfe"));
}

}  // namespace
}  // namespace skanu
