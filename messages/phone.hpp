// Phone numbers as people type and paste them, and the one form in which the shop stores them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace skanu {

/// The numbering of a country: its calling code, and the digit that stands before a number within
/// the country ("" where there is none).
struct phone_country {
  std::string_view name;  ///< ISO 3166, two letters.
  std::string_view calling_code;
  std::string_view trunk;
  bool operator==(const phone_country&) const = default;
};

inline constexpr phone_country korea{"KR", "82", "0"};

/// Returns the country of an ISO 3166 name in capitals; nullopt for an unknown name.
std::optional<phone_country> phone_country_named(std::string_view name);

/// Returns the stored form of a phone number: "+82 (0)10-1234-1234", "0082 10 1234 1234" and
/// "010.1234.1234" are "01012341234" in Korea, and "+44 (0)20 7946 0958" is "+442079460958".
/// Format characters, blanks, dashes, brackets and dots of any script are dropped, full-width
/// digits are read. Idempotent. Returns nullopt for any other character, or if the number of digits
/// is not 7 to 15. http/page/phone.js has the same rules; tests/phone_numbers.json checks both.
std::optional<std::string> normalised_phone(std::string_view text, const phone_country& home);

/// Returns the present form of a number stored by a version that kept country codes as plain
/// digits: "821012341234" and "00821012341234" are "01012341234" in Korea. Returns nullopt where
/// the stored form is the present one already, or too short to hold a country code.
std::optional<std::string> present_form(std::string_view stored, const phone_country& home);

/// Whether a text has the form of a stored number, of this version or of one before: 7 to 15
/// digits, perhaps behind a plus.
bool is_stored_phone(std::string_view text);

}  // namespace skanu
