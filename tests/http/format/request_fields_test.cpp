// The fields of a request beside its body: ids, conditions, keys, pages.
#include "http/format/request_fields.hpp"

#include <gtest/gtest.h>

namespace skanu {
namespace {

httplib::Request with_header(const char* name, std::vector<std::string> values) {
  httplib::Request in;
  in.method = "PATCH";
  in.path = "/payments/1";
  for (auto& v : values) in.headers.emplace(name, std::move(v));
  return in;
}

page_request page_for(std::string query) {
  httplib::Request in;
  httplib::detail::parse_query_text(query, in.params);
  return page_of(in);
}

TEST(request_fields, an_id_is_spelt_in_one_way_only) {
  EXPECT_EQ(id_of("1"), 1);
  EXPECT_EQ(id_of("9007199254740991"), max_safe_integer);
  for (const auto* text : {"", "0", "01", "+1", "-1", " 1", "1 ", "1.0", "1e3", "0x1",
                           "9007199254740992", "18446744073709551617", "one"})
    EXPECT_EQ(id_of(text), std::nullopt) << text;
}

TEST(request_fields, if_match_compares_strongly) {
  struct row {
    std::vector<std::string> values;
    bool any;
    std::vector<version_number> versions;
  };
  const std::vector<row> table = {
      {{"*"}, true, {}},
      {{"\"3\""}, false, {3}},
      {{"\"3\", \"4\""}, false, {3, 4}},
      {{"\"3\"", "\"4\""}, false, {3, 4}},
      {{"W/\"3\", \"4\""}, false, {4}},
      {{"\"x\""}, false, {}},
      {{"3"}, false, {}},
      {{"\"3"}, false, {}},
      {{""}, false, {}},
  };
  for (const auto& r : table) {
    const auto condition = conditions_of(with_header("If-Match", r.values)).condition;
    ASSERT_TRUE(condition) << r.values.front();
    EXPECT_EQ(condition->any, r.any) << r.values.front();
    EXPECT_EQ(condition->versions, r.versions) << r.values.front();
  }
  EXPECT_FALSE(conditions_of(httplib::Request()).condition);
}

TEST(request_fields, if_none_match_of_a_change_names_the_versions_that_must_not_be) {
  const auto none = with_header("If-None-Match", {"W/\"3\", \"4\""});
  const auto condition = conditions_of(none).condition;
  ASSERT_TRUE(condition);
  EXPECT_TRUE(condition->negated);
  EXPECT_FALSE(condition->any);
  EXPECT_EQ(condition->versions, (std::vector<version_number>{3, 4}));
  EXPECT_TRUE(conditions_of(with_header("If-None-Match", {"*"})).condition->any);
}

TEST(request_fields, if_match_and_if_none_match_must_both_be_met) {
  struct row {
    const char* wanted;
    const char* unwanted;
    bool any, negated;
    std::vector<version_number> versions;
  };
  for (const auto& r : std::vector<row>{{"\"1\", \"2\"", "\"2\"", false, false, {1}},
                                        {"\"2\"", "\"2\"", false, false, {}},
                                        {"\"2\"", "*", false, false, {}},
                                        {"*", "*", false, false, {}},
                                        {"*", "\"2\"", false, true, {2}}}) {
    auto in = with_header("If-Match", {r.wanted});
    in.headers.emplace("If-None-Match", r.unwanted);
    const auto condition = conditions_of(in).condition;
    ASSERT_TRUE(condition);
    EXPECT_EQ(condition->any, r.any) << r.wanted << ' ' << r.unwanted;
    EXPECT_EQ(condition->negated, r.negated) << r.wanted << ' ' << r.unwanted;
    EXPECT_EQ(condition->versions, r.versions) << r.wanted << ' ' << r.unwanted;
  }
}

TEST(request_fields, the_direction_of_a_list_is_read_in_any_case) {
  EXPECT_TRUE(page_for("sort=id,DESC").descending);
  EXPECT_FALSE(page_for("sort=id,Asc").descending);
  EXPECT_THROW(page_for("sort=ID,desc"), refused);
}

TEST(request_fields, an_empty_last_event_id_is_none) {
  EXPECT_EQ(stream_request_of(with_header("Last-Event-ID", {""})).last_seen, std::nullopt);
}

TEST(request_fields, if_none_match_compares_weakly) {
  for (const auto* value : {"*", "\"3\"", "W/\"3\"", "\"1\", \"3\""})
    EXPECT_TRUE(is_known_to_client(with_header("If-None-Match", {value}), "3")) << value;
  for (const auto* value : {"", "3", "\"4\"", "\"33\""})
    EXPECT_FALSE(is_known_to_client(with_header("If-None-Match", {value}), "3")) << value;
}

TEST(request_fields, a_key_names_one_operation_within_its_method_and_path) {
  const auto named = [](std::string method, std::string path, std::string key) {
    auto in = with_header("Idempotency-Key", {std::move(key)});
    in.method = std::move(method);
    in.path = std::move(path);
    return *conditions_of(in).client_operation;
  };
  const auto one = named("POST", "/orders", "k");
  EXPECT_EQ(named("POST", "/orders", "k"), one);
  EXPECT_TRUE(one.from_client);
  EXPECT_NE(named("POST", "/stamps", "k"), one);
  EXPECT_NE(named("PUT", "/orders", "k"), one);
  EXPECT_NE(named("POST", "/orders", "l"), one);
}

TEST(request_fields, a_key_is_1_to_255_visible_characters_and_given_once) {
  EXPECT_NO_THROW(conditions_of(with_header("Idempotency-Key", {std::string(255, '~')})));
  const std::vector<std::vector<std::string>> bad = {
      {""}, {std::string(256, 'k')}, {"a b"}, {"caf\xc3\xa9"}, {"tab\t"}, {"a", "b"}};
  for (const auto& values : bad)
    EXPECT_THROW(conditions_of(with_header("Idempotency-Key", values)), refused) << values.front();
}

TEST(request_fields, the_fingerprint_is_of_the_body) {
  const auto fingerprint = [](std::string body) {
    auto in = with_header("Idempotency-Key", {"k"});
    in.body = std::move(body);
    return conditions_of(in).fingerprint;
  };
  EXPECT_EQ(fingerprint("{}"), fingerprint("{}"));
  EXPECT_NE(fingerprint("{}"), fingerprint("{ }"));
}

TEST(request_fields, pages) {
  const auto first = page_for("");
  EXPECT_EQ(first.size, 20U);
  EXPECT_EQ(first.number, 0);
  EXPECT_FALSE(first.after || first.status || first.descending);
  EXPECT_TRUE(page_for("sort=id,desc").descending);
  EXPECT_FALSE(page_for("sort=id,asc").descending);
  EXPECT_EQ(page_for("size=1000&page=100").number, 100);
  EXPECT_EQ(page_for("after=9007199254740991&page=999999").after, max_safe_integer);
  EXPECT_EQ(page_for("status=Not+Pay").status, "Not Pay");
  for (const auto* query :
       {"size=0", "size=1001", "size=x", "size=", "page=-1", "page=1.5", "after=-1",
        "after=9007199254740992", "sort=qty", "sort=id,up", "size=1000&page=101"})
    EXPECT_THROW(page_for(query), refused) << query;
}

TEST(request_fields, a_stream_goes_on_behind_what_the_browser_saw_last_not_where_its_page_began) {
  httplib::Request in;
  EXPECT_EQ(stream_request_of(in).last_seen, std::nullopt);
  httplib::detail::parse_query_text("orderId=7&lastEventId=4", in.params);
  EXPECT_EQ(stream_request_of(in).last_seen, 4);
  in.headers.emplace("Last-Event-ID", "9");
  EXPECT_EQ(stream_request_of(in).last_seen, 9);
  EXPECT_EQ(stream_request_of(in).order_ids, std::vector<entity_id>{7});
  EXPECT_EQ(stream_request_of(with_header("Last-Event-ID", {"0"})).last_seen, 0);
}

TEST(request_fields, a_stream_follows_several_orders_each_once) {
  const auto stream_for = [](const std::string& query) {
    httplib::Request in;
    httplib::detail::parse_query_text(query, in.params);
    return stream_request_of(in);
  };
  EXPECT_EQ(stream_for("orderId=9,7,9").order_ids, (std::vector<entity_id>{7, 9}));
  EXPECT_TRUE(stream_for("status=PAY+END").order_ids.empty());
  std::string many = "orderId=1";
  for (std::size_t id = 2; id <= most_streamed_orders; ++id) many += "," + std::to_string(id);
  EXPECT_EQ(stream_for(many).order_ids.size(), most_streamed_orders);
  for (const auto& wrong :
       {std::string("orderId="), std::string("orderId=0"), std::string("orderId=7,"),
        std::string("orderId=,7"), std::string("orderId=7,x"), many + ",1000"})
    EXPECT_THROW(stream_for(wrong), refused) << wrong;
  EXPECT_TRUE(stream_for("heartbeat=event").visible_heartbeats);
  EXPECT_FALSE(stream_for("heartbeat=comment").visible_heartbeats);
  EXPECT_THROW(stream_for("heartbeat=loud"), refused);
}

TEST(request_fields, browsers_prefer_html_and_programs_json) {
  const auto prefers = [](const std::string& accept) {
    return prefers_html(with_header("Accept", {accept}));
  };
  for (const auto* accept :
       {"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8", "text/html",
        "text/html, application/json", "text/*", "application/json;q=0.5, text/html;q=0.9"})
    EXPECT_TRUE(prefers(accept)) << accept;
  for (const auto* accept :
       {"", "*/*", "application/json", "application/hal+json, */*;q=0.1", "text/html;q=0",
        "text/html;q=0.2, application/json", "application/*", "image/png", ";,;q=,", "text/plain",
        "application/hal+json, text/html; charset=utf-8, application/problem+json"})
    EXPECT_FALSE(prefers(accept)) << accept;
  EXPECT_FALSE(prefers_html(httplib::Request{}));
}

}  // namespace
}  // namespace skanu
