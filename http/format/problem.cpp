#include "http/format/problem.hpp"

#include "http/format/problem_types.hpp"
#include "messages/fields.hpp"

namespace skanu {

namespace {

/// Seconds until a refused client should try again.
std::string_view retry_after(errc code) { return code == errc::payment_unavailable ? "2" : "1"; }

void render(const problem_type& type, int status, std::string_view detail,
            const std::vector<field_error>& fields, httplib::Response& out) {
  std::string body;
  json_object_writer writer(body);
  writer("type", "/problems/" + std::string(type.name));
  writer("title", type.title);
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
  out.set_content(body, "application/problem+json");
}

}  // namespace

void render_problem(const error& e, httplib::Response& out) {
  const auto& type = problem_type_of(e.code);
  if (type.status == 503) out.set_header("Retry-After", std::string(retry_after(e.code)));
  render(type, type.status, e.detail, e.wrong_fields, out);
}

void render_problem(int status, std::string_view detail, httplib::Response& out) {
  if (status == 503) out.set_header("Retry-After", "1");
  render(problem_type_of(status), status, detail, {}, out);
}

}  // namespace skanu
