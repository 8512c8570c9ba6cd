// Records of operations: the stored bytes, and answers read from a record.
#include "persistence/operation_record.hpp"

#include <gtest/gtest.h>

#include "persistence/document.hpp"
#include "persistence/tables/memory_tables.hpp"
#include "persistence/tables/table_store.hpp"
#include "tests/support/write_commit.hpp"

namespace skanu {
namespace {

constexpr instant now{std::chrono::milliseconds(1'800'000'000'000)};

operation_id operation_of(bool client) {
  operation_id id;
  id.from_client = client;
  // A gateway's id begins with the time.
  for (std::size_t i = 0; i < 6; ++i)
    id.bytes[i] = static_cast<unsigned char>(now.time_since_epoch().count() >> (8 * (5 - i)));
  return id;
}

std::string record_of(const outcome& result, bool client = true) {
  for (const auto& row : operation_rows(operation_of(client), 77, result, now))
    if (row.space == row_space::operations) return row.value.value_or("");
  return "no record";
}

outcome answer_in(const std::string& record, bool client = true) {
  const auto data = make_table_store(make_memory_tables(), {service::order});
  write_rows(*data, service::order, {{row_space::operations, operation_of(client).key(), record}});
  return recorded_outcome(*data->read(), service::order, operation_of(client), 77).value();
}

const accepted done{effect::changed, 5, 3, std::make_shared<const std::string>(R"({"a":"b"})")};
const error refusal{
    errc::invalid_field, "Two fields are wrong.", {{"qty", "too \"many\""}, {"x", ""}}};

// Records of the version before stay readable, so the names never change.
TEST(operation_records, keep_their_stored_bytes) {
  EXPECT_EQ(
      record_of(done),
      R"({"fingerprint":"77","effect":"changed","id":5,"version":3,"document":"{\"a\":\"b\"}"})");
  EXPECT_EQ(record_of(done, false), R"({"effect":"changed","id":5,"version":3})");
  EXPECT_EQ(record_of(refusal),
            R"({"fingerprint":"77","error":"invalid-field","detail":"Two fields are wrong.",)"
            R"("fields":[{"field":"qty","message":"too \"many\""},{"field":"x","message":""}]})");
  EXPECT_EQ(record_of(error{errc::not_found, "None."}, false),
            R"({"error":"not-found","detail":"None.","fields":[]})");
}

TEST(operation_records, give_the_same_answer_again) {
  const auto again = answer_in(record_of(done));
  EXPECT_EQ(std::get<accepted>(again).what, done.what);
  EXPECT_EQ(std::get<accepted>(again).id, done.id);
  EXPECT_EQ(std::get<accepted>(again).version, done.version);
  EXPECT_EQ(*std::get<accepted>(again).document, *done.document);
  EXPECT_EQ(std::get<error>(answer_in(record_of(refusal))), refusal);
  EXPECT_EQ(std::get<error>(answer_in(R"({"error":"a later one's","detail":""})", false)).code,
            errc::undecodable);
}

TEST(operation_records, of_another_shape_are_undecodable) {
  for (const auto* record :
       {"", "[]", R"({"effect":7})", R"({"effect":"later"})", R"({"error":7})",
        R"({"error":"not-found","detail":7})", R"({"error":"not-found","fields":{"field":"a"}})",
        R"({"error":"not-found","fields":[7]})", R"({"error":"not-found","fields":[{"field":7}]})"})
    EXPECT_THROW(answer_in(record, false), decode_error) << record;
  for (const auto* record : {"[]", R"({"fingerprint":77,"error":"not-found"})"})
    EXPECT_THROW(answer_in(record), decode_error) << record;
}

}  // namespace
}  // namespace skanu
