#include "http/problem.hpp"

#include <array>

#include "messages/json.hpp"

namespace skanu {

namespace {

struct row {
  errc code;
  int status;
  std::string_view title;
};

constexpr std::array<row, 22> table = {{
    {errc::malformed, 400, "Malformed request"},
    {errc::invalid_field, 422, "Invalid field"},
    {errc::immutable_field, 422, "Field cannot change"},
    {errc::negative_balance, 422, "Balance would be negative"},
    {errc::not_found, 404, "Not found"},
    {errc::already_delivered, 409, "Already delivered"},
    {errc::already_cancelled, 409, "Already cancelled"},
    {errc::already_paid, 409, "Already paid"},
    {errc::not_allowed, 409, "Not allowed now"},
    {errc::version_mismatch, 412, "Version does not match"},
    {errc::operation_reused, 422, "Idempotency key used for another request"},
    {errc::operation_running, 409, "Operation still running"},
    {errc::payment_unavailable, 503, "Payment unavailable"},
    {errc::overloaded, 503, "Overloaded"},
    {errc::entity_failed, 503, "Not carried out"},
    {errc::conflicting_commit, 503, "Not carried out"},
    {errc::store_full, 507, "No room left"},
    {errc::store_failed, 503, "Store unavailable"},
    {errc::shutting_down, 503, "Shutting down"},
    {errc::outcome_unknown, 504, "Outcome unknown"},
    {errc::service_away, 503, "Service away"},
    {errc::undecodable, 503, "Stored data cannot be read"},
}};

const row& row_of(errc code) { return table.at(static_cast<std::size_t>(code)); }

/// Seconds after which a refused client may well try again.
std::string_view retry_after(errc code) { return code == errc::payment_unavailable ? "2" : "1"; }

struct status_words {
  int status;
  std::string_view type, title;
};

constexpr std::array<status_words, 13> plain = {{
    {400, "malformed", "Malformed request"},
    {404, "not-found", "Not found"},
    {405, "method-not-allowed", "Method not allowed"},
    {408, "timeout", "Request took too long"},
    {413, "too-large", "Body too large"},
    {414, "uri-too-long", "URI too long"},
    {415, "unsupported-media-type", "Unsupported media type"},
    {417, "expectation-failed", "Expectation failed"},
    {431, "header-too-large", "Header too large"},
    {500, "internal", "Internal error"},
    {501, "not-implemented", "Not implemented"},
    {503, "overloaded", "Overloaded"},
    {505, "version-not-supported", "HTTP version not supported"},
}};

void render(int status, std::string_view type, std::string_view title, std::string_view detail,
            const std::vector<field_error>& fields, httplib::Response& out) {
  std::string body;
  json_object_writer writer(body);
  writer("type", "/problems/" + std::string(type));
  writer("title", title);
  writer("status", status);
  writer("detail", detail);
  if (!fields.empty()) {
    std::string list = "[";
    for (const auto& f : fields) {
      if (list.size() > 1) list += ',';
      json_object_writer item(list);
      item("field", f.field);
      item("message", f.message);
      item.close();
    }
    writer.raw("errors", list + "]");
  }
  writer.close();
  out.status = status;
  out.set_content(std::move(body), "application/problem+json");
}

}  // namespace

int status_of(errc code) { return row_of(code).status; }

void render_problem(const error& e, httplib::Response& out) {
  const auto& r = row_of(e.code);
  if (r.status == 503) out.set_header("Retry-After", std::string(retry_after(e.code)));
  render(r.status, name_of(e.code), r.title, e.detail, e.fields, out);
}

void render_problem(int status, std::string_view detail, httplib::Response& out) {
  status_words words{status, "error", "Error"};
  for (const auto& known : plain)
    if (known.status == status) words = known;
  if (status == 503) out.set_header("Retry-After", "1");
  render(status, words.type, words.title, detail, {}, out);
}

}  // namespace skanu
