// What a request says beside its body: ids in the path, the query, conditions and idempotency keys.
// Knows nothing of actors.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <httplib.h>

#include "http/format/hal.hpp"
#include "messages/reply.hpp"

namespace skanu {

/// A refusal on the way to an answer; thrown by the readers below, rendered once in routes.cpp.
struct refused {
  error why;
};

/// What a request for a change says beside the command.
struct change_conditions {
  std::optional<operation_id> client_operation;  ///< From its Idempotency-Key.
  std::uint64_t fingerprint = 0;                 ///< Of the body; zero without a key.
  std::optional<version_condition> condition;    ///< From its If-Match.
  std::optional<trace_context> trace;            ///< From its traceparent.
};

/// The positive integer that a whole text spells without a sign or leading zeros; at most 2^53 - 1.
std::optional<entity_id> id_of(std::string_view text);

/// A query parameter, percent-decoded, where it is given; the first of several.
std::optional<std::string> query_of(const httplib::Request& in, const char* name);

/// A valid traceparent, where there is one and no other.
std::optional<trace_context> trace_of(const httplib::Request& in);

/// Idempotency-Key, If-Match and traceparent. An operation is named by the SHA-256 of method, path
/// and key.
change_conditions conditions_of(const httplib::Request& in);

/// Whether If-None-Match names this entity tag (given without its quotes), or any (RFC
/// 9110, 13.1.2: compared weakly).
bool is_known_to_client(const httplib::Request& in, std::string_view tag);

/// Whether Accept prefers HTML to JSON, as browsers do. False where it says nothing of either.
bool prefers_html(const httplib::Request& in);

/// What a stream is to show, and from where on.
struct stream_request {
  entity_id order_id = 0;  ///< 0: every order.
  std::optional<std::string> status;
  std::optional<std::int64_t> last_seen;  ///< The offset in an event's id, or 0.
  std::string timeline = {};              ///< The identity in it; empty in an older one.
};

/// orderId and status, and Last-Event-ID or, where a client cannot set a header, lastEventId.
stream_request stream_request_of(const httplib::Request& in);

/// page, size, sort, after and status.
page_request page_of(const httplib::Request& in);

}  // namespace skanu
