#include "cluster/program/log_json.hpp"

#include <set>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "http/format/log_text.hpp"

namespace skanu {
namespace {

/// Parses as strict readers do: refuses a second member of a name.
nlohmann::json strictly_parsed(const std::string& text) {
  std::set<std::string> names;
  return nlohmann::json::parse(text, [&](int, auto event, const nlohmann::json& name) {
    const bool is_new = event != nlohmann::json::parse_event_t::key || names.insert(name).second;
    EXPECT_TRUE(is_new) << name << " is twice in " << text;
    return true;
  });
}

nlohmann::json fields_of(std::string_view line) {
  std::string out = "{\"level\":\"info\"";
  append_json_fields(out, line);
  auto object = strictly_parsed(out + "}");
  object.erase("level");
  return object;
}

TEST(LogJson, FieldsBecomeMembersAndWholeNumbersNumbers) {
  EXPECT_EQ(fields_of("event=request status=201 us=-5 ratio=0.5 path=\"/orders\""),
            nlohmann::json({{"event", "request"},
                            {"status", 201},
                            {"us", -5},
                            {"ratio", "0.5"},
                            {"path", "/orders"}}));
}

TEST(LogJson, ATraceOfDigitsAloneStaysAString) {
  const std::string trace = "12345678901234567890123456789012";
  EXPECT_EQ(fields_of("trace=" + trace).at("trace"), trace);
  EXPECT_EQ(fields_of("id=007").at("id"), "007");
  EXPECT_EQ(fields_of("id=-0").at("id"), "-0");
}

TEST(LogJson, AValueInQuotesComesBackAsItWas) {
  for (const std::string value :
       {"a b=c", "\"", "\\", "tab\tline\n", "커피", "", "x\" event=forged", "\\x41", "\" a=\""})
    EXPECT_EQ(fields_of("event=a path=" + in_quotes(value) + " status=1"),
              nlohmann::json({{"event", "a"}, {"path", value}, {"status", 1}}));
}

TEST(LogJson, QuotesWithinAReasonDoNotEndIt) {
  EXPECT_EQ(fields_of(R"(reason="no file "x" here" times=2)"),
            nlohmann::json({{"reason", "no file \"x\" here"}, {"times", 2}}));
  EXPECT_EQ(fields_of("reason=\"never closed").at("reason"), "never closed");
}

TEST(LogJson, ANameThatTheObjectHadAlreadyWasWrittenTwice) {
  std::string out = R"({"level":"info","node":"front")";
  append_json_fields(out, R"(event=found node=back node="a b" message=1 words level=2)");
  EXPECT_EQ(strictly_parsed(out + "}"), nlohmann::json({{"level", "info"},
                                                        {"node", "front"},
                                                        {"event", "found"},
                                                        {"node_2", "back"},
                                                        {"node_3", "a b"},
                                                        {"message", 1},
                                                        {"level_2", 2},
                                                        {"message_2", "words"}}));
}

TEST(LogJson, AValueThatLooksLikeANameIsNone) {
  EXPECT_EQ(fields_of(R"(path="\"node\":" reason=node: node=one)"),
            nlohmann::json({{"path", "\"node\":"}, {"reason", "node:"}, {"node", "one"}}));
}

TEST(LogJson, BytesThatAreNoTextAndWordsWithoutAKeyStillMakeAnObject) {
  EXPECT_EQ(fields_of("reason=\"\xff\"").at("reason"), "\xef\xbf\xbd");
  EXPECT_EQ(fields_of("free words event=x more").at("message"), "free words more");
  EXPECT_EQ(fields_of("line\nbreak").at("message"), "line\nbreak");
  EXPECT_EQ(fields_of("empty= next=1"), nlohmann::json({{"empty", ""}, {"next", 1}}));
  EXPECT_TRUE(fields_of("").empty());
}

}  // namespace
}  // namespace skanu
