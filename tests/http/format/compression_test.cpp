#include "http/format/compression.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

namespace skanu {
namespace {

bool takes(std::initializer_list<const char*> fields) {
  httplib::Request in;
  for (const auto* field : fields) in.headers.emplace("Accept-Encoding", field);
  return takes_gzip(in);
}

std::string unpacked(std::string packed, std::size_t size) {
  std::string out(size + 1, '\0');
  z_stream stream{};
  EXPECT_EQ(::inflateInit2(&stream, 15 + 16), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(::inflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  ::inflateEnd(&stream);
  return out;
}

TEST(Compression, IsTakenWhereGzipOrEverythingHasAWeight) {
  EXPECT_TRUE(takes({"gzip"}));
  EXPECT_TRUE(takes({"br, GZIP;q=0.001"}));
  EXPECT_TRUE(takes({"br", "x-gzip"}));
  EXPECT_TRUE(takes({"*"}));
  EXPECT_TRUE(takes({"identity;q=0, *;q=0.5"}));
  for (const auto* field : {"", ",", "br", "gzipped", "gzip;q=0", "gzip; q=0.000", "gzip; x=1; q=0",
                            "gzip;x ;Q=0.0", "*, gzip;q=0", "*;q=0", "identity"})
    EXPECT_FALSE(takes({field})) << field;
  EXPECT_FALSE(takes({}));
}

TEST(Compression, GivesBackTheSameBytes) {
  for (const std::size_t size : {0U, 1U, 1'024U, 3'000'000U}) {
    std::string text(size, 'x');
    for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * i % 251);
    for (const auto how : {effort::quick, effort::best})
      EXPECT_EQ(unpacked(gzipped(text, how), size), text);
  }
}

class compressed_answer : public testing::Test {
 protected:
  compressed_answer() {
    in.headers.emplace("Accept-Encoding", "gzip");
    out.set_content(std::string(least_to_compress, '{'), "application/hal+json");
  }

  bool is_compressed() {
    compress(in, out);
    return out.get_header_value("Content-Encoding") == "gzip";
  }

  httplib::Request in;
  httplib::Response out;
};

TEST_F(compressed_answer, has_a_body_of_a_kibibyte_and_varies) {
  EXPECT_TRUE(is_compressed());
  EXPECT_LT(out.body.size(), 100U);
  EXPECT_EQ(out.get_header_value("Vary"), "Accept-Encoding");
}

TEST_F(compressed_answer, varies_also_where_the_client_does_not_take_it) {
  in.headers.clear();
  EXPECT_FALSE(is_compressed());
  EXPECT_EQ(out.get_header_value("Vary"), "Accept-Encoding");
}

TEST_F(compressed_answer, is_none_of_a_small_body) {
  out.body.pop_back();
  EXPECT_FALSE(is_compressed());
  EXPECT_FALSE(out.has_header("Vary"));
}

TEST_F(compressed_answer, is_none_with_a_tag_that_a_change_would_send_back) {
  out.set_header("ETag", "\"1\"");
  EXPECT_FALSE(is_compressed());
}

TEST_F(compressed_answer, is_none_of_an_error) {
  out.status = 422;
  EXPECT_FALSE(is_compressed());
}

TEST_F(compressed_answer, is_none_of_a_picture) {
  out.set_content(std::string(least_to_compress, 'x'), "image/png");
  EXPECT_FALSE(is_compressed());
}

}  // namespace
}  // namespace skanu
