// Cost of requests in processor time: for each class of requests, the costliest request of a size
// compared with the cheapest.
#include <atomic>
#include <cstdlib>
#include <ctime>
#include <iostream>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "http/format/body_fields.hpp"
#include "http/format/request_fields.hpp"
#include "http/server/request_reader.hpp"
#include "http/server/responder.hpp"
#include "messages/payment.hpp"

namespace skanu {
namespace {

constexpr std::size_t body_size = 60'000, target_size = 8'000, header_size = 8'000;

/// Reads and answers a request in full, but without actors.
class front_without_actors {
 public:
  double seconds_for(const std::string& bytes) {
    timespec began{}, ended{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &began);
    std::string output;
    request_reader reader{request_limits{}};
    reader.append(bytes);
    if (reader.advance() == request_reader::stage::complete) {
      responder_.answer(reader.take(), endpoints_, false, output);
    } else {
      responder_.refuse(reader.failure(), false, output);
    }
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ended);
    return static_cast<double>(ended.tv_sec - began.tv_sec) +
           static_cast<double>(ended.tv_nsec - began.tv_nsec) * 1e-9;
  }

 private:
  static void answer(const httplib::Request& in, httplib::Response& out) {
    try {
      conditions_of(in);
      page_of(in);
      prefers_html(in);
      is_known_to_client(in, "1");
      if (in.method == "GET") return;
      auto parsed = body_fields::parse(in.body);
      auto* fields = std::get_if<body_fields>(&parsed);
      if (fields == nullptr) return;
      fields->integer("productId", id_range);
      fields->text("productName", name_length);
      fields->phone("phoneNumber", false);
      fields->word<payment_status>("paymentStatus");
      fields->problem();
    } catch (const refused& why) {
      out.set_content(why.why.detail, "text/plain");
    }
  }

  const std::atomic<bool> last_call_{false};
  connection_endpoints endpoints_;
  responder responder_{[](exchange& x) { answer(x.in, x.out); },
                       [](int, std::string_view reason, httplib::Response& out) {
                         out.set_content(std::string(reason), "text/plain");
                       },
                       {},
                       1 << 20,
                       last_call_};
};

std::string repeated(std::string_view part, std::size_t size) {
  std::string text;
  while (text.size() + part.size() <= size) text += part;
  return text;
}

/// `front` and `back`, with `part` between both as often as `size` allows.
std::string filled(std::string front, std::string_view part, std::string_view back,
                   std::size_t size = body_size) {
  front += repeated(part, size - front.size() - back.size());
  return front.append(back);
}

std::string with_body(const std::string& body) {
  return "POST /orders HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string with_target(const std::string& target) {
  return "GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n";
}

std::string with_header(const std::string& field) {
  return "GET /orders HTTP/1.1\r\nHost: a\r\n" + field + "\r\n\r\n";
}

/// A JSON object with distinct member names.
std::string members(std::string_view value) {
  std::string text = "{";
  for (int i = 0; text.size() < body_size - 20; ++i)
    text.append(i == 0 ? "\"" : ",\"").append(std::to_string(i)).append("\":").append(value);
  return text + '}';
}

/// The most parameters that a query may have, each of one name.
std::string hundred_values(const std::string& name) {
  std::string text;
  for (int i = 0; i < 99; ++i) text += name + "=" + std::to_string(i) + "&";
  return text + name + "=";
}

struct costs {
  double least = std::numeric_limits<double>::max(), most = 0;
  std::string costliest, all;
};

/// Takes the least of several runs as a request's cost; the rest is noise of the machine.
costs costs_of(const std::vector<std::pair<std::string, std::string>>& requests) {
  front_without_actors front;
  costs found;
  for (const auto& [name, bytes] : requests) {
    auto least = std::numeric_limits<double>::max();
    for (int run = 0; run < 7; ++run) least = std::min(least, front.seconds_for(bytes));
    found.all += name + ": " + std::to_string(least * 1e6) + " us\n";
    found.least = std::min(found.least, least);
    if (least > found.most) found.costliest = name;
    found.most = std::max(found.most, least);
  }
  return found;
}

constexpr double most_ratio = 20;

void expect_bounded(const std::vector<std::pair<std::string, std::string>>& requests) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer makes allocation dear, which is what is compared here";
#endif
  const auto found = costs_of(requests);
  testing::Test::RecordProperty("costliest", found.costliest);
  EXPECT_LT(found.most, most_ratio * found.least) << found.all;
  if (std::getenv("SKANU_SHOW_COSTS") != nullptr) std::cout << found.all;
}

TEST(request_cost, ten_thousand_numbers_beyond_a_double_cost_fifty_times_a_plain_body) {
  const auto list = [](std::string_view part) { return filled(R"({"a":[0)", part, "]}"); };
  std::vector<std::pair<std::string, std::string>> requests;
  const auto add = [&](const char* name, const std::string& body) {
    requests.emplace_back(name, with_body(body));
  };
  add("one string", filled(R"({"a":")", "x", "\"}"));
  add("1e300", list(",1e300"));
  add("1e309", list(",1e309"));
  add("-1e309", list(",-1e309"));
  add("1e999999999", list(",1e999999999"));
  add("1e-400", list(",1e-400"));
  add("1e309 and broken", filled(R"({"a":[0)", ",1e309", "]"));
  add("01e309", list(",01e309"));
  add("1e309 as members", members("1e309"));
  add("9.99999999999999999999e307", list(",9.99999999999999999999e307"));
  add("2.2250738585072012e-308", list(",2.2250738585072012e-308"));
  add("5e-324", list(",5e-324"));
  add("one number of all digits", filled(R"({"a":1)", "1", "}"));
  add("one fraction of all digits", filled(R"({"a":0.)", "7", "}"));
  add("one fraction of zeros", filled(R"({"a":0.)", "0", "1}"));
  add("one exponent of all digits", filled(R"({"a":1e)", "9", "}"));
  add("one negative exponent of all digits", filled(R"({"a":1e-)", "9", "}"));
  add("digits with a great exponent", filled(R"({"a":1)", "1", "e309}"));
  add("digits with a small exponent", filled(R"({"a":1)", "1", "e-60000}"));
  add("numbers of 800 digits", list("," + std::string(800, '9') + "e-700"));
  add("numbers of 400 digits", list("," + std::string(400, '9')));
  add("numbers of 20 digits", list(",99999999999999999999"));
  add("numbers of 19 digits", list(",9223372036854775808"));
  add("ones", list(",1"));
  add("deep lists", repeated("[", 30'000) + repeated("]", 30'000));
  add("deep lists in a member", R"({"a":)" + repeated("[", 29'990) + repeated("]", 29'990) + "}");
  add("deep objects", repeated(R"({"":)", 50'000) + "1" + repeated("}", 10'000));
  add("unclosed lists", repeated("[", body_size));
  add("empty lists", list(",[]"));
  add("empty objects", list(",{}"));
  add("small members", members("1"));
  add("members of one name", filled(R"({"a":1)", R"(,"a":1)", "}"));
  add("members of one long name", filled(R"({"a":1)", ",\"" + std::string(200, 'k') + "\":1", "}"));
  add("members with a long common start", [] {
    std::string text = R"({"a":1)";
    for (int i = 1000; text.size() < body_size - 300; ++i)
      text += ",\"" + std::string(200, 'k') + std::to_string(i) + "\":1";
    return text + '}';
  }());
  add("escapes", filled(R"({"a":")", R"(\u0041)", "\"}"));
  add("surrogates", filled(R"({"a":")", R"(\ud83d\ude00)", "\"}"));
  add("short escapes", filled(R"({"a":")", R"(\n)", "\"}"));
  add("a long name of escapes", filled(R"({")", R"(\u0041)", "\":1}"));
  add("Hangul", filled(R"({"productName":")", "\xea\xb0\x80", "\"}"));
  add("a long phone", filled(R"({"phoneNumber":")", "1", "\"}"));
  add("a phone of separators", filled(R"({"phoneNumber":")", "-", "\"}"));
  add("a long integer", filled(R"({"productId":")", "1", "\"}"));
  add("a long word", filled(R"({"paymentStatus":")", "E", "\"}"));
  add("invalid UTF-8 at the end", filled(R"({"a":")", "x", "\xff\"}"));
  add("blanks", filled(R"({"a":1)", " ", "}"));
  add("new lines", filled(R"({"a":1)", "\n", "}"));
  add("strings", list(R"(,"")"));
  add("true", list(",true"));
  expect_bounded(requests);
}

TEST(request_cost, of_a_target_is_bounded) {
  std::vector<std::pair<std::string, std::string>> requests;
  const auto add = [&](const char* name, std::string front, std::string_view part,
                       std::string_view back = "") {
    requests.emplace_back(name, with_target(filled(std::move(front), part, back, target_size)));
  };
  add("a path", "/", "x");
  add("segments", "/", "/");
  add("escapes", "/", "%41");
  add("escaped escapes", "/", "%25");
  add("a query", "/?a=", "x");
  add("parameters", "/?", "a&");
  add("parameters with values", "/?", "a=1&");
  add("empty parameters", "/?", "&");
  add("equals signs", "/?", "=");
  add("question marks", "/?", "?");
  add("escapes in a query", "/?a=", "%41");
  add("plus signs in a query", "/?a=", "+");
  add("broken escapes in a query", "/?a=", "%25u");
  add("pages", "/orders?", "page=1&");
  add("a long page", "/orders?page=", "1");
  add("a long sort", "/orders?sort=", "id,");
  add("a hundred values of one parameter", "/?" + hundred_values("a"), "x");
  requests.emplace_back("parameters of their own", [] {
    std::string text = "/?";
    for (int i = 0; text.size() < target_size - 8; ++i) text += std::to_string(i) + "=&";
    return with_target(text);
  }());
  expect_bounded(requests);
}

TEST(request_cost, of_a_header_block_is_bounded) {
  std::vector<std::pair<std::string, std::string>> requests;
  const auto add = [&](const char* name, std::string front, std::string_view part,
                       std::string_view back = "") {
    requests.emplace_back(name, with_header(filled(std::move(front), part, back, header_size)));
  };
  add("one field", "X: ", "x");
  add("blanks", "X: ", " ", "x");
  add("a long If-Match", "If-Match: ", "\"1\",");
  add("an If-Match of quotes", "If-Match: ", "\"");
  add("an If-Match without quotes", "If-Match: ", "W/");
  add("an If-Match of long tags", "If-Match: ", "\"9007199254740991\",");
  add("weak tags", "If-None-Match: ", "W/\"1\",");
  add("Accept", "Accept: ", "a/b;q=0.1,");
  add("Accept of commas", "Accept: ", ",");
  add("Accept of qs", "Accept: text/html;", "q=0.11111111111111111111,text/html;");
  add("Accept of long qs", "Accept: text/html;q=0.", "1");
  add("Accept with great exponents", "Accept: ", "text/html;q=1e999,");
  add("Connection", "Connection: ", "close,");
  add("Connection of commas", "Connection: ", ",");
  add("a long key", "Idempotency-Key: ", "k");
  add("a long traceparent", "traceparent: ", "0");
  requests.emplace_back(
      "fields of one name",
      with_header(repeated("If-Match: \"1\"" + std::string(60, ' ') + "\r\n", header_size - 200) +
                  "X: 1"));
  requests.emplace_back("fields of their own", [] {
    std::string text;
    for (int i = 0; i < 98; ++i)
      text += "Field-" + std::to_string(i) + ": " + std::string(66, 'x') + "\r\n";
    return with_header(text + "X: 1");
  }());
  expect_bounded(requests);
}

}  // namespace
}  // namespace skanu
