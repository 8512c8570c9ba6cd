// Names of dead letters as operators see them. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "messages/dead_letter.hpp"

namespace skanu {

/// Writes and reads "CONSUMER:ENTITY:OFFSET". Where the entity is a stamp account, whose number is
/// a phone number, its 16 hexadecimal digits are hidden under a pad of `secret`, consumer and
/// offset: the name can be followed back on this node, and shows nobody's number.
class letter_names {
 public:
  /// Names are good as long as the secret is the same.
  explicit letter_names(std::string secret) : secret_(std::move(secret)) {}

  std::string text_of(const letter_name& name) const;
  /// The inverse; nothing for any other form. A name of another secret is one of no letter.
  std::optional<letter_name> read(std::string_view text) const;

 private:
  std::uint64_t pad_of(std::string_view consumer, log_offset offset) const;

  std::string secret_;
};

}  // namespace skanu
