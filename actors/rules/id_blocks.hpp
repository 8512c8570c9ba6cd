// Hands out ids from blocks that were reserved durably before, and knows which of them are
// undecided. Pure: the caller makes a reservation durable.
#pragma once

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "messages/values.hpp"

namespace skanu {

/// Meta rows of the order service: the last id that was reserved, and one below which all are
/// decided.
inline constexpr std::string_view reserved_ids_key = "ids.reserved";
inline constexpr std::string_view decided_ids_key = "ids.floor";
/// And the ranges of reserved ids that were passed over by restores, "1538-2000,5000-9000": nobody
/// was given those here, so that none is looked at.
inline constexpr std::string_view skipped_ids_key = "ids.skipped";

/// Not thread-safe: it belongs to one actor.
class id_blocks {
 public:
  /// Half a block outlasts every request that a node can have under way while it reserves the next.
  static constexpr std::int64_t smallest_block = 512;
  static constexpr std::int64_t largest_block = 4'096;

  /// `next` is the first id to hand out; all ids below it are decided but for `undecided`. Nothing
  /// is reserved yet.
  explicit id_blocks(entity_id next, const std::vector<entity_id>& undecided = {})
      : next_(next), reserved_(next - 1), undecided_(undecided.begin(), undecided.end()) {}

  /// True where issue() would give an id.
  bool available() const { return next_ <= reserved_; }

  /// An id that was never handed out before; nothing while no reserved one is left.
  std::optional<entity_id> issue() {
    if (!available()) return std::nullopt;
    undecided_.insert(next_);
    return next_++;
  }

  /// The id is durably an order, or durably rejected.
  void settle(entity_id id) { undecided_.erase(id); }

  /// True while less than half a block is left and no reservation is under way.
  bool wants_more() const { return !asked_ && reserved_ - next_ + 1 < block_ / 2; }

  /// The last id of a new reservation, which the caller makes durable. Blocks grow while they are
  /// used up, so that a busy node seldom asks and a quiet one leaves few ids undecided after a
  /// crash.
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

  /// Gives no id up to `last` any more; the caller reserves new ones.
  void skip(entity_id last) {
    next_ = std::max(next_, last + 1);
    reserved_ = std::max(reserved_, last);
  }

  /// Every id below this one is decided.
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
