#include "messages/phone.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

#include "messages/phone_countries.hpp"
#include "messages/values.hpp"

namespace skanu {

namespace {

constexpr std::size_t fewest_digits = 7, most_digits = 15;
/// Digits behind a country code; with fewer, the code may be part of a local number.
constexpr std::size_t fewest_national_digits = 8;

constexpr std::array countries = {
    korea,
    phone_country{"AT", "43", "0"},
    phone_country{"AU", "61", "0"},
    phone_country{"BE", "32", "0"},
    phone_country{"BR", "55", "0"},
    phone_country{"CA", "1", ""},
    phone_country{"CH", "41", "0"},
    phone_country{"CN", "86", "0"},
    phone_country{"CZ", "420", ""},
    phone_country{"DE", "49", "0"},
    phone_country{"DK", "45", ""},
    phone_country{"ES", "34", ""},
    phone_country{"FI", "358", "0"},
    phone_country{"FR", "33", "0"},
    phone_country{"GB", "44", "0"},
    phone_country{"GR", "30", ""},
    phone_country{"HK", "852", ""},
    phone_country{"ID", "62", "0"},
    phone_country{"IE", "353", "0"},
    phone_country{"IN", "91", "0"},
    phone_country{"IT", "39", ""},
    phone_country{"JP", "81", "0"},
    phone_country{"MX", "52", ""},
    phone_country{"MY", "60", "0"},
    phone_country{"NL", "31", "0"},
    phone_country{"NO", "47", ""},
    phone_country{"NZ", "64", "0"},
    phone_country{"PH", "63", "0"},
    phone_country{"PL", "48", ""},
    phone_country{"PT", "351", ""},
    phone_country{"SE", "46", "0"},
    phone_country{"SG", "65", ""},
    phone_country{"TH", "66", "0"},
    phone_country{"TR", "90", "0"},
    phone_country{"TW", "886", "0"},
    phone_country{"US", "1", ""},
    phone_country{"VN", "84", "0"},
};

struct character_range {
  std::uint32_t first, last;
};

// Unicode 14: categories Cf, Zs and Pd; tab, minus sign, hyphen bullet; full stops and middle dots.
constexpr std::array<character_range, 57> separators = {{
    {0x0009, 0x0009},   {0x0020, 0x0020},   {0x002d, 0x002e},   {0x00a0, 0x00a0},
    {0x00ad, 0x00ad},   {0x00b7, 0x00b7},   {0x058a, 0x058a},   {0x05be, 0x05be},
    {0x0600, 0x0605},   {0x061c, 0x061c},   {0x06dd, 0x06dd},   {0x070f, 0x070f},
    {0x0890, 0x0891},   {0x08e2, 0x08e2},   {0x1400, 0x1400},   {0x1680, 0x1680},
    {0x1806, 0x1806},   {0x180e, 0x180e},   {0x2000, 0x2015},   {0x2022, 0x2022},
    {0x2024, 0x2024},   {0x2027, 0x2027},   {0x202a, 0x202f},   {0x2043, 0x2043},
    {0x205f, 0x2064},   {0x2066, 0x206f},   {0x2212, 0x2212},   {0x2219, 0x2219},
    {0x22c5, 0x22c5},   {0x2e17, 0x2e17},   {0x2e1a, 0x2e1a},   {0x2e3a, 0x2e3b},
    {0x2e40, 0x2e40},   {0x2e5d, 0x2e5d},   {0x3000, 0x3000},   {0x3002, 0x3002},
    {0x301c, 0x301c},   {0x3030, 0x3030},   {0x30a0, 0x30a0},   {0x30fb, 0x30fb},
    {0xfe31, 0xfe32},   {0xfe52, 0xfe52},   {0xfe58, 0xfe58},   {0xfe63, 0xfe63},
    {0xfeff, 0xfeff},   {0xff0d, 0xff0e},   {0xff61, 0xff61},   {0xff65, 0xff65},
    {0xfff9, 0xfffb},   {0x10ead, 0x10ead}, {0x110bd, 0x110bd}, {0x110cd, 0x110cd},
    {0x13430, 0x13438}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0001, 0xe0001},
    {0xe0020, 0xe007f},
}};

// Unicode 14: categories Ps and Pe.
constexpr std::array<character_range, 38> brackets = {{
    {0x0028, 0x0029}, {0x005b, 0x005b}, {0x005d, 0x005d}, {0x007b, 0x007b}, {0x007d, 0x007d},
    {0x0f3a, 0x0f3d}, {0x169b, 0x169c}, {0x201a, 0x201a}, {0x201e, 0x201e}, {0x2045, 0x2046},
    {0x207d, 0x207e}, {0x208d, 0x208e}, {0x2308, 0x230b}, {0x2329, 0x232a}, {0x2768, 0x2775},
    {0x27c5, 0x27c6}, {0x27e6, 0x27ef}, {0x2983, 0x2998}, {0x29d8, 0x29db}, {0x29fc, 0x29fd},
    {0x2e22, 0x2e29}, {0x2e42, 0x2e42}, {0x2e55, 0x2e5c}, {0x3008, 0x3011}, {0x3014, 0x301b},
    {0x301d, 0x301f}, {0xfd3e, 0xfd3f}, {0xfe17, 0xfe18}, {0xfe35, 0xfe44}, {0xfe47, 0xfe48},
    {0xfe59, 0xfe5e}, {0xff08, 0xff09}, {0xff3b, 0xff3b}, {0xff3d, 0xff3d}, {0xff5b, 0xff5b},
    {0xff5d, 0xff5d}, {0xff5f, 0xff60}, {0xff62, 0xff63},
}};

bool is_in(std::span<const character_range> ranges, std::uint32_t c) {
  const auto next = std::ranges::upper_bound(ranges, c, {}, &character_range::first);
  return next != ranges.begin() && c <= std::prev(next)->last;
}

constexpr std::uint32_t no_character = 0xffff'ffff;

/// Takes the first character off a text in UTF-8; no_character where there is none.
std::uint32_t take_character(std::string_view& text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const std::size_t length = byte(0) < 0x80 ? 1 : byte(0) < 0xe0 ? 2 : byte(0) < 0xf0 ? 3 : 4;
  if (length > text.size() || (byte(0) >= 0x80 && byte(0) < 0xc2) || byte(0) > 0xf4)
    return no_character;
  auto c = length == 1 ? byte(0) : static_cast<std::uint32_t>(byte(0) & (0x7f >> length));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return no_character;
    c = c << 6 | (byte(i) & 0x3f);
  }
  text.remove_prefix(length);
  return c;
}

/// A number as typed, without the characters that mean nothing.
struct typed_number {
  std::string digits;
  bool plus = false;
  /// The place of a "(0)" behind a "+" or "00" and a calling code's first digit.
  std::optional<std::size_t> optional_zero;
};

std::optional<typed_number> read_number(std::string_view text) {
  constexpr std::size_t enough = most_digits + 5;  // with "00", a calling code's rest and "(0)"
  typed_number n;
  std::optional<std::size_t> opened;  // where the digits of a bracket begin
  while (!text.empty()) {
    auto c = take_character(text);
    if (c >= 0xff10 && c <= 0xff19) c -= 0xff10 - '0';
    if (c >= '0' && c <= '9') {
      if (n.digits.size() == enough) return std::nullopt;
      n.digits += static_cast<char>(c);
    } else if (is_in(brackets, c)) {
      const bool one_zero = opened && n.digits.size() == *opened + 1 && n.digits.back() == '0';
      const std::size_t prefix = n.plus && !n.digits.starts_with('0') ? 0 : 2;  // "00"
      if (one_zero && *opened > prefix && !n.optional_zero) n.optional_zero = opened;
      opened = n.digits.size();
    } else if (c == '+' || c == 0xff0b) {
      if (n.plus || !n.digits.empty()) return std::nullopt;
      n.plus = true;
    } else if (!is_in(separators, c)) {
      return std::nullopt;
    }
  }
  return n;
}

bool is_number(std::string_view digits) {
  return digits.size() >= fewest_digits && digits.size() <= most_digits;
}

}  // namespace

std::optional<phone_country> phone_country_named(std::string_view name) {
  const auto found = std::ranges::find(countries, name, &phone_country::name);
  return found == countries.end() ? std::nullopt : std::optional(*found);
}

std::string phone_country_names() {
  std::string all;
  for (const auto& country : countries) all.append(all.empty() ? "" : " ").append(country.name);
  return all;
}

std::optional<std::string> normalised_phone(std::string_view text, const phone_country& home) {
  auto typed = read_number(text);
  if (!typed) return std::nullopt;
  auto& [digits, plus, optional_zero] = *typed;
  // No calling code begins with 0: such a plus means nothing.
  plus = plus && !digits.starts_with('0');
  const bool dialled = !plus && digits.size() > 2 && digits.starts_with("00") && digits[2] != '0';
  if (!plus && !dialled) return is_number(digits) ? std::optional(std::move(digits)) : std::nullopt;
  if (optional_zero) digits.erase(*optional_zero, 1);
  std::string_view number = digits;
  if (dialled) number.remove_prefix(2);
  std::string normal = "+";
  if (number.starts_with(home.calling_code)) {
    number.remove_prefix(home.calling_code.size());
    if (!home.trunk.empty())
      number.remove_prefix(std::min(number.find_first_not_of('0'), number.size()));
    if (number.starts_with("00")) return std::nullopt;  // would be read as dialled abroad
    normal = home.trunk;
  }
  normal += number;
  const auto bare = std::string_view(normal).substr(normal.starts_with('+') ? 1 : 0);
  return is_number(bare) ? std::optional(std::move(normal)) : std::nullopt;
}

std::optional<std::string> normalised_phone(std::string_view text) {
  return normalised_phone(text, korea);
}

std::optional<std::string> present_form(std::string_view stored, const phone_country& home) {
  const bool abroad = stored.starts_with(home.calling_code) &&
                      stored.size() >= home.calling_code.size() + fewest_national_digits;
  auto present = normalised_phone((abroad ? "+" : "") + std::string(stored), home);
  if (present == stored) return std::nullopt;
  return present;
}

bool is_stored_phone(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  return is_number(text) && text.find_first_not_of("0123456789") == text.npos;
}

}  // namespace skanu
