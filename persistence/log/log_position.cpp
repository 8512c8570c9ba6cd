#include "persistence/log/log_position.hpp"

#include <algorithm>

#include "persistence/log/consumer_keys.hpp"
#include "persistence/log/log_lineage.hpp"
#include "persistence/stored_number.hpp"

namespace skanu {

namespace {

/// Limit of a consumer's stored timelines; a consumer absent for longer reads the log from the
/// start.
constexpr std::size_t most_seen = 1'000;
constexpr std::size_t most_forks = 100;

std::string stored_offset(const log_position& p) {
  return p.next > 1 ? std::to_string(p.next - 1) : std::string();
}

/// `name` is the row's key behind the prefix: the known offset and the time.
log_fork fork_in(const stored_row& row, std::string_view consumer, std::string_view name) {
  try {
    if (!row.damaged) return from_json<log_fork>(parse_stored_json(row.value));
  } catch (const decode_error&) {
    // as good as damaged
  }
  log_fork fork;
  fork.consumer = consumer;
  fork.known = number_of_key(name);
  fork.common = fork.known;
  fork.at = name.substr(std::min<std::size_t>(8, name.size()));
  fork.damaged = true;
  return fork;
}

}  // namespace

log_query log_position::query(std::size_t limit, const std::vector<std::string>& types) const {
  return {next, limit, types, std::string(timeline_at(seen, next - 1))};
}

log_position log_position::behind(const event_batch& batch) const {
  log_position moved{batch.next, seen};
  extend(moved.seen, batch.timelines);
  if (moved.seen.size() > most_seen)
    moved.seen.erase(moved.seen.begin(), moved.seen.end() - static_cast<std::ptrdiff_t>(most_seen));
  return moved;
}

log_position log_position::behind_common(const event_batch& batch) const {
  const auto common = common_end(seen, next - 1, batch.timelines, batch.end);
  return {common + 1, part_of(batch.timelines, 1, common)};
}

log_position stored_position(const snapshot& from, service of, std::string_view consumer) {
  return {meta_number(from, of, position_key(consumer)) + 1,
          stored_lineage(from, of, timelines_key(consumer))};
}

void move_position(std::vector<row_write>& rows, std::string_view consumer,
                   const log_position& from, const log_position& to) {
  row_write position{row_space::meta, position_key(consumer), stored_offset(to)};
  if (position.value->empty()) position.value.reset();
  position.replaces = stored_offset(from);
  rows.push_back(std::move(position));
  if (to.seen != from.seen)
    rows.push_back({row_space::meta, timelines_key(consumer), to_text(to.seen)});
}

row_write fork_row(const log_fork& fork) {
  auto key = fork_prefix(fork.consumer);
  append_ordered_key(key, fork.known);
  key += fork.at;
  return {row_space::meta, std::move(key), to_json(fork)};
}

std::vector<log_fork> stored_forks(const snapshot& from, service of, std::string_view consumer) {
  std::vector<log_fork> forks;
  const auto prefix = fork_prefix(consumer);
  for (const auto& row : from.rows(of, row_space::meta, prefix, {}, most_forks))
    forks.push_back(fork_in(row, consumer, std::string_view(row.key).substr(prefix.size())));
  std::ranges::stable_sort(forks, {}, &log_fork::at);
  return forks;
}

}  // namespace skanu
