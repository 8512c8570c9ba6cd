#include "http/api/call.hpp"

namespace skanu {

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

void call::send(const std::string& body, std::string_view type) const {
  out().status = 200;
  out().set_content(body, std::string(type));
}

void call::answer_empty(const outcome& result) const {
  if (const auto* e = std::get_if<error>(&result)) return refuse(*e);
  out().status = 204;
}

void call::refuse(const error& why) const {
  if (why.code == errc::version_mismatch && names_weak_tag(in()))
    return render_problem(
        error{why.code,
              "If-Match holds a weak entity tag (W/), and a weak tag matches nothing here. A proxy "
              "that compresses answers may have made the tag weak."},
        out());
  render_problem(why, out());
}

}  // namespace skanu
