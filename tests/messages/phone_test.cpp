// The stored form of phone numbers. Most cases are in tests/phone_numbers.json, which the page's
// tests read, too.

#include <gtest/gtest.h>

#include <fstream>

#include <nlohmann/json.hpp>

#include "messages/phone.hpp"
#include "messages/values.hpp"

namespace skanu {
namespace {

nlohmann::json cases() { return nlohmann::json::parse(std::ifstream(SKANU_PHONE_NUMBERS)); }

TEST(phone_numbers, keep_their_digits_alone) {
  std::size_t seen = 0;
  for (const auto& c : cases()) {
    const auto typed = c.at("typed").get<std::string>();
    const auto home = phone_country_named(c.value("country", "KR"));
    ASSERT_TRUE(home);
    const auto found = normalised_phone(typed, *home);
    ++seen;
    if (c.at("normal").is_null()) {
      EXPECT_EQ(found, std::nullopt) << typed;
      continue;
    }
    ASSERT_EQ(found, c.at("normal").get<std::string>()) << typed;
    EXPECT_EQ(normalised_phone(*found, *home), *found) << "the stored form is itself";
    EXPECT_TRUE(is_stored_phone(*found)) << *found;
    EXPECT_EQ(phone_of_account(account_id_of(*found)), *found);
    if (*home == korea) {
      EXPECT_EQ(normalised_phone(typed), found);
    }
  }
  EXPECT_GT(seen, 70U);
}

TEST(phone_numbers, with_other_characters_or_too_few_or_many_digits_are_none) {
  EXPECT_EQ(normalised_phone(std::string_view("0101234\0", 8)), std::nullopt);
  EXPECT_EQ(normalised_phone(std::string(100'000, '1')), std::nullopt);
  EXPECT_EQ(normalised_phone("1234567" + std::string(100'000, ' ')), "1234567");
  for (const auto* broken : {"0101234\x80", "0101234\xe2\x80", "0101234\xc0\xad", "0101234\xff",
                             "\xf5\x80\x80\x80"
                             "0101234"})
    EXPECT_EQ(normalised_phone(broken), std::nullopt) << "no UTF-8";
}

TEST(phone_numbers, are_stored_as_digits_perhaps_behind_a_plus) {
  for (const auto* stored : {"1234567", "821012341234", "00821012341234", "+442079460958"})
    EXPECT_TRUE(is_stored_phone(stored)) << stored;
  for (const auto* none : {"", "+", "123456", "1234567890123456", "010-1234-1234", "++1234567"})
    EXPECT_FALSE(is_stored_phone(none)) << none;
}

TEST(phone_numbers, stored_by_an_older_version_have_a_present_form) {
  const auto germany = *phone_country_named("DE");
  struct example {
    const char* stored;
    phone_country home;
    std::optional<std::string> present;
  };
  for (const auto& x : std::vector<example>{
           {"821012341234", korea, "01012341234"},
           {"8201012341234", korea, "01012341234"},
           {"00821012341234", korea, "01012341234"},
           {"008201012341234", korea, "01012341234"},
           {"00442079460958", korea, "+442079460958"},
           {"493012345678", germany, "03012345678"},
           {"821012341234", germany, std::nullopt},
           {"01012341234", korea, std::nullopt},
           {"+442079460958", korea, std::nullopt},
           {"442079460958", korea, std::nullopt},
           {"8212345678", korea, "012345678"},
           {"821234567", korea, std::nullopt},  // a number of the own town, perhaps
           {"82123456", korea, std::nullopt}}) {
    EXPECT_EQ(present_form(x.stored, x.home), x.present) << x.stored;
    if (x.present) {
      EXPECT_EQ(present_form(*x.present, x.home), std::nullopt) << x.stored;
    }
  }
}

TEST(phone_numbers, are_of_a_country_by_its_two_letters) {
  EXPECT_EQ(phone_country_named("KR"), korea);
  EXPECT_EQ(phone_country_named("DE")->calling_code, "49");
  for (const auto* none : {"", "kr", "K", "KOR", "XX"})
    EXPECT_EQ(phone_country_named(none), std::nullopt) << none;
}

}  // namespace
}  // namespace skanu
