#include "cluster/program/options.hpp"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <regex>

#include <CLI/CLI.hpp>

#include "cluster/program/cluster_arguments.hpp"
#include "cluster/program/version.hpp"
#include "cluster/protocol/addresses.hpp"
#include "http/access/admin_access.hpp"

namespace skanu {

namespace {

constexpr int bad_usage = 2;

/// Accepts a whole decimal number of at least `least`. CLI11's own message would print the full
/// bounds of a type.
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

/// Translates texts of the command line into `node`. Returns the problem of wrong texts, or an
/// empty text.
std::string interpret(const std::string& http, const std::string& admin, const std::string& cors,
                      const std::vector<std::string>& allowed_hosts, bool trust_network,
                      node_options& node) {
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
  if (auto problem = read_cors(cors, node.cors); !problem.empty()) return problem;
  for (const auto& list : allowed_hosts)
    for (auto& host : split(list)) node.allowed_hosts.push_back(std::move(host));
  if (std::ranges::any_of(node.allowed_hosts, [](const std::string& host) {
        return host.empty() || host.find_first_of("/:*[] ") != host.npos;
      }))
    return "--allowed-host takes names without a port, such as shop.example";
  return {};
}

/// Rewrites CLI11's message for an unknown key: CLI11 reports a parse failure.
std::string plain_words(const CLI::ParseError& problem) {
  constexpr std::string_view unknown = "INI was not able to parse ", section_end = ".++";
  std::string words = problem.what();
  if (!words.starts_with(unknown)) return words;
  auto key = words.substr(unknown.size());
  if (key.ends_with(section_end)) key = '[' + key.substr(0, key.size() - section_end.size()) + ']';
  return "the configuration file has a key that no option has: " + key;
}

/// Prints in the form of the configuration file. A value may contain double quotes, but no single
/// quotes: a literal string of the file cannot.
void print_options(const CLI::App& command) {
  std::cout << '[' << command.get_name() << "]\n";
  for (const auto* option : command.get_options()) {
    if (option->get_lnames().empty() || !option->get_configurable()) continue;
    const auto& given = option->results();
    const auto& values = given.empty() ? std::vector{option->get_default_str()} : given;
    std::cout << option->get_lnames().front() << " = [";
    for (std::size_t i = 0; i < values.size(); ++i)
      std::cout << (i == 0 ? "'" : ", '") << values[i] << '\'';
    std::cout << "]\n";
  }
}

}  // namespace

parsed_options parse_options(int argc, const char* const* argv) {
  program_options o;
  std::string http = "127.0.0.1:8088", admin, cors = "own", events_service, fault_help;
  std::vector<std::string> allowed_hosts;
  // Each command has separate variables, because the environment and the file also set the options
  // of commands not run.
  std::string admin_http = http;
  std::string audit_data = o.data, events_data = o.data, backup_data = o.data,
              rebuild_data = o.data, admin_data = o.data;
  cluster_arguments cluster;
  bool trust_network = false;
  auto heartbeat_ms = o.node.streams.heartbeat.count();
  std::string country(o.node.country.name);

  CLI::App app{"SKANU takes coffee orders, payments, deliveries and stamps."};
  app.require_subcommand(1);
  // CLI11 reads the file before the environment, and ignores a missing default file.
  const auto* file = std::getenv("SKANU_CONFIG");
  const bool in_environment = file != nullptr && *file != '\0';
  app.set_config("--config", in_environment ? file : "",
                 "Configuration file (TOML or INI); options of a command stand under [command]",
                 in_environment)
      ->envname("SKANU_CONFIG");
  bool print_config = false;
  app.add_flag("--print-config", print_config,
               "Print the command's options as they were understood, and end")
      ->configurable(false);
  app.option_defaults()->always_capture_default();
  app.allow_config_extras(CLI::config_extras_mode::error);
  app.fallthrough();

  auto* serve = app.add_subcommand("serve", "Runs the service");
  serve->option_defaults()->always_capture_default();
  serve->add_option("--http", http, "Address and port to listen on; port 0 takes a free one")
      ->envname("SKANU_HTTP");
  serve
      ->add_option("--admin", admin,
                   "Address and port of /admin and /actuator alone. On --http /admin is only for "
                   "who brings the token of the file admin.token in the data directory")
      ->envname("SKANU_ADMIN");
  serve->add_option("--data", o.node.data, "Data directory")->envname("SKANU_DATA");
  serve
      ->add_flag(
          "--restored", o.node.restored,
          "Go on with data that was restored, or lost in part: passes over ids that may have "
          "been given since. For one start; see Restore in the README")
      ->envname("SKANU_RESTORED");
  cluster.add_to(*serve);
  serve
      ->add_flag("--trust-network", trust_network,
                 "Allow an address beyond loopback: whoever reaches it may do everything")
      ->envname("SKANU_TRUST_NETWORK");
  serve
      ->add_option(
          "--cors", cors,
          "Other sites whose pages may call from a browser: origins by commas; own: none but "
          "the server's own; *: every one; none: answers no preflight")
      ->envname("SKANU_CORS");
  serve
      ->add_option(
          "--allowed-host", allowed_hosts,
          "Host name that is answered on a loopback address besides loopback's own, where a "
          "proxy passes it on; repeatable, or by commas")
      ->envname("SKANU_ALLOWED_HOST")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
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
  serve
      ->add_option("--country", country,
                   "Country of phone numbers without a country's code, two letters (ISO 3166)")
      ->envname("SKANU_COUNTRY");
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
  audit->add_option("--data", audit_data, "Data directory, or a folder that holds several")
      ->envname("SKANU_DATA");

  audit->add_flag("--deep", o.deep, "Also say how many stored values have no checksum, by table")
      ->envname("SKANU_DEEP");

  auto* events = app.add_subcommand("events", "Prints the event logs as JSON lines");
  events->option_defaults()->always_capture_default();
  events->add_option("--data", events_data, "Data directory, or a folder that holds several")
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
  backup->add_option("--data", backup_data, "Data directory")->envname("SKANU_DATA");
  backup->add_option("--to", o.backup_to, "Folder of the copy: new or empty")
      ->envname("SKANU_TO")
      ->required();

  auto* rebuild = app.add_subcommand(
      "rebuild", "Makes indexes and counts fit the documents, in a directory that is not served");
  rebuild->option_defaults()->always_capture_default();
  rebuild->add_option("--data", rebuild_data, "Data directory")->envname("SKANU_DATA");

  auto* admin_command =
      app.add_subcommand("admin", "Asks a running server what operators may ask, with its token");
  admin_command->option_defaults()->always_capture_default();
  admin_command->add_option("--http", admin_http, "Address and port of the server")
      ->envname("SKANU_HTTP");
  admin_command->add_option("--data", admin_data, "Its data directory, which holds the token")
      ->envname("SKANU_DATA");
  admin_command->require_subcommand(1);
  const auto add_wish = [&](admin_wish wish, const char* name, const char* help,
                            const char* target) {
    auto* command = admin_command->add_subcommand(name, help);
    command->callback([&o, wish] { o.admin.wish = wish; });
    if (target) command->add_option(target, o.admin.target)->required();
  };
  add_wish(admin_wish::dead_letters, "dead-letters",
           "Prints the events that a consumer could not decide, a JSON line each", nullptr);
  add_wish(admin_wish::replay, "replay", "Carries a dead letter out after all", "ID");
  add_wish(admin_wish::discard, "discard", "Never carries a dead letter out", "ID");
  add_wish(admin_wish::explain, "explain", "Prints what an order waits for", "ORDER");

  app.set_version_flag("--version", version_text,
                       "Print the version, the commit, and the protocols and data formats spoken");

  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help) {
    return {std::nullopt, app.exit(help)};
  } catch (const CLI::ParseError& problem) {
    std::cerr << "skanu: " << plain_words(problem) << '\n';
    return {std::nullopt, bad_usage};
  }
  if (print_config) {
    print_options(*app.get_subcommands().front());
    return {};
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
    const auto home = phone_country_named(country);
    if (!home)
      return refuse("--country is of a country whose phone numbers skanu does not know: " +
                    country);
    o.node.country = *home;
    auto problem = interpret(http, admin, cors, allowed_hosts, trust_network, o.node);
    if (problem.empty()) problem = interpret(cluster, o.node);
    if (!problem.empty()) return refuse(problem);
  } else if (audit->parsed()) {
    o.command = program_command::audit;
    o.data = audit_data;
  } else if (events->parsed()) {
    o.command = program_command::events;
    o.data = events_data;
    if (!events_service.empty()) {
      o.events_of = service_named(events_service);
      if (!o.events_of) return refuse("no such service: " + events_service);
    }
  } else if (rebuild->parsed()) {
    o.command = program_command::rebuild;
    o.data = rebuild_data;
  } else if (admin_command->parsed()) {
    o.command = program_command::admin;
    o.data = admin_data;
    if (!split_address(admin_http, o.admin.address, o.admin.port))
      return refuse("--http takes ADDR:PORT, such as 127.0.0.1:8088, not " + admin_http);
  } else {
    o.command = program_command::backup;
    o.data = backup_data;
  }
  return {std::move(o), 0};
}

}  // namespace skanu
