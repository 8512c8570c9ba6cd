#include "http/format/letter_names.hpp"

#include <algorithm>
#include <charconv>

#include <spdlog/fmt/fmt.h>

#include "actors/rules/consumers.hpp"
#include "http/format/digest.hpp"

namespace skanu {

namespace {

constexpr std::size_t hidden_digits = 16;

bool follows_accounts(std::string_view name) {
  return std::ranges::any_of(consumers::all, [&](const consumer& who) {
    return who.name == name && who.of == service::stamp;
  });
}

}  // namespace

std::string letter_names::text_of(const letter_name& name) const {
  if (name.entity == 0 || !follows_accounts(name.consumer)) return name.text();
  const auto hidden = static_cast<std::uint64_t>(name.entity) ^ pad_of(name.consumer, name.offset);
  return fmt::format("{}:{:016x}:{}", name.consumer, hidden, name.offset);
}

std::optional<letter_name> letter_names::read(std::string_view text) const {
  const auto first = text.find(':'), last = text.rfind(':');
  if (first == text.npos || last != first + 1 + hidden_digits ||
      !follows_accounts(text.substr(0, first)))
    return letter_named(text);
  const auto hidden = text.substr(first + 1, hidden_digits);
  std::uint64_t entity = 0;
  const auto read = std::from_chars(hidden.data(), hidden.data() + hidden.size(), entity, 16);
  // letter_named() checks the offset, as for any letter.
  auto name =
      letter_named(std::string(text.substr(0, first)) + ":0" + std::string(text.substr(last)));
  if (!name || read.ec != std::errc{} || read.ptr != hidden.data() + hidden.size())
    return std::nullopt;
  const auto shown = entity ^ pad_of(name->consumer, name->offset);
  constexpr auto no_account = static_cast<std::uint64_t>(max_safe_integer);
  name->entity = static_cast<entity_id>(std::min(shown, no_account));
  return name;
}

std::uint64_t letter_names::pad_of(std::string_view consumer, log_offset offset) const {
  std::uint64_t pad = 0;
  const auto digest = sha256(fmt::format("letter names\n{}\n{}\n{}", secret_, consumer, offset));
  for (std::size_t i = 0; i < sizeof pad; ++i) pad = pad << 8 | digest[i];
  return pad;
}

}  // namespace skanu
