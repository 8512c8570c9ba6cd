// Invariant 2, and the folded entities for the checks of the other invariants. The audit folds a
// log into states, and compares the stored documents, index and counts with the states.
#pragma once

#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "actors/audit/audit_report.hpp"
#include "actors/audit/audit_walk.hpp"
#include "messages/event.hpp"
#include "persistence/document.hpp"
#include "persistence/tables/sealed_value.hpp"

namespace skanu {

/// An entity folded from its events. A readable document with another state replaces the folded
/// `state`. `marks` holds further facts of the events for one kind of check.
template <class State, class Marks>
struct folded_entity {
  State state = {};
  version_number version = 0;
  Marks marks = {};
  bool stored = false;
  bool listed = false;   ///< Stored with the listed entities.
  bool indexed = false;  ///< Present in the index under its status.
};

template <class Rules, class Marks>
using folded_entities = std::unordered_map<entity_id, folded_entity<typename Rules::state, Marks>>;

/// The entity with this id, or null.
template <class Map>
auto find_entity(const Map& entities, entity_id id) -> const typename Map::mapped_type* {
  const auto found = entities.find(id);
  return found == entities.end() ? nullptr : &found->second;
}

/// The integer spelt by the whole text, else nullopt.
inline std::optional<std::int64_t> integer_of(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// The number in a meta row: 0 without a row, nullopt where the row cannot be read.
inline std::optional<std::int64_t> audited_number(const snapshot& from, service of,
                                                  std::string_view key) {
  try {
    const auto row = from.row(of, row_space::meta, key);
    return row ? integer_of(*row) : 0;
  } catch (const damaged_value&) {
    return std::nullopt;
  }
}

/// Calls `decode`. Returns false, with the reason in `why`, where the stored bytes are damaged or
/// have another format.
template <class Decode>
bool decodes(Decode decode, std::string& why) {
  try {
    decode();
    return true;
  } catch (const decode_error& problem) {
    why = problem.what();
  } catch (const nlohmann::json::exception& problem) {
    why = problem.what();
  } catch (const damaged_value& problem) {
    why = problem.what();
  }
  return false;
}

/// Folds the log of a service, and reports gaps, unreadable events and wrong versions.
/// `id_of(event)` returns the event's entity, 0 for an impossible entity. `mark(entity, id, event,
/// header, offset)` notes further facts of an event.
template <class Rules, class Marks, class IdOf, class Mark>
folded_entities<Rules, Marks> fold_log(const snapshot& from, audit_report& report, IdOf id_of,
                                       Mark mark) {
  folded_entities<Rules, Marks> entities;
  log_offset expected = 1;
  walk_log(from, Rules::of, [&](const logged_event& e) {
    const auto at = "the event at offset " + std::to_string(e.offset);
    if (e.offset != expected)
      report.violated(2, Rules::of, 0, at + " follows offset " + std::to_string(expected - 1));
    expected = e.offset + 1;
    event_header header;
    std::optional<typename Rules::event> event;
    std::string why;
    if (!decodes(
            [&] {
              const auto body = parse_stored_json(e.body);
              header = header_of(body);
              event = decode_event<typename Rules::event>(body);
            },
            why))
      return report.violated(2, Rules::of, 0, at + " cannot be read: " + why);
    const auto id = id_of(*event);
    if (id <= 0) return report.violated(2, Rules::of, 0, at + " is of no entity");
    auto& entity = entities[id];
    if (header.version != entity.version + 1)
      report.violated(2, Rules::of, id,
                      at + " makes version " + std::to_string(header.version) + " after version " +
                          std::to_string(entity.version));
    entity.version = header.version;
    Rules::apply(entity.state, *event);
    if constexpr (requires { Rules::note_time(entity.state, *event, header.at); })
      Rules::note_time(entity.state, *event, header.at);
    mark(entity, id, *event, header, e.offset);
  });
  return entities;
}

/// The times of a state, in the order of their list.
struct time_pointers {
  std::vector<std::optional<instant>*> all;
  void operator()(std::string_view, std::optional<instant>& time) { all.push_back(&time); }
};

/// Removes from `times` each time that `known` lacks.
template <class Times>
void keep_known(Times& times, Times known) {
  time_pointers ours, theirs;
  visit_fields(times, ours);
  visit_fields(known, theirs);
  for (std::size_t i = 0; i < ours.all.size(); ++i)
    if (!*theirs.all[i]) ours.all[i]->reset();
}

/// Compares a service's stored documents, index and counts with the folded entities. `Rules` needs
/// `of`, `state`, `listed` and `status`. A document with other contents breaks `invariant` and
/// replaces the folded state: later checks use the stored state.
template <class Rules, class Entities>
class state_check {
 public:
  state_check(const snapshot& from, int invariant, Entities& entities, audit_report& report)
      : from_(from), invariant_(invariant), entities_(entities), report_(report) {}

  void run() {
    walk_listed(from_, Rules::of, [this](const stored_entity& e) { check(e, true); });
    walk_tombstones(from_, Rules::of, [this](const stored_entity& e) { check(e, false); });
    check_index();
    check_none_lost();
    check_counts();
    report_.services[Rules::of] = {listed_, from_.log_end(Rules::of), tombstones_};
  }

 private:
  using state = typename Rules::state;

  void check(const stored_entity& stored, bool listed) {
    ++(listed ? listed_ : tombstones_);
    const auto found = entities_.find(stored.id);
    if (found == entities_.end())
      return report_.violated(invariant_, Rules::of, stored.id, "it is stored, and has no events");
    auto& e = found->second;
    if (e.stored) report_.violated(2, Rules::of, stored.id, "it is listed and a tombstone at once");
    e.stored = true;
    e.listed = listed;
    if (stored.document != encode_document(Rules::of, e.version, e.state)) compare(stored, e);
    if (Rules::listed(e.state) != listed)
      report_.violated(2, Rules::of, stored.id,
                       listed ? "it is listed, and should be a tombstone"
                              : "it is a tombstone, and should be listed");
    if (listed) ++in_status_[Rules::status(e.state)];
  }

  /// Compares the decoded documents, since another version of the program may have written other
  /// bytes for the same state.
  template <class Entity>
  void compare(const stored_entity& stored, Entity& e) {
    state shown;
    version_number version = 0;
    std::string why;
    if (!decodes(
            [&] {
              shown = decode_document<state>(stored.document);
              version = parts_of(stored.document).version;
              std::string type;
              const auto json = parse_stored_json(stored.document);
              json_object_reader reader(json);
              reader("type", type);
              if (type != name_of(Rules::of)) throw decode_error("it is of type " + type);
            },
            why))
      return report_.violated(invariant_, Rules::of, stored.id,
                              "its document cannot be read: " + why);
    if (version != e.version)
      report_.violated(invariant_, Rules::of, stored.id,
                       "its document is of version " + std::to_string(version) +
                           ", its events make version " + std::to_string(e.version));
    // A version that kept no times wrote the document, or its first steps.
    if constexpr (requires { e.state.times; }) keep_known(e.state.times, shown.times);
    if (shown != e.state) {
      report_.violated(invariant_, Rules::of, stored.id,
                       "its document is not what its events make: " + difference(e.state, shown));
      e.state = std::move(shown);
    }
  }

  /// The JSON paths of the differences between two documents.
  static std::string difference(const state& a, const state& b) {
    std::string places;
    const auto changes = nlohmann::json::diff(parse_stored_json(encode_document(Rules::of, 0, a)),
                                              parse_stored_json(encode_document(Rules::of, 0, b)));
    for (const auto& change : changes) {
      if (!places.empty()) places += ", ";
      places += change.at("path").template get<std::string>();
    }
    return places;
  }

  void check_index() {
    walk_status_index(from_, Rules::of, [this](const index_entry& entry) {
      const auto found = entities_.find(entry.id);
      if (found == entities_.end() || !found->second.listed ||
          Rules::status(found->second.state) != entry.status)
        return report_.violated(2, Rules::of, entry.id,
                                "the index lists it under status " + std::to_string(entry.status) +
                                    ", which it does not have");
      found->second.indexed = true;
    });
  }

  void check_none_lost() {
    for (auto& [id, e] : entities_) {
      if (!e.stored) {
        report_.violated(invariant_, Rules::of, id, "it has events, and is not stored");
        e.state = {};
      } else if (e.listed && !e.indexed) {
        report_.violated(2, Rules::of, id, "the index does not list it");
      }
    }
  }

  void check_counts() {
    constexpr std::string_view prefix = "count:";
    auto uncounted = in_status_;
    walk_rows(from_, Rules::of, row_space::meta, prefix, [&](const stored_row& row) {
      const auto name = std::string_view(row.key).substr(prefix.size());
      const auto status = integer_of(name), count = integer_of(row.value);
      if (!status || !count || *status < 0 || *status >= std::int64_t{256})
        return report_.violated(2, Rules::of, 0, "a count cannot be read");
      expect_count(*count, std::exchange(uncounted[static_cast<std::uint8_t>(*status)], 0),
                   static_cast<std::uint8_t>(*status));
    });
    for (std::size_t status = 0; status < uncounted.size(); ++status)
      expect_count(0, uncounted[status], status);
  }

  void expect_count(std::int64_t found, std::int64_t there_are, std::size_t status) {
    if (found != there_are)
      report_.violated(2, Rules::of, 0,
                       "the count of status " + std::to_string(status) + " is " +
                           std::to_string(found) + ", and there are " + std::to_string(there_are));
  }

  const snapshot& from_;
  int invariant_;
  Entities& entities_;
  audit_report& report_;
  std::int64_t listed_ = 0;
  std::int64_t tombstones_ = 0;
  std::array<std::int64_t, 256> in_status_{};
};

}  // namespace skanu
