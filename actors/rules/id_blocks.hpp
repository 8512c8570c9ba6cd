// Hands out ids from durably reserved blocks, and keeps the set of undecided ids. Pure: the caller
// makes a reservation durable.
#pragma once

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "messages/values.hpp"

namespace skanu {

/// Meta rows of the order service: the last reserved id, and an id with only decided ids below.
inline constexpr std::string_view reserved_ids_key = "ids.reserved";
inline constexpr std::string_view decided_ids_key = "ids.floor";
/// The ranges of ids passed over by restores, "1538-2000,5000-9000". No run on the data gave an id
/// of a range, so recovery looks at none.
inline constexpr std::string_view skipped_ids_key = "ids.skipped";

/// Not thread-safe: belongs to a single actor.
class id_blocks {
 public:
  /// Half a block is more than a node's requests under way during a reservation.
  static constexpr std::int64_t smallest_block = 512;
  static constexpr std::int64_t largest_block = 4'096;

  /// `next` is the first id to hand out; all lower ids but `undecided` are decided. Begins without
  /// a reservation.
  explicit id_blocks(entity_id next, const std::vector<entity_id>& undecided = {})
      : next_(next), reserved_(next - 1), undecided_(undecided.begin(), undecided.end()) {}

  /// True where issue() would give an id.
  bool available() const { return next_ <= reserved_; }

  /// Returns an id never handed out before; nullopt without reserved ids.
  std::optional<entity_id> issue() {
    if (!available()) return std::nullopt;
    undecided_.insert(next_);
    return next_++;
  }

  /// The id is durably an order, or durably rejected.
  void settle(entity_id id) { undecided_.erase(id); }

  /// True while less than half a block is left and no reservation is under way.
  bool wants_more() const { return !asked_ && reserved_ - next_ + 1 < block_ / 2; }

  /// Begins a reservation and returns the last id; the caller makes the reservation durable. Blocks
  /// double up to largest_block: a busy node seldom asks, and a quiet node leaves few ids undecided
  /// after a crash.
  entity_id reserve() {
    asked_ = true;
    const auto last = reserved_ + block_;
    block_ = std::min(block_ * 2, largest_block);
    return last;
  }
  void reserved(entity_id last) {
    asked_ = false;
    reserved_ = std::max(reserved_, last);
  }
  void not_reserved() { asked_ = false; }

  /// Passes over all ids up to `last`; the caller reserves new ids.
  void skip(entity_id last) {
    next_ = std::max(next_, last + 1);
    reserved_ = std::max(reserved_, last);
  }

  /// Returns an id with only decided ids below.
  entity_id floor() const { return undecided_.empty() ? next_ : *undecided_.begin(); }
  entity_id next() const { return next_; }

 private:
  entity_id next_;
  entity_id reserved_;
  std::int64_t block_ = smallest_block;
  bool asked_ = false;
  std::set<entity_id> undecided_;
};

}  // namespace skanu
