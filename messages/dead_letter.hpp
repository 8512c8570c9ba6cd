// Events set aside by a consumer that could not decide, and the operators' commands for such
// events.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "messages/fields.hpp"
#include "messages/values.hpp"

namespace skanu {

/// The stored form, in the tables of the consumer's service.
struct dead_letter {
  std::string consumer;
  std::string follows;  ///< The service of the event's log.
  log_offset offset = 0;
  entity_id entity = 0;       ///< Zero for an undecodable entity; then no other event waits behind.
  std::int64_t attempts = 0;  ///< Zero: never tried; waits behind an earlier letter.
  std::string reason;
  std::string timestamp;
  std::string event;  ///< As in the log; empty for an event damaged in the log.

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

/// The reason of a letter whose event is damaged in the log.
inline constexpr std::string_view damaged_event =
    "damaged: the log holds something else than was written";

/// The name of a dead letter: "stamp-follows-payment:101012341234:7".
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

/// The inverse of letter_name::text; nullopt for any other form.
std::optional<letter_name> letter_named(std::string_view text);

/// An operator's decision about a dead letter.
struct dead_letter_command {
  letter_name letter;
  bool discard = false;  ///< Never carry out the event; else carry out the event now.
};

}  // namespace skanu
