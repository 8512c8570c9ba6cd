// The program: runs a node, or reads stored data.
#include <csignal>
#include <iostream>

#include <spdlog/spdlog.h>

#include "cluster/node/node.hpp"
#include "cluster/program/commands.hpp"
#include "cluster/program/crash_report.hpp"
#include "cluster/program/logging.hpp"
#include "cluster/program/options.hpp"
#include "cluster/program/signals.hpp"
#include "persistence/store.hpp"

namespace {

using namespace skanu;

constexpr int cannot = 2;

int serve(const program_options& options) {
  fault_plan faults;
  for (const auto& f : options.faults) {
    if (const auto problem = faults.add(f)) {
      std::cerr << "skanu: " << *problem << '\n';
      return cannot;
    }
  }
  block_signals();
  const service_manager manager;
  const int log = start_logging(options.log);
  for (const auto& doubt : options.doubts)
    spdlog::warn("event=unknown_variable reason=\"{}\"", doubt);
  report_crashes(options.node.data, options.log, log);
  {
    node running(options.node, faults);
    const bool v6 = options.node.address.find(':') != std::string::npos;
    std::cout << "skanu ready http://" << (v6 ? "[" : "") << options.node.address << (v6 ? "]" : "")
              << ':' << running.port() << std::endl;
    manager.ready();
    stay_until_stopped(manager, {.is_alive = [&] { return running.is_alive(); },
                                 .on_hangup = open_log_anew,
                                 .begin_to_leave = [&] { running.begin_to_leave(); },
                                 .drain = options.drain});
    running.stop();
  }
  stop_logging();
  return 0;
}

int run(const program_options& options) {
  if (options.command == program_command::serve) return serve(options);
  spdlog::set_level(spdlog::level::off);  // standard output holds only the result
  switch (options.command) {
    case program_command::serve: break;
    case program_command::audit: return run_audit(options);
    case program_command::events: return run_events(options);
    case program_command::backup: return run_backup(options);
    case program_command::rebuild: return run_rebuild(options);
    case program_command::join_stamps: return run_join_stamps(options);
    case program_command::admin: return run_admin(options);
  }
  return cannot;
}

}  // namespace

int main(int argc, char** argv) {
  const auto parsed = parse_options(argc, argv);
  if (!parsed.options) return parsed.exit_status;
  // a write beyond the limit of a file's size fails like a full disk
  std::signal(SIGXFSZ, SIG_IGN);
  try {
    return run(*parsed.options);
  } catch (const std::exception& problem) {
    stop_logging();
    std::cerr << "skanu: " << problem.what() << '\n';
    return cannot;
  }
}
