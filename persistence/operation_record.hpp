// Records of operations: a repeated operation is answered from the record and not carried out
// again.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "messages/reply.hpp"
#include "persistence/store.hpp"

namespace skanu {

/// Lifetime of the record of a client's operation.
inline constexpr std::chrono::hours client_operation_kept{24};
/// Lifetime of the record of a gateway's own operation; far longer than the gateway repeats.
inline constexpr std::chrono::minutes gateway_operation_kept{10};

/// Tolerated difference between a gateway's and the service's clock. Within the difference, the
/// time in the operation's id decides the expiry of the record; beyond, the service notes its own
/// time.
inline constexpr std::chrono::minutes trusted_clock_difference{5};
/// Pause of the expiry after a jump of the wall clock, and of gateways' operations also after a
/// start, since the clock may have jumped before: gateways repeat for some seconds only.
inline constexpr std::chrono::minutes forgetting_pause{1};

/// Returns the keys of possible records of an operation.
std::vector<std::string> record_keys(const operation_id& operation);

/// Returns the rows to record an operation; `now` is the service's time. A client's record holds
/// the whole answer, so that a repeat gets the same bytes. A gateway repeats within seconds, so its
/// record only names the entity.
std::vector<row_write> operation_rows(const operation_id& operation, std::uint64_t fingerprint,
                                      const outcome& result, instant now);

/// Returns the recorded answer to an operation, or errc::operation_reused if the record's key
/// belongs to another request; nullopt without a record. Throws store_error and decode_error.
std::optional<outcome> recorded_outcome(const snapshot& from, service of,
                                        const operation_id& operation, std::uint64_t fingerprint);

/// Returns the rows that erase expired records by the service's own time, of clients and of
/// gateways with clocks far off; about twice `limit` at most.
std::vector<row_write> expired_operations(const snapshot& from, service of, instant now,
                                          std::size_t limit);

/// Returns the rows that erase all other gateways' expired records.
std::vector<row_write> expired_gateway_operations(const snapshot& from, service of, instant now,
                                                  std::size_t limit);

}  // namespace skanu
