// Reads the fields of a request's JSON body and gathers the errors. No CAF, no httplib: the code
// reads bytes from outside and is fuzzed alone.
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
#include "messages/phone.hpp"
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

/// Returns the integer spelled by the whole text, with or without a sign.
std::optional<std::int64_t> integer_of(std::string_view text);

/// Counts the characters (code points) of valid UTF-8.
std::size_t length_of(std::string_view utf8);

/// A member of the body's object; the value of a list or an object is empty here.
struct body_member {
  std::string name;
  nlohmann::json value;
};

/// The fields of a request body. Each getter returns a valid field and notes the error of an
/// invalid field; null counts as absent.
class body_fields {
 public:
  /// Returns errc::malformed where the bytes are not a JSON object. A number beyond every type is
  /// an error only in a field that a getter reads.
  static std::variant<body_fields, error> parse(std::string_view bytes);

  /// Accepts a JSON string of an integer too.
  std::optional<std::int64_t> integer(std::string_view name, integer_range range,
                                      bool required = true);
  std::optional<std::string> text(std::string_view name, std::size_t most, bool required = true);
  /// Returns the normalised phone number; `home` is the country of numbers without a code.
  std::optional<std::string> phone(std::string_view name, bool required,
                                   const phone_country& home = korea);

  /// Returns the value of a status word of an enum; the first word ("none") is not for clients.
  template <worded_enum Enum>
  std::optional<Enum> word(std::string_view name) {
    const auto* value = find(name, true);
    if (!value) return std::nullopt;
    if (!value->is_string()) return wrong(name, "must be a string"), std::nullopt;
    const auto found = value_of_word<Enum>(value->get_ref<const std::string&>());
    if (!found || *found == Enum{}) return wrong(name, "is not a known status"), std::nullopt;
    return found;
  }

  /// The errors so far, if any.
  std::optional<error> problem() const;

 private:
  body_fields() = default;
  const nlohmann::json* find(std::string_view name, bool required);
  void wrong(std::string_view name, std::string message);

  std::vector<body_member> members_;  ///< In the order of the body.
  std::vector<field_error> errors_;
};

}  // namespace skanu
