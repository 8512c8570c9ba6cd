// The OpenAPI document against the program: routes, problem types, status words, fields and limits,
// both ways.
#include <gtest/gtest.h>

#include <set>

#include "actors/rules/circuit_breaker.hpp"
#include "http/format/body_fields.hpp"
#include "http/format/hal.hpp"
#include "http/format/problem_types.hpp"
#include "http/page/assets.hpp"
#include "http/page/pages.hpp"
#include "http/routes.hpp"
#include "messages/order_trace.hpp"

namespace skanu {
namespace {

using nlohmann::json;
using words = std::set<std::string>;

const json& document() {
  static const auto parsed = json::parse(find_asset("api/openapi.json")->bytes);
  return parsed;
}

const json& schema(const std::string& name) {
  return document().at("components").at("schemas").at(name);
}

words enum_of(const json& s) { return s.at("enum").get<words>(); }

std::string upper(std::string text) {
  for (auto& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

TEST(api_document, has_every_route_and_no_other) {
  words documented;
  for (const auto& [path, item] : document().at("paths").items())
    for (const auto& [method, operation] : item.items())
      if (method != "parameters") documented.insert(upper(method) + ' ' + path);
  const auto routes = route_names();
  EXPECT_EQ(documented, words(routes.begin(), routes.end()));
}

TEST(api_document, names_every_variable_of_a_path) {
  for (const auto& [path, item] : document().at("paths").items()) {
    words in_path, named;
    for (auto open = path.find('{'); open != path.npos; open = path.find('{', open + 1))
      in_path.insert(path.substr(open + 1, path.find('}', open) - open - 1));
    if (item.contains("parameters"))
      for (const auto& p : item["parameters"])
        named.insert(
            document().at(json::json_pointer(p["$ref"].get<std::string>().substr(1)))["name"]);
    EXPECT_EQ(named, in_path) << path;
  }
}

// Problems.

TEST(problem_types, every_error_code_has_its_explanation) {
  for (std::size_t i = 0; i <= static_cast<std::size_t>(last_of(errc{})); ++i)
    EXPECT_EQ(problem_type_of(static_cast<errc>(i)).name, name_of(static_cast<errc>(i)));
  words names;
  for (const auto& p : problem_types()) {
    EXPECT_TRUE(names.insert(std::string(p.name)).second) << p.name << " is there twice";
    EXPECT_TRUE(p.status >= 400 && p.status < 600) << p.name;
    for (const auto text : {p.title, p.happened, p.changed, p.advice})
      EXPECT_FALSE(text.empty()) << p.name;
  }
}

TEST(problem_types, every_status_that_the_connection_layer_gives_has_its_type) {
  for (const int status : {400, 408, 413, 414, 415, 417, 431, 500, 501, 503, 505})
    EXPECT_EQ(problem_type_of(status).status, status);
  EXPECT_EQ(problem_type_of(404).name, "not-found");
  EXPECT_EQ(problem_type_of(405).name, "method-not-allowed");
}

/// Visits the members of every `x-problem-types`: the types that an answer can have, each with its
/// status.
template <class Visit>
void each_documented_problem(const json& node, Visit visit) {
  if (!node.is_structured()) return;
  if (node.is_object() && node.contains("x-problem-types"))
    for (const auto& [uri, status] : node["x-problem-types"].items()) visit(uri, status);
  for (const auto& child : node) each_documented_problem(child, visit);
}

TEST(api_document, has_every_problem_type_with_its_status_and_no_other) {
  words existing, documented;
  for (const auto& p : problem_types()) existing.insert("/problems/" + std::string(p.name));
  EXPECT_EQ(schema("ProblemUri").at("x-extensible-enum").get<words>(), existing);
  each_documented_problem(document().at("components").at("responses"),
                          [&](const std::string& uri, int status) {
                            const auto* known = problem_type_named(uri.substr(uri.rfind('/') + 1));
                            ASSERT_NE(known, nullptr) << uri;
                            EXPECT_EQ(known->status, status) << uri;
                            documented.insert(uri);
                          });
  EXPECT_EQ(documented, existing) << "a type that no response has";
}

// Words.

template <worded_enum Enum>
words words_up_to(Enum last) {
  words all;
  for (auto i = 1; i <= static_cast<int>(last); ++i)
    all.insert(std::string(word_of(static_cast<Enum>(i))));
  return all;
}

TEST(api_document, has_the_status_words) {
  EXPECT_EQ(enum_of(schema("OrderStatus")), words_up_to(order_status::cancelled));
  EXPECT_EQ(enum_of(schema("PaymentStatus")), words_up_to(payment_status::cancelled));
  EXPECT_EQ(enum_of(schema("DeliveryStatus")), words_up_to(delivery_status::cancelled));
  EXPECT_EQ(enum_of(schema("TraceStatus")), words_up_to(trace_status::order_cancelled));
  words states;
  for (const auto s : {breaker_state::closed, breaker_state::open, breaker_state::half_open})
    states.insert(std::string(name_of(s)));
  EXPECT_EQ(enum_of(schema("CircuitBreaker").at("properties").at("state")), states);
}

// Fields.

struct field_names {
  words names;
  template <class T>
  void operator()(std::string_view name, const T&) {
    names.insert(std::string(name));
  }
  template <class Part>
  void operator()(const Part& part) {
    visit_fields(part, *this);
  }
};

template <class T>
words fields_of(const T& value) {
  field_names all;
  visit_fields(value, all);
  return all.names;
}

words properties_of(const std::string& name, const words& beside) {
  words all;
  for (const auto& [property, s] : schema(name).at("properties").items())
    if (!beside.contains(property)) all.insert(property);
  return all;
}

TEST(api_document, has_the_fields_of_every_item) {
  const words links = {"_links"};
  EXPECT_EQ(properties_of("Order", links), fields_of(order_state{}));
  EXPECT_EQ(properties_of("Payment", links), fields_of(payment_state{}));
  EXPECT_EQ(properties_of("Delivery", links), fields_of(delivery_state{}));
  EXPECT_EQ(properties_of("StampAccount", links), fields_of(stamp_state{}));
  EXPECT_EQ(properties_of("StampEntry", {}), fields_of(stamp_entry{}));
  EXPECT_EQ(properties_of("OrderTrace", links), fields_of(order_trace{}));
}

template <class Variant, std::size_t... I>
std::map<std::string, words> events_of(std::index_sequence<I...>) {
  return {{std::string(std::variant_alternative_t<I, Variant>::event_type),
           fields_of(std::variant_alternative_t<I, Variant>{})}...};
}

TEST(api_document, has_the_fields_of_every_event) {
  std::map<std::string, words> existing, documented;
  existing.merge(
      events_of<order_event>(std::make_index_sequence<std::variant_size_v<order_event>>{}));
  existing.merge(
      events_of<payment_event>(std::make_index_sequence<std::variant_size_v<payment_event>>{}));
  existing.merge(
      events_of<delivery_event>(std::make_index_sequence<std::variant_size_v<delivery_event>>{}));
  // Events of ids without a trace.
  existing.erase("OrderRejected");
  existing.erase("PaymentRejected");
  for (const auto& choice : schema("Event").at("oneOf")) {
    const auto reference = choice.at("$ref").get<std::string>();
    const auto name = reference.substr(reference.rfind('/') + 1);
    for (const auto& kind : enum_of(schema(name).at("properties").at("eventType")))
      documented[kind] = properties_of(name, {"service", "offset", "eventType", "schema",
                                              "timestamp", "version", "traceparent"});
  }
  EXPECT_EQ(documented, existing);
}

// Limits.

void expect_range(const json& s, integer_range range) {
  EXPECT_EQ(s.at("minimum"), range.least) << s;
  EXPECT_EQ(s.at("maximum"), range.most) << s;
}

TEST(api_document, has_the_limits) {
  expect_range(schema("Id"), id_range);
  expect_range(schema("Qty"), qty_range);
  expect_range(schema("Cost"), cost_range);
  expect_range(schema("StampChange"), stamp_range);
  EXPECT_EQ(schema("Name").at("maxLength"), name_length);
  EXPECT_EQ(schema("PaymentType").at("maxLength"), payment_type_length);
  const auto& parameters = document().at("components").at("parameters");
  expect_range(parameters.at("Size").at("schema"), {1, static_cast<std::int64_t>(largest_page)});
  EXPECT_EQ(parameters.at("Size").at("schema").at("default"), page_request{}.size);
  EXPECT_NE(
      parameters.at("Page").at("description").get<std::string>().find(std::to_string(deepest_skip)),
      std::string::npos);
  EXPECT_EQ(schema("Page").at("properties").at("size").at("maximum"), largest_page);
}

// Assets.

TEST(assets, are_found_by_name_and_have_a_tag_of_their_bytes) {
  ASSERT_FALSE(assets().empty());
  for (const auto& a : assets()) {
    EXPECT_EQ(find_asset(a.name), &a);
    EXPECT_NE(a.media_type, "application/octet-stream") << a.name << ": name its media type";
    EXPECT_EQ(a.tag, content_tag(a.bytes));
    EXPECT_FALSE(a.bytes.empty()) << a.name;
  }
  for (const auto* name : {"page/index.html", "page/board.html", "page/display.html",
                           "page/manager.html", "page/docs.css", "api/openapi.json"})
    EXPECT_NE(find_asset(name), nullptr) << name;
  EXPECT_EQ(find_asset("page/nothing"), nullptr);
  EXPECT_EQ(find_asset(""), nullptr);
  EXPECT_NE(content_tag("a"), content_tag("b"));
}

}  // namespace
}  // namespace skanu
