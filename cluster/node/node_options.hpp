// The options of a node.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/protocol/cluster_options.hpp"
#include "http/access/cors_policy.hpp"
#include "http/format/link_base.hpp"
#include "http/streams/broadcast.hpp"
#include "messages/phone.hpp"
#include "messages/values.hpp"

namespace skanu {

struct build_names {
  std::string_view version, commit;
};

struct node_options {
  std::string address = "127.0.0.1";
  int port = 8088;
  std::string admin_address;  ///< Address of the operators' listener; empty for none.
  int admin_port = 0;
  std::string data = "./data";
  std::vector<service> services{std::begin(all_services), std::end(all_services)};
  /// Limit for each database in bytes; 0 leaves the limit to the disk.
  std::int64_t max_store_bytes = 0;
  cors_policy cors;
  std::vector<std::string> allowed_hosts;  ///< Answered on loopback besides loopback's names.
  link_base_options links;
  std::size_t max_connections = 10'000;
  std::size_t max_connections_per_address = 0;  ///< Also limits streams; 0 sets no limit.
  stream_options streams;
  phone_country country = korea;  ///< Country of phone numbers without a country's code.
  bool gateway = true;  ///< Serves the front of all services; otherwise only of local services.
  /// The operator declares data lost or restored. The node then starts despite missing data, skips
  /// order ids perhaps given before, and accepts forks of logs.
  bool restored = false;
  cluster_options cluster;
  build_names build;  ///< Names that the node shows of its program; with static storage.

  bool runs(service s) const { return std::ranges::find(services, s) != services.end(); }
};

}  // namespace skanu
