// The small values that every other header is made of: ids, versions, instants, services.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace skanu {

/// Names one order, payment, delivery, trace or stamp account: 1 to 2^53 - 1, never used twice.
/// The payment, delivery and trace of order 42 are number 42 as well.
using entity_id = std::int64_t;

/// The largest id, and the largest integer that every JSON reader keeps exact.
inline constexpr std::int64_t max_safe_integer = (std::int64_t{1} << 53) - 1;

/// How many events an entity has had: 0 before the first.
using version_number = std::int64_t;

/// A place in a service's event log: 1 is the first event, without gaps.
using log_offset = std::int64_t;

/// Money in whole won.
using won = std::int64_t;

/// A moment of wall-clock time, to the millisecond, in UTC.
using instant = std::chrono::sys_time<std::chrono::milliseconds>;

/// The wall clock's reading now.
inline instant wall_clock_now() {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

/// RFC 3339 in UTC with milliseconds: "2026-11-22T15:51:42.123Z". Years 0000 to 9999.
std::string to_rfc3339(instant t);

/// The inverse of to_rfc3339; nothing for any other form.
std::optional<instant> from_rfc3339(std::string_view text);

/// The entities of one kind with their store, policies and log. Its numbers are sent between nodes:
/// a new service takes the next free one.
enum class service : std::uint8_t {
  order = 0,
  payment = 1,
  delivery = 2,
  stamp = 3,
  ordertrace = 4,
};

constexpr service last_of(service) { return service::ordertrace; }

inline constexpr service all_services[] = {service::order, service::payment, service::delivery,
                                           service::stamp, service::ordertrace};

inline constexpr std::size_t service_count = std::size(all_services);
static_assert(service_count == static_cast<std::size_t>(last_of(service{})) + 1);

/// The service's name in tables, logs, options and metrics.
constexpr std::string_view name_of(service s) {
  switch (s) {
    case service::order: return "order";
    case service::payment: return "payment";
    case service::delivery: return "delivery";
    case service::stamp: return "stamp";
    case service::ordertrace: return "ordertrace";
  }
  return "unknown";
}

/// The service of that name, if there is one.
constexpr std::optional<service> service_named(std::string_view name) {
  for (auto s : all_services)
    if (name_of(s) == name) return s;
  return std::nullopt;
}

/// Keeps the digits of a phone number: "010-1234-1234" becomes "01012341234". Spaces, hyphens,
/// dots, parentheses and one leading plus are dropped; nothing comes back if any other character is
/// in it or the number of digits is not 7 to 15.
std::optional<std::string> normalised_phone(std::string_view text);

/// The id of the stamp account of a normalised phone number: its digits behind a 1, so that leading
/// zeros count. Below 2^53 for up to 15 digits.
entity_id account_id_of(std::string_view phone_digits);

/// The inverse of account_id_of.
std::string phone_of_account(entity_id account);

/// A phone number as it may appear in a log line: all but the last two digits hidden.
std::string masked_phone(std::string_view phone_digits);

/// The id of an entity in a log line: that of a stamp account is a phone number.
std::string entity_in_log(service of, entity_id id);

/// A text with everything masked that may be a phone number: of seven digits and more in a row,
/// with or without separators between them, all but the last two.
std::string with_phones_masked(std::string_view text);

}  // namespace skanu
