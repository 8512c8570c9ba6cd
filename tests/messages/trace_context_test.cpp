// Valid and invalid traceparent headers, by the W3C's recommendation.
#include "messages/trace_context.hpp"

#include <gtest/gtest.h>

#include <string>

#include "messages/event.hpp"
#include "messages/payment.hpp"

namespace skanu {
namespace {

const std::string id = "4bf92f3577b34da6a3ce929d0e0e4736", parent = "00f067aa0ba902b7";

std::string with(std::string_view version, std::string_view flags, std::string_view rest = "") {
  return std::string(version) + '-' + id + '-' + parent + '-' + std::string(flags) +
         std::string(rest);
}

TEST(trace_context, reads_version_00) {
  for (const auto* flags : {"00", "01", "03", "ff"}) {
    const auto read = trace_context_of(with("00", flags));
    ASSERT_TRUE(read) << flags;
    EXPECT_EQ(read->traceparent(), with("00", flags));
    EXPECT_EQ(read->trace_id(), id);
  }
}

TEST(trace_context, reads_a_later_version_as_far_as_it_is_known) {
  for (const auto* rest : {"", "-", "-what-the-future-will-be-like"}) {
    EXPECT_EQ(trace_context_of(with("01", "01", rest))->traceparent(), with("00", "01")) << rest;
    EXPECT_EQ(trace_context_of(with("cc", "ff", rest))->traceparent(), with("00", "01")) << rest;
    EXPECT_EQ(trace_context_of(with("fe", "08", rest))->traceparent(), with("00", "00")) << rest;
  }
  EXPECT_FALSE(trace_context_of(with("01", "01", ".what-the-future-will-be-like")));
  EXPECT_FALSE(trace_context_of(with("01", "010")));
}

TEST(trace_context, ignores_what_is_not_valid) {
  EXPECT_FALSE(trace_context_of(""));
  EXPECT_FALSE(trace_context_of("00"));
  EXPECT_FALSE(trace_context_of(with("ff", "01")));
  EXPECT_FALSE(trace_context_of(with("00", "01", "-")));
  EXPECT_FALSE(trace_context_of(with("00", "01", " ")));
  EXPECT_FALSE(trace_context_of(" " + with("00", "01")));
  EXPECT_FALSE(trace_context_of(with("00", "0")));
  EXPECT_FALSE(trace_context_of(with("0", "01")));
  EXPECT_FALSE(trace_context_of("00-" + std::string(32, '0') + '-' + parent + "-01"));
  EXPECT_FALSE(trace_context_of("00-" + id + '-' + std::string(16, '0') + "-01"));
  const auto good = with("00", "01");
  for (std::size_t i = 0; i < good.size(); ++i)
    for (const char c : {'A', 'F', 'g', '.', ' ', '"', '\0', '\n', '\xff'}) {
      auto bad = good;
      bad[i] = c;
      EXPECT_FALSE(trace_context_of(bad)) << bad;
    }
  for (std::size_t n = 0; n < good.size(); ++n) EXPECT_FALSE(trace_context_of(good.substr(0, n)));
}

TEST(trace_context, stands_in_the_events_of_a_traced_command_and_in_no_other) {
  const auto trace = trace_context_of(with("00", "01"));
  paid event;
  event.id = 7;
  // A user's text in the form of a traceparent field is not read as the event's own field.
  event.details.product_name =
      R"(,"traceparent":"00-1bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")";
  const auto traced = encode_event(payment_event(event), 2, "2026-11-22T12:00:00.000Z", trace);
  EXPECT_EQ(trace_of(traced), trace);
  EXPECT_EQ(std::get<paid>(decode_event<payment_event>(parse_stored_json(traced))), event);
  const auto plain = encode_event(payment_event(event), 2, "2026-11-22T12:00:00.000Z");
  EXPECT_EQ(trace_of(plain), std::nullopt);
  EXPECT_EQ(trace_of(""), std::nullopt);
}

}  // namespace
}  // namespace skanu
