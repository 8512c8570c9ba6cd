// Words about a command line, an environment or a configuration file that was not understood: the
// place of the mistake, and the nearest right name.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

namespace skanu {

/// The candidate with the fewest edits to `word`; empty where none is near (a third of its letters,
/// two at least).
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

/// Words for CLI11's failure to read `arguments`, on one line.
std::string words_for(const CLI::ParseError& problem, const CLI::App& app,
                      std::span<const char* const> arguments);

/// The words, and where the option that they name was set, unless on the command line.
std::string with_place(std::string words, const CLI::App& app,
                       std::span<const char* const> arguments);

/// Words for each SKANU_ variable that is nearly the name of an option's variable, and none itself.
/// Other variables are left alone: container platforms and tests set SKANU_ variables of their own.
std::vector<std::string> doubtful_variables(const CLI::App& app,
                                            const std::vector<std::string>& variables);

/// The names of this process's variables.
std::vector<std::string> variables_here();

}  // namespace skanu
