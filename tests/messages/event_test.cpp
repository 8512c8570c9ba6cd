// A stored event, and the same event with its place in front.
#include "messages/event.hpp"

#include <gtest/gtest.h>

namespace skanu {
namespace {

const std::string body = R"({"eventType":"Paid","schema":1,"id":7})";

TEST(located_event, has_its_place_in_front) {
  const auto line = located_event(service::payment, 42, body);
  EXPECT_EQ(line, R"({"service":"payment","offset":42,"eventType":"Paid","schema":1,"id":7})");
  const auto place = place_of(line);
  ASSERT_TRUE(place);
  EXPECT_EQ(place->of, "payment");
  EXPECT_EQ(place->offset, 42);
}

TEST(located_event, is_no_other_text) {
  for (const std::string text :
       {"", "{}", "{\"service\":\"payment\"", "{\"service\":\"payment\",\"offset\":",
        "{\"service\":\"payment\",\"offset\":x,", "{\"service\":\"payment\",\"offset\":7}",
        "{\"service\":\"payment\",\"offset\":99999999999999999999,"})
    EXPECT_FALSE(place_of(text)) << text;
  EXPECT_FALSE(place_of(body));
}

}  // namespace
}  // namespace skanu
