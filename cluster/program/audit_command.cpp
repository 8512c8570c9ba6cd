// `skanu audit`: checks a consistent cut of all databases.
#include <iostream>

#include "actors/audit/audit.hpp"
#include "actors/audit/consistent_cut.hpp"
#include "cluster/program/commands.hpp"
#include "cluster/program/watched_reading.hpp"

namespace skanu {

namespace {

constexpr int sound = 0, broken = 1;

int audit_here(const program_options& options) {
  const auto databases = open_existing(options.data);
  const cut moment(databases);
  const auto report = audit(moment.by_service());
  std::cout << report.to_json(options.deep) << std::endl;
  if (!std::cout) throw std::runtime_error("cannot print the report");
  return report.sound() ? sound : broken;
}

}  // namespace

int run_audit(const program_options& options) {
  return read_in_child(options.data, [&] { return audit_here(options); });
}

}  // namespace skanu
