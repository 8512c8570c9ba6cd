#include "messages/lineage.hpp"

#include <algorithm>
#include <charconv>

#include "messages/fields.hpp"

namespace skanu {

namespace {

/// Returns the last offset of a timeline in a log that ends at `end`.
log_offset end_of(const lineage& log, std::size_t at, log_offset end) {
  return at + 1 < log.size() ? std::min(end, log[at + 1].from - 1) : end;
}

}  // namespace

std::string_view timeline_at(const lineage& log, log_offset offset) {
  const auto behind = std::ranges::upper_bound(log, offset, {}, &timeline::from);
  return behind == log.begin() ? std::string_view{} : std::string_view(std::prev(behind)->id);
}

log_offset common_end(const lineage& a, log_offset a_end, const lineage& b, log_offset b_end) {
  if (a.empty() || b.empty()) return std::min(a_end, b_end);
  for (auto i = a.size(); i-- > 0;) {
    const auto same = std::ranges::find(b, a[i].id, &timeline::id);
    if (same == b.end()) continue;
    const auto j = static_cast<std::size_t>(same - b.begin());
    return std::min(end_of(a, i, a_end), end_of(b, j, b_end));
  }
  return 0;
}

lineage part_of(const lineage& log, log_offset first, log_offset last) {
  lineage part;
  for (std::size_t i = 0; i < log.size(); ++i)
    if (log[i].from <= last && (i + 1 == log.size() || log[i + 1].from > first))
      part.push_back(log[i]);
  return part;
}

void extend(lineage& known, const lineage& news) {
  for (const auto& t : news)
    if (known.empty() || (known.back().from < t.from && known.back().id != t.id))
      known.push_back(t);
}

void cut_behind(lineage& known, log_offset end) {
  std::erase_if(known, [end](const timeline& t) { return t.from > end; });
}

std::string to_text(const lineage& log) {
  std::string text;
  for (const auto& t : log) {
    if (!text.empty()) text += ',';
    text += std::to_string(t.from) + '@' + t.id;
  }
  return text;
}

lineage lineage_from(std::string_view text) {
  lineage log;
  while (!text.empty()) {
    const auto one = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), one.size() + 1));
    timeline t;
    const auto* end = one.data() + one.size();
    const auto read = std::from_chars(one.data(), end, t.from);
    if (read.ec != std::errc{} || read.ptr == end || *read.ptr != '@' || t.from < 1 ||
        (!log.empty() && log.back().from >= t.from))
      throw decode_error("a row of timelines cannot be read");
    t.id.assign(read.ptr + 1, end);
    log.push_back(std::move(t));
  }
  return log;
}

}  // namespace skanu
