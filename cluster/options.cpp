#include "cluster/options.hpp"

#include <algorithm>
#include <iostream>

#include <CLI/CLI.hpp>

#include "cluster/addresses.hpp"
#include "cluster/cluster_arguments.hpp"
#include "http/admin_access.hpp"

namespace skanu {

namespace {

constexpr int bad_usage = 2;

/// A whole decimal number from `least` on. CLI11's own words print the bounds of a type in full.
CLI::Validator number_from(std::int64_t least) {
  return {[least](const std::string& text) {
            std::int64_t value = 0;
            const auto [end, problem] =
                std::from_chars(text.data(), text.data() + text.size(), value);
            const bool fits = problem == std::errc{} && end == text.data() + text.size();
            return fits && value >= least
                       ? std::string()
                       : "takes a whole number from " + std::to_string(least) + " on, not " + text;
          },
          "NUMBER"};
}

/// What the texts of the command line mean, or what is wrong with them.
std::string interpret(const std::string& http, const std::string& admin, const std::string& cors,
                      bool trust_network, node_options& node) {
  if (!split_address(http, node.address, node.port))
    return "--http takes ADDR:PORT, such as 127.0.0.1:8088, not " + http;
  if (!is_loopback(node.address) && !trust_network)
    return "there is no authentication: to listen on " + node.address +
           ", say --trust-network as well";
  if (!admin.empty()) {
    if (!split_address(admin, node.admin_address, node.admin_port))
      return "--admin takes ADDR:PORT, such as 127.0.0.1:9088, not " + admin;
    if (!is_loopback(node.admin_address) && !trust_network)
      return "there is no authentication: to let operators in on " + node.admin_address +
             ", say --trust-network as well";
  }
  if (cors != "*") {
    node.cors_origins = split(cors);
    const auto& origins = node.cors_origins;
    if (origins.empty() || std::ranges::any_of(origins, &std::string::empty))
      return "--cors takes origins by commas, or * for every one";
    if (std::ranges::find(origins, "*") != origins.end())
      return "--cors takes either * or origins, not both";
  }
  return {};
}

}  // namespace

parsed_options parse_options(int argc, const char* const* argv) {
  program_options o;
  std::string http = "127.0.0.1:8088", admin, cors = "*", events_service, fault_help;
  cluster_arguments cluster;
  bool trust_network = false;
  auto heartbeat_ms = o.node.streams.heartbeat.count();

  CLI::App app{"SKANU takes coffee orders, payments, deliveries and stamps."};
  app.require_subcommand(1);
  app.set_config("--config", "",
                 "Configuration file (TOML or INI); options of a command stand under [command]")
      ->envname("SKANU_CONFIG");
  app.option_defaults()->always_capture_default();
  app.allow_config_extras(CLI::config_extras_mode::error);
  app.fallthrough();

  auto* serve = app.add_subcommand("serve", "Runs the service");
  serve->configurable();
  serve->option_defaults()->always_capture_default();
  serve->add_option("--http", http, "Address and port to listen on; port 0 takes a free one")
      ->envname("SKANU_HTTP");
  serve
      ->add_option("--admin", admin,
                   "Address and port of /admin and /actuator alone; else /admin is on --http, and "
                   "there only for who asks loopback for it")
      ->envname("SKANU_ADMIN");
  serve->add_option("--data", o.node.data, "Data directory")->envname("SKANU_DATA");
  cluster.add_to(*serve);
  serve
      ->add_flag("--trust-network", trust_network,
                 "Allow an address beyond loopback: whoever reaches it may do everything")
      ->envname("SKANU_TRUST_NETWORK");
  serve
      ->add_option("--cors", cors, "Origins that browsers may call from, by commas; * is every one")
      ->envname("SKANU_CORS");
  serve
      ->add_option("--max-store-bytes", o.node.max_store_bytes,
                   "Bound on each database's size; 0: only the disk bounds it")
      ->envname("SKANU_MAX_STORE_BYTES")
      ->check(number_from(0));
  serve
      ->add_option("--max-connections", o.node.max_connections,
                   "Connections at once; beyond it 503. Open streams do not count")
      ->envname("SKANU_MAX_CONNECTIONS")
      ->check(number_from(1));
  serve
      ->add_option("--max-connections-per-address", o.node.max_connections_per_address,
                   "The same for one client address, and for its streams; 0: no such limit")
      ->envname("SKANU_MAX_CONNECTIONS_PER_ADDRESS")
      ->check(number_from(0));
  serve
      ->add_option("--max-streams", o.node.streams.max_streams,
                   "Event streams at once; beyond it 503")
      ->envname("SKANU_MAX_STREAMS")
      ->check(number_from(0));
  serve
      ->add_option("--stream-heartbeat", heartbeat_ms,
                   "Milliseconds after which a silent stream is sent a comment")
      ->envname("SKANU_STREAM_HEARTBEAT")
      ->check(number_from(1));
  serve->add_option("--log-file", o.log_file, "File to log to; empty: standard error")
      ->envname("SKANU_LOG_FILE");
  serve->add_option("--log-level", o.log_level, "trace, debug, info, warn, error or off")
      ->envname("SKANU_LOG_LEVEL")
      ->check(CLI::IsMember({"trace", "debug", "info", "warn", "error", "off"}));
  serve->add_option("--fault", o.faults, "Fault on demand, NAME=VALUE; `--fault help` lists them")
      ->envname("SKANU_FAULT")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);

  auto* audit = app.add_subcommand("audit", "Checks the invariants, also beside a running server");
  audit->option_defaults()->always_capture_default();
  audit->add_option("--data", o.data, "Data directory, or a folder that holds several")
      ->envname("SKANU_DATA");

  audit->add_flag("--deep", o.deep, "Also say how many stored values have no checksum, by table")
      ->envname("SKANU_DEEP");

  auto* events = app.add_subcommand("events", "Prints the event logs as JSON lines");
  events->option_defaults()->always_capture_default();
  events->add_option("--data", o.data, "Data directory, or a folder that holds several")
      ->envname("SKANU_DATA");
  events->add_option("--service", events_service, "Only this service's log")
      ->envname("SKANU_SERVICE");
  events->add_option("--from", o.events_from, "First offset to print")
      ->envname("SKANU_FROM")
      ->check(number_from(1));
  events->add_flag("--follow", o.follow, "Go on with new events as they come")
      ->envname("SKANU_FOLLOW");

  auto* backup =
      app.add_subcommand("backup", "Writes a consistent copy, also beside a running server");
  backup->option_defaults()->always_capture_default();
  backup->add_option("--data", o.data, "Data directory")->envname("SKANU_DATA");
  backup->add_option("--to", o.backup_to, "Folder of the copy: new or empty")
      ->envname("SKANU_TO")
      ->required();

  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help) {
    return {std::nullopt, app.exit(help)};
  } catch (const CLI::ParseError& problem) {
    std::cerr << "skanu: " << problem.what() << '\n';
    return {std::nullopt, bad_usage};
  }
  const auto refuse = [](const std::string& what) -> parsed_options {
    std::cerr << "skanu: " << what << '\n';
    return {std::nullopt, bad_usage};
  };
  if (serve->parsed()) {
    o.command = program_command::serve;
    o.node.streams.heartbeat = std::chrono::milliseconds(heartbeat_ms);
    if (std::find(o.faults.begin(), o.faults.end(), "help") != o.faults.end()) {
      std::cout << fault_plan::help();
      return {};
    }
    auto problem = interpret(http, admin, cors, trust_network, o.node);
    if (problem.empty()) problem = interpret(cluster, o.node);
    if (!problem.empty()) return refuse(problem);
  } else if (audit->parsed()) {
    o.command = program_command::audit;
  } else if (events->parsed()) {
    o.command = program_command::events;
    if (!events_service.empty()) {
      o.events_of = service_named(events_service);
      if (!o.events_of) return refuse("no such service: " + events_service);
    }
  } else {
    o.command = program_command::backup;
  }
  return {std::move(o), 0};
}

}  // namespace skanu
