// The only file that knows URLs: the table of routes, and what all of them have in common.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <httplib.h>

#include "http/access/cors_policy.hpp"
#include "http/api/gateway.hpp"
#include "http/operations/actuator.hpp"
#include "http/operations/admin.hpp"

namespace skanu {

struct front_options {
  cors_policy cors;
  /// On loopback only these Host names are answered besides those of loopback; nothing: any name.
  std::optional<std::vector<std::string>> allowed_hosts;
  /// Who brings it is served /admin on the clients' listener too; without one nobody is.
  std::optional<std::string> admin_token;
  /// Whose resources are shown; the paths of others are not there.
  std::vector<service> shown{std::begin(all_services), std::end(all_services)};
  /// Whether the pages and the API's description are shown.
  bool pages = true;
};

/// Through which port a request came. The operators' own shows /admin and /actuator, and nothing
/// else.
enum class listener : std::uint8_t { clients, operators };

/// Answers every request. Thread-safe; all that it is given outlives it.
class front {
 public:
  front(gateway& to, actuator_view view, admin_view admin, front_options options);

  /// The whole answer to one request, logged and counted.
  void answer(const httplib::Request& in, httplib::Response& out, listener at = listener::clients);
  /// The body of an error that the connection layer found, as a problem.
  void answer_error(int status, std::string_view reason, httplib::Response& out) const;

 private:
  void dispatch(const httplib::Request& in, httplib::Response& out, listener at,
                std::size_t& route);
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

/// Every route as "METHOD /path/{parameter}", for documentation and tests.
std::vector<std::string> route_names();

}  // namespace skanu
