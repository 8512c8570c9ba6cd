#include "cluster/program/cluster_arguments.hpp"

#include <algorithm>
#include <fstream>
#include <stdexcept>

#include <CLI/CLI.hpp>

#include "cluster/protocol/addresses.hpp"
#include "cluster/protocol/certificate.hpp"
#include "cluster/protocol/handshake.hpp"
#include "http/access/admin_access.hpp"
#include "persistence/files/private_file.hpp"

namespace skanu {

namespace {

/// The services in a list, sorted, without duplicates. The gateway is not a service.
struct service_list {
  std::vector<service> services;
  bool gateway = false;
  std::string unknown;  ///< The first unknown name.
};

service_list services_of(const std::string& text) {
  service_list found;
  for (const auto& name : split(text)) {
    if (name == "gateway") {
      found.gateway = true;
    } else if (const auto s = service_named(name)) {
      found.services.push_back(*s);
    } else if (found.unknown.empty()) {
      found.unknown = name.empty() ? "an empty name" : name;
    }
  }
  std::ranges::sort(found.services);
  found.services.erase(std::unique(found.services.begin(), found.services.end()),
                       found.services.end());
  return found;
}

/// Returns the default name of a node with the services.
std::string usual_name(const service_list& list) {
  std::string name;
  for (const auto s : list.services) name += (name.empty() ? "" : ",") + std::string(name_of(s));
  if (list.gateway) name += name.empty() ? "gateway" : ",gateway";
  return name;
}

std::string read_peer(const std::string& text, cluster_options& cluster) {
  const auto equals = text.find('=');
  std::string wrong = "--peer takes NAME=HOST:PORT, such as payment=127.0.0.1:9082, not " + text;
  if (equals == text.npos) return wrong;
  peer_address peer;
  int port = 0;
  if (!split_address(text.substr(equals + 1), peer.host, port) || port == 0) return wrong;
  peer.port = static_cast<std::uint16_t>(port);
  peer.name = text.substr(0, equals);
  if (const auto list = services_of(peer.name); list.unknown.empty()) {
    peer.services = list.services;
    peer.name = usual_name(list);
  }
  if (!is_node_name(peer.name)) return wrong;
  if (peer.name == cluster.name) return {};  // a list of peers may be the same for all nodes
  for (const auto& other : cluster.peers) {
    if (other.name == peer.name) return "two peers are named " + peer.name;
    for (const auto s : peer.services)
      if (std::ranges::find(other.services, s) != other.services.end())
        return "two peers run the service " + std::string(name_of(s));
  }
  cluster.peers.push_back(std::move(peer));
  return {};
}

constexpr std::size_t shortest_secret = 16;

std::string read_secret(const std::string& file, std::string& secret) {
  if (file.empty()) return {};
  try {
    secret = read_private_line(file);
  } catch (const std::runtime_error& problem) {
    return problem.what();
  }
  if (secret.size() < shortest_secret)
    return "the secret in " + file + " has fewer than 16 bytes: openssl rand -hex 32 makes one";
  return {};
}

std::string check_tls(const tls_files& tls, const std::string& node) {
  const auto given = !tls.certificate.empty() + !tls.key.empty() + !tls.authority.empty();
  if (given == 0) return {};
  if (given != 3) return "TLS between nodes takes --tls-cert, --tls-key and --tls-ca together";
  for (const auto& file : {tls.certificate, tls.key, tls.authority})
    if (!std::ifstream(file)) return "cannot read the file " + file;
  try {
    return why_unfit(read_certificate(tls.certificate), tls.certificate, node, wall_clock_now());
  } catch (const std::runtime_error& problem) {
    return problem.what();
  }
}

}  // namespace

void cluster_arguments::add_to(CLI::App& serve) {
  serve
      .add_option("--services", services,
                  "Services of this node; all of them make one process of its own")
      ->envname("SKANU_SERVICES");
  serve.add_option("--name", name, "This node's name among its peers; by default its services")
      ->envname("SKANU_NAME");
  serve.add_option("--node", address, "Address and port for other nodes; port 0 takes a free one")
      ->envname("SKANU_NODE");
  serve
      .add_option("--peer", peers,
                  "Another node, NAME=HOST:PORT; NAME is its --name, or its services by commas")
      ->envname("SKANU_PEER")
      ->delimiter(' ')
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  serve
      .add_option("--secret-file", secret_file,
                  "File whose first line is the cluster's secret, of 16 bytes and more, mode 0600: "
                  "nodes with another one are refused")
      ->envname("SKANU_SECRET_FILE");
  serve
      .add_option("--tls-cert", tls.certificate,
                  "This node's certificate (PEM), which names the node")
      ->envname("SKANU_TLS_CERT");
  serve.add_option("--tls-key", tls.key, "This node's private key (PEM)")->envname("SKANU_TLS_KEY");
  serve.add_option("--tls-ca", tls.authority, "The authority that signs nodes (PEM)")
      ->envname("SKANU_TLS_CA");
  serve
      .add_flag(
          "--node-without-tls", without_tls,
          "Allow --node beyond loopback without TLS, with a secret: whoever is on the way there "
          "may read and change everything")
      ->envname("SKANU_NODE_WITHOUT_TLS");
}

std::string interpret(const cluster_arguments& given, node_options& node) {
  const auto list = services_of(given.services);
  if (!list.unknown.empty()) return "--services: no such service: " + list.unknown;
  if (list.services.empty() && !list.gateway) return "--services names no service";
  node.services = list.services;
  node.gateway = list.gateway;
  auto& cluster = node.cluster;
  cluster.services = list.services;
  const bool alone = list.services.size() == service_count && given.peers.empty();
  if (alone && given.name.empty()) return {};
  cluster.name = given.name.empty() ? usual_name(list) : given.name;
  if (!is_node_name(cluster.name))
    return "--name takes letters, digits and . , - _ only, not " + cluster.name;
  int port = 0;
  if (!split_address(given.address, cluster.address, port))
    return "--node takes ADDR:PORT, such as 127.0.0.1:9081, not " + given.address;
  cluster.port = static_cast<std::uint16_t>(port);
  cluster.tls = given.tls;
  if (auto problem = check_tls(given.tls, cluster.name); !problem.empty()) return problem;
  if (!given.tls.given() && !is_loopback(cluster.address) && !given.without_tls)
    return "nodes trust each other: to listen for them on " + cluster.address +
           " give --tls-cert, --tls-key and --tls-ca, or say --node-without-tls";
  if (!given.tls.given() && !is_loopback(cluster.address) && given.secret_file.empty())
    return "to listen for nodes on " + cluster.address + " without TLS give --secret-file";
  if (auto problem = read_secret(given.secret_file, cluster.secret); !problem.empty())
    return problem;
  for (const auto& p : given.peers)
    if (auto problem = read_peer(p, cluster); !problem.empty()) return problem;
  for (const auto& p : cluster.peers)
    for (const auto s : p.services)
      if (std::ranges::find(node.services, s) != node.services.end())
        return "the service " + std::string(name_of(s)) + " runs here and at the peer " + p.name;
  return {};
}

}  // namespace skanu
