#include "cluster/program/options.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include "cluster/program/arguments.hpp"
#include "cluster/program/version.hpp"
#include "cluster/program/wrong_options.hpp"

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

/// The values of an option left out, in the form of the configuration file.
std::vector<std::string> default_values(const CLI::Option& option) {
  const bool is_list = option.get_expected_max() > 1, is_flag = option.get_expected_min() == 0;
  if (is_list) return {};
  return {is_flag ? "false" : option.get_default_str()};
}

/// Prints in the form of the configuration file. A value may contain double quotes, but no single
/// quotes: a literal string of the file cannot.
void print_options(const CLI::App& command) {
  std::cout << '[' << command.get_name() << "]\n";
  for (const auto* option : command.get_options()) {
    if (option->get_lnames().empty() || !option->get_configurable()) continue;
    const auto& given = option->results();
    const auto values = given.empty() ? default_values(*option) : given;
    std::cout << option->get_lnames().front() << " = [";
    for (std::size_t i = 0; i < values.size(); ++i)
      std::cout << (i == 0 ? "'" : ", '") << values[i] << '\'';
    std::cout << "]\n";
  }
}

/// Reads the file without the options of other commands than the chosen: their values may be wrong.
/// Empty lists set no value.
class own_sections final : public CLI::ConfigTOML {
 public:
  explicit own_sections(const CLI::App& app) : app_(app) {}

  std::vector<CLI::ConfigItem> from_config(std::istream& file) const override {
    auto entries = CLI::ConfigTOML::from_config(file);
    std::erase_if(entries, [this](const CLI::ConfigItem& entry) { return is_left_out(entry); });
    return entries;
  }

 private:
  /// An unknown entry stays, to be refused.
  bool is_left_out(const CLI::ConfigItem& entry) const {
    if (entry.parents.size() != 1) return false;
    const auto found = app_.get_subcommands(
        [&](const CLI::App* command) { return command->get_name() == entry.parents.front(); });
    if (found.empty() || !found.front()->get_option_no_throw("--" + entry.name)) return false;
    return !found.front()->parsed() || entry.inputs.empty();
  }

  const CLI::App& app_;
};

void add_configuration(CLI::App& app, arguments& given) {
  // CLI11 reads the file before the environment, and ignores a missing default file.
  // NOLINTNEXTLINE(concurrency-mt-unsafe): there are no threads yet
  const auto* file = std::getenv("SKANU_CONFIG");
  const bool in_environment = file != nullptr && *file != '\0';
  app.set_config("--config", in_environment ? file : "",
                 "Configuration file (TOML or INI); options of a command stand under [command]",
                 in_environment)
      ->envname("SKANU_CONFIG");
  app.add_flag("--print-config", given.print_config,
               "Print the command's options as they were understood, and end")
      ->configurable(false);
  app.option_defaults()->always_capture_default();
  app.config_formatter(std::make_shared<own_sections>(app));
  app.allow_config_extras(CLI::config_extras_mode::error);
  app.fallthrough();
}

/// Keeps the environment from the options of all commands but the chosen.
void withdraw_variables(CLI::App& app, const CLI::App& chosen) {
  for (auto* command : app.get_subcommands([&](CLI::App* each) { return each != &chosen; }))
    for (auto* option : command->get_options()) option->envname("");
}

CLI::App& add_command(CLI::App& app, program_command command, const char* name, const char* help,
                      arguments& given) {
  auto* added = app.add_subcommand(name, help);
  added->option_defaults()->always_capture_default();
  added->preparse_callback([&app, added](std::size_t) { withdraw_variables(app, *added); });
  added->callback([&given, command] { given.options.command = command; });
  return *added;
}

void add_addresses(CLI::App& serve, arguments& given) {
  serve.add_option("--http", given.http, "Address and port to listen on; port 0 takes a free one")
      ->envname("SKANU_HTTP");
  serve
      .add_option("--admin", given.admin,
                  "Address and port of /admin and /actuator alone. On --http /admin is only for "
                  "who brings the token of the file admin.token in the data directory")
      ->envname("SKANU_ADMIN");
}

void add_access(CLI::App& serve, arguments& given) {
  serve
      .add_flag("--trust-network", given.trust_network,
                "Allow an address beyond loopback: whoever reaches it may do everything")
      ->envname("SKANU_TRUST_NETWORK");
  serve
      .add_option(
          "--cors", given.cors,
          "Other sites whose pages may call from a browser: origins by commas; own: none but "
          "the server's own; *: every one; none: answers no preflight")
      ->envname("SKANU_CORS");
  serve
      .add_option(
          "--allowed-host", given.allowed_hosts,
          "Host name that is answered on a loopback address besides loopback's own, where a "
          "proxy passes it on; repeatable, or by commas")
      ->envname("SKANU_ALLOWED_HOST")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  serve
      .add_option("--public-url", given.public_url,
                  "URL under which clients reach the server, such as https://shop.example: links "
                  "and Location then are whole URLs; empty: they are paths")
      ->envname("SKANU_PUBLIC_URL");
  serve
      .add_option(
          "--trusted-proxy", given.trusted_proxies,
          "Address of a proxy whose Forwarded header says the host of links; repeatable, or "
          "by commas")
      ->envname("SKANU_TRUSTED_PROXY")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void add_limits(CLI::App& serve, arguments& given) {
  auto& node = given.options.node;
  serve
      .add_option("--max-store-bytes", node.max_store_bytes,
                  "Bound on each database's size; 0: only the disk bounds it")
      ->envname("SKANU_MAX_STORE_BYTES")
      ->check(number_from(0));
  serve
      .add_option("--max-connections", node.max_connections,
                  "Connections at once; beyond it 503. Open streams do not count")
      ->envname("SKANU_MAX_CONNECTIONS")
      ->check(number_from(1));
  serve
      .add_option("--max-connections-per-address", node.max_connections_per_address,
                  "The same for one client address, and for its streams; 0: no such limit")
      ->envname("SKANU_MAX_CONNECTIONS_PER_ADDRESS")
      ->check(number_from(0));
  serve
      .add_option("--max-streams", node.streams.max_streams, "Event streams at once; beyond it 503")
      ->envname("SKANU_MAX_STREAMS")
      ->check(number_from(0));
  serve
      .add_option("--stream-heartbeat", given.heartbeat_ms,
                  "Milliseconds after which a silent stream is sent a comment; a page's stream is "
                  "sent an event after 3000 at the latest")
      ->envname("SKANU_STREAM_HEARTBEAT")
      ->check(number_from(1));
}

void add_stop(CLI::App& serve, arguments& given) {
  serve
      .add_option("--drain", given.drain,
                  "Time after SIGTERM in which readiness is DOWN and requests are still taken, "
                  "each on its connection's last call, such as 5s; then the listener closes")
      ->envname("SKANU_DRAIN");
}

void add_logging(CLI::App& serve, arguments& given) {
  auto& log = given.options.log;
  serve
      .add_option("--log-file", log.file,
                  "File to log to, opened anew at SIGHUP; empty: standard error")
      ->envname("SKANU_LOG_FILE");
  serve.add_option("--log-format", given.log_format_word, "text (key=value) or json")
      ->envname("SKANU_LOG_FORMAT")
      ->check(CLI::IsMember({"text", "json"}));
  serve.add_option("--log-level", log.level, "trace, debug, info, warn, error or off")
      ->envname("SKANU_LOG_LEVEL")
      ->check(CLI::IsMember({"trace", "debug", "info", "warn", "error", "off"}));
}

void add_serve(CLI::App& app, arguments& given) {
  auto& serve = add_command(app, program_command::serve, "serve", "Runs the service", given);
  auto& o = given.options;
  add_addresses(serve, given);
  serve.add_option("--data", o.node.data, "Data directory")->envname("SKANU_DATA");
  serve
      .add_flag("--restored", o.node.restored,
                "Go on with data that was restored, or lost in part: passes over ids that may have "
                "been given since. For one start; see Restore in the README")
      ->envname("SKANU_RESTORED");
  given.cluster.add_to(serve);
  add_access(serve, given);
  add_limits(serve, given);
  serve
      .add_option("--country", given.country,
                  "Country of phone numbers without a country's code, two letters (ISO 3166)")
      ->envname("SKANU_COUNTRY");
  add_stop(serve, given);
  add_logging(serve, given);
  serve.add_option("--fault", o.faults, "Fault on demand, NAME=VALUE; `--fault help` lists them")
      ->envname("SKANU_FAULT")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void add_audit(CLI::App& app, arguments& given) {
  auto& audit = add_command(app, program_command::audit, "audit",
                            "Checks the invariants, also beside a running server", given);
  audit.add_option("--data", given.options.data, "Data directory, or a folder that holds several")
      ->envname("SKANU_DATA");
  audit
      .add_flag("--deep", given.options.deep,
                "Also say how many stored values have no checksum, by table")
      ->envname("SKANU_DEEP");
}

void add_events(CLI::App& app, arguments& given) {
  auto& events = add_command(app, program_command::events, "events",
                             "Prints the event logs as JSON lines", given);
  events.add_option("--data", given.options.data, "Data directory, or a folder that holds several")
      ->envname("SKANU_DATA");
  events.add_option("--service", given.events_service, "Only this service's log")
      ->envname("SKANU_SERVICE");
  events.add_option("--from", given.options.events_from, "First offset to print")
      ->envname("SKANU_FROM")
      ->check(number_from(1));
  events.add_flag("--follow", given.options.follow, "Go on with new events as they come")
      ->envname("SKANU_FOLLOW");
}

void add_backup(CLI::App& app, arguments& given) {
  auto& backup = add_command(app, program_command::backup, "backup",
                             "Writes a consistent copy, also beside a running server", given);
  backup.add_option("--data", given.options.data, "Data directory")->envname("SKANU_DATA");
  backup.add_option("--to", given.options.backup_to, "Folder of the copy: new or empty")
      ->envname("SKANU_TO")
      ->required();
}

void add_rebuild(CLI::App& app, arguments& given) {
  auto& rebuild = add_command(
      app, program_command::rebuild, "rebuild",
      "Makes indexes and counts fit the documents, in a directory that is not served", given);
  rebuild.add_option("--data", given.options.data, "Data directory")->envname("SKANU_DATA");
}

void add_join_stamps(CLI::App& app, arguments& given) {
  auto& o = given.options;
  auto& join = add_command(
      app, program_command::join_stamps, "join-stamps",
      "Joins stamp accounts of one person, in a directory that is not served; first prints them",
      given);
  join.add_option("--data", given.options.data, "Data directory")->envname("SKANU_DATA");
  join.add_option("--country", given.country,
                  "Country of phone numbers without a country's code, two letters (ISO 3166)")
      ->envname("SKANU_COUNTRY");
  join.add_option("--old-number", o.join.from,
                  "Join only this account, by its number as stored; empty: all whose numbers have "
                  "another form today")
      ->envname("SKANU_OLD_NUMBER");
  join.add_option("--new-number", given.join_into, "The account that --old-number joins")
      ->envname("SKANU_NEW_NUMBER");
  join.add_flag("--write", o.join.write, "Join them; without it they are only printed")
      ->envname("SKANU_WRITE");
}

void add_admin(CLI::App& app, arguments& given) {
  auto& o = given.options;
  auto& admin = add_command(app, program_command::admin, "admin",
                            "Asks a running server what operators may ask, with its token", given);
  admin.add_option("--http", given.http, "Address and port of the server")->envname("SKANU_HTTP");
  admin.add_option("--data", given.options.data, "Its data directory, which holds the token")
      ->envname("SKANU_DATA");
  admin.require_subcommand(1);
  const auto add_wish = [&](admin_wish wish, const char* name, const char* help) {
    auto* command = admin.add_subcommand(name, help);
    command->callback([&o, wish] { o.admin.wish = wish; });
    return command;
  };
  const auto add_target = [&o](CLI::App* command, const char* name, const char* help) {
    command->add_option(name, o.admin.target, help)->required();
  };
  constexpr const char* id = "The dead letter's id, as skanu admin dead-letters prints it";
  add_wish(admin_wish::dead_letters, "dead-letters",
           "Prints the events that a consumer could not decide, a JSON line each");
  add_target(add_wish(admin_wish::replay, "replay", "Carries a dead letter out after all"), "ID",
             id);
  add_target(add_wish(admin_wish::discard, "discard", "Never carries a dead letter out"), "ID", id);
  add_target(add_wish(admin_wish::explain, "explain", "Prints what an order waits for"), "ORDER",
             "The order's number");
}

/// The arguments, with `skanu help COMMAND` as `skanu COMMAND --help`.
std::vector<const char*> plain_arguments(int argc, const char* const* argv) {
  std::vector<const char*> words(argv, argv + argc);
  if (words.size() < 2 || std::string_view(words[1]) != "help") return words;
  words.erase(words.begin() + 1);
  words.push_back("--help");
  return words;
}

}  // namespace

parsed_options parse_options(int argc, const char* const* argv) {
  const auto words = plain_arguments(argc, argv);
  arguments given;
  CLI::App app{"SKANU takes coffee orders, payments, deliveries and stamps."};
  app.require_subcommand(1);
  add_configuration(app, given);
  add_serve(app, given);
  add_audit(app, given);
  add_events(app, given);
  add_backup(app, given);
  add_rebuild(app, given);
  add_join_stamps(app, given);
  add_admin(app, given);
  app.set_version_flag("-v,--version", version_text,
                       "Print the version, the commit, and the protocols and data formats spoken");

  const auto doubts = unknown_variables(app, variables_here());
  const auto say_doubts = [&] {
    for (const auto& doubt : doubts) std::cerr << "skanu: " << doubt << '\n';
  };
  const auto refuse = [&](const std::string& problem) -> parsed_options {
    std::cerr << "skanu: " << problem << '\n';
    say_doubts();
    return {std::nullopt, bad_usage};
  };
  if (words.size() < 2) {
    std::cerr << app.help();
    return {std::nullopt, bad_usage};
  }
  try {
    app.parse(static_cast<int>(words.size()), words.data());
  } catch (const CLI::Success& help) {
    const auto mistake = words_instead_of_help(app, words);
    if (!mistake.empty()) return refuse(mistake);
    return {std::nullopt, app.exit(help)};
  } catch (const CLI::ParseError& problem) {
    return refuse(words_for(problem, app, words));
  }
  auto& o = given.options;
  if (given.print_config) {
    say_doubts();
    print_options(*app.get_subcommands().front());
    return {};
  }
  const bool serves = o.command == program_command::serve;
  if (serves && std::ranges::find(o.faults, "help") != o.faults.end()) {
    std::cout << fault_plan::help();
    return {};
  }
  if (const auto problem = interpret(given); !problem.empty())
    return refuse(with_place(problem, app, words));
  if (serves)
    o.doubts = doubts;  // for the log
  else
    say_doubts();
  return {std::move(o), 0};
}

}  // namespace skanu
