// Short names of the small shop's services and tables, for tests of the audit.
#pragma once

#include "tests/support/small_shop.hpp"

namespace skanu {

using namespace stages;

inline constexpr auto order = service::order;
inline constexpr auto payment = service::payment;
inline constexpr auto delivery = service::delivery;
inline constexpr auto stamp = service::stamp;
inline constexpr auto ordertrace = service::ordertrace;

inline table entities(service s) { return {s, table_kind::entities}; }
inline table tombstones(service s) { return {s, table_kind::tombstones}; }
inline table rows(service s) { return {s, table_kind::rows}; }
inline table meta(service s) { return {s, table_kind::meta}; }
inline table log_of(service s) { return {s, table_kind::log}; }
inline table index_of(service s) { return {s, table_kind::status_index}; }

}  // namespace skanu
