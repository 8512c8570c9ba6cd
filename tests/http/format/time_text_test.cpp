// Dates and times in queries.
#include "http/format/time_text.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace skanu {
namespace {

std::string read(std::string_view text, date_means meaning = date_means::start) {
  const auto time = time_of(text, meaning);
  return time ? to_rfc3339(*time) : "none";
}

TEST(time_text, a_date_is_a_day_in_utc) {
  EXPECT_EQ(read("2026-11-30"), "2026-11-30T00:00:00.000Z");
  EXPECT_EQ(read("2026-11-30", date_means::end), "2026-12-01T00:00:00.000Z");
  EXPECT_EQ(read("2024-02-29", date_means::end), "2024-03-01T00:00:00.000Z");
}

TEST(time_text, a_time_has_an_offset) {
  struct row {
    const char* text;
    const char* time;
  };
  for (const auto& r : std::vector<row>{
           {"2026-11-30T09:00:00Z", "2026-11-30T09:00:00.000Z"},
           {"2026-11-30t09:00:00z", "2026-11-30T09:00:00.000Z"},
           {"2026-11-30 09:00:00Z", "2026-11-30T09:00:00.000Z"},
           {"2026-11-30T09:00:00.5Z", "2026-11-30T09:00:00.500Z"},
           {"2026-11-30T09:00:00.123456789Z", "2026-11-30T09:00:00.123Z"},
           {"2026-11-30T09:00:00+09:00", "2026-11-30T00:00:00.000Z"},
           {"2026-11-30T09:00:00 09:00", "2026-11-30T00:00:00.000Z"},
           {"2026-11-30T20:00:00-05:30", "2026-12-01T01:30:00.000Z"},
           {"2026-12-31T23:59:60Z", "2027-01-01T00:00:00.000Z"},
       })
    EXPECT_EQ(read(r.text, date_means::end), r.time) << r.text;
}

TEST(time_text, other_texts_are_no_times) {
  for (const auto* text : {"",
                           "today",
                           "2026",
                           "2026-11",
                           "2026-13-01",
                           "2026-02-30",
                           "26-11-30",
                           "2026-11-30T",
                           "2026-11-30T09:00",
                           "2026-11-30T09:00:00",
                           "2026-11-30T24:00:00Z",
                           "2026-11-30T09:60:00Z",
                           "2026-11-30T09:00:61Z",
                           "2026-11-30T09:00:00.Z",
                           "2026-11-30T09:00:00+9:00",
                           "2026-11-30T09:00:00+24:00",
                           "2026-11-30T09:00:00Z ",
                           "2026-11-30T09:00:00ZZ",
                           " 2026-11-30",
                           "+026-11-30",
                           "1764460800"})
    EXPECT_EQ(read(text), "none") << text;
}

}  // namespace
}  // namespace skanu
