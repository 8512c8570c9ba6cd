#include "http/api/call.hpp"

#include "persistence/document.hpp"

namespace skanu {

namespace {

std::string etag_of(version_number version) { return '"' + std::to_string(version) + '"'; }

}  // namespace

entity_id call::id() const {
  const auto id = id_of(parameter_);
  if (!id) throw refused{{errc::not_found, "There is nothing of that id."}};
  return *id;
}

entity_id call::account() const {
  const auto phone = normalised_phone(parameter_, to_.country());
  if (!phone) throw refused{{errc::not_found, "There is no such stamp account."}};
  return account_id_of(*phone);
}

body_fields call::body() const {
  auto parsed = body_fields::parse(in().body);
  if (auto* e = std::get_if<error>(&parsed)) throw refused{std::move(*e)};
  return std::get<body_fields>(std::move(parsed));
}

void call::require(const body_fields& fields) {
  if (auto problem = fields.problem()) throw refused{std::move(*problem)};
}

change_conditions call::conditions() const { return conditions_of(in()); }

std::optional<std::string> call::query(const char* name) const { return query_of(in(), name); }

page_request call::page_wanted() const { return page_of(in()); }

void call::send(std::string body, std::string_view type) const {
  out().status = 200;
  out().set_content(std::move(body), std::string(type));
}

void call::show(std::string_view document, std::string_view self) const {
  const auto parts = parts_of(document);
  out().set_header("ETag", etag_of(parts.version));
  if (is_known_to_client(in(), std::to_string(parts.version))) {
    out().status = 304;
    return;
  }
  send(hal_item(parts.data, self), hal_type);
}

void call::answer(const outcome& result, int status, std::string_view self) const {
  if (const auto* e = std::get_if<error>(&result)) return render_problem(*e, out());
  const auto& done = std::get<accepted>(result);
  if (!done.document)
    return render_problem(error{errc::undecodable, "Its document could not be found."}, out());
  const auto parts = parts_of(*done.document);
  send(hal_item(parts.data, self), hal_type);
  out().set_header("ETag", etag_of(parts.version));
  if (status == 201) out().set_header("Location", std::string(self));
  out().status = status;
}

void call::answer_empty(const outcome& result) const {
  if (const auto* e = std::get_if<error>(&result)) return render_problem(*e, out());
  out().status = 204;
}

}  // namespace skanu
