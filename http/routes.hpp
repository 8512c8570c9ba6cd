// The table of routes, and the steps common to all routes.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <httplib.h>

#include "http/access/cors_policy.hpp"
#include "http/api/gateway.hpp"
#include "http/format/link_base.hpp"
#include "http/operations/actuator.hpp"
#include "http/operations/admin.hpp"

namespace skanu {

struct front_options {
  cors_policy cors;
  /// Host names answered besides loopback's own, for a server on loopback. nullopt: every name.
  std::optional<std::vector<std::string>> allowed_hosts;
  /// Token for /admin on the clients' listener. Without a token the listener refuses all of /admin.
  std::optional<std::string> admin_token;
  /// Services with visible resources. Paths of the other services answer 404.
  std::vector<service> shown{std::begin(all_services), std::end(all_services)};
  /// Whether the pages and the API's description are shown.
  bool pages = true;
  link_base_options links = {};
};

/// The port of a request. The operators' listener serves only /admin, /actuator and the
/// explanations of problems.
enum class listener : std::uint8_t { clients, operators };

/// Answers every request. Thread-safe. The constructor's arguments outlive the front.
class front {
 public:
  front(gateway& to, actuator_view view, admin_view admin, front_options options);

  /// Writes the whole answer to a request, with a log line and metrics.
  void answer(exchange& x, listener at = listener::clients);
  /// Writes the body of an error found by the connection layer, as a problem.
  void answer_error(int status, std::string_view reason, httplib::Response& out) const;

 private:
  void dispatch(exchange& x, listener at, std::size_t& route);
  bool is_shown(std::string_view path, bool is_page) const;
  bool may_administer(const httplib::Request& in, listener at) const;
  bool is_asked_for(const httplib::Request& in, listener at) const;
  bool may_read(const httplib::Request& in) const;
  void add_cors(const httplib::Request& in, httplib::Response& out) const;

  gateway& to_;
  actuator_view view_;
  admin_view admin_;
  front_options options_;
  request_metrics metrics_;
};

/// Lists every route as "METHOD /path/{parameter}", for documentation and tests.
std::vector<std::string> route_names();

}  // namespace skanu
