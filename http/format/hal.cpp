#include "http/format/hal.hpp"

#include "messages/fields.hpp"

namespace skanu {

namespace {

/// Encodes a status word for a query string.
std::string percent_encoded(std::string_view text) {
  constexpr char hex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '-' || c == '_') {
      out += c;
    } else {
      out += '%';
      out += hex[static_cast<unsigned char>(c) >> 4];
      out += hex[static_cast<unsigned char>(c) & 15];
    }
  }
  return out;
}

std::string link_to(const page& p, std::int64_t number, std::optional<entity_id> after) {
  std::string href = p.path;
  href += "?page=";
  append_integer(href, number);
  href += "&size=";
  append_integer(href, static_cast<std::int64_t>(p.request.size));
  href += p.request.descending ? "&sort=id,desc" : "&sort=id,asc";
  if (p.request.status) href += "&status=" + percent_encoded(*p.request.status);
  if (p.request.from) href += "&from=" + percent_encoded(to_rfc3339(*p.request.from));
  if (p.request.until) href += "&to=" + percent_encoded(to_rfc3339(*p.request.until));
  if (after && *after > 0) {
    href += "&after=";
    append_integer(href, *after);
  }
  return href;
}

void add_link(std::string& out, std::string_view name, std::string_view href) {
  if (out.back() != '{') out += ',';
  append_json_string(out, name);
  out += ":{\"href\":";
  append_json_string(out, href);
  out += '}';
}

/// Writes the front of a list, up to the links.
std::string embedded(const page& p) {
  std::string out = R"({"_embedded":{)";
  append_json_string(out, p.collection);
  out += ":[";
  for (std::size_t i = 0; i < p.items.size(); ++i) {
    if (i > 0) out += ',';
    out += p.items[i];
  }
  out += R"(]},"_links":{)";
  return out;
}

}  // namespace

std::string hal_item(std::string_view data, std::string_view self) {
  std::string out;
  out.reserve(data.size() + self.size() + 32);
  out.append(data.substr(0, data.size() - 1));
  out += R"(,"_links":{"self":{"href":)";
  append_json_string(out, self);
  out += "}}}";
  return out;
}

hal_item_writer::hal_item_writer(std::string_view data) {
  constexpr std::size_t room_for_links = 300;
  out_.reserve(data.size() + room_for_links);
  out_.append(data.substr(0, data.size() - 1));
  out_ += R"(,"_links":{)";
}

void hal_item_writer::link(std::string_view relation, std::string_view base,
                           std::string_view collection, std::string_view name,
                           std::string_view suffix) {
  if (out_.back() != '{') out_ += ',';
  out_.append("\"").append(relation).append(R"(":{"href":")").append(base);
  out_.append("/").append(collection).append("/").append(name).append(suffix).append("\"}");
}

std::string hal_item_writer::take() {
  out_ += "}}";
  return std::move(out_);
}

std::string hal_list(const page& p, std::string_view self) {
  auto out = embedded(p);
  add_link(out, "self", self);
  out += "}}";
  return out;
}

std::string hal_page(const page& p) {
  const auto size = static_cast<std::int64_t>(p.request.size);
  const auto pages = (p.total + size - 1) / size;
  auto out = embedded(p);
  add_link(out, "self", link_to(p, p.request.number, p.request.after));
  add_link(out, "first", link_to(p, 0, {}));
  if (p.next_after) add_link(out, "next", link_to(p, p.request.number + 1, p.next_after));
  if (p.prev_after) {
    // The very start is page 0, whatever number the client gave the present page.
    const auto before = p.prev_after == 0 ? 0 : std::max<std::int64_t>(p.request.number - 1, 0);
    add_link(out, "prev", link_to(p, before, p.prev_after));
  }
  if (p.last_after)
    add_link(out, "last", link_to(p, std::max<std::int64_t>(pages - 1, 0), p.last_after));
  out += R"(},"page":{"size":)";
  append_integer(out, size);
  out += R"(,"number":)";
  append_integer(out, p.request.number);
  if (!p.in_window) {
    out += R"(,"totalElements":)";
    append_integer(out, p.total);
    out += R"(,"totalPages":)";
    append_integer(out, pages);
  }
  out += '}';
  if (!p.damaged.empty()) {
    out += R"(,"damaged":[)";
    for (const auto& id : p.damaged) (out += id) += ',';
    out.back() = ']';
  }
  out += '}';
  return out;
}

}  // namespace skanu
