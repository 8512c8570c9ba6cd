#include "persistence/log/log_lineage.hpp"

#include <algorithm>
#include <array>
#include <random>

#include "messages/event.hpp"

namespace skanu {

namespace {

/// Limit of stored timelines. Events of older timelines have no identity.
constexpr std::size_t most_timelines = 1'000;

}  // namespace

std::string random_identity() {
  std::random_device random;
  std::string id;
  for (int i = 0; i < 16; ++i) id += "0123456789abcdef"[random() % 16];
  return id;
}

lineage stored_lineage(const snapshot& from, service of, std::string_view key) {
  const auto row = from.row(of, row_space::meta, key);
  if (!row) return {};
  try {
    return lineage_from(*row);
  } catch (const decode_error&) {
    throw decode_error("the row " + std::string(name_of(of)) + "/" + std::string(key) +
                       " is damaged: it holds no timelines");
  }
}

row_write begin_timeline(const snapshot& from, service of) {
  auto log = stored_lineage(from, of);
  const auto end = from.log_end(of);
  if (log.empty() && end > 0) log.push_back({1, random_identity()});
  if (!log.empty() && log.back().from == end + 1) log.pop_back();
  log.push_back({end + 1, random_identity()});
  if (log.size() > most_timelines)
    log.erase(log.begin(), log.end() - static_cast<std::ptrdiff_t>(most_timelines));
  return {row_space::meta, std::string(log_timelines_key), to_text(log)};
}

event_batch read_log(const snapshot& from, service of, const lineage& timelines,
                     const log_query& query) {
  event_batch batch;
  batch.next = query.from;
  batch.end = from.log_end(of);
  const auto past = query.from - 1;
  const auto own = timeline_at(timelines, past);
  batch.forked = past > batch.end ||
                 (!query.timeline.empty() && past > 0 && !own.empty() && own != query.timeline);
  if (batch.forked) {
    batch.timelines = timelines;
    return batch;
  }
  auto stored = from.events(of, query.from, query.limit);
  batch.next += static_cast<log_offset>(stored.size());
  batch.more = !stored.empty() && batch.next <= batch.end;  // bytes limit the batch too
  batch.timelines = query.limit == 0 ? timelines
                                     : part_of(timelines, std::max<log_offset>(past, 1),
                                               std::max<log_offset>(batch.next - 1, 1));
  // the batch is empty
  if (past == 0 && stored.empty() && query.limit > 0) batch.timelines.clear();
  for (auto& e : stored) {
    // A damaged event may be of any type. The consumer receives the event and sets it aside.
    const auto wanted = e.damaged || query.types.empty() ||
                        std::find(query.types.begin(), query.types.end(), event_type_of(e.body)) !=
                            query.types.end();
    if (wanted) batch.events.push_back({e.offset, std::move(e.body)});
  }
  return batch;
}

}  // namespace skanu
