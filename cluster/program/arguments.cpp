#include "cluster/program/arguments.hpp"

#include <algorithm>
#include <cctype>
#include <regex>

#include "actors/operations/duration.hpp"
#include "cluster/program/version.hpp"
#include "cluster/protocol/addresses.hpp"
#include "http/access/admin_access.hpp"
#include "http/format/host_field.hpp"
#include "http/format/link_base.hpp"
#include "messages/phone_countries.hpp"

namespace skanu {

namespace {

/// As browsers send it: in small letters, and without a path.
bool is_origin(const std::string& text) {
  static const std::regex form(
      R"(https?://([a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(:([0-9]{1,5}))?)");
  constexpr std::size_t longest = 300;  // names end at 253; a regex takes stack for each letter
  std::smatch parts;
  if (text.size() > longest || !std::regex_match(text, parts, form)) return false;
  const auto port = parts[4].str();
  return port.empty() || (port.front() != '0' && std::stoi(port) <= 65'535);
}

std::string read_cors(const std::string& text, cors_policy& cors) {
  using enum cors_policy::origins;
  for (const auto& [word, allowed] :
       {std::pair{"own", own}, std::pair{"*", every}, std::pair{"none", none}}) {
    if (text != word) continue;
    cors.allowed = allowed;
    return {};
  }
  cors.allowed = listed;
  cors.list = split(text);
  if (cors.list.empty() || std::ranges::any_of(cors.list, &std::string::empty))
    return "--cors takes origins by commas, * for every one, own or none";
  for (const auto* word : {"*", "own", "none"})
    if (std::ranges::find(cors.list, word) != cors.list.end())
      return "--cors takes either " + std::string(word) + " or origins, not both";
  for (const auto& origin : cors.list)
    if (!is_origin(origin))
      return "--cors takes origins such as https://cafe.example or http://cafe.example:8080, not " +
             origin.substr(0, 100);
  return {};
}

std::string read_country(std::string name, phone_country& country) {
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::toupper(c); });
  const auto home = phone_country_named(name);
  if (!home)
    return "--country takes a country whose phone numbers are known, not " + name.substr(0, 20) +
           "; there are " + phone_country_names();
  country = *home;
  return {};
}

std::string read_drain(const std::string& text, std::chrono::milliseconds& drain) {
  const auto time = text == "0" ? std::chrono::milliseconds(0) : duration_in(text);
  if (!time) return "--drain takes a time such as 5s or 500ms, not " + text;
  drain = *time;
  return {};
}

/// Translates the addresses into `node`. Returns the problem of wrong texts, or an empty text.
std::string read_addresses(const arguments& given, node_options& node) {
  if (!split_address(given.http, node.address, node.port))
    return "--http takes ADDR:PORT, such as 127.0.0.1:8088, not " + given.http;
  if (!is_loopback(node.address) && !given.trust_network)
    return "there is no authentication: to listen on " + node.address +
           ", say --trust-network as well";
  if (given.admin.empty()) return {};
  if (!split_address(given.admin, node.admin_address, node.admin_port))
    return "--admin takes ADDR:PORT, such as 127.0.0.1:9088, not " + given.admin;
  if (!is_loopback(node.admin_address) && !given.trust_network)
    return "there is no authentication: to let operators in on " + node.admin_address +
           ", say --trust-network as well";
  return {};
}

std::string read_allowed_hosts(const std::vector<std::string>& lists,
                               std::vector<std::string>& hosts) {
  for (const auto& list : lists)
    for (auto& host : split(list)) hosts.push_back(std::move(host));
  if (std::ranges::any_of(hosts, [](const std::string& host) {
        return host.empty() || host.find_first_of("/:*[] ") != host.npos;
      }))
    return "--allowed-host takes names without a port, such as shop.example";
  return {};
}

/// The host of a public URL is answered on loopback, too: a proxy may pass it on.
std::string read_links(const arguments& given, node_options& node) {
  if (!given.public_url.empty()) {
    const auto url = public_url_of(given.public_url);
    if (!url)
      return "--public-url takes a URL such as https://shop.example, not " +
             given.public_url.substr(0, 100);
    node.links.public_url = *url;
    const auto front = url->find("//") + 2;
    if (auto host = host_name(url->substr(front, url->find('/', front) - front)))
      node.allowed_hosts.push_back(std::move(*host));
  }
  for (const auto& list : given.trusted_proxies)
    for (auto& proxy : split(list)) {
      auto address = plain_address(proxy);
      if (!address)
        return "--trusted-proxy takes numeric addresses such as 10.0.0.7, not " +
               proxy.substr(0, 100);
      node.links.trusted_proxies.push_back(std::move(*address));
    }
  return {};
}

std::string interpret_serve(arguments& given) {
  auto& node = given.options.node;
  node.streams.heartbeat = std::chrono::milliseconds(given.heartbeat_ms);
  auto problem = read_addresses(given, node);
  if (problem.empty()) problem = read_cors(given.cors, node.cors);
  if (problem.empty()) problem = read_allowed_hosts(given.allowed_hosts, node.allowed_hosts);
  if (problem.empty()) problem = read_links(given, node);
  if (problem.empty()) problem = interpret(given.cluster, node);
  if (problem.empty()) problem = read_country(given.country, node.country);
  if (problem.empty()) problem = read_drain(given.drain, given.options.drain);
  node.build = {program_version, program_commit};
  given.options.log.node = node.cluster.name;
  if (given.log_format_word == "json") given.options.log.format = log_format::json;
  return problem;
}

std::string interpret_join(arguments& given) {
  auto& join = given.options.join;
  if (auto problem = read_country(given.country, join.country); !problem.empty()) return problem;
  if (join.from.empty() && given.join_into.empty()) return {};
  if (!is_stored_phone(join.from))
    return "--old-number takes an account's number as stored, 7 to 15 digits perhaps behind a "
           "plus, not " +
           join.from.substr(0, 100);
  const auto into = normalised_phone(given.join_into, join.country);
  if (!into) return "--new-number takes a phone number, not " + given.join_into.substr(0, 100);
  if (*into == join.from) return "--old-number and --new-number are the same account";
  join.into = *into;
  return {};
}

}  // namespace

std::string interpret(arguments& given) {
  auto& o = given.options;
  switch (o.command) {
    case program_command::serve: return interpret_serve(given);
    case program_command::events:
      if (given.events_service.empty()) return {};
      o.events_of = service_named(given.events_service);
      return o.events_of ? "" : "--service: no such service: " + given.events_service;
    case program_command::join_stamps: return interpret_join(given);
    case program_command::admin:
      return split_address(given.http, o.admin.address, o.admin.port)
                 ? ""
                 : "--http takes ADDR:PORT, such as 127.0.0.1:8088, not " + given.http;
    case program_command::audit:
    case program_command::backup:
    case program_command::rebuild: return {};
  }
  return {};
}

}  // namespace skanu
