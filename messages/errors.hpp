// Errors are values: one enum of codes, and what a caller needs to tell its user.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace skanu {

/// Why something was not done. Every code has one HTTP status (http/format/problem_types.cpp) and
/// one word (name_of) that goes into logs, dead letters and problem types.
enum class errc : std::uint8_t {
  malformed,            ///< The request body is not a JSON object.
  invalid_field,        ///< A field is missing, of the wrong type or out of range.
  immutable_field,      ///< A field that cannot change was given another value.
  negative_balance,     ///< A manual change would make a stamp balance negative.
  not_found,            ///< There is no such entity, or its id was rejected.
  already_delivered,    ///< Closed by its delivery: it cannot be cancelled any more.
  already_cancelled,    ///< Cancelled: it cannot be paid or moved on any more.
  already_paid,         ///< Paid already, with other fields or against the wish to unpay it.
  not_allowed,          ///< The entity's state does not allow this move.
  version_mismatch,     ///< If-Match named another version.
  operation_reused,     ///< The same idempotency key came with another request.
  operation_running,    ///< The same operation is still being carried out.
  payment_unavailable,  ///< Payment did not answer or refused: nothing was registered.
  overloaded,           ///< A queue has reached its bound.
  entity_failed,        ///< The entity failed or stopped before it decided: nothing was done.
  conflicting_commit,   ///< Another commit came first: nothing was done.
  store_full,           ///< No room on disk or in the database: nothing was done.
  store_failed,         ///< The store cannot be read or written: nothing was done.
  shutting_down,        ///< This node is leaving: nothing was done.
  outcome_unknown,      ///< No answer in time: it may or may not have happened.
  service_away,         ///< Its node cannot be reached: nothing was done.
  undecodable,          ///< Stored or received bytes are not what they should be.
  damaged,              ///< A stored value is not what was written: nothing was done.
  data_too_old,         ///< The order service's data is older than what others have seen.
};

/// The last of the codes.
inline constexpr errc last_errc = errc::data_too_old;

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
  bool operator==(const field_error&) const = default;
};

/// A refusal or failure: its code, a sentence for the user, and the fields that are to blame.
struct error {
  errc code = errc::entity_failed;
  std::string detail;
  std::vector<field_error> fields = {};
  bool operator==(const error&) const = default;
};

}  // namespace skanu
