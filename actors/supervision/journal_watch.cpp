#include "actors/supervision/journal_watch.hpp"

#include <spdlog/spdlog.h>

namespace skanu {

namespace {

std::string point(service s, std::string_view moment) {
  return std::string(name_of(s)) + "." + std::string(moment);
}

std::array<std::int64_t, service_count> commits_per_service(std::span<const pending_commit> batch) {
  std::array<std::int64_t, service_count> count{};
  for (const auto& c : batch) ++count[static_cast<std::size_t>(c.data.of)];
  return count;
}

/// Returns false for the refusal of a single commit: the database itself works.
bool is_the_databases(errc code) {
  return code != errc::conflicting_commit && code != errc::undecodable && code != errc::damaged;
}

}  // namespace

void journal_watch::before_write(std::span<const pending_commit> batch) {
  health_.writing_since = std::chrono::steady_clock::now();
  const auto count = commits_per_service(batch);
  for (const auto s : all_services) {
    const auto n = count[static_cast<std::size_t>(s)];
    if (n > 0) faults_.pass(point(s, "before-commit"), n);
  }
}

void journal_watch::after_write(std::span<const pending_commit> batch,
                                std::span<const commit_result> results,
                                std::chrono::microseconds took) {
  std::array<std::int64_t, service_count> events{};
  std::array<bool, service_count> grown{};
  std::int64_t failed = 0;
  commit_result failure;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const auto of = static_cast<std::size_t>(batch[i].data.of);
    const auto n = static_cast<std::int64_t>(batch[i].data.events.size());
    if (results[i]) {
      ++failed;
      failure = results[i];
    } else {
      events[of] += n;
    }
    // With an unknown outcome the log may have grown; a needless hint does no harm.
    if (n > 0 && (!results[i] || results[i] == errc::outcome_unknown)) grown[of] = true;
  }
  metrics_.commits += static_cast<std::int64_t>(batch.size()) - failed;
  metrics_.failed_commits += failed;
  metrics_.flush_us.observe(took.count());
  metrics_.batch.observe(static_cast<std::int64_t>(batch.size()));
  note(failed == static_cast<std::int64_t>(batch.size()) && is_the_databases(*failure)
           ? failure
           : std::nullopt);
  spdlog::debug("event=commit journal={} commits={} failed={} us={}", name_, batch.size(), failed,
                took.count());
  const auto count = commits_per_service(batch);
  for (const auto s : all_services) {
    const auto i = static_cast<std::size_t>(s);
    if (count[i] > 0) faults_.pass(point(s, "after-commit"), count[i]);
    node_.of(s).events += events[i];
    if (grown[i] && logs_[i]) caf::anon_send(logs_[i], hint_atom::value);
  }
}

void journal_watch::note(const commit_result& failure) {
  const auto now = failure ? static_cast<int>(*failure) : -1;
  if (failure) health_.failed_at = std::chrono::steady_clock::now();
  const auto before = health_.last_failure.exchange(now);
  health_.writing_since = journal_health::time_point{};
  if (now == before) return;
  if (failure) {
    spdlog::error("event=store_refuses journal={} reason={}", name_, name_of(*failure));
  } else {
    spdlog::warn("event=store_accepts_again journal={}", name_);
  }
}

}  // namespace skanu
