// Stored documents and events: decoding returns the encoded value, also in a newer program, and
// damage is a decode_error.
#include "persistence/document.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "messages/delivery.hpp"
#include "messages/order.hpp"
#include "messages/order_trace.hpp"
#include "messages/payment.hpp"
#include "messages/stamp.hpp"

namespace skanu {
namespace {

const std::string awkward = "caf\xc3\xa9 \"to go\" \\ \n\t\r\x01 ,\"data\":{}} \"version\":9";

const order_details details = {101, awkward, 3, 13'500, "card"};

/// A state with no field at its default, in every status.
template <class State>
State filled(std::size_t status);

template <>
order_state filled(std::size_t status) {
  return {42, details, static_cast<order_status>(status), true};
}
template <>
payment_state filled(std::size_t status) {
  return {42, 43, details, static_cast<payment_status>(status), "01012341234", true, true, true};
}
template <>
delivery_state filled(std::size_t status) {
  delivery_state state;
  static_cast<delivery_fields&>(state) = {
      42, 43, 44, 101, awkward, 3, static_cast<delivery_status>(status), "7 Station Road"};
  state.rejected = true;
  return state;
}
template <>
stamp_state filled(std::size_t) {
  return {"01012341234", -7};
}
template <>
order_trace filled(std::size_t status) {
  return {42,
          43,
          101,
          awkward,
          3,
          13'500,
          static_cast<trace_status>(status),
          true,
          {from_rfc3339("2026-11-22T11:00:00.000Z"), from_rfc3339("2026-11-22T12:00:00.000Z")}};
}

template <class State>
struct of_service;
template <>
struct of_service<order_state> {
  static constexpr auto value = service::order;
  static constexpr auto statuses = enum_words<order_status>::list.size();
};
template <>
struct of_service<payment_state> {
  static constexpr auto value = service::payment;
  static constexpr auto statuses = enum_words<payment_status>::list.size();
};
template <>
struct of_service<delivery_state> {
  static constexpr auto value = service::delivery;
  static constexpr auto statuses = enum_words<delivery_status>::list.size();
};
template <>
struct of_service<stamp_state> {
  static constexpr auto value = service::stamp;
  static constexpr auto statuses = std::size_t{1};
};
template <>
struct of_service<order_trace> {
  static constexpr auto value = service::ordertrace;
  static constexpr auto statuses = enum_words<trace_status>::list.size();
};

template <class State>
class documents_of : public testing::Test {};
using states = testing::Types<order_state, payment_state, delivery_state, stamp_state, order_trace>;
TYPED_TEST_SUITE(documents_of, states);

TYPED_TEST(documents_of, every_status_are_read_back_the_same) {
  for (std::size_t status = 0; status < of_service<TypeParam>::statuses; ++status) {
    const auto state = filled<TypeParam>(status);
    const auto document = encode_document(of_service<TypeParam>::value, 7, state);
    EXPECT_EQ(decode_document<TypeParam>(document), state) << document;
  }
  EXPECT_EQ(
      decode_document<TypeParam>(encode_document(of_service<TypeParam>::value, 1, TypeParam())),
      TypeParam());
}

TYPED_TEST(documents_of, any_state_are_json_with_type_schema_and_version_in_front) {
  const auto document = encode_document(of_service<TypeParam>::value, 7, filled<TypeParam>(1));
  const auto name = std::string(name_of(of_service<TypeParam>::value));
  EXPECT_TRUE(document.starts_with(R"({"type":")" + name + R"(","schema":1,"version":7,)"));
  EXPECT_EQ(nlohmann::json::parse(document).at("data"),
            nlohmann::json::parse(to_json(filled<TypeParam>(1))));
}

TYPED_TEST(documents_of, any_state_give_version_and_data_without_being_parsed) {
  for (const version_number version : {version_number{1}, version_number{70}, max_safe_integer}) {
    const auto state = filled<TypeParam>(1);
    const auto document = encode_document(of_service<TypeParam>::value, version, state);
    const auto parts = parts_of(document);
    EXPECT_EQ(parts.version, version);
    EXPECT_EQ(parts.data, to_json(state));
  }
}

TYPED_TEST(documents_of, an_older_program_are_read_with_the_new_fields_at_their_defaults) {
  EXPECT_EQ(decode_document<TypeParam>(R"({"type":"x","schema":1,"version":1,"data":{}})"),
            TypeParam());
  EXPECT_EQ(
      decode_document<TypeParam>(R"({"type":"x","schema":1,"version":1,"internal":{},"data":{}})"),
      TypeParam());
}

TYPED_TEST(documents_of, a_program_that_added_fields_are_read_without_them) {
  auto document = encode_document(of_service<TypeParam>::value, 1, filled<TypeParam>(1));
  document.insert(document.size() - 2, R"(,"added":{"later":[1,2]})");
  EXPECT_EQ(decode_document<TypeParam>(document), filled<TypeParam>(1));
}

TEST(documents, leave_out_what_is_not_there) {
  payment_state state;
  EXPECT_EQ(to_json(state).find("phoneNumber"), std::string::npos);
  state.phone_number = "";
  EXPECT_NE(to_json(state).find(R"("phoneNumber":"")"), std::string::npos);
}

TEST(documents, do_not_show_what_is_internal) {
  const auto parts = encode_document(service::payment, 1, filled<payment_state>(1));
  for (const auto* name : {"closed", "refunded", "rejected"}) {
    EXPECT_EQ(parts_of(parts).data.find(name), std::string_view::npos);
    EXPECT_NE(parts.find(name), std::string::npos);
  }
}

TEST(documents, of_another_schema_or_shape_are_refused) {
  for (const auto* document : {"",
                               "{}",
                               "null",
                               "[]",
                               "7",
                               "not json",
                               "{\"schema\":1}",
                               R"({"schema":2,"version":1,"data":{}})",
                               R"({"schema":0,"version":1,"data":{}})",
                               R"({"schema":-1,"version":1,"data":{}})",
                               R"({"schema":"1","version":1,"data":{}})",
                               R"({"schema":1.0,"version":1,"data":{}})",
                               R"({"schema":null,"version":1,"data":{}})",
                               R"({"schema":[1],"version":1,"data":{}})",
                               R"({"version":1,"data":{}})",
                               R"({"schema":1,"version":1,"data":[]})",
                               R"({"schema":1,"version":1,"data":null})",
                               R"({"schema":1,"version":1,"data":{"id":"42"}})",
                               R"({"schema":1,"version":1,"data":{"id":4.2}})",
                               R"({"schema":1,"version":1,"data":{"id":null}})",
                               R"({"schema":1,"version":1,"data":{"productName":5}})",
                               R"({"schema":1,"version":1,"data":{"delivered":1}})",
                               R"({"schema":1,"version":1,"data":{"orderStatus":"Unheard of"}})",
                               R"({"schema":1,"version":1,"data":{"orderStatus":1}})",
                               R"({"schema":1,"version":1,"data":{}} trailing)"})
    EXPECT_THROW(decode_document<order_state>(document), decode_error) << document;
  EXPECT_THROW(decode_document<payment_state>(
                   R"({"schema":1,"version":1,"internal":{"closed":"yes"},"data":{}})"),
               decode_error);
  EXPECT_THROW(decode_document<payment_state>(R"({"schema":1,"version":1,"internal":7,"data":{}})"),
               decode_error);
}

TEST(parts, of_what_is_no_document_are_an_error) {
  for (const std::string document :
       {"", "}", "{}", "\"version\":", ",\"data\":", "\"version\":1", "\"version\":1,\"data\":",
        ",\"data\":}", "{\"version\":,\"data\":{}}", "{\"version\":x,\"data\":{}}",
        "{\"version\":99999999999999999999,\"data\":{}}", "{\"version\":-1,\"data\":{}}",
        "{\"version\":0,\"data\":{}}", "{\"version\":12x,\"data\":{}}",
        "{\"version\":1.5,\"data\":{}}", "{,\"data\":{},\"version\":12}", ",\"data\":\"version\":}",
        "{\"version\":1,\"data\":{}} ", "{\"version\": 1,\"data\":{}}"})
    EXPECT_THROW(parts_of(document), decode_error) << document;
}

/// Copies exactly these bytes to the heap, so that AddressSanitizer sees a read beyond either end.
void take_parts_of(std::string_view bytes) {
  const std::vector<char> exact(bytes.begin(), bytes.end());
  const std::string_view document(exact.data(), exact.size());
  try {
    const auto parts = parts_of(document);
    EXPECT_GE(parts.version, 1);
    EXPECT_GE(parts.data.data(), document.data());
    EXPECT_LE(parts.data.data() + parts.data.size(), document.data() + document.size());
  } catch (const decode_error&) {
  }
  try {
    decode_document<payment_state>(document);
  } catch (const decode_error&) {
  }
}

TEST(parts, of_hostile_bytes_are_an_error_or_lie_within_them) {
  const auto whole = encode_document(service::payment, 12, filled<payment_state>(2));
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    take_parts_of(std::string_view(whole).substr(0, size));
    take_parts_of(std::string_view(whole).substr(size));
  }
  std::mt19937 random(1);
  const auto pick = [&](std::size_t below) {
    return std::uniform_int_distribution<std::size_t>(0, below - 1)(random);
  };
  for (int i = 0; i < 5'000; ++i) {
    auto damaged = whole;
    for (auto n = 1 + pick(4); n > 0; --n)
      damaged[pick(damaged.size())] = static_cast<char>(pick(256));
    take_parts_of(damaged);
  }
  // The format's own words in any order.
  const std::string_view words[] = {"{", "}", "\"version\":", ",\"data\":", "1",
                                    "-", ",", "9999999"};
  for (int i = 0; i < 20'000; ++i) {
    std::string mixed;
    for (auto n = pick(8); n > 0; --n) mixed += words[pick(std::size(words))];
    take_parts_of(mixed);
  }
}

}  // namespace
}  // namespace skanu
