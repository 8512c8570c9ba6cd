// Names of dead letters for operators. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "messages/dead_letter.hpp"

namespace skanu {

/// Writes and reads "CONSUMER:ENTITY:OFFSET". The number of a stamp account is a phone number, so a
/// pad of `secret`, consumer and offset hides its 16 hexadecimal digits: the node can read the name
/// back, and the name shows no phone number.
class letter_names {
 public:
  /// Names are valid as long as the secret is the same.
  explicit letter_names(std::string secret) : secret_(std::move(secret)) {}

  std::string text_of(const letter_name& name) const;
  /// Inverts text_of; nullopt for any other form. A name of another secret belongs to no letter.
  std::optional<letter_name> read(std::string_view text) const;

 private:
  std::uint64_t pad_of(std::string_view consumer, log_offset offset) const;

  std::string secret_;
};

}  // namespace skanu
