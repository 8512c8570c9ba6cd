// Reads a request beside its body: ids in the path, the query, conditions and idempotency keys. No
// actors.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <httplib.h>

#include "http/format/hal.hpp"
#include "messages/reply.hpp"

namespace skanu {

/// A refusal on the way to an answer. Thrown by the readers below, rendered in routes.cpp.
struct refused {
  error why;
};

/// A request's fields for a change, beside the command.
struct change_conditions {
  std::optional<operation_id> client_operation;  ///< From Idempotency-Key.
  std::uint64_t fingerprint = 0;                 ///< Hash of the body; zero without a key.
  std::optional<version_condition> condition;    ///< From If-Match, If-None-Match.
  std::optional<trace_context> trace;            ///< From traceparent.
};

/// Returns the positive integer spelled by the whole text, without sign or leading zeros; at most
/// 2^53 - 1.
std::optional<entity_id> id_of(std::string_view text);

/// Returns a query parameter, percent-decoded; the first of several, nullopt where absent.
std::optional<std::string> query_of(const httplib::Request& in, const char* name);

/// Returns the trace context of a valid traceparent header, if the request has exactly 1 such
/// header.
std::optional<trace_context> trace_of(const httplib::Request& in);

/// Reads Idempotency-Key, If-Match, If-None-Match and traceparent. The SHA-256 of method, path and
/// key names an operation. Throws `refused`.
change_conditions conditions_of(const httplib::Request& in);

/// Whether If-None-Match names the entity tag (given without quotes) or any tag. The comparison is
/// weak (RFC 9110, 13.1.2).
bool is_known_to_client(const httplib::Request& in, std::string_view tag);

/// Whether If-Match holds a weak entity tag.
bool names_weak_tag(const httplib::Request& in);

/// Whether Accept prefers HTML to JSON, as browsers do. False where Accept names neither.
bool prefers_html(const httplib::Request& in);

/// The filter and the start of a stream.
struct stream_request {
  std::vector<entity_id> order_ids;  ///< Sorted, each once; none: every order.
  std::optional<std::string> status;
  std::optional<std::int64_t> last_seen;  ///< The offset in an event's id, or 0.
  std::string timeline = {};              ///< The timeline in the event's id; empty in an older id.
  bool visible_heartbeats = false;        ///< As events, for a browser that cannot see comments.
};

/// Reads orderId (up to `most_streamed_orders`, separated by commas), status, heartbeat and
/// Last-Event-ID, or lastEventId from clients that cannot set a header.
inline constexpr std::size_t most_streamed_orders = 100;
stream_request stream_request_of(const httplib::Request& in);

/// Reads page, size, sort, after and status.
page_request page_of(const httplib::Request& in);

}  // namespace skanu
