#include "http/format/request_fields.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "http/format/body_fields.hpp"
#include "http/format/digest.hpp"
#include "http/format/time_text.hpp"

namespace skanu {

namespace {

[[noreturn]] void refuse(errc code, std::string detail, std::vector<field_error> fields = {}) {
  throw refused{{code, std::move(detail), std::move(fields)}};
}

/// Calls `take` with each entity tag of a list such as `"1", W/"2"`, without quotes.
template <class Take>
void each_tag(std::string_view list, Take take) {
  while (!list.empty()) {
    const auto open = list.find('"');
    const auto close = open == list.npos ? open : list.find('"', open + 1);
    if (close == list.npos) return;
    take(list.substr(open + 1, close - open - 1), list.substr(0, open).find("W/") != list.npos);
    list.remove_prefix(close + 1);
  }
}

std::string joined_header(const httplib::Request& in, const char* name) {
  std::string joined;
  for (std::size_t i = 0; i < in.get_header_value_count(name); ++i) {
    if (i > 0) joined += ", ";
    joined += in.get_header_value(name, i);
  }
  return joined;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::string in_lower_case(std::string_view text) {
  std::string lower(text);
  for (auto& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

/// Limit of ranges read from an Accept list; a browser sends about ten.
constexpr int most_ranges = 100;

/// The weight that an Accept list gives to the ranges, the most specific range first; 0: not
/// accepted.
double weight_of(std::string_view accept, const std::array<std::string_view, 3>& ranges) {
  double weight = 0;
  auto best = ranges.size();
  for (int seen = 0; !accept.empty() && seen < most_ranges; ++seen) {
    const auto comma = std::min(accept.find(','), accept.size());
    const auto one = accept.substr(0, comma);
    accept.remove_prefix(std::min(comma + 1, accept.size()));
    const auto range = trimmed(one.substr(0, one.find(';')));
    const auto place = static_cast<std::size_t>(std::ranges::find(ranges, range) - ranges.begin());
    if (place >= best) continue;
    best = place;
    weight = 1;
    if (const auto q = one.find("q="); q != one.npos)
      std::from_chars(one.data() + q + 2, one.data() + one.size(), weight);
  }
  return weight;
}

/// Reads the list of If-Match or If-None-Match. A weak tag never matches strongly, as If-Match asks
/// for (RFC 9110, 8.8.3.2).
std::optional<version_list> tags_in(const httplib::Request& in, const char* name, bool weak_ones) {
  if (!in.has_header(name)) return std::nullopt;
  const auto list = joined_header(in, name);
  version_list named;
  named.any = trimmed(list) == "*";
  each_tag(list, [&](std::string_view tag, bool weak) {
    if (const auto version = id_of(tag); version && (weak_ones || !weak))
      named.versions.push_back(*version);
  });
  return named;
}

std::optional<version_condition> version_condition_of(const httplib::Request& in) {
  auto wanted = tags_in(in, "If-Match", false);
  auto unwanted = tags_in(in, "If-None-Match", true);
  if (!wanted && !unwanted) return std::nullopt;
  version_condition condition{.unwanted = std::move(unwanted), .only_unwanted = !wanted};
  if (wanted) {
    condition.any = wanted->any;
    condition.versions = std::move(wanted->versions);
  }
  return condition;
}

std::int64_t number_in_query(const httplib::Request& in, const char* name, std::int64_t otherwise,
                             integer_range range) {
  if (!in.has_param(name)) return otherwise;
  const auto value = integer_of(in.get_param_value(name));
  if (!value || *value < range.least || *value > range.most)
    refuse(errc::invalid_field, "A query parameter is wrong.",
           {{name, "must be an integer from " + std::to_string(range.least) + " to " +
                       std::to_string(range.most)}});
  return *value;
}

std::optional<instant> time_in_query(const httplib::Request& in, const char* name,
                                     date_means meaning) {
  const auto text = query_of(in, name);
  if (!text) return std::nullopt;
  const auto time = time_of(*text, meaning);
  if (!time)
    refuse(errc::invalid_field, "A query parameter is wrong.",
           {{name, "must be a date (2026-11-30) or a time (2026-11-30T09:00:00+09:00)"}});
  return time;
}

std::vector<entity_id> order_ids_of(std::string_view text) {
  std::vector<entity_id> ids;
  for (std::size_t at = 0; at <= text.size();) {
    const auto comma = std::min(text.find(',', at), text.size());
    const auto id = id_of(text.substr(at, comma - at));
    if (!id || ids.size() == most_streamed_orders)
      refuse(errc::invalid_field, "A query parameter is wrong.",
             {{"orderId", "must be an order's id, or up to " +
                              std::to_string(most_streamed_orders) + " separated by commas"}});
    ids.push_back(*id);
    at = comma + 1;
  }
  std::ranges::sort(ids);
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

}  // namespace

std::optional<entity_id> id_of(std::string_view text) {
  if (text.empty() || text.front() < '1' || text.front() > '9') return std::nullopt;
  const auto value = integer_of(text);
  if (!value || *value > max_safe_integer) return std::nullopt;
  return value;
}

std::optional<std::string> query_of(const httplib::Request& in, const char* name) {
  if (!in.has_param(name)) return std::nullopt;
  return in.get_param_value(name);
}

std::optional<trace_context> trace_of(const httplib::Request& in) {
  if (in.get_header_value_count("traceparent") != 1) return std::nullopt;
  return trace_context_of(in.get_header_value("traceparent"));
}

change_conditions conditions_of(const httplib::Request& in) {
  change_conditions c;
  c.trace = trace_of(in);
  c.condition = version_condition_of(in);
  if (!in.has_header("Idempotency-Key")) return c;
  const auto key = in.get_header_value("Idempotency-Key");
  const bool visible =
      std::all_of(key.begin(), key.end(), [](char ch) { return ch > 0x20 && ch < 0x7f; });
  if (in.get_header_value_count("Idempotency-Key") != 1 || key.empty() || key.size() > 255 ||
      !visible)
    refuse(errc::invalid_field, "The Idempotency-Key must have 1 to 255 visible characters.",
           {{"Idempotency-Key", "must have 1 to 255 visible characters"}});
  const auto name = sha256(in.method + '\n' + in.path + '\n' + key);
  operation_id operation;
  operation.from_client = true;
  std::copy_n(name.begin(), operation.bytes.size(), operation.bytes.begin());
  c.client_operation = operation;
  for (std::size_t i = 0; const auto byte : sha256(in.body)) {
    if (i++ == 8) break;
    c.fingerprint = c.fingerprint << 8 | byte;
  }
  return c;
}

bool is_known_to_client(const httplib::Request& in, std::string_view tag) {
  const auto list = joined_header(in, "If-None-Match");
  bool known = list == "*";
  each_tag(list, [&](std::string_view each, bool) { known = known || each == tag; });
  return known;
}

bool names_weak_tag(const httplib::Request& in) {
  bool weak_one = false;
  each_tag(joined_header(in, "If-Match"),
           [&](std::string_view, bool weak) { weak_one = weak_one || weak; });
  return weak_one;
}

bool prefers_html(const httplib::Request& in) {
  const auto accept = joined_header(in, "Accept");
  const auto html = weight_of(accept, {"text/html", "text/*", "*/*"});
  const auto json =
      std::max({weight_of(accept, {"application/hal+json", "application/*", "*/*"}),
                weight_of(accept, {"application/json", "application/*", "*/*"}),
                weight_of(accept, {"application/problem+json", "application/*", "*/*"})});
  // Equal weights mean the type named first. A client that accepts any type, without a word of
  // text/html, is a program.
  return html > json ||
         (html == json && html > 0 && accept.find("text/html") < accept.find("json"));
}

stream_request stream_request_of(const httplib::Request& in) {
  stream_request wanted;
  if (const auto ids = query_of(in, "orderId")) wanted.order_ids = order_ids_of(*ids);
  wanted.status = query_of(in, "status");
  if (const auto heartbeat = query_of(in, "heartbeat")) {
    wanted.visible_heartbeats = *heartbeat == "event";
    if (!wanted.visible_heartbeats && *heartbeat != "comment")
      refuse(errc::invalid_field, "A query parameter is wrong.",
             {{"heartbeat", "must be comment or event"}});
  }
  // Some clients send an empty Last-Event-ID before the first event.
  const bool in_header = !in.get_header_value("Last-Event-ID").empty();
  const auto last =
      in_header ? std::optional(in.get_header_value("Last-Event-ID")) : query_of(in, "lastEventId");
  if (!last) return wanted;
  const auto dash = std::min(last->find('-'), last->size());
  const auto offset = last->substr(0, dash);
  wanted.last_seen = offset == "0" ? 0 : id_of(offset);
  wanted.timeline = last->substr(std::min(dash + 1, last->size()));
  const bool is_identity =
      wanted.timeline.size() == 16 &&
      wanted.timeline.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (!wanted.last_seen || (dash < last->size() && !is_identity))
    refuse(errc::invalid_field, "The last event is named by the id that it was sent with.",
           {{in_header ? "Last-Event-ID" : "lastEventId", "must be an event's id"}});
  return wanted;
}

page_request page_of(const httplib::Request& in) {
  page_request wanted;
  wanted.size = static_cast<std::size_t>(
      number_in_query(in, "size", 20, {1, static_cast<std::int64_t>(largest_page)}));
  wanted.number = number_in_query(in, "page", 0, {0, max_safe_integer});
  if (in.has_param("after")) wanted.after = number_in_query(in, "after", 0, {0, max_safe_integer});
  if (const auto sort = query_of(in, "sort")) {
    const auto direction = in_lower_case(*sort);  // Spring's clients write id,DESC too
    if (!sort->starts_with("id") ||
        (direction != "id" && direction != "id,asc" && direction != "id,desc"))
      refuse(errc::invalid_field, "Lists are sorted by id only.",
             {{"sort", "must be id,asc or id,desc"}});
    wanted.descending = direction == "id,desc";
  }
  wanted.status = query_of(in, "status");
  wanted.from = time_in_query(in, "from", date_means::start);
  wanted.until = time_in_query(in, "to", date_means::end);
  const auto reach = deepest_skip / static_cast<std::int64_t>(wanted.size);
  if (!wanted.after && wanted.number > reach)
    refuse(errc::invalid_field,
           "Pages so far from the start are reached by following the link \"next\" of the page "
           "before.",
           {{"page", "page × size is at most " + std::to_string(deepest_skip) + ": follow next"}});
  return wanted;
}

}  // namespace skanu
