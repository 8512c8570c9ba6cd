#include "http/routes.hpp"

#include <array>

#include <spdlog/spdlog.h>

#include "http/access/admin_access.hpp"
#include "http/api/resources.hpp"
#include "http/format/compression.hpp"
#include "http/format/log_text.hpp"
#include "http/page/pages.hpp"

namespace skanu {

namespace {

enum class needs { nothing, json_body };

using resource_handler = void (*)(const call&);
using admin_handler = void (*)(const call&, const admin_view&);
using actuator_handler = actuator_answer (*)(const actuator_view&, const request_metrics&);
using page_handler = void (*)(const httplib::Request&, httplib::Response&,
                              std::string_view parameter);

struct route {
  std::string_view method;
  std::string_view path;  ///< {…} stands for a single segment.
  needs body = needs::nothing;
  resource_handler resource = nullptr;
  actuator_handler actuator = nullptr;
  std::string_view type = hal_type;
  page_handler page = nullptr;
  admin_handler admin = nullptr;
};

constexpr route page(std::string_view path, page_handler show) {
  route r{"GET", path};
  r.page = show;
  return r;
}

/// A route of the operators' API.
constexpr route operators(std::string_view method, std::string_view path, admin_handler handler) {
  route r{method, path};
  r.admin = handler;
  return r;
}

constexpr std::string_view json_type = "application/json";

actuator_answer health(const actuator_view& v, const request_metrics&) {
  return render_health(v, std::chrono::steady_clock::now());
}
actuator_answer liveness(const actuator_view& v, const request_metrics&) {
  return render_liveness(v, std::chrono::steady_clock::now());
}
actuator_answer readiness(const actuator_view& v, const request_metrics&) {
  return render_readiness(v, std::chrono::steady_clock::now());
}
actuator_answer info(const actuator_view& v, const request_metrics&) { return {render_info(v)}; }
actuator_answer breakers(const actuator_view& v, const request_metrics&) {
  return {render_circuit_breakers(v)};
}
actuator_answer metrics(const actuator_view& v, const request_metrics& m) {
  return {render_metrics(v, m)};
}

void home(const call& c) { pages::home(c.in(), c.out(), c.base()); }

constexpr auto all_methods = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

constexpr auto body = needs::json_body;
constexpr auto bare = needs::nothing;

constexpr std::array routes = {
    route{"GET", "/orders", bare, orders::list},
    route{"POST", "/orders", body, orders::place},
    route{"GET", "/orders/{id}", bare, orders::show},
    route{"DELETE", "/orders/{id}", bare, orders::cancel},
    route{"GET", "/payments", bare, payments::list},
    route{"POST", "/payments", body, payments::pay},
    route{"GET", "/payments/{id}", bare, payments::show},
    route{"PUT", "/payments/{id}", body, payments::update},
    route{"PATCH", "/payments/{id}", body, payments::update},
    route{"DELETE", "/payments/{id}", bare, payments::cancel},
    route{"GET", "/deliveries", bare, deliveries::list},
    route{"GET", "/deliveries/{id}", bare, deliveries::show},
    route{"PUT", "/deliveries/{id}", body, deliveries::update},
    route{"PATCH", "/deliveries/{id}", body, deliveries::update},
    route{"GET", "/stamps", bare, stamps::list},
    route{"POST", "/stamps", body, stamps::add},
    route{"GET", "/stamps/{phoneNumber}", bare, stamps::show},
    route{"GET", "/stamps/{phoneNumber}/entries", bare, stamps::entries},
    route{"GET", "/orderTraces", bare, order_traces::list},
    route{"GET", "/orderTraces/search/findByOrderId", bare, order_traces::find_by_order},
    route{"GET", "/orderTraces/stream", bare, order_traces::stream},
    route{"GET", "/orderTraces/{id}", bare, order_traces::show},
    route{"GET", "/orderTraces/{id}/events", bare, order_traces::events},
    route{"GET", "/actuator/health", bare, nullptr, health, json_type},
    route{"GET", "/actuator/health/liveness", bare, nullptr, liveness, json_type},
    route{"GET", "/actuator/health/readiness", bare, nullptr, readiness, json_type},
    route{"GET", "/actuator/info", bare, nullptr, info, json_type},
    route{"GET", "/actuator/circuitbreakers", bare, nullptr, breakers, json_type},
    route{"GET", "/actuator/prometheus", bare, nullptr, metrics,
          "text/plain; version=0.0.4; charset=utf-8"},
    operators("GET", "/admin/deadLetters", admin::dead_letters),
    operators("DELETE", "/admin/deadLetters/{letter}", admin::discard),
    operators("POST", "/admin/deadLetters/{letter}/replay", admin::replay),
    operators("GET", "/admin/explain/orders/{id}", admin::explain),
    route{"GET", "/", bare, home},
    page("/board", pages::board),
    page("/display", pages::display),
    page("/manager", pages::manager),
    page("/operations", pages::operations),
    page("/docs", pages::reference),
    page("/openapi.json", pages::openapi),
    page("/assets/{name}", pages::file),
    page("/assets/{build}/{name}", pages::file),
    page("/problems/{type}", pages::problem),
};

/// The service of a resource's path; nullopt for other paths.
constexpr std::optional<service> service_of(std::string_view path) {
  constexpr std::array<std::pair<std::string_view, service>, 5> roots = {{
      {"/orders", service::order},
      {"/payments", service::payment},
      {"/deliveries", service::delivery},
      {"/stamps", service::stamp},
      {"/orderTraces", service::ordertrace},
  }};
  for (const auto& [root, s] : roots)
    if (path.substr(0, path.find('/', 1)) == root) return s;
  return std::nullopt;
}

/// Whether the operators' listener serves the route. Explanations of problems belong to every
/// listener.
bool is_for_operators(const route& r) {
  return r.admin || r.actuator || r.path.starts_with("/problems/");
}

bool is_page(const route& r) { return r.page || r.path == "/"; }

/// Takes the first segment off a path: "/orders/1" gives "orders" and leaves "/1".
std::string_view take_segment(std::string_view& path) {
  path.remove_prefix(1);
  const auto segment = path.substr(0, path.find('/'));
  path.remove_prefix(segment.size());
  return segment;
}

/// Whether a path fits a pattern. If so, `parameter` is the path's variable segment.
bool fits(std::string_view pattern, std::string_view path, std::string_view& parameter) {
  while (!pattern.empty() && !path.empty() && path.front() == '/') {
    const auto wanted = take_segment(pattern);
    const auto given = take_segment(path);
    if (wanted.starts_with('{')) {
      if (given.empty()) return false;
      parameter = given;
    } else if (wanted != given) {
      return false;
    }
  }
  return pattern.empty() && path.empty();
}

/// The Cache-Control of an answer whose handler gave none. Answers about orders may be kept by
/// their client alone, and are asked for again with their ETag; money and persons are not kept at
/// all.
std::string_view cache_control_of(std::string_view path) {
  const auto of = service_of(path);
  const bool may_be_kept = of && *of != service::payment && *of != service::stamp;
  return may_be_kept ? "private, no-cache" : "no-store";
}

/// Accepts application/json and application/*+json in UTF-8, apart from JSON Patch, whose body is
/// no object.
bool is_json(std::string_view type) {
  std::string lower(type);
  for (auto& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  const auto semicolon = lower.find(';');
  auto essence = lower.substr(0, semicolon);
  while (!essence.empty() && essence.back() == ' ') essence.pop_back();
  if (semicolon != lower.npos) {
    const auto charset = lower.find("charset=", semicolon);
    if (charset != lower.npos && lower.find("utf-8", charset) == lower.npos) return false;
  }
  if (essence == "application/json-patch+json") return false;
  return essence == "application/json" ||
         (essence.starts_with("application/") && essence.ends_with("+json"));
}

/// Writes the path for a log line, with any phone number masked.
std::string loggable(std::string_view pattern, std::string_view parameter) {
  std::string text(pattern);
  if (const auto open = text.rfind('{'); open != text.npos) {
    const auto length = text.find('}') - open + 1;
    const auto name = pattern.substr(open, length);
    // A dead letter's name may contain a stamp account's phone number.
    const bool is_phone = name == "{phoneNumber}" || name == "{letter}";
    text.replace(open, length, without_phone(parameter, is_phone));
  }
  return in_quotes(text);
}

bool is_for_admins(std::string_view path) {
  return path == "/admin" || path.starts_with("/admin/");
}

void refuse_stranger(listener at, httplib::Response& out) {
  if (at == listener::operators) return render_problem(404, "There is no such path.", out);
  out.set_header("WWW-Authenticate", "Bearer");
  render_problem(401, "/admin asks for the token of the file admin.token in the data directory.",
                 out);
}

void refuse_media_type(std::string_view method, httplib::Response& out) {
  if (method == "PATCH")
    out.set_header("Accept-Patch", "application/json, application/merge-patch+json");
  render_problem(415, "The body must be application/json.", out);
}

/// Returns " problem=overloaded" for a log line: the type of the answer's problem, or an empty
/// text.
std::string problem_of(const httplib::Response& out) {
  constexpr std::string_view front = R"({"type":"/problems/)";
  if (out.status < 400 || !out.body.starts_with(front)) return {};
  const auto rest = std::string_view(out.body).substr(front.size());
  return " problem=" + std::string(rest.substr(0, rest.find('"')));
}

}  // namespace

std::vector<std::string> route_names() {
  std::vector<std::string> names;
  names.reserve(std::size(routes));
  for (const auto& r : routes) names.push_back(std::string(r.method) + ' ' + std::string(r.path));
  return names;
}

front::front(gateway& to, actuator_view view, admin_view admin, front_options options)
    : to_(to),
      view_(std::move(view)),
      admin_(std::move(admin)),
      options_(std::move(options)),
      metrics_(route_names()) {}

void front::answer(exchange& x, listener at) {
  const auto& in = x.in;
  auto& out = x.out;
  const auto began = std::chrono::steady_clock::now();
  auto route = routes.size();
  try {
    dispatch(x, at, route);
  } catch (refused& r) {
    render_problem(r.why, out);
  } catch (const store_error& e) {
    // The reason of service_away and overloaded names a service on another node, so clients may
    // read the reason. Other reasons go to the log only.
    const bool away = e.code() == errc::service_away || e.code() == errc::overloaded;
    if (!away)
      spdlog::error("event={} reason={}", e.code() == errc::damaged ? "damaged" : "store_error",
                    in_quotes(e.what()));
    render_problem(error{e.code(), away ? e.what() : std::string(unreadable(e.code()))}, out);
  } catch (const decode_error& e) {
    spdlog::error("event=undecodable reason={}", in_quotes(e.what()));
    render_problem(error{errc::undecodable, "What is stored of it cannot be read."}, out);
  }
  if (!out.has_header("Cache-Control"))
    out.set_header("Cache-Control", std::string(cache_control_of(in.path)));
  compress(in, out);
  // Pages of other sites must not read the operators' data.
  if (at == listener::clients && !is_for_admins(in.path)) add_cors(in, out);
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::steady_clock::now() - began);
  metrics_.count(route, out.status, took);
  if (!spdlog::should_log(spdlog::level::info)) return;
  std::string_view parameter;
  if (route < routes.size()) fits(routes[route].path, in.path, parameter);
  const auto trace = trace_of(in);
  spdlog::info("event=request method={} path={} status={} us={}{}{}",
               route < routes.size() ? routes[route].method : "-",
               route < routes.size() ? loggable(routes[route].path, parameter) : "-", out.status,
               took.count(), problem_of(out),
               trace ? " trace=" + std::string(trace->trace_id()) : std::string());
}

void front::answer_error(int status, std::string_view reason, httplib::Response& out) const {
  render_problem(status, reason, out);
  out.set_header("Cache-Control", "no-store");
  if (options_.cors.allowed == cors_policy::origins::every)
    out.set_header("Access-Control-Allow-Origin", "*");
}

bool front::is_shown(std::string_view path, bool is_page) const {
  // Every node explains its own problems.
  if (is_page) return options_.pages || path.starts_with("/problems/");
  const auto of = service_of(path);
  return !of || std::ranges::find(options_.shown, *of) != options_.shown.end();
}

/// The operators' listener asks for no token. Checks of Host and Origin keep out pages of other
/// sites in a browser on the same machine.
bool front::may_administer(const httplib::Request& in, listener at) const {
  if (at == listener::clients)
    return options_.admin_token && in.get_header_value_count("Authorization") == 1 &&
           brings_token(in.get_header_value("Authorization"), *options_.admin_token);
  return in.get_header_value_count("Host") == 1 && in.get_header_value_count("Origin") <= 1 &&
         is_meant_for_us(in.get_header_value("Host"), in.get_header_value("Origin"), false);
}

void front::dispatch(exchange& x, listener at, std::size_t& route) {
  const auto& in = x.in;
  auto& out = x.out;
  const std::string_view method = in.method == "HEAD" ? "GET" : std::string_view(in.method);
  if (!is_asked_for(in, at))
    return render_problem(421,
                          "This server is not asked for by that Host: on loopback it answers "
                          "loopback's names and those of --allowed-host.",
                          out);
  // Known and unknown paths are refused alike, so that the answer does not tell the two apart.
  if (is_for_admins(in.path) && !may_administer(in, at)) return refuse_stranger(at, out);
  if (in.path == "*") {  // OPTIONS alone has this target
    out.set_header("Allow", all_methods);
    out.status = 204;
    return;
  }
  std::string allowed;
  for (std::size_t i = 0; i < routes.size(); ++i) {
    const auto& r = routes[i];
    std::string_view parameter;
    if (!fits(r.path, in.path, parameter) || !is_shown(r.path, is_page(r))) continue;
    if (at == listener::operators && !is_for_operators(r)) continue;
    if (r.method != method) {
      // A later pattern may match the same path: its methods are allowed too, each listed once.
      if (allowed.find(r.method) != allowed.npos) continue;
      allowed += (allowed.empty() ? "" : ", ") + std::string(r.method);
      if (r.method == "GET") allowed += ", HEAD";
      continue;
    }
    route = i;
    if (r.body == needs::json_body && !is_json(in.get_header_value("Content-Type")))
      return refuse_media_type(method, out);
    if (r.actuator) {
      auto answer = r.actuator(view_, metrics_);
      out.status = answer.status;
      if (answer.status == 503) out.set_header("Retry-After", "1");
      return out.set_content(answer.body, std::string(r.type));
    }
    const auto base = link_base_of(in, options_.links);
    if (r.page) return r.page(in, out, parameter);
    const call c(x, to_, parameter, base);
    return r.admin ? r.admin(c, admin_) : r.resource(c);
  }
  if (allowed.empty()) return render_problem(404, "There is no such path.", out);
  out.set_header("Allow", allowed + ", OPTIONS");
  if (method != "OPTIONS") return render_problem(405, "This path does not know this method.", out);
  out.status = 204;
}

/// Accepts a request without Host: only HTTP/1.0 permits the omission, and browsers do not send
/// HTTP/1.0.
bool front::is_asked_for(const httplib::Request& in, listener at) const {
  if (at == listener::operators || !options_.allowed_hosts || !in.has_header("Host")) return true;
  return is_allowed_host(in.get_header_value("Host"), *options_.allowed_hosts);
}

bool front::may_read(const httplib::Request& in) const {
  const auto origin = in.get_header_value("Origin");
  switch (options_.cors.allowed) {
    case cors_policy::origins::every: return true;
    case cors_policy::origins::none: return false;
    case cors_policy::origins::listed:
      return std::ranges::find(options_.cors.list, origin) != options_.cors.list.end();
    case cors_policy::origins::own: break;
  }
  const auto host = in.get_header_value("Host");
  return !host.empty() && (origin == "http://" + host || origin == "https://" + host);
}

void front::add_cors(const httplib::Request& in, httplib::Response& out) const {
  const bool every = options_.cors.allowed == cors_policy::origins::every;
  // Caches must keep an answer per origin here. With origins::own alone a cached answer serves
  // every origin: the own origin needs no permission.
  if (options_.cors.allowed == cors_policy::origins::listed) out.set_header("Vary", "Origin");
  if (!every && !in.has_header("Origin")) return;
  if (!may_read(in)) return;
  out.set_header("Access-Control-Allow-Origin", every ? "*" : in.get_header_value("Origin"));
  out.set_header("Access-Control-Expose-Headers", "Location, ETag, Retry-After, Allow");
  if (in.method != "OPTIONS" || !in.has_header("Access-Control-Request-Method")) return;
  out.set_header("Access-Control-Allow-Methods", all_methods);
  const auto headers = in.get_header_value("Access-Control-Request-Headers");
  out.set_header("Access-Control-Allow-Headers", headers.empty() ? "*" : headers);
  out.set_header("Access-Control-Max-Age", "600");
}

}  // namespace skanu
