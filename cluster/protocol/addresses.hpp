// Parsers for addresses and lists on the command line.
#pragma once

#include <string>
#include <vector>

namespace skanu {

/// Parses ADDR:PORT, where ADDR may be an IPv6 address in brackets. Returns false for any other
/// text.
bool split_address(const std::string& text, std::string& address, int& port);

/// Returns the items of a comma-separated list, without surrounding blanks.
std::vector<std::string> split(const std::string& list);

}  // namespace skanu
