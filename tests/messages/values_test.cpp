// The small values: instants, phone numbers, service names.
#include "messages/values.hpp"

#include <gtest/gtest.h>

#include <random>

#include "persistence/store.hpp"

namespace skanu {
namespace {

using namespace std::chrono_literals;

instant at(std::int64_t milliseconds) { return instant(std::chrono::milliseconds(milliseconds)); }

TEST(instants, are_written_in_utc_with_milliseconds) {
  EXPECT_EQ(to_rfc3339(at(0)), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(to_rfc3339(at(1)), "1970-01-01T00:00:00.001Z");
  EXPECT_EQ(to_rfc3339(at(-1)), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(to_rfc3339(at(1'709'210'096'789)), "2024-02-29T12:34:56.789Z");
  EXPECT_EQ(to_rfc3339(at(1'893'456'000'000)), "2030-01-01T00:00:00.000Z");
  EXPECT_EQ(to_rfc3339(at(253'402'300'799'999)), "9999-12-31T23:59:59.999Z");
  EXPECT_EQ(to_rfc3339(at(-62'167'219'200'000)), "0000-01-01T00:00:00.000Z");
}

TEST(instants, read_back_are_the_same) {
  std::mt19937_64 random(1);
  std::uniform_int_distribution<std::int64_t> any(-62'167'219'200'000, 253'402'300'799'999);
  for (int i = 0; i < 20'000; ++i) {
    const auto t = at(any(random));
    ASSERT_EQ(from_rfc3339(to_rfc3339(t)), t) << to_rfc3339(t);
  }
}

TEST(instants, sort_as_their_texts_do) {
  std::mt19937_64 random(2);
  std::uniform_int_distribution<std::int64_t> any(-62'167'219'200'000, 253'402'300'799'999);
  for (int i = 0; i < 2'000; ++i) {
    const auto a = at(any(random)), b = at(any(random));
    ASSERT_EQ(a < b, to_rfc3339(a) < to_rfc3339(b));
  }
}

TEST(instants, in_any_other_form_are_none) {
  for (const auto* text :
       {"", "2026-11-22", "2026-11-22T15:51:42Z", "2026-11-22T15:51:42.12Z",
        "2026-11-22T15:51:42.1234Z", "2026-11-22T15:51:42.123", "2026-11-22T15:51:42.123z",
        "2026-11-22t15:51:42.123Z", "2026-11-22 15:51:42.123Z", "2026-11-22T15:51:42.123+00:00",
        " 2026-11-22T15:51:42.123Z", "2026-11-22T15:51:42.123Z ", "2026-11-22T15:51:42,123Z",
        "2026/11/22T15:51:42.123Z", "-026-11-22T15:51:42.123Z", "2026-+1-22T15:51:42.123Z",
        "2026-11-22T15:51:42. 23Z", "2026-11-22T15:51:4a.123Z"})
    EXPECT_EQ(from_rfc3339(text), std::nullopt) << text;
  EXPECT_EQ(from_rfc3339(std::string_view("2026-11-22T15:51:42.12\0Z", 24)), std::nullopt);
}

TEST(instants, that_never_were_are_none) {
  for (const auto* text :
       {"2026-00-22T15:51:42.123Z", "2026-13-22T15:51:42.123Z", "2026-11-00T15:51:42.123Z",
        "2026-11-31T15:51:42.123Z", "2025-02-29T00:00:00.000Z", "1900-02-29T00:00:00.000Z",
        "2026-11-22T24:00:00.000Z", "2026-11-22T15:60:42.123Z", "2026-11-22T15:51:60.123Z"})
    EXPECT_EQ(from_rfc3339(text), std::nullopt) << text;
  EXPECT_TRUE(from_rfc3339("2000-02-29T23:59:59.999Z"));
}

TEST(phone_numbers, have_an_account_each) {
  EXPECT_EQ(account_id_of("01012341234"), 101012341234);
  for (const auto* digits : {"0000000", "1234567", "01012341234", "999999999999999",
                             "00000000000000"
                             "0",
                             "0000007", "00000007", "+442079460958", "+999999999999999"}) {
    const auto id = account_id_of(digits);
    EXPECT_EQ(phone_of_account(id), digits);
    EXPECT_GT(id, 0);
    EXPECT_LE(id, max_safe_integer) << digits;
  }
  EXPECT_NE(account_id_of("0000007"), account_id_of("00000007"));
  EXPECT_NE(account_id_of("+442079460958"), account_id_of("442079460958"));
}

TEST(phone_numbers, show_two_digits_in_a_log) {
  EXPECT_EQ(masked_phone("01012341234"), "*********34");
  EXPECT_EQ(masked_phone("1234567"), "*****67");
  EXPECT_EQ(masked_phone("12"), "12");
  EXPECT_EQ(masked_phone(""), "");
}

TEST(services, are_found_by_their_names) {
  for (const auto s : all_services) EXPECT_EQ(service_named(name_of(s)), s);
  for (const auto* name : {"", "Order", "orders", "gateway", "unknown", "order "})
    EXPECT_EQ(service_named(name), std::nullopt) << name;
}

TEST(ordered_keys, sort_as_their_numbers_do) {
  const std::int64_t numbers[] = {
      0, 1, 2, 127, 128, 255, 256, 257, 65'535, 65'536, max_safe_integer - 1, max_safe_integer};
  for (const auto a : numbers) {
    EXPECT_EQ(ordered_key(a).size(), 8U);
    EXPECT_EQ(number_of_key(ordered_key(a)), a);
    EXPECT_EQ(number_of_key(ordered_key(a) + "more"), a);
    for (const auto b : numbers) EXPECT_EQ(ordered_key(a) < ordered_key(b), a < b);
  }
  std::string key = "prefix";
  append_ordered_key(key, 258);
  EXPECT_EQ(key, "prefix" + std::string("\0\0\0\0\0\0\1\2", 8));
}

TEST(phone_numbers, are_masked_in_any_text) {
  EXPECT_EQ(with_phones_masked("call 010-1234-5678 now"), "call ***-****-**78 now");
  EXPECT_EQ(with_phones_masked("01012345678"), "*********78");
  EXPECT_EQ(with_phones_masked("+82 (10) 1234.5678"), "+** (**) ****.**78");
  EXPECT_EQ(with_phones_masked("1234567, 101012345678"), "*****67, **********78");
  for (const auto* none : {"", "order 123456 of 7", "123456", "12a345678b"})
    EXPECT_EQ(with_phones_masked(none), none);
}

}  // namespace
}  // namespace skanu
