#include "persistence/tables/batch_plan.hpp"

#include <bit>
#include <functional>
#include <utility>

namespace skanu {

namespace {

constexpr std::uint32_t none = UINT32_MAX;

/// Finds the places of a list by a hash of the key, without an allocation for each place.
class place_index {
 public:
  explicit place_index(std::size_t most) : slots_(std::bit_ceil(2 * most + 1), none) {}

  /// Returns the place with a true `is_there`; else `added`, the key's place from now on if not
  /// `none`.
  template <class IsThere>
  std::uint32_t find(std::uint64_t hash, IsThere is_there, std::uint32_t added = none) {
    const auto mask = slots_.size() - 1;
    for (auto i = (hash * 0x9e3779b97f4a7c15ULL >> 32) & mask;; i = (i + 1) & mask) {
      if (slots_[i] == none) return slots_[i] = added;
      if (is_there(slots_[i])) return slots_[i];
    }
  }

 private:
  std::vector<std::uint32_t> slots_;
};

/// Returns the place of a list's next element.
template <class T>
std::uint32_t next_place(const std::vector<T>& list) {
  return static_cast<std::uint32_t>(list.size());
}

bool is_conditional(const row_write& row) { return row.must_be_new || row.replaces; }

}  // namespace

batch_plan::batch_plan(std::span<const commit* const> batch) : batch_(batch) {
  gather_services();
  gather_entities();
  gather_rows();
}

void batch_plan::gather_services() {
  std::array<bool, service_count> known{};
  for (const auto* c : batch_) {
    const auto s = static_cast<std::size_t>(c->of);
    if (!std::exchange(known[s], true)) {
      service_at_[s] = next_place(reads_.services);
      reads_.services.push_back({.of = c->of});
    }
    if (!c->events.empty()) of(c->of).appends = true;
  }
}

void batch_plan::gather_entities() {
  std::size_t most = 0;
  for (const auto* c : batch_) most += c->changes.size() + (c->requires_entity ? 1 : 0);
  entity_places_.reserve(most);
  reads_.entities.reserve(most);
  place_index known(most);
  const auto add = [&](service s, entity_id id) {
    const auto next = next_place(reads_.entities);
    const auto place = known.find(
        static_cast<std::uint64_t>(id) * service_count + static_cast<std::uint64_t>(s),
        [&](std::uint32_t at) {
          return reads_.entities[at].id == id && reads_.entities[at].of == s;
        },
        next);
    if (place == next) reads_.entities.push_back({.of = s, .id = id});
    entity_places_.push_back(place);
  };
  for (const auto* c : batch_) {
    for (const auto& change : c->changes) add(c->of, change.id);
    if (c->requires_entity) add(c->requires_entity->of, c->requires_entity->id);
  }
  touched_.resize(reads_.entities.size());
}

/// Rows without a condition are looked up as well: a later condition sees the written value.
void batch_plan::gather_rows() {
  std::size_t all = 0, conditional = 0;
  for (const auto* c : batch_) {
    all += c->rows.size();
    for (const auto& row : c->rows) conditional += is_conditional(row) ? 1 : 0;
  }
  row_places_.assign(all, none);
  if (conditional == 0) return;
  reads_.rows.reserve(conditional);
  place_index known(conditional);
  const auto find = [&](service s, const row_write& row, std::uint32_t added) {
    return known.find(
        std::hash<std::string_view>{}(row.key),
        [&](std::uint32_t at) {
          const auto& r = reads_.rows[at];
          return r.key == row.key && r.space == row.space && r.of == s;
        },
        added);
  };
  for (const auto* c : batch_) {
    for (const auto& row : c->rows) {
      if (!is_conditional(row)) continue;
      const auto next = next_place(reads_.rows);
      const auto place = find(c->of, row, next);
      if (place == next) reads_.rows.push_back({.of = c->of, .space = row.space, .key = row.key});
      if (row.replaces) reads_.rows[place].needs_text = true;
    }
  }
  auto place = row_places_.begin();
  for (const auto* c : batch_)
    for (const auto& row : c->rows) *place++ = find(c->of, row, none);
}

batch_outcome batch_plan::decide() {
  batch_outcome decided;
  decided.results.reserve(batch_.size());
  decided.events.reserve(batch_.size());
  decided.rows.reserve(row_places_.size());
  places at{entity_places_.data(), row_places_.data()};
  for (const auto* c : batch_) {
    const auto refusal = refusal_of(*c, at);
    if (!refusal) take(*c, at, decided);
    decided.results.push_back(refusal);
    at.entities += c->changes.size() + (c->requires_entity ? 1 : 0);
    at.rows += c->rows.size();
  }
  finish(decided);
  return decided;
}

commit_result batch_plan::refusal_of(const commit& c, places at) const {
  const auto& s = of(c.of);
  if (s.failure) return s.failure;
  if (s.epoch != c.epoch) return errc::conflicting_commit;
  for (const auto& change : c.changes) {
    const auto& stored = reads_.entities[*at.entities++];
    if (stored.failure) return stored.failure;
    if (stored.version != change.expected) return errc::conflicting_commit;
  }
  if (c.requires_entity) {
    const auto& required = reads_.entities[*at.entities];
    if (required.failure) return required.failure;
    if (required.version == 0) return errc::conflicting_commit;
  }
  for (const auto& row : c.rows) {
    const auto place = *at.rows++;
    if (!is_conditional(row)) continue;
    if (const auto refusal = refusal_of(row, reads_.rows[place])) return refusal;
  }
  return std::nullopt;
}

commit_result batch_plan::refusal_of(const row_write& row, const row_read& stored) {
  if (row.must_be_new) return stored.text ? commit_result(errc::conflicting_commit) : std::nullopt;
  if (stored.failure) return stored.failure;
  const bool holds = row.replaces->empty() ? !stored.text : stored.text == *row.replaces;
  return holds ? std::nullopt : commit_result(errc::conflicting_commit);
}

void batch_plan::take(const commit& c, places at, batch_outcome& decided) {
  for (const auto& change : c.changes) {
    const auto place = *at.entities++;
    if (change.next == change.expected) continue;
    auto& touched = touched_[place];
    if (touched.first == nullptr) touched.first = &change;
    touched.last = &change;
    reads_.entities[place].version = change.next;
  }
  auto& log_end = of(c.of).log_end;
  for (const auto& event : c.events) decided.events.push_back({c.of, ++log_end, event});
  for (const auto& row : c.rows) {
    decided.rows.push_back({c.of, &row});
    const auto place = *at.rows++;
    if (place == none) continue;
    auto& stored = reads_.rows[place];
    stored.failure.reset();
    if (!row.value) {
      stored.text.reset();
    } else {
      stored.text.emplace(stored.needs_text ? *row.value : std::string());
    }
  }
}

void batch_plan::finish(batch_outcome& decided) const {
  std::array<std::array<std::int64_t, status_limit>, service_count> counts{};
  decided.entities.reserve(touched_.size());
  for (std::size_t i = 0; i < touched_.size(); ++i) {
    const auto [first, last] = touched_[i];
    if (last == nullptr || !last->document) continue;
    const auto s = reads_.entities[i].of;
    const entity_write write{s,
                             last->id,
                             *last->document,
                             first->status_before,
                             last->status,
                             first->listed_before,
                             last->listed};
    decided.entities.push_back(write);
    auto& of_service = counts[static_cast<std::size_t>(s)];
    if (write.listed_before) --of_service.at(write.status_before);
    if (write.listed) ++of_service.at(write.status);
  }
  for (const auto s : all_services) {
    const auto& of_service = counts[static_cast<std::size_t>(s)];
    for (std::size_t status = 0; status < status_limit; ++status)
      if (of_service[status] != 0)
        decided.counts.push_back({s, static_cast<std::uint8_t>(status), of_service[status]});
  }
}

}  // namespace skanu
