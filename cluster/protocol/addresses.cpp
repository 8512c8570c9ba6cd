#include "cluster/protocol/addresses.hpp"

#include <charconv>
#include <cstdint>
#include <sstream>

namespace skanu {

namespace {

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace

bool split_address(const std::string& text, std::string& address, int& port) {
  const auto colon = text.rfind(':');
  if (colon == text.npos || colon == 0) return false;
  address = text.substr(0, colon);
  if (address.size() > 2 && address.front() == '[' && address.back() == ']')
    address = address.substr(1, address.size() - 2);
  const auto digits = text.substr(colon + 1);
  const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  return !digits.empty() && problem == std::errc{} && end == digits.data() + digits.size() &&
         port >= 0 && port <= 65535;
}

std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> parts;
  std::istringstream in(list);
  for (std::string part; std::getline(in, part, ',');) parts.push_back(trimmed(part));
  return parts;
}

}  // namespace skanu
