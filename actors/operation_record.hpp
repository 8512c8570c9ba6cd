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

/// The rows that remember an operation. A client's record holds the whole answer, so that a repeat
/// gets the same bytes; the gateway's repeats within seconds, so it only names the entity.
std::vector<row_write> operation_rows(const operation_id& operation, std::uint64_t fingerprint,
                                      const outcome& result, instant now);

/// The answer to an operation that was carried out before; errc::operation_reused where it was
/// another request under the same key. Throws store_error and decode_error.
std::optional<outcome> recorded_outcome(const snapshot& from, service of,
                                        const operation_id& operation, std::uint64_t fingerprint);

/// The erasing rows of operations that need not be remembered any more, at most about `limit`.
std::vector<row_write> expired_operations(const snapshot& from, service of, instant now,
                                          std::size_t limit);

}  // namespace skanu
