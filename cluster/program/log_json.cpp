#include "cluster/program/log_json.hpp"

#include <algorithm>
#include <cctype>
#include <optional>

#include <nlohmann/json.hpp>

namespace skanu {

namespace {

constexpr std::size_t max_digits = 15;  // every JSON reader keeps such a number exact

bool is_key_letter(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

/// Returns the length of a key at the front of `text` with an equals sign behind, or 0.
std::size_t key_length(std::string_view text) {
  const auto end = std::ranges::find_if_not(text, is_key_letter);
  return end != text.end() && *end == '=' ? static_cast<std::size_t>(end - text.begin()) : 0;
}

std::optional<char> hex_byte(std::string_view digits) {
  const auto value = [](char c) {
    constexpr std::string_view all = "0123456789abcdef";
    return all.find(c);
  };
  if (digits.size() < 2) return std::nullopt;
  const auto high = value(digits[0]), low = value(digits[1]);
  if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
  return static_cast<char>(high * 16 + low);
}

/// Undoes in_quotes().
std::string without_escapes(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      if (text[i + 1] == '"' || text[i + 1] == '\\') {
        plain += text[++i];
        continue;
      }
      const auto byte = text[i + 1] == 'x' ? hex_byte(text.substr(i + 2)) : std::nullopt;
      if (byte) {
        plain += *byte;
        i += 3;
        continue;
      }
    }
    plain += text[i];
  }
  return plain;
}

/// Returns the length up to the closing quote of a value whose opening quote is taken off. A reason
/// may contain quotes without an escape: the closing quote ends the line or precedes the next key.
std::size_t quoted_length(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      const auto rest = text.substr(i + 1);
      if (rest.empty() || (rest.front() == ' ' && key_length(rest.substr(1)) > 0)) return i;
    }
  }
  return text.size();
}

bool is_number(std::string_view text) {
  const auto digits = text.starts_with('-') ? text.substr(1) : text;
  if (digits.empty() || digits.size() > max_digits) return false;
  if (digits.front() == '0' && text.size() > 1) return false;
  return std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; });
}

/// Whether the JSON text names a member so. Within a value's text a quote follows a backslash, and
/// no value looks like a name.
bool has_member(std::string_view json, std::string_view name) {
  for (auto at = json.find(name, 1); at != json.npos; at = json.find(name, at + 1))
    if (json[at - 1] == '"' && json.substr(at + name.size()).starts_with("\":")) return true;
  return false;
}

void append_member(std::string& out, std::string_view key, const std::string& json) {
  std::string other;
  for (int number = 2; has_member(out, other.empty() ? key : other); ++number)
    other = std::string(key) + '_' + std::to_string(number);
  out.append(",\"").append(other.empty() ? key : other).append("\":").append(json);
}

std::string json_string(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

void append_json_fields(std::string& out, std::string_view fields) {
  std::string message;
  while (!fields.empty()) {
    if (fields.front() == ' ') {
      fields.remove_prefix(1);
      continue;
    }
    const auto key = fields.substr(0, key_length(fields));
    if (key.empty()) {
      const auto word = fields.substr(0, fields.find(' '));
      message.append(message.empty() ? "" : " ").append(word);
      fields.remove_prefix(word.size());
      continue;
    }
    fields.remove_prefix(key.size() + 1);
    if (fields.starts_with('"')) {
      fields.remove_prefix(1);
      const auto value = fields.substr(0, quoted_length(fields));
      append_member(out, key, json_string(without_escapes(value)));
      fields.remove_prefix(std::min(fields.size(), value.size() + 1));
    } else {
      const auto value = fields.substr(0, fields.find(' '));
      append_member(out, key, is_number(value) ? std::string(value) : json_string(value));
      fields.remove_prefix(value.size());
    }
  }
  if (!message.empty()) append_member(out, "message", json_string(message));
}

}  // namespace skanu
