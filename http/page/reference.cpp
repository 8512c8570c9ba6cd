#include "http/page/reference.hpp"

#include <algorithm>
#include <array>
#include <sstream>
#include <string_view>

#include "http/format/html.hpp"
#include "http/format/problem_types.hpp"

namespace skanu {

namespace {

using json = nlohmann::ordered_json;

std::string text_of(const json& object, const char* member) {
  return object.contains(member) ? object[member].get<std::string>() : std::string();
}

/// Escapes text, with `words` as code.
std::string inline_text(std::string_view text) {
  std::string out;
  for (bool code = false; !text.empty(); code = !code) {
    const auto end = std::min(text.find('`'), text.size());
    const auto piece = html_escaped(text.substr(0, end));
    out += code ? "<code>" + piece + "</code>" : piece;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::string paragraphs(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto end = std::min(text.find("\n\n"), text.size());
    out += "<p>" + inline_text(text.substr(0, end)) + "</p>\n";
    text.remove_prefix(std::min(end + 2, text.size()));
  }
  return out;
}

std::string code(std::string_view text) { return "<code>" + html_escaped(text) + "</code>"; }

/// A table with HTML in its cells; the first cell of a row is the row's header. Wide tables scroll
/// by themselves.
class table {
 public:
  table(std::string_view caption, std::initializer_list<std::string_view> columns) {
    out_ = "<div class=\"wide\" tabindex=\"0\" role=\"group\" aria-label=\"" +
           html_escaped(caption) + "\"><table><caption>" + html_escaped(caption) +
           "</caption>\n<thead><tr>";
    for (const auto c : columns) out_ += "<th scope=\"col\">" + html_escaped(c) + "</th>";
    out_ += "</tr></thead>\n<tbody>\n";
  }

  void row(std::initializer_list<std::string> cells) {
    out_ += "<tr>";
    bool first = true;
    for (const auto& c : cells) {
      out_ += first ? "<th scope=\"row\">" + c + "</th>" : "<td>" + c + "</td>";
      first = false;
    }
    out_ += "</tr>\n";
  }

  std::string end() { return std::move(out_) + "</tbody></table></div>\n"; }

 private:
  std::string out_;
};

class writer {
 public:
  explicit writer(const json& api) : api_(api) {}

  std::string whole() {
    const auto& info = api_["info"];
    out_ += "<h1>" + html_escaped(text_of(info, "title")) + " API</h1>\n";
    out_ += "<p class=\"lead\">" + inline_text(text_of(info, "summary")) + "</p>\n";
    out_ += paragraphs(text_of(info, "description"));
    out_ +=
        "<p>The same as a document for programs: <a href=\"/openapi.json\">OpenAPI 3.1</a>.</p>\n";
    contents();
    everywhere();
    for (const auto& tag : api_["tags"]) {
      const auto name = text_of(tag, "name");
      out_ += "<section aria-labelledby=\"" + anchor("tag", name) + "\">\n<h2 id=\"" +
              anchor("tag", name) + "\">" + html_escaped(name) + "</h2>\n";
      out_ += paragraphs(text_of(tag, "description"));
      each_operation(name, [this](auto&... parts) { operation(parts...); });
      out_ += "</section>\n";
    }
    problems();
    schemas();
    return std::move(out_);
  }

  /// The operations, problems and schemas that contain each of the words.
  std::string found(std::string_view words) {
    out_ += "<h1>Search</h1>\n";
    search_form(words);
    std::size_t count = 0;
    std::string list;
    const auto offer = [&](const std::string& link, const std::string& shown,
                           const std::string& text) {
      if (!has_each_word(text, words)) return;
      ++count;
      list += "<li><a href=\"" + link + "\">" + shown + "</a></li>\n";
    };
    for (const auto& tag : api_["tags"])
      each_operation(text_of(tag, "name"), [&](const std::string& path, const json&,
                                               const std::string& method, const json& o) {
        std::string searched = method;
        for (const auto& part : {path, text_of(tag, "name"), o.dump()}) searched += ' ' + part;
        offer("/docs#" + anchor("op", text_of(o, "operationId")),
              name_of(method, path) + ' ' + inline_text(text_of(o, "summary")), searched);
      });
    for (const auto& p : problem_types()) {
      const auto path = "/problems/" + std::string(p.name);
      offer(path, code(path), path + ' ' + std::string(p.happened) + ' ' + std::string(p.advice));
    }
    for (const auto& [name, schema] : api_["components"]["schemas"].items())
      offer("/docs#" + anchor("schema", name), code(name), name + ' ' + schema.dump());
    out_ +=
        "<p>" + std::to_string(count) + " found. <a href=\"/docs\">All of the reference</a></p>\n";
    if (count > 0) out_ += "<ul>\n" + list + "</ul>\n";
    return std::move(out_);
  }

 private:
  static bool has_each_word(std::string text, std::string_view words) {
    const auto lower = [](char c) {
      return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    };
    std::ranges::transform(text, text.begin(), lower);
    std::istringstream list{std::string(words)};
    for (std::string word; list >> word;) {
      std::ranges::transform(word, word.begin(), lower);
      if (text.find(word) == text.npos) return false;
    }
    return true;
  }

  static std::string anchor(std::string_view kind, std::string_view name) {
    std::string id(kind);
    id += '-';
    for (const char c : name) id += c == ' ' ? '-' : c;
    return html_escaped(id);
  }

  static std::string_view last_segment(std::string_view reference) {
    return reference.substr(reference.rfind('/') + 1);
  }

  /// Follows a reference, and keeps a description beside the reference. Returns any other object
  /// unchanged.
  json resolved(const json& object) const {
    if (!object.contains("$ref")) return object;
    json target = api_.at(json::json_pointer(object["$ref"].get<std::string>().substr(1)));
    if (object.contains("description")) target["description"] = object["description"];
    return target;
  }

  template <class Visit>
  void each_operation(std::string_view tag, Visit visit) {
    static constexpr std::array methods = {"get", "post", "put", "patch", "delete"};
    for (const auto& [path, item] : api_["paths"].items())
      for (const auto* method : methods) {
        if (!item.contains(method)) continue;
        const json& operation = item[method];
        if (operation["tags"][0] == json(tag)) visit(path, item, method, operation);
      }
  }

  static std::string name_of(const std::string& method, const std::string& path) {
    std::string upper;
    for (const char c : method)
      upper += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return "<span class=\"method\">" + upper + "</span> <code>" + html_escaped(path) + "</code>";
  }

  void search_form(std::string_view words) {
    out_ +=
        "<form role=\"search\" action=\"/docs\"><label for=\"search\">Search</label> "
        "<input id=\"search\" type=\"search\" name=\"q\" value=\"" +
        html_escaped(words) + "\"> <button type=\"submit\">Search</button></form>\n";
  }

  void contents() {
    search_form("");
    out_ += "<nav aria-labelledby=\"contents\">\n<h2 id=\"contents\">Contents</h2>\n<ul>\n";
    for (const auto& tag : api_["tags"]) {
      const auto name = text_of(tag, "name");
      out_ += "<li><a href=\"#" + anchor("tag", name) + "\">" + html_escaped(name) + "</a>\n<ul>\n";
      each_operation(name, [this](const std::string& path, const json&, const std::string& method,
                                  const json& o) {
        out_ += "<li><a href=\"#" + anchor("op", text_of(o, "operationId")) + "\">" +
                name_of(method, path) + "</a> " + inline_text(text_of(o, "summary")) + "</li>\n";
      });
      out_ += "</ul></li>\n";
    }
    out_ +=
        "<li><a href=\"#problems\">Problems</a></li>\n<li><a href=\"#schemas\">Schemas</a></li>\n"
        "</ul>\n</nav>\n";
  }

  void everywhere() {
    const auto& all = api_["x-everywhere"];
    out_ += "<section aria-labelledby=\"everywhere\">\n<h2 id=\"everywhere\">Everywhere</h2>\n";
    out_ += paragraphs(text_of(all, "description"));
    parameters(all, json::object());
    responses(all["responses"], "Answers of every path");
    headers(all["headers"], "Headers of every answer");
    out_ += "</section>\n";
  }

  void operation(const std::string& path, const json& item, const std::string& method,
                 const json& o) {
    const auto id = anchor("op", text_of(o, "operationId"));
    out_ += "<article aria-labelledby=\"" + id + "\">\n<h3 id=\"" + id + "\">" +
            name_of(method, path) + "</h3>\n<p class=\"summary\">" +
            inline_text(text_of(o, "summary")) + "</p>\n";
    out_ += paragraphs(text_of(o, "description"));
    parameters(item, o);
    if (o.contains("requestBody"))
      for (const auto& [type, content] : o["requestBody"]["content"].items()) {
        out_ += "<h4>Body</h4>\n<p>" + code(type) + ": " + type_of(content["schema"]) + "</p>\n";
        example(content);
      }
    responses(o["responses"], "Answers");
    out_ += "</article>\n";
  }

  void parameters(const json& item, const json& o) {
    json all = json::array();
    for (const auto* from : {&item, &o})
      if (from->contains("parameters"))
        for (const auto& p : (*from)["parameters"]) all.push_back(resolved(p));
    if (all.empty()) return;
    table t("Parameters", {"Name", "In", "Type", "Meaning"});
    for (const auto& p : all) {
      const bool required = p.contains("required") && p["required"].get<bool>();
      t.row({code(text_of(p, "name")) + (required ? "" : " (optional)"), text_of(p, "in"),
             type_of(p["schema"]), inline_text(text_of(p, "description"))});
    }
    out_ += t.end();
  }

  void headers(const json& all, std::string_view caption) {
    table t(caption, {"Header", "Type", "Meaning"});
    for (const auto& [name, h] : all.items()) {
      const auto header = resolved(h);
      t.row({code(name), type_of(header["schema"]), inline_text(text_of(header, "description"))});
    }
    out_ += t.end();
  }

  void responses(const json& all, std::string_view caption) {
    table t(caption, {"Status", "Meaning", "Content", "Headers"});
    std::string examples;
    for (const auto& [status, r] : all.items()) {
      const auto response = resolved(r);
      std::string content, names;
      if (response.contains("content"))
        for (const auto& [type, c] : response["content"].items()) {
          content += (content.empty() ? "" : "<br>") + code(type) + ": " + type_of(c["schema"]);
          if (status.front() != '2' || !c.contains("example")) continue;
          std::swap(out_, examples);
          example(c);
          std::swap(out_, examples);
        }
      if (response.contains("headers"))
        for (const auto& [name, h] : response["headers"].items())
          names += (names.empty() ? "" : ", ") + code(name);
      t.row({html_escaped(status), inline_text(text_of(response, "description")), content, names});
    }
    out_ += t.end() + examples;
  }

  void example(const json& content) {
    if (content.contains("example"))
      out_ += "<pre tabindex=\"0\"><code>" + html_escaped(content["example"].dump(2)) +
              "</code></pre>\n";
  }

  void problems() {
    out_ += "<section aria-labelledby=\"problems\">\n<h2 id=\"problems\">Problems</h2>\n";
    table t("The types of problems", {"Type", "Status", "What it means", "Was anything changed?"});
    for (const auto& p : problem_types()) {
      const auto path = "/problems/" + std::string(p.name);
      t.row({"<a href=\"" + path + "\">" + code(path) + "</a>", std::to_string(p.status),
             html_escaped(p.happened), html_escaped(p.changed)});
    }
    out_ += t.end() + "</section>\n";
  }

  void schemas() {
    out_ += "<section aria-labelledby=\"schemas\">\n<h2 id=\"schemas\">Schemas</h2>\n";
    for (const auto& [name, schema] : api_["components"]["schemas"].items()) {
      out_ += "<h3 id=\"" + anchor("schema", name) + "\">" + html_escaped(name) + "</h3>\n";
      out_ += paragraphs(text_of(schema, "description"));
      if (schema.contains("properties") && !schema["properties"].empty())
        fields(name, schema);
      else
        out_ += "<p>" + type_of(schema) + "</p>\n";
    }
    out_ += "</section>\n";
  }

  void fields(const std::string& name, const json& schema) {
    table t("Fields of " + name, {"Field", "Type", "Meaning"});
    const auto required = schema.contains("required") ? schema["required"] : json::array();
    for (const auto& [field, of] : schema["properties"].items()) {
      const bool needed =
          std::find(required.begin(), required.end(), json(field)) != required.end();
      t.row({code(field) + (needed ? "" : " (optional)"), type_of(of),
             inline_text(text_of(of, "description"))});
    }
    out_ += t.end();
  }

  std::string list_of(const json& schemas, std::string_view between) const {
    std::string out;
    for (const auto& s : schemas) out += (out.empty() ? "" : std::string(between)) + type_of(s);
    return out;
  }

  std::string type_of(const json& s) const {
    if (s.contains("$ref")) {
      const auto reference = s["$ref"].get<std::string>();
      const auto name = last_segment(reference);
      return "<a href=\"#" + anchor("schema", name) + "\">" + html_escaped(name) + "</a>";
    }
    for (const auto* choice : {"anyOf", "oneOf"})
      if (s.contains(choice) && !s.contains("allOf")) return list_of(s[choice], " or ");
    if (s.contains("const")) return code(s["const"].dump());
    if (s.contains("enum")) {
      std::string words;
      for (const auto& w : s["enum"]) words += (words.empty() ? "" : ", ") + code(w.dump());
      return words;
    }
    if (s.contains("allOf")) return list_of(s["allOf"], " and ");
    if (s.contains("type") && s["type"].is_array()) {
      auto each = json::array();
      for (const auto& one : s["type"]) (each.emplace_back(s))["type"] = one;
      return list_of(each, " or ");
    }
    auto type = text_of(s, "type");
    if (type == "array") return "list of " + type_of(s["items"]);
    if (type == "object" && s.contains("properties") && !s["properties"].empty()) {
      std::string names;
      for (const auto& [name, of] : s["properties"].items())
        names += (names.empty() ? "" : ", ") + code(name) + ": " + type_of(of);
      return "object of " + names;
    }
    if (type == "object" && s.contains("additionalProperties") &&
        s["additionalProperties"].is_object())
      return "object of " + type_of(s["additionalProperties"]);
    static constexpr std::array<std::pair<const char*, const char*>, 5> limits = {
        {{"minimum", "from"},
         {"maximum", "to"},
         {"minLength", "at least"},
         {"maxLength", "at most"},
         {"pattern", "like"}}};
    for (const auto& [member, word] : limits)
      if (s.contains(member))
        type += std::string(" ") + word + ' ' +
                (s[member].is_string() ? code(s[member].get<std::string>()) : s[member].dump());
    if (s.contains("maxLength")) type += " characters";
    return type;
  }

  const json& api_;
  std::string out_;
};

}  // namespace

std::string render_reference(const nlohmann::ordered_json& api) {
  return html_page("SKANU API", writer(api).whole());
}

std::string render_search(const nlohmann::ordered_json& api, std::string_view words) {
  return html_page("Search: SKANU API", writer(api).found(words));
}

}  // namespace skanu
