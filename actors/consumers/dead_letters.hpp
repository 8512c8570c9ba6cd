// Events that a consumer could not decide, set aside: the event waits in the dead-letter table for
// an operator, and the later events of its entity wait behind it.
#pragma once

#include <deque>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "actors/entities/environment.hpp"
#include "actors/operations/backoff.hpp"
#include "messages/dead_letter.hpp"
#include "messages/interfaces.hpp"
#include "persistence/store.hpp"

namespace skanu {

/// Something to do with a dead letter: an operator's order, or the next of an entity's letters
/// whose turn has come.
struct letter_errand {
  dead_letter_command order;
  command_context asked = {};  ///< Without a right to answer: the entity's next letter.
  dead_letter letter = {};     ///< The letter of the errand.
  outcome told = accepted{};   ///< Answer to the operator, once stored.

  bool is_an_operators() const { return static_cast<bool>(asked.answer); }
};

/// Belongs to one consumer actor. `environment` must outlive it.
class dead_letter_box {
 public:
  static constexpr std::string_view parked_reason = "behind an event that was set aside";
  static constexpr std::size_t most_errands = 64;

  /// `retry`: how an errand that nobody asked for is tried again.
  dead_letter_box(const service_environment& environment, service of, backoff_settings retry)
      : environment_(environment), of_(of), retry_(retry) {}

  /// Reads which entities the stored dead letters of `consumer` park: one read and one number in
  /// memory for each such entity, however many letters an entity has. Called once for each consumer
  /// that the actor is. Throws store_error.
  void recover(const snapshot& from, std::string_view consumer);

  bool parks(entity_id entity) const { return parked_.contains(entity); }

  /// `letter` without its time.
  void set_aside(dead_letter letter);

  /// The rows of all that was set aside since the last call: for the commit that moves the
  /// consumer's position behind them.
  std::vector<row_write> take_rows() { return std::exchange(rows_, {}); }

  // Requests of operators. Errands are carried out one at a time, while the consumer rests.

  /// Notes an errand, or refuses it where too many wait.
  void add(letter_errand e);
  /// The next errand with something to do; on the way it answers those with nothing.
  std::optional<letter_errand> next_errand();

  // Rows that make it so: it was carried out; it never will be; it could not be carried out again.
  static std::vector<row_write> settled(const dead_letter& letter);
  std::vector<row_write> discarded(const dead_letter& letter) const;
  std::vector<row_write> failed_again(letter_errand& e, std::string_view why) const;

  /// Answers for an errand: it is stored, or why not. Returns after how long the entity's next
  /// letter is to be looked at, if it is.
  std::optional<std::chrono::milliseconds> finish(const letter_errand& e, const outcome& result);

  /// The errand that goes on with the letters of that entity.
  static letter_errand next_of(entity_id entity) { return {.order = {{{}, entity, 0}, false}}; }

 private:
  std::optional<std::variant<dead_letter, error>> letter_for(const letter_errand& e);
  std::optional<dead_letter> stored(const snapshot& from, const letter_name& name) const;
  /// For a discard, which needs no more than the name.
  std::optional<dead_letter> stored_or_damaged(const snapshot& from, const letter_name& name) const;
  std::optional<dead_letter> first_of(const snapshot& from, std::string_view consumer,
                                      entity_id entity) const;
  /// The first letter of an entity over all consumers: one that blocks the others, if there is one.
  std::optional<dead_letter> first_of(const snapshot& from, entity_id entity) const;

  const service_environment& environment_;
  service of_;
  backoff_settings retry_;
  std::vector<std::string> consumers_;
  std::unordered_set<entity_id> parked_;
  std::vector<row_write> rows_;
  std::deque<letter_errand> errands_;
  int failures_ = 0;  ///< Consecutive failures of errands without an asker.
  std::mt19937_64 random_{environment_.seeds.next()};
};

}  // namespace skanu
