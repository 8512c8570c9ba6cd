// Errors are values: an enum of codes, and the details for a user.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace skanu {

/// Reason for a refusal or failure. Every code has an HTTP status (http/format/problem_types.cpp)
/// and a word (name_of) for logs, dead letters and problem types.
enum class errc : std::uint8_t {
  malformed,            ///< The request body is not a JSON object.
  invalid_field,        ///< A field is missing, of the wrong type or out of range.
  immutable_field,      ///< A field that cannot change was given another value.
  negative_balance,     ///< A manual change would make a stamp balance negative.
  not_found,            ///< No such entity, or a rejected id.
  already_delivered,    ///< Delivered: a cancellation is too late.
  already_cancelled,    ///< Cancelled: can neither be paid nor moved on.
  already_paid,         ///< Paid already, with other fields or against the wish to unpay.
  not_allowed,          ///< The entity's state does not allow the move.
  version_mismatch,     ///< If-Match named another version.
  operation_reused,     ///< The same idempotency key came with another request.
  operation_running,    ///< The same operation is still being carried out.
  payment_unavailable,  ///< Payment did not answer or refused: the order is not registered.
  overloaded,           ///< A queue has reached its bound.
  entity_failed,        ///< The entity failed or stopped before a decision: not carried out.
  conflicting_commit,   ///< Another commit came first: not carried out.
  store_full,           ///< No room on disk or in the database: not carried out.
  store_failed,         ///< The store cannot be read or written: not carried out.
  shutting_down,        ///< The node is leaving: not carried out.
  outcome_unknown,      ///< No answer in time: perhaps carried out.
  service_away,         ///< The node is out of reach: not carried out.
  undecodable,          ///< Stored or received bytes cannot be decoded.
  damaged,              ///< A stored value differs from the bytes written: not carried out.
  data_too_old,         ///< The order service's data is older than other services' knowledge.
};

/// The last code.
inline constexpr errc last_errc = errc::data_too_old;

/// The code's word: lower case, joined by hyphens.
std::string_view name_of(errc code);

/// The code of a word; undecodable for an unknown word.
errc errc_named(std::string_view name);

/// True if a later retry may succeed. After outcome_unknown the first try may have taken effect.
bool is_transient(errc code);

/// The problem of a request's field.
struct field_error {
  std::string field;
  std::string message;
  bool operator==(const field_error&) const = default;
};

/// A refusal or failure: the code, a sentence for the user, and the fields at fault.
struct error {
  errc code = errc::entity_failed;
  std::string detail;
  std::vector<field_error> fields = {};
  bool operator==(const error&) const = default;
};

}  // namespace skanu
