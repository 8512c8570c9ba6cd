#include "messages/unicode.hpp"

#include <cstdlib>
#include <memory>
#include <optional>

#include <utf8proc.h>

namespace skanu {

namespace {

/// Symbols by their category, and nothing to see: Braille's pattern without a dot, and the musical
/// notehead that is none.
constexpr utf8proc_int32_t blank_braille = 0x2800, null_notehead = 0x1d159;

bool shows_nothing(utf8proc_int32_t character) {
  if (character == blank_braille || character == null_notehead ||
      utf8proc_get_property(character)->ignorable)
    return true;
  switch (utf8proc_category(character)) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP: return true;
    default: return false;
  }
}

struct freed {
  void operator()(utf8proc_uint8_t* text) const { std::free(text); }
};

/// The text's NFC; null where the text is no UTF-8 or memory is out.
std::unique_ptr<utf8proc_uint8_t, freed> nfc(std::string_view utf8, utf8proc_ssize_t& size) {
  utf8proc_uint8_t* made = nullptr;
  size = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(utf8.data()),
                      static_cast<utf8proc_ssize_t>(utf8.size()), &made,
                      static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  return std::unique_ptr<utf8proc_uint8_t, freed>(made);
}

bool is_ascii(std::string_view text) {
  for (const char c : text)
    if (static_cast<unsigned char>(c) >= 0x80) return false;
  return true;
}

}  // namespace

bool is_blank(std::string_view utf8) {
  while (!utf8.empty()) {
    utf8proc_int32_t character = 0;
    const auto length = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(utf8.data()),
                                         static_cast<utf8proc_ssize_t>(utf8.size()), &character);
    if (length <= 0 || !shows_nothing(character)) return false;
    utf8.remove_prefix(static_cast<std::size_t>(length));
  }
  return true;
}

bool is_same_text(std::string_view a, std::string_view b) {
  if (a == b) return true;
  if (is_ascii(a) && is_ascii(b)) return false;  // each is its own NFC
  utf8proc_ssize_t size_a = 0, size_b = 0;
  const auto nfc_a = nfc(a, size_a);
  const auto nfc_b = nfc(b, size_b);
  if (size_a < 0 || size_b < 0) return false;
  return std::string_view(reinterpret_cast<const char*>(nfc_a.get()),
                          static_cast<std::size_t>(size_a)) ==
         std::string_view(reinterpret_cast<const char*>(nfc_b.get()),
                          static_cast<std::size_t>(size_b));
}

}  // namespace skanu
