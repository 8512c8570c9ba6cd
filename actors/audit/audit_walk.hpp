// Walks over whole tables of a snapshot in bounded pieces. A walk ends at the first piece whose
// last key does not ascend, so damaged keys cannot make the walk loop forever.
#pragma once

#include <limits>
#include <string>

#include "persistence/store.hpp"

namespace skanu {

inline constexpr std::size_t walk_piece = 1'000;

/// Calls visit(logged_event) in the order of the log.
template <class Visit>
void walk_log(const snapshot& from, service of, Visit visit) {
  for (log_offset last = 0;;) {
    const auto piece = from.events(of, last + 1, walk_piece);
    for (const auto& e : piece) visit(e);
    if (piece.empty() || piece.back().offset <= last) return;
    last = piece.back().offset;
  }
}

/// Calls visit(stored_entity) for every listed entity, by id.
template <class Visit>
void walk_listed(const snapshot& from, service of, Visit visit) {
  for (entity_id last = 0;;) {
    const auto piece = from.list(of, {.after = last, .limit = walk_piece});
    for (const auto& e : piece) visit(e);
    if (piece.empty() || piece.back().id <= last) return;
    last = piece.back().id;
  }
}

/// Calls visit(stored_entity) for every tombstone, by id.
template <class Visit>
void walk_tombstones(const snapshot& from, service of, Visit visit) {
  for (entity_id last = 0;;) {
    const auto piece = from.tombstones(of, last, walk_piece);
    for (const auto& e : piece) visit(e);
    if (piece.empty() || piece.back().id <= last) return;
    last = piece.back().id;
  }
}

/// Calls visit(index_entry) by status and id.
template <class Visit>
void walk_status_index(const snapshot& from, service of, Visit visit) {
  for (index_entry last;;) {
    const auto piece = from.status_index(of, last, walk_piece);
    for (const auto& e : piece) visit(e);
    if (piece.empty() || piece.back() <= last) return;
    last = piece.back();
  }
}

/// Calls visit(stored_row) by key.
template <class Visit>
void walk_rows(const snapshot& from, service of, row_space space, std::string_view prefix,
               Visit visit) {
  for (std::string last;;) {
    const auto piece = from.rows(of, space, prefix, last, walk_piece);
    for (const auto& r : piece) visit(r);
    if (piece.empty() || piece.back().key <= last) return;
    last = piece.back().key;
  }
}

}  // namespace skanu
