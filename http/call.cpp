#include "http/call.hpp"

#include <openssl/evp.h>

#include "persistence/document.hpp"

namespace skanu {

namespace {

[[noreturn]] void refuse(errc code, std::string detail, std::vector<field_error> fields = {}) {
  throw refused{{code, std::move(detail), std::move(fields)}};
}

std::string etag_of(version_number version) { return '"' + std::to_string(version) + '"'; }

std::array<unsigned char, 32> sha256(std::string_view text) {
  std::array<unsigned char, 32> digest{};
  unsigned size = 0;
  if (EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1)
    throw std::runtime_error("SHA-256 is not available");
  return digest;
}

/// Calls `take` with each entity tag of a list such as `"1", W/"2"`, without its quotes.
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

}  // namespace

std::optional<entity_id> id_of(std::string_view text) {
  if (text.empty() || text.front() < '1' || text.front() > '9') return std::nullopt;
  const auto value = integer_of(text);
  if (!value || *value > max_safe_integer) return std::nullopt;
  return value;
}

entity_id call::id() const {
  const auto id = id_of(parameter_);
  if (!id) refuse(errc::not_found, "There is nothing of that id.");
  return *id;
}

entity_id call::account() const {
  const auto phone = normalised_phone(parameter_);
  if (!phone) refuse(errc::not_found, "There is no such stamp account.");
  return account_id_of(*phone);
}

body_fields call::body() const {
  auto parsed = body_fields::parse(in_.body);
  if (auto* e = std::get_if<error>(&parsed)) throw refused{std::move(*e)};
  return std::get<body_fields>(std::move(parsed));
}

void call::require(const body_fields& fields) {
  if (auto problem = fields.problem()) throw refused{std::move(*problem)};
}

change_conditions call::conditions() const {
  change_conditions c;
  if (in_.has_header("If-Match")) {
    version_condition condition;
    const auto list = joined_header(in_, "If-Match");
    condition.any = list == "*";
    each_tag(list, [&](std::string_view tag, bool weak) {
      // A weak tag never matches strongly (RFC 9110, 8.8.3.2).
      if (const auto version = id_of(tag); version && !weak) condition.versions.push_back(*version);
    });
    c.condition = std::move(condition);
  }
  if (!in_.has_header("Idempotency-Key")) return c;
  const auto key = in_.get_header_value("Idempotency-Key");
  const bool visible = std::all_of(key.begin(), key.end(), [](char ch) { return ch > 0x20 && ch < 0x7f; });
  if (in_.get_header_value_count("Idempotency-Key") != 1 || key.empty() || key.size() > 255 || !visible)
    refuse(errc::invalid_field, "The Idempotency-Key must have 1 to 255 visible characters.",
           {{"Idempotency-Key", "must have 1 to 255 visible characters"}});
  const auto name = sha256(in_.method + '\n' + in_.path + '\n' + key);
  operation_id operation;
  operation.from_client = true;
  std::copy_n(name.begin(), operation.bytes.size(), operation.bytes.begin());
  c.client_operation = operation;
  for (std::size_t i = 0; const auto byte : sha256(in_.body)) {
    if (i++ == 8) break;
    c.fingerprint = c.fingerprint << 8 | byte;
  }
  return c;
}

std::optional<std::string> call::query(const std::string& name) const {
  if (!in_.has_param(name)) return std::nullopt;
  return in_.get_param_value(name);
}

page_request call::page_wanted() const {
  page_request wanted;
  wanted.size = static_cast<std::size_t>(
      number_in_query(in_, "size", 20, {1, static_cast<std::int64_t>(largest_page)}));
  wanted.number = number_in_query(in_, "page", 0, {0, max_safe_integer});
  if (in_.has_param("after"))
    wanted.after = number_in_query(in_, "after", 0, {0, max_safe_integer});
  if (const auto sort = query("sort")) {
    if (*sort != "id" && *sort != "id,asc" && *sort != "id,desc")
      refuse(errc::invalid_field, "Lists are sorted by id only.", {{"sort", "must be id,asc or id,desc"}});
    wanted.descending = *sort == "id,desc";
  }
  wanted.status = query("status");
  const auto reach = deepest_skip / static_cast<std::int64_t>(wanted.size);
  if (!wanted.after && wanted.number > reach)
    refuse(errc::invalid_field,
           "Pages so far from the start are reached by following the link \"next\" of the page before.",
           {{"page", "page × size is at most " + std::to_string(deepest_skip) + ": follow next"}});
  return wanted;
}

void call::send(std::string body, std::string_view type) const {
  out_.status = 200;
  out_.set_content(std::move(body), std::string(type));
}

void call::show(std::string_view document, std::string_view self) const {
  const auto parts = parts_of(document);
  out_.set_header("ETag", etag_of(parts.version));
  if (in_.has_header("If-None-Match")) {
    const auto list = joined_header(in_, "If-None-Match");
    bool known = list == "*";
    each_tag(list, [&](std::string_view tag, bool) { known = known || tag == std::to_string(parts.version); });
    if (known) {
      out_.status = 304;
      return;
    }
  }
  send(hal_item(parts.data, self), hal_type);
}

void call::answer(const outcome& result, int status, std::string_view self) const {
  if (const auto* e = std::get_if<error>(&result)) return render_problem(*e, out_);
  const auto& done = std::get<accepted>(result);
  if (!done.document)
    return render_problem(error{errc::undecodable, "Its document could not be found."}, out_);
  const auto parts = parts_of(*done.document);
  send(hal_item(parts.data, self), hal_type);
  out_.set_header("ETag", etag_of(parts.version));
  if (status == 201) out_.set_header("Location", std::string(self));
  out_.status = status;
}

void call::answer_empty(const outcome& result) const {
  if (const auto* e = std::get_if<error>(&result)) return render_problem(*e, out_);
  out_.status = 204;
}

}  // namespace skanu
