#include "http/page/pages.hpp"

#include <map>
#include <optional>

#include "http/format/compression.hpp"
#include "http/format/hal.hpp"
#include "http/format/html.hpp"
#include "http/format/problem.hpp"
#include "http/format/problem_types.hpp"
#include "http/format/request_fields.hpp"
#include "http/page/assets.hpp"
#include "http/page/reference.hpp"
#include "messages/fields.hpp"

namespace skanu::pages {

namespace {

constexpr std::string_view html_type = "text/html; charset=utf-8";

/// A page loads and runs only files of this server, and no other site may show the page in a frame.
constexpr auto content_security_policy =
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "object-src 'none'";

/// Answers with an asset, or with 304 where the client has the same bytes already. The form in
/// gzip's format has a tag of its own.
void send(const httplib::Request& in, httplib::Response& out, const asset& a,
          const char* cache_control = "no-cache") {
  if (!a.packed.empty()) out.headers.emplace("Vary", "Accept-Encoding");
  const bool packed = !a.packed.empty() && takes_gzip(in);
  const auto tag = packed ? a.tag + "-gzip" : a.tag;
  out.set_header("ETag", '"' + tag + '"');
  out.set_header("Cache-Control", cache_control);
  if (is_known_to_client(in, tag)) {
    out.status = 304;
    return;
  }
  if (a.media_type == html_type) {
    out.set_header("Content-Security-Policy", content_security_policy);
    out.set_header("Referrer-Policy", "no-referrer");
  }
  out.status = 200;
  const std::string_view bytes = packed ? std::string_view(a.packed) : a.bytes;
  if (packed) out.set_header("Content-Encoding", "gzip");
  out.set_content(bytes.data(), bytes.size(), std::string(a.media_type));
}

/// Sends a file of the build, or 404 for an unknown name.
void send_named(const httplib::Request& in, httplib::Response& out, std::string_view name,
                const char* cache_control = "no-cache") {
  if (const auto* found = find_asset(name)) return send(in, out, *found, cache_control);
  render_problem(404, "There is no such file.", out);
}

/// An asset rendered once at run time, instead of embedded.
class rendered {
 public:
  rendered(std::string text, std::string_view type)
      : text_(std::move(text)), asset_{{}, text_, type, content_tag(text_)} {}
  rendered(const rendered&) = delete;
  rendered& operator=(const rendered&) = delete;

  const asset& get() const { return asset_; }

 private:
  std::string text_;
  asset asset_;
};

/// The customer's page of a shop outside Korea.
std::optional<rendered> shop_elsewhere;

std::string root_text(std::string_view base) {
  std::string links;
  json_object_writer list(links);
  const auto link = [&](std::string_view relation, std::string_view path) {
    list.raw(relation, "{\"href\":\"" + std::string(base) + std::string(path) + "\"}");
  };
  link("self", "/");
  const auto collection = [&](std::string_view name, std::string_view filter) {
    list.raw(name, "{\"href\":\"" + std::string(base) + '/' + std::string(name) +
                       "{?page,size,sort,after" + std::string(filter) + "}\",\"templated\":true}");
  };
  for (const auto* name : {"orders", "payments", "orderTraces"})
    collection(name, ",status,from,to");
  collection("deliveries", ",status");
  collection("stamps", "");
  link("service-desc", "/openapi.json");
  link("service-doc", "/docs");
  link("status", "/actuator/health");
  list.close();
  return "{\"_links\":" + links + '}';
}

std::string problem_text(const problem_type& p) {
  const auto uri = "/problems/" + std::string(p.name);
  std::string text;
  json_object_writer writer(text);
  writer("type", uri);
  writer("title", p.title);
  writer("status", p.status);
  writer("happened", p.happened);
  writer("changed", p.changed);
  writer("advice", p.advice);
  writer.close();
  return hal_item(text, uri);
}

std::string problem_page(const problem_type& p) {
  const auto section = [](std::string_view heading, std::string_view text) {
    return "<h2>" + html_escaped(heading) + "</h2>\n<p>" + html_escaped(text) + "</p>\n";
  };
  return html_page(
      p.title, "<h1>" + html_escaped(p.title) + "</h1>\n<p class=\"lead\">Status " +
                   std::to_string(p.status) + ", type <code>/problems/" + std::string(p.name) +
                   "</code></p>\n" + section("What happened", p.happened) +
                   section("Was anything changed?", p.changed) + section("What to do", p.advice) +
                   "<p><a href=\"/docs#problems\">All types of problems</a></p>\n");
}

}  // namespace

void set_country(const phone_country& country) {
  if (country == korea) return;
  std::string text(find_asset("page/index.html")->bytes);
  constexpr std::string_view start = "<html ";
  text.insert(text.find(start) + start.size(),
              "data-calling-code=\"" + std::string(country.calling_code) + "\" data-trunk=\"" +
                  std::string(country.trunk) + "\" ");
  shop_elsewhere.emplace(std::move(text), html_type);
}

void home(const httplib::Request& in, httplib::Response& out, std::string_view base) {
  static const rendered paths(root_text({}), hal_type);
  out.set_header("Vary", "Accept");
  if (!prefers_html(in))
    return send(in, out, base.empty() ? paths.get() : rendered(root_text(base), hal_type).get());
  if (shop_elsewhere) return send(in, out, shop_elsewhere->get());
  send_named(in, out, "page/index.html");
}

void board(const httplib::Request& in, httplib::Response& out, std::string_view) {
  send_named(in, out, "page/board.html");
}

void display(const httplib::Request& in, httplib::Response& out, std::string_view) {
  send_named(in, out, "page/display.html");
}

void operations(const httplib::Request& in, httplib::Response& out, std::string_view) {
  send_named(in, out, "page/operations.html");
}

void manager(const httplib::Request& in, httplib::Response& out, std::string_view) {
  send_named(in, out, "page/manager.html");
}

void reference(const httplib::Request& in, httplib::Response& out, std::string_view) {
  static const auto api = nlohmann::ordered_json::parse(find_asset("api/openapi.json")->bytes);
  static const rendered page(render_reference(api), html_type);
  const auto words = query_of(in, "q").value_or("");
  if (words.empty()) return send(in, out, page.get());
  const rendered found(render_search(api, words), html_type);
  send(in, out, found.get());
}

void openapi(const httplib::Request& in, httplib::Response& out, std::string_view) {
  send_named(in, out, "api/openapi.json");
}

void file(const httplib::Request& in, httplib::Response& out, std::string_view name) {
  // The pages have separate paths.
  if (name.ends_with(".html")) return render_problem(404, "There is no such file.", out);
  // Under the tag of another build, a page of that build asks here: while gateways are replaced.
  const bool lasting = in.path == "/assets/" + build_tag() + '/' + std::string(name);
  send_named(in, out, "page/" + std::string(name),
             lasting ? "public, max-age=31536000, immutable" : "no-cache");
}

void problem(const httplib::Request& in, httplib::Response& out, std::string_view type) {
  struct explanation {
    explicit explanation(const problem_type& p)
        : page(problem_page(p), html_type), text(problem_text(p), hal_type) {}
    rendered page, text;
  };
  static const auto all = [] {
    std::map<std::string_view, explanation> explained;
    for (const auto& p : problem_types()) explained.try_emplace(p.name, p);
    return explained;
  }();
  const auto found = all.find(type);
  if (found == all.end()) return render_problem(404, "There is no such type of problem.", out);
  out.set_header("Vary", "Accept");
  send(in, out, prefers_html(in) ? found->second.page.get() : found->second.text.get());
}

}  // namespace skanu::pages
