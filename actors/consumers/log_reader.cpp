#include "actors/consumers/log_reader.hpp"

#include <algorithm>

namespace skanu {

log_reader::log_reader(std::vector<source> sources, const log_reader_limits& limits)
    : limits_(limits) {
  for (auto& s : sources) logs_.push_back({.from = std::move(s)});
}

void log_reader::recover(const snapshot& from) {
  for (auto& log : logs_)
    log.at = log.then = stored_position(from, log.from.who.of, log.from.who.name);
}

std::optional<std::size_t> log_reader::number_of(service followed) const {
  for (std::size_t i = 0; i < logs_.size(); ++i)
    if (logs_[i].from.who.follows == followed) return i;
  return std::nullopt;
}

void log_reader::hint(service of) {
  const auto number = number_of(of);
  if (!number) return;
  auto& log = logs_[*number];
  log.wants = std::max(log.wants, wish::soon);
  log.retry_at = {};
}

std::optional<log_reader::time_point> log_reader::plan(time_point now) {
  if (!resting_) return std::nullopt;
  std::optional<time_point> next;
  for (const auto& log : logs_) {
    if (log.wants == wish::none) continue;
    const auto wanted = log.retry_at > now           ? log.retry_at
                        : log.wants == wish::at_once ? now
                                                     : now + limits_.window;
    next = std::min(next.value_or(wanted), wanted);
  }
  if (!next || (planned_ && *planned_ <= *next)) return std::nullopt;
  return planned_ = next;
}

bool log_reader::is_due(time_point now) const { return resting_ && planned_ && *planned_ <= now; }

std::vector<log_reader::pull> log_reader::begin_turn(time_point now) {
  planned_.reset();
  std::vector<pull> pulls;
  for (std::size_t i = 0; i < logs_.size(); ++i) {
    auto& log = logs_[i];
    if (log.wants == wish::none || log.retry_at > now) continue;
    log.wants = wish::none;
    pulls.push_back({i, log.at.query(limits_.batch, log.from.types)});
  }
  open_pulls_ = pulls.size();
  resting_ = pulls.empty();
  return pulls;
}

std::optional<log_fork> log_reader::take(std::size_t number, const event_batch& batch,
                                         instant wall_clock) {
  auto& log = logs_[number];
  --open_pulls_;
  log.failures = 0;
  if (batch.more || batch.forked) log.wants = wish::at_once;
  log.then = batch.forked ? log.at.behind_common(batch) : log.at.behind(batch);
  if (batch.forked)
    log.fork = {std::string(log.from.who.name),
                std::string(name_of(log.from.who.follows)),
                log.at.next - 1,
                log.then.next - 1,
                batch.end,
                to_rfc3339(wall_clock)};
  return log.fork;
}

void log_reader::fail_until(std::size_t number, time_point retry_at) {
  auto& log = logs_[number];
  --open_pulls_;
  // A log with a hint meanwhile answers again, so needs no backoff.
  if (log.wants == wish::none) log.retry_at = retry_at;
  log.wants = std::max(log.wants, wish::soon);
}

bool log_reader::moved() const {
  return std::ranges::any_of(logs_, [](const followed_log& log) { return log.moved(); });
}

std::vector<row_write> log_reader::rows() const {
  std::vector<row_write> rows;
  for (const auto& log : logs_) {
    if (log.at.next != log.then.next) move_position(rows, log.from.who.name, log.at, log.then);
    if (log.fork) rows.push_back(fork_row(*log.fork));
  }
  return rows;
}

void log_reader::stored() {
  for (auto& log : logs_) {
    if (log.moved()) log.at = log.then;
    log.fork.reset();
  }
}

}  // namespace skanu
