// Errors are values: one enum of codes, and what a caller needs to tell its user.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace skanu {

/// Why something was not done. Every code has one HTTP status (http/format/problem_types.cpp) and
/// one word (name_of) that goes into logs, dead letters and problem types. Its numbers are sent
/// between nodes: a new code takes the next free one.
enum class errc : std::uint8_t {
  malformed = 0,             ///< The request body is not a JSON object.
  invalid_field = 1,         ///< A field is missing, of the wrong type or out of range.
  immutable_field = 2,       ///< A field that cannot change was given another value.
  negative_balance = 3,      ///< A manual change would make a stamp balance negative.
  not_found = 4,             ///< There is no such entity, or its id was rejected.
  already_delivered = 5,     ///< Closed by its delivery: it cannot be cancelled any more.
  already_cancelled = 6,     ///< Cancelled: it cannot be paid or moved on any more.
  already_paid = 7,          ///< Paid already, with other fields or against the wish to unpay it.
  not_allowed = 8,           ///< The entity's state does not allow this move.
  version_mismatch = 9,      ///< If-Match named another version.
  operation_reused = 10,     ///< The same idempotency key came with another request.
  operation_running = 11,    ///< The same operation is still being carried out.
  payment_unavailable = 12,  ///< Payment did not answer or refused: nothing was registered.
  overloaded = 13,           ///< A queue has reached its bound.
  entity_failed = 14,        ///< The entity failed or stopped before it decided: nothing was done.
  conflicting_commit = 15,   ///< Another commit came first: nothing was done.
  store_full = 16,           ///< No room on disk or in the database: nothing was done.
  store_failed = 17,         ///< The store cannot be read or written: nothing was done.
  shutting_down = 18,        ///< This node is leaving: nothing was done.
  outcome_unknown = 19,      ///< No answer in time: it may or may not have happened.
  service_away = 20,         ///< Its node cannot be reached: nothing was done.
  undecodable = 21,          ///< Stored or received bytes are not what they should be.
  damaged = 22,              ///< A stored value is not what was written: nothing was done.
  data_too_old = 23,         ///< The order service's data is older than what others have seen.
};

constexpr errc last_of(errc) { return errc::data_too_old; }

/// The code's word: lower case, joined by hyphens.
std::string_view name_of(errc code);

/// The code of that word; undecodable for a word of no code.
errc errc_named(std::string_view name);

/// True where waiting and trying again may help: nothing was done, and nothing forbids it.
bool is_transient(errc code);

/// What is wrong with one field of a request.
struct field_error {
  std::string field;
  std::string message;

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("field", self.field);
    visit("message", self.message);
  }
  bool operator==(const field_error&) const = default;
};

/// A refusal or failure: its code, a sentence for the user, and the fields that are to blame.
struct error {
  errc code = errc::entity_failed;
  std::string detail;
  std::vector<field_error> wrong_fields = {};

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("code", self.code);
    visit("detail", self.detail);
    visit("fields", self.wrong_fields);
  }
  bool operator==(const error&) const = default;
};

}  // namespace skanu
