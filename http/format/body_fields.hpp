// Reads the fields of a request's JSON body, and gathers what is wrong with them. No CAF, no
// httplib: it meets bytes from outside, and is fuzzed alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

#include "messages/errors.hpp"
#include "messages/fields.hpp"
#include "messages/values.hpp"

namespace skanu {

struct integer_range {
  std::int64_t least, most;
};

inline constexpr integer_range id_range{1, max_safe_integer};
inline constexpr integer_range qty_range{1, 1'000};
inline constexpr integer_range cost_range{0, 1'000'000'000'000};
inline constexpr integer_range stamp_range{-1'000'000, 1'000'000};
inline constexpr std::size_t name_length = 200;
inline constexpr std::size_t payment_type_length = 32;

/// The integer that a whole text spells, with or without a sign.
std::optional<std::int64_t> integer_of(std::string_view text);

/// How many characters (code points) valid UTF-8 has.
std::size_t length_of(std::string_view utf8);

/// A member of the body's object; a list or an object as its value is empty here.
struct body_member {
  std::string name;
  nlohmann::json value;
};

/// One request body. Each getter returns the field where it is right, and notes what is wrong with
/// it where it is not; null is as good as absent.
class body_fields {
 public:
  /// errc::malformed where the bytes are not a JSON object. A number beyond every type is wrong
  /// only in a field that is asked for.
  static std::variant<body_fields, error> parse(std::string_view bytes);

  /// Numbers may be JSON strings of an integer.
  std::optional<std::int64_t> integer(std::string_view name, integer_range range,
                                      bool required = true);
  std::optional<std::string> text(std::string_view name, std::size_t most, bool required = true);
  /// Normalised.
  std::optional<std::string> phone(std::string_view name, bool required);

  /// A status word of an enum, its first one ("none") excepted.
  template <worded_enum Enum>
  std::optional<Enum> word(std::string_view name) {
    const auto* value = find(name, true);
    if (!value) return std::nullopt;
    if (!value->is_string()) return wrong(name, "must be a string"), std::nullopt;
    const auto found = value_of_word<Enum>(value->get_ref<const std::string&>());
    if (!found || *found == Enum{}) return wrong(name, "is not a known status"), std::nullopt;
    return found;
  }

  /// What was wrong so far, if anything.
  std::optional<error> problem() const;

 private:
  body_fields() = default;
  const nlohmann::json* find(std::string_view name, bool required);
  void wrong(std::string_view name, std::string message);

  std::vector<body_member> members_;  ///< In the order of the body.
  std::vector<field_error> errors_;
};

}  // namespace skanu
