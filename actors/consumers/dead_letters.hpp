// Dead letters are events that a consumer could not decide: the event waits in the dead-letter
// table for an operator, and the later events of the entity wait behind.
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

/// A task for a dead letter: an operator's command, or the replay of an entity's next letter.
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

  /// `retry`: the backoff of failed errands without an operator.
  dead_letter_box(const service_environment& environment, service of, backoff_settings retry)
      : environment_(environment), of_(of), retry_(retry) {}

  /// Reads the entities parked by the stored dead letters of `consumer`: one read and one number in
  /// memory for each entity, for any number of letters. Called once for each of the actor's
  /// consumers. Throws store_error.
  void recover(const snapshot& from, std::string_view consumer);

  bool parks(entity_id entity) const { return parked_.contains(entity); }

  /// Sets `letter` aside, with the present time, and parks the letter's entity, if known.
  void set_aside(dead_letter letter);

  /// Returns the rows of the letters set aside since the last call: for the commit that moves the
  /// consumer's position behind the events.
  std::vector<row_write> take_rows() { return std::exchange(rows_, {}); }

  // Requests of operators. Errands are carried out one at a time, while the consumer rests.

  /// Adds an errand; refuses an operator's errand if most_errands wait.
  void add(letter_errand e);
  /// Returns the next errand with a letter; on the way, answers errands without a letter.
  std::optional<letter_errand> next_errand();

  // Rows to commit after a replay succeeded, a discard, or a replay that failed.
  static std::vector<row_write> settled(const dead_letter& letter);
  std::vector<row_write> discarded(const dead_letter& letter) const;
  std::vector<row_write> failed_again(letter_errand& e, std::string_view why) const;

  /// Ends an errand: answers the operator with the result of the commit. Returns the pause before
  /// the look at the entity's next letter; nullopt: no look.
  std::optional<std::chrono::milliseconds> finish(const letter_errand& e, const outcome& result);

  /// Returns the errand for the entity's next letter.
  static letter_errand next_of(entity_id entity) { return {.order = {{{}, entity, 0}, false}}; }

 private:
  std::optional<std::variant<dead_letter, error>> letter_for(const letter_errand& e);
  std::optional<dead_letter> stored(const snapshot& from, const letter_name& name) const;
  /// Returns a letter of the name alone for a damaged row: enough for a discard.
  std::optional<dead_letter> stored_or_damaged(const snapshot& from, const letter_name& name) const;
  std::optional<dead_letter> first_of(const snapshot& from, std::string_view consumer,
                                      entity_id entity) const;
  /// Returns an entity's first letter over all consumers: a blocking letter, if there is any.
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
