// What is remembered of an operation, so that a repeat of it is answered and not carried out again.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "messages/reply.hpp"
#include "persistence/store.hpp"

namespace skanu {

/// How long a client's key is remembered.
inline constexpr std::chrono::hours client_operation_kept{24};
/// How long an operation of the gateway's own is: far longer than it repeats one.
inline constexpr std::chrono::minutes gateway_operation_kept{10};

/// How far a gateway's clock may be from the service's for the time in its operation's name to say
/// when that may be forgotten. Beyond, the service notes its own time.
inline constexpr std::chrono::minutes trusted_clock_difference{5};
/// Nothing is forgotten in the minute after the wall clock jumped, and no gateway's operation in
/// the first minute of a run, before which it may have jumped: none is repeated for longer than
/// some seconds.
inline constexpr std::chrono::minutes forgetting_pause{1};

/// The keys under which an operation may be remembered.
std::vector<std::string> record_keys(const operation_id& operation);

/// The rows that remember an operation; `now` is the service's own time. A client's record holds
/// the whole answer, so that a repeat gets the same bytes; the gateway's repeats within seconds, so
/// it only names the entity.
std::vector<row_write> operation_rows(const operation_id& operation, std::uint64_t fingerprint,
                                      const outcome& result, instant now);

/// The answer to an operation that was carried out before; errc::operation_reused where it was
/// another request under the same key. Throws store_error and decode_error.
std::optional<outcome> recorded_outcome(const snapshot& from, service of,
                                        const operation_id& operation, std::uint64_t fingerprint);

/// The erasing rows of clients' operations, and of gateways' that stand apart, which need not be
/// remembered any more by the service's own time; at most about twice `limit`.
std::vector<row_write> expired_operations(const snapshot& from, service of, instant now,
                                          std::size_t limit);

/// The same of all other gateways' operations.
std::vector<row_write> expired_gateway_operations(const snapshot& from, service of, instant now,
                                                  std::size_t limit);

}  // namespace skanu
