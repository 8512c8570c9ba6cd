#include "messages/errors.hpp"

#include <array>
#include <cstddef>

namespace skanu {

namespace {

constexpr std::array<std::string_view, 24> words = {
    "malformed",           "invalid-field",     "immutable-field",   "negative-balance",
    "not-found",           "already-delivered", "already-cancelled", "already-paid",
    "not-allowed",         "version-mismatch",  "operation-reused",  "operation-running",
    "payment-unavailable", "overloaded",        "entity-failed",     "conflicting-commit",
    "store-full",          "store-failed",      "shutting-down",     "outcome-unknown",
    "service-away",        "undecodable",       "damaged",           "data-too-old"};

static_assert(words.size() == static_cast<std::size_t>(last_of(errc{})) + 1);

}  // namespace

std::string_view name_of(errc code) { return words[static_cast<std::size_t>(code)]; }

errc errc_named(std::string_view name) {
  for (std::size_t i = 0; i < words.size(); ++i)
    if (words[i] == name) return static_cast<errc>(i);
  return errc::undecodable;
}

bool is_transient(errc code) {
  switch (code) {
    case errc::payment_unavailable:
    case errc::overloaded:
    case errc::entity_failed:
    case errc::conflicting_commit:
    case errc::store_full:
    case errc::store_failed:
    case errc::shutting_down:
    case errc::service_away:
    case errc::outcome_unknown: return true;
    default: return false;
  }
}

}  // namespace skanu
