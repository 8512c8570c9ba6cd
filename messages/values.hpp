// Basic values: ids, versions, instants, services.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace skanu {

/// Id of an order, payment, delivery, trace or stamp account: 1 to 2^53 - 1, never used twice. The
/// payment, delivery and trace of order 42 have the id 42 as well.
using entity_id = std::int64_t;

/// The largest id, and the largest integer exact in every JSON reader.
inline constexpr std::int64_t max_safe_integer = (std::int64_t{1} << 53) - 1;

/// Number of an entity's events: 0 before the first.
using version_number = std::int64_t;

/// Offset in a service's event log: 1 is the first event, without gaps.
using log_offset = std::int64_t;

/// Money in whole won.
using won = std::int64_t;

/// A moment of wall-clock time, to the millisecond, in UTC.
using instant = std::chrono::sys_time<std::chrono::milliseconds>;

/// Returns the wall clock's time.
inline instant wall_clock_now() {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

/// RFC 3339 in UTC with milliseconds: "2026-11-22T15:51:42.123Z". Years 0000 to 9999.
std::string to_rfc3339(instant t);

/// The inverse of to_rfc3339; nullopt for any other form.
std::optional<instant> from_rfc3339(std::string_view text);

/// The entities of a kind with their store, policies and log. The numbers travel between nodes: a
/// new service takes the next free number.
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

/// Returns the service with the name; nullopt for an unknown name.
constexpr std::optional<service> service_named(std::string_view name) {
  for (auto s : all_services)
    if (name_of(s) == name) return s;
  return std::nullopt;
}

/// Returns the stored form of a phone number for a shop in Korea: "010-1234-1234" and "+82 (0)10
/// 1234 1234" become "01012341234". Returns nullopt for no phone number. The rules, and those of
/// other countries, are in messages/phone.hpp.
std::optional<std::string> normalised_phone(std::string_view text);

/// Returns the id of the stamp account of a normalised phone number: a 1 in front of the digits, so
/// that leading zeros count, or a 2 in place of a plus. Below 2^53 for up to 15 digits.
entity_id account_id_of(std::string_view phone_digits);

/// The inverse of account_id_of.
std::string phone_of_account(entity_id account);

/// Returns a phone number in a form for log lines: all but the last two digits hidden.
std::string masked_phone(std::string_view phone_digits);

/// Returns an entity's id in a form for log lines: a stamp account's id is masked as a phone
/// number.
std::string entity_in_log(service of, entity_id id);

/// Masks possible phone numbers in a text: in runs of seven digits and more, with or without
/// separators, all digits but the last two.
std::string with_phones_masked(std::string_view text);

}  // namespace skanu
