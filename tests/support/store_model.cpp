#include "tests/support/store_model.hpp"

#include <algorithm>
#include <sstream>

#include "messages/order.hpp"
#include "persistence/document.hpp"

namespace skanu {

namespace {

constexpr std::int64_t first_epoch = 1;
constexpr std::size_t everything = 1'000'000;

constexpr row_space all_spaces[] = {row_space::rows, row_space::meta, row_space::dead_letters,
                                    row_space::operations, row_space::operation_expiry};

bool is_bookkeeping(row_space space, std::string_view key) {
  return space == row_space::meta &&
         (key == "format" || key == "epoch" || key.starts_with("count:"));
}

}  // namespace

commit_result store_model::apply(const commit& c) {
  auto& data = of(c.of);
  if (c.epoch != first_epoch) return errc::conflicting_commit;
  for (const auto& change : c.changes)
    if (now(c.of, change.id).version != change.expected) return errc::conflicting_commit;
  if (c.requires_entity && now(c.requires_entity->of, c.requires_entity->id).version == 0)
    return errc::conflicting_commit;
  for (const auto& row : c.rows)
    if (row.must_be_new && data.rows[row.space].contains(row.key)) return errc::conflicting_commit;

  for (const auto& change : c.changes)
    if (change.next != change.expected)
      data.entities[change.id] = {change.next, *change.document, change.status, change.listed};
  data.log.insert(data.log.end(), c.events.begin(), c.events.end());
  for (const auto& row : c.rows) {
    if (row.value) {
      data.rows[row.space][row.key] = *row.value;
    } else {
      data.rows[row.space].erase(row.key);
    }
  }
  return std::nullopt;
}

store_model::entity_now store_model::now(service s, entity_id id) const {
  const auto found = of(s).entities.find(id);
  return found == of(s).entities.end() ? entity_now{} : found->second;
}

std::optional<std::string> store_model::entity(service s, entity_id id) const {
  const auto found = now(s, id);
  if (found.version == 0) return std::nullopt;
  return found.document;
}

std::optional<std::string> store_model::listed_entity(service s, entity_id id) const {
  const auto found = now(s, id);
  if (!found.listed) return std::nullopt;
  return found.document;
}

std::vector<stored_entity> store_model::list(service s, const list_query& query) const {
  std::vector<stored_entity> all;
  for (const auto& [id, e] : of(s).entities)
    if (e.listed && (!query.status || *query.status == e.status)) all.push_back({id, e.document});
  if (query.descending) std::reverse(all.begin(), all.end());
  std::erase_if(all, [&](const auto& e) {
    if (query.after == 0) return false;
    return query.descending ? e.id >= query.after : e.id <= query.after;
  });
  const auto skipped = std::min(query.skip, all.size());
  all.erase(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(skipped));
  all.resize(std::min(query.limit, all.size()));
  return all;
}

std::int64_t store_model::count(service s, std::optional<std::uint8_t> status) const {
  const auto& all = of(s).entities;
  return std::count_if(all.begin(), all.end(), [&](const auto& e) {
    return e.second.listed && (!status || *status == e.second.status);
  });
}

std::vector<stored_entity> store_model::tombstones(service s, entity_id after,
                                                   std::size_t limit) const {
  std::vector<stored_entity> found;
  for (const auto& [id, e] : of(s).entities)
    if (!e.listed && id > after && found.size() < limit) found.push_back({id, e.document});
  return found;
}

std::vector<index_entry> store_model::status_index(service s, index_entry after,
                                                   std::size_t limit) const {
  std::vector<index_entry> found;
  for (const auto& [id, e] : of(s).entities)
    if (e.listed && index_entry{e.status, id} > after) found.push_back({e.status, id});
  std::sort(found.begin(), found.end());
  found.resize(std::min(limit, found.size()));
  return found;
}

std::vector<logged_event> store_model::events(service s, log_offset from, std::size_t limit,
                                              std::size_t max_bytes) const {
  std::vector<logged_event> found;
  std::size_t bytes = 0;
  for (auto offset = std::max<log_offset>(from, 1);
       offset <= log_end(s) && found.size() < limit && bytes <= max_bytes; ++offset) {
    found.push_back({offset, of(s).log[static_cast<std::size_t>(offset - 1)]});
    bytes += found.back().body.size();
  }
  return found;
}

log_offset store_model::log_end(service s) const {
  return static_cast<log_offset>(of(s).log.size());
}

std::optional<std::string> store_model::row(service s, row_space space,
                                            std::string_view key) const {
  const auto table = of(s).rows.find(space);
  if (table == of(s).rows.end()) return std::nullopt;
  const auto found = table->second.find(key);
  if (found == table->second.end()) return std::nullopt;
  return found->second;
}

std::vector<stored_row> store_model::rows(service s, row_space space, std::string_view prefix,
                                          std::string_view after, std::size_t limit,
                                          bool descending) const {
  std::vector<stored_row> found;
  const auto table = of(s).rows.find(space);
  if (table == of(s).rows.end()) return found;
  for (const auto& [key, value] : table->second)
    if (key.starts_with(prefix) && (after.empty() || (descending ? key < after : key > after)))
      found.push_back({key, value});
  if (descending) std::reverse(found.begin(), found.end());
  found.resize(std::min(limit, found.size()));
  return found;
}

std::string contents_of(const snapshot& s, const std::vector<service>& services) {
  std::ostringstream out;
  for (const auto of : services) {
    out << "== " << name_of(of) << "\n";
    for (const auto& e : s.list(of, {.limit = everything}))
      out << "listed " << e.id << " " << e.document << "\n";
    for (const auto& e : s.tombstones(of, 0, everything))
      out << "tombstone " << e.id << " " << e.document << "\n";
    out << "count " << s.count(of, {}) << "\n";
    for (std::uint8_t status = 0; status < 16; ++status) {
      out << "status " << int{status} << ": " << s.count(of, status) << ":";
      for (const auto& e : s.list(of, {.status = status, .limit = everything})) out << " " << e.id;
      out << "\n";
    }
    for (const auto& e : s.status_index(of, {}, everything))
      out << "index " << int{e.status} << " " << e.id << "\n";
    for (const auto& e : s.events(of, 1, everything, everything * 1000))
      out << "event " << e.offset << " " << e.body << "\n";
    out << "log end " << s.log_end(of) << "\n";
    for (const auto space : all_spaces)
      for (const auto& r : s.rows(of, space, {}, {}, everything, false))
        if (!is_bookkeeping(space, r.key))
          out << "row " << int{static_cast<std::uint8_t>(space)} << " " << r.key << " " << r.value
              << "\n";
  }
  return out.str();
}

commit commit_maker::next(entity_id id, std::uint8_t status, bool listed) {
  auto& e = known_[id];
  const auto before = e;
  e.version += 1;
  e.status = status;
  e.listed = listed;
  commit c;
  c.of = of_;
  c.changes.push_back(
      {.id = id,
       .expected = before.version,
       .next = e.version,
       .document = std::make_shared<const std::string>(sample_document(of_, id, e.version)),
       .status_before = before.status,
       .status = status,
       .listed_before = before.listed,
       .listed = listed});
  c.events.push_back(R"({"eventType":"Changed","id":)" + std::to_string(id) + R"(,"version":)" +
                     std::to_string(e.version) + "}");
  return c;
}

version_number commit_maker::version(entity_id id) const {
  const auto found = known_.find(id);
  return found == known_.end() ? 0 : found->second.version;
}

std::string sample_document(service of, entity_id id, version_number version) {
  order_state state;
  state.id = id;
  state.details = {id + 1, "a coffee \"to go\"", version, 4500, "card"};
  state.status = order_status::complete;
  return encode_document(of, version, state);
}

}  // namespace skanu
