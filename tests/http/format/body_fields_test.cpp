// Reading the fields of request bodies, and saying what is wrong with them.
#include "http/format/body_fields.hpp"

#include <gtest/gtest.h>

#include "messages/delivery.hpp"
#include "messages/payment.hpp"

namespace skanu {
namespace {

body_fields fields_of(std::string_view bytes) {
  auto parsed = body_fields::parse(bytes);
  if (const auto* e = std::get_if<error>(&parsed)) {
    ADD_FAILURE() << e->detail << ": " << bytes;
    return std::get<body_fields>(body_fields::parse("{}"));
  }
  return std::get<body_fields>(std::move(parsed));
}

/// The fields that are blamed, in their order.
std::vector<std::string> blamed(const body_fields& body) {
  std::vector<std::string> names;
  if (const auto problem = body.problem()) {
    EXPECT_EQ(problem->code, errc::invalid_field);
    for (const auto& f : problem->wrong_fields) {
      EXPECT_FALSE(f.message.empty());
      names.push_back(f.field);
    }
  }
  return names;
}

TEST(integer_of, takes_whole_decimal_integers_only) {
  for (const auto& [text, value] :
       std::vector<std::pair<std::string, std::int64_t>>{{"0", 0},
                                                         {"7", 7},
                                                         {"-7", -7},
                                                         {"+7", 7},
                                                         {"007", 7},
                                                         {"-0", 0},
                                                         {"9007199254740991", 9007199254740991},
                                                         {"9223372036854775807", INT64_MAX},
                                                         {"-9223372036854775808", INT64_MIN}})
    EXPECT_EQ(integer_of(text), value) << text;
  for (const auto* text :
       {"", "+", "-", "+-1", "-+1", "++1", "--1", "1.0", "1e3", " 1", "1 ", "0x1", "1_000", "1,000",
        "one", "9223372036854775808", "-9223372036854775809"})
    EXPECT_EQ(integer_of(text), std::nullopt) << text;
}

TEST(length_of, counts_characters_not_bytes) {
  EXPECT_EQ(length_of(""), 0U);
  EXPECT_EQ(length_of("Coffee"), 6U);
  EXPECT_EQ(length_of("커피"), 2U);
  EXPECT_EQ(length_of("☕🍰"), 2U);
}

TEST(body_fields, takes_json_objects_only) {
  for (const auto* bytes : {"", " ", "{", "}", "{\"a\":}", "{\"a\":1,}", "{'a':1}", "{\"a\":01}",
                            "{\"a\":NaN}", "{} {}", "\xff", "{\"a\":\"\xc3\"}",
                            "{\"a\":\"\xed\xa0\x80\"}", "[1]", "1", "\"text\"", "null", "true"}) {
    const auto parsed = body_fields::parse(bytes);
    ASSERT_TRUE(std::holds_alternative<error>(parsed)) << bytes;
    EXPECT_EQ(std::get<error>(parsed).code, errc::malformed);
  }
  EXPECT_FALSE(fields_of("{}").problem());
  EXPECT_FALSE(fields_of(" {\"unknown\" : [1, {\"a\": null}]} ").problem());
}

TEST(body_fields, a_nul_does_not_end_a_body) {
  using namespace std::string_view_literals;
  for (const auto bytes : {"{}\0"sv, "{}\0{"sv, "\0{}"sv, "{\0}"sv, "{\"a\":1e400}\0"sv}) {
    const auto parsed = body_fields::parse(bytes);
    ASSERT_TRUE(std::holds_alternative<error>(parsed)) << bytes;
    EXPECT_EQ(std::get<error>(parsed).code, errc::malformed);
  }
}

TEST(body_fields, a_number_beyond_every_type_was_taken_for_malformed_json) {
  for (const auto& number : {std::string("1e400"), std::string("-1e400"), std::string("-1.5E+309"),
                             std::string(400, '9'), '-' + std::string(400, '9')}) {
    auto body = fields_of("{\"qty\":" + number + ",\"productName\":" + number + "}");
    body.integer("qty", qty_range);
    body.integer("qty", cost_range);
    body.integer("qty", id_range);
    body.text("productName", name_length);
    EXPECT_EQ(blamed(body), (std::vector<std::string>{"qty", "qty", "qty", "productName"}))
        << number;
  }
  for (const auto* bytes :
       {"1e400", "[1e400]", "[{\"a\":1e400}]", "{\"a\":01e400}", "{\"a\":+1e400}", "{\"a\":1.e400}",
        "{\"a\":1e400e5}", "{\"a\":1e400 5}", "{\"a\":\"1e400}", "{\"a\":1e400x}", "{1e400:1}"}) {
    const auto parsed = body_fields::parse(bytes);
    ASSERT_TRUE(std::holds_alternative<error>(parsed)) << bytes;
    EXPECT_EQ(std::get<error>(parsed).code, errc::malformed) << bytes;
  }
}

TEST(body_fields, a_number_beyond_every_type_in_a_field_of_no_concern_was_refused) {
  auto body = fields_of(
      R"({"note":1e400,"more":[-1e999,{"x":12e3456}],"t":"\\\"1e400","qty":2,"1e400":1e400})");
  EXPECT_EQ(body.integer("qty", qty_range), 2);
  EXPECT_EQ(body.text("t", 10), "\\\"1e400");
  EXPECT_FALSE(body.problem());
}

TEST(body_fields, deep_nesting_is_no_danger) {
  const std::size_t deep = 32 * 1024;
  const auto nested = "{\"a\":" + std::string(deep, '[') + std::string(deep - 8, ']');
  EXPECT_TRUE(std::holds_alternative<error>(body_fields::parse(nested)));
  const auto closed = "{\"a\":" + std::string(deep, '[') + std::string(deep, ']') + "}";
  EXPECT_FALSE(fields_of(closed).problem());
}

TEST(body_fields, integers_may_come_as_numbers_or_as_their_text) {
  struct example {
    const char* json;
    std::optional<std::int64_t> value;
  };
  for (const auto& x : std::vector<example>{{"1", 1},
                                            {"1000", 1'000},
                                            {"\"2\"", 2},
                                            {"\"+2\"", 2},
                                            {"0", {}},
                                            {"1001", {}},
                                            {"-1", {}},
                                            {"\"-1\"", {}},
                                            {"1.0", {}},
                                            {"1e2", {}},
                                            {"\"1.0\"", {}},
                                            {"\"1e2\"", {}},
                                            {"\"\"", {}},
                                            {"\" 1\"", {}},
                                            {"true", {}},
                                            {"[1]", {}},
                                            {"{}", {}},
                                            {"18446744073709551615", {}},
                                            {"99999999999999999999", {}},
                                            {"-9223372036854775808", {}}}) {
    auto body = fields_of(std::string("{\"qty\":") + x.json + "}");
    EXPECT_EQ(body.integer("qty", qty_range), x.value) << x.json;
    EXPECT_EQ(blamed(body), x.value ? std::vector<std::string>{} : std::vector<std::string>{"qty"})
        << x.json;
  }
}

TEST(body_fields, ranges_are_those_of_the_contract) {
  const auto accepts = [](integer_range range, std::int64_t value) {
    auto body = fields_of("{\"n\":" + std::to_string(value) + "}");
    return body.integer("n", range).has_value();
  };
  for (const auto& [range, least, most] :
       std::vector<std::tuple<integer_range, std::int64_t, std::int64_t>>{
           {id_range, 1, 9007199254740991},
           {qty_range, 1, 1'000},
           {cost_range, 0, 1'000'000'000'000},
           {stamp_range, -1'000'000, 1'000'000}}) {
    EXPECT_TRUE(accepts(range, least));
    EXPECT_TRUE(accepts(range, most));
    EXPECT_FALSE(accepts(range, least - 1));
    EXPECT_FALSE(accepts(range, most + 1));
  }
}

TEST(body_fields, texts_have_a_length_in_characters) {
  const auto accepts = [](const std::string& json) {
    auto body = fields_of("{\"t\":" + json + "}");
    return body.text("t", 3).has_value();
  };
  EXPECT_TRUE(accepts("\"a\""));
  EXPECT_TRUE(accepts("\"abc\""));
  EXPECT_TRUE(accepts("\"커피콩\""));
  EXPECT_TRUE(accepts("\"\\u0041\\n\\\"\""));
  EXPECT_FALSE(accepts("\"\""));
  EXPECT_FALSE(accepts("\"abcd\""));
  EXPECT_FALSE(accepts("\"커피콩콩\""));
  EXPECT_FALSE(accepts("7"));
  EXPECT_FALSE(accepts("[\"a\"]"));
}

TEST(body_fields, phone_numbers_are_normalised) {
  auto body = fields_of(R"({"a":"010-1234-1234","b":"123","c":1012341234,"d":null})");
  EXPECT_EQ(body.phone("a", true), "01012341234");
  EXPECT_EQ(body.phone("b", false), std::nullopt);
  EXPECT_EQ(body.phone("c", false), std::nullopt);
  EXPECT_EQ(body.phone("d", false), std::nullopt);
  EXPECT_EQ(body.phone("e", false), std::nullopt);
  EXPECT_EQ(blamed(body), (std::vector<std::string>{"b", "c"}));
}

TEST(body_fields, status_words_are_the_clients_own) {
  const auto word = [](const std::string& json) {
    auto body = fields_of("{\"s\":" + json + "}");
    return body.word<payment_status>("s");
  };
  EXPECT_EQ(word("\"Not Pay\""), payment_status::not_paid);
  EXPECT_EQ(word("\"END\""), payment_status::paid);
  EXPECT_EQ(word("\"CANCEL\""), payment_status::cancelled);
  for (const auto* json : {"\"\"", "\"end\"", "\"END \"", "\"READY\"", "1", "null", "[]"})
    EXPECT_EQ(word(json), std::nullopt) << json;
}

TEST(body_fields, null_is_as_good_as_absent) {
  auto body = fields_of(R"({"a":null})");
  EXPECT_EQ(body.integer("a", id_range, false), std::nullopt);
  EXPECT_EQ(body.text("a", 10, false), std::nullopt);
  EXPECT_FALSE(body.problem());
  EXPECT_EQ(body.integer("a", id_range), std::nullopt);
  EXPECT_EQ(body.text("b", 10), std::nullopt);
  EXPECT_EQ(blamed(body), (std::vector<std::string>{"a", "b"}));
}

TEST(body_fields, says_everything_that_is_wrong_at_once) {
  auto body = fields_of(R"({"qty":0,"cost":"x","productName":""})");
  body.integer("productId", id_range);
  body.text("productName", name_length);
  body.integer("qty", qty_range);
  body.integer("cost", cost_range);
  EXPECT_EQ(blamed(body), (std::vector<std::string>{"productId", "productName", "qty", "cost"}));
}

}  // namespace
}  // namespace skanu
