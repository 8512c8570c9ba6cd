// An event that a consumer could not decide and set aside, and what an operator may say about it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "messages/fields.hpp"
#include "messages/values.hpp"

namespace skanu {

/// As it is stored, in the tables of the consumer's service.
struct dead_letter {
  std::string consumer;
  std::string follows;  ///< The service whose log the event stands in.
  log_offset offset = 0;
  entity_id entity = 0;       ///< Zero where not even that could be read: it parks nobody.
  std::int64_t attempts = 0;  ///< Zero: it was never tried, but waits behind an earlier one.
  std::string reason;
  std::string timestamp;
  std::string event;  ///< As it stands in the log; empty where it is damaged there.

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("consumer", self.consumer);
    visit("service", self.follows);
    visit("offset", self.offset);
    visit("entity", self.entity);
    visit("attempts", self.attempts);
    visit("reason", self.reason);
    visit("timestamp", self.timestamp);
    visit("event", self.event);
  }
  bool operator==(const dead_letter&) const = default;
};

/// The reason of an event that is damaged in its log.
inline constexpr std::string_view damaged_event =
    "damaged: the log holds something else than was written";

/// Names one dead letter: "stamp-follows-payment:101012341234:7".
struct letter_name {
  std::string consumer;
  entity_id entity = 0;
  log_offset offset = 0;

  std::string text() const;
  bool operator==(const letter_name&) const = default;
};

inline letter_name name_of(const dead_letter& letter) {
  return {letter.consumer, letter.entity, letter.offset};
}

/// The inverse of letter_name::text; nothing for any other form.
std::optional<letter_name> letter_named(std::string_view text);

/// An operator's word about a dead letter.
struct dead_letter_command {
  letter_name letter;
  bool discard = false;  ///< Never carry it out; else carry it out now.
};

}  // namespace skanu
