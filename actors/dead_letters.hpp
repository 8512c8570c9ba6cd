// What a consumer could not decide, set aside: the event waits in the dead-letter table for an operator,
// and the later events of its entity wait behind it.
#pragma once

#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "actors/environment.hpp"
#include "persistence/store.hpp"

namespace skanu {

struct dead_letter {
  std::string_view consumer;
  service follows;
  log_offset offset = 0;
  entity_id entity = 0;  ///< Zero where not even that could be read: it parks nobody.
  int attempts = 0;
  std::string_view reason;
  std::string_view event;  ///< As it stands in the log.
};

/// Belongs to one consumer actor. `environment` must outlive it.
class dead_letter_box {
 public:
  static constexpr std::string_view parked_reason = "behind an event that was set aside";

  explicit dead_letter_box(const service_environment& environment) : environment_(environment) {}

  /// Reads which entities the stored dead letters of `consumer` park.
  void recover(const snapshot& from, service of, std::string_view consumer);

  bool parks(entity_id entity) const { return parked_.contains(entity); }

  void set_aside(const dead_letter& letter);

  /// The rows of all that was set aside since the last call: for the commit that moves the consumer's
  /// position behind them.
  std::vector<row_write> take_rows() { return std::exchange(rows_, {}); }

 private:
  const service_environment& environment_;
  std::unordered_set<entity_id> parked_;
  std::vector<row_write> rows_;
};

}  // namespace skanu
