#include "actors/audit/audit_report.hpp"

#include <utility>

#include <nlohmann/json.hpp>

namespace skanu {

void audit_report::violated(int invariant, service of, entity_id id, std::string what) {
  ++violation_count_;
  auto& kept = kept_.at(static_cast<std::size_t>(invariant));
  if (kept == most_kept) return;
  ++kept;
  violations_.push_back({invariant, of, id, std::move(what)});
}

void audit_report::parked(std::string consumer, service of, entity_id id, std::string what) {
  ++parked_count_;
  if (parked_.size() < most_kept) parked_.push_back({std::move(consumer), of, id, std::move(what)});
}

std::string audit_report::to_json(bool deep) const {
  using json = nlohmann::ordered_json;
  json report;
  report["sound"] = sound();
  report["services"] = json::object();
  json missing = json::array();
  for (const auto s : all_services) {
    const auto found = services.find(s);
    if (found == services.end()) {
      missing.push_back(name_of(s));
      continue;
    }
    const auto& figures = found->second;
    report["services"][std::string(name_of(s))] = {{"entities", figures.entities},
                                                   {"events", figures.events},
                                                   {"tombstones", figures.tombstones}};
  }
  if (!missing.empty()) report["missing"] = missing;
  if (deep) report["withoutChecksum"] = without_checksum;
  report["lag"] = lag;
  report["pending"] = pending;
  report["deadLetters"] = dead_letters;
  if (!discarded.empty()) report["discarded"] = discarded;
  if (parked_count_ > 0) {
    for (const auto& p : parked_)
      report["parked"].push_back(
          {{"consumer", p.consumer}, {"service", name_of(p.of)}, {"id", p.id}, {"what", p.what}});
    report["parkedCount"] = parked_count_;
  }
  for (const auto& f : forks)
    report["forks"].push_back(
        {{"consumer", f.consumer},
         {"log", f.log},
         {"lostFrom", f.common + 1},
         {"lostTo", f.known},
         {"accepted", f.accepted},
         {"what", "the data of " + f.log + " was restored, rebuilt or lost: " + f.consumer +
                      " had worked off events that are not there any more"}});
  report["violations"] = json::array();
  for (const auto& v : violations_)
    report["violations"].push_back(
        {{"invariant", v.invariant}, {"service", name_of(v.of)}, {"id", v.id}, {"what", v.what}});
  report["violationCount"] = violation_count_;
  // Names may come from damaged rows, so invalid UTF-8 is replaced.
  return report.dump(2, ' ', false, json::error_handler_t::replace);
}

}  // namespace skanu
