// Errors are values: an enum of codes, and the details for a user.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace skanu {

/// Reason for a refusal or failure. Every code has an HTTP status (http/format/problem_types.cpp)
/// and a word (name_of) for logs, dead letters and problem types. The numbers travel between nodes:
/// a new code takes the next free number.
enum class errc : std::uint8_t {
  malformed = 0,             ///< The request body is not a JSON object.
  invalid_field = 1,         ///< A field is missing, of the wrong type or out of range.
  immutable_field = 2,       ///< A field that cannot change was given another value.
  negative_balance = 3,      ///< A manual change would make a stamp balance negative.
  not_found = 4,             ///< No such entity, or a rejected id.
  already_delivered = 5,     ///< Delivered: a cancellation is too late.
  already_cancelled = 6,     ///< Cancelled: can neither be paid nor moved on.
  already_paid = 7,          ///< Paid already, with other fields or against the wish to unpay.
  not_allowed = 8,           ///< The entity's state does not allow the move.
  version_mismatch = 9,      ///< If-Match named another version.
  operation_reused = 10,     ///< The same idempotency key came with another request.
  operation_running = 11,    ///< The same operation is still being carried out.
  payment_unavailable = 12,  ///< Payment did not answer or refused: the order is not registered.
  overloaded = 13,           ///< A queue has reached its bound.
  entity_failed = 14,        ///< The entity failed or stopped before a decision: not carried out.
  conflicting_commit = 15,   ///< Another commit came first: not carried out.
  store_full = 16,           ///< No room on disk or in the database: not carried out.
  store_failed = 17,         ///< The store cannot be read or written: not carried out.
  shutting_down = 18,        ///< The node is leaving: not carried out.
  outcome_unknown = 19,      ///< No answer in time: perhaps carried out.
  service_away = 20,         ///< The node is out of reach: not carried out.
  undecodable = 21,          ///< Stored or received bytes cannot be decoded.
  damaged = 22,              ///< A stored value differs from the bytes written: not carried out.
  data_too_old = 23,         ///< The order service's data is older than other services' knowledge.
};

constexpr errc last_of(errc) { return errc::data_too_old; }

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

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("field", self.field);
    visit("message", self.message);
  }
  bool operator==(const field_error&) const = default;
};

/// A refusal or failure: the code, a sentence for the user, and the fields at fault.
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
