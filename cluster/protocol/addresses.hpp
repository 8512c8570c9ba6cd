// Texts of the command line that name places.
#pragma once

#include <string>
#include <vector>

namespace skanu {

/// ADDR:PORT, where ADDR may be an IPv6 address in brackets.
bool split_address(const std::string& text, std::string& address, int& port);

/// The items of a list by commas, without the blanks round them.
std::vector<std::string> split(const std::string& list);

}  // namespace skanu
