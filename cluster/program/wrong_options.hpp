// Words about a command line, an environment or a configuration file that was not understood: the
// place of the mistake, and the nearest right name.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

namespace skanu {

/// The candidate with the fewest edits to `word`. A swap of neighbours counts as an edit, and so
/// does the rest of a candidate with the word as its beginning. Empty where none is near (a third
/// of the word's letters).
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

/// Words for CLI11's failure to read `arguments`, on one line.
std::string words_for(const CLI::ParseError& problem, const CLI::App& app,
                      std::span<const char* const> arguments);

/// Words where help or the version was asked for by mistake: by -http, or about an unknown command.
/// Otherwise empty.
std::string words_instead_of_help(const CLI::App& app, std::span<const char* const> arguments);

/// The words, and where the option that they name was set, unless on the command line.
std::string with_place(std::string words, const CLI::App& app,
                       std::span<const char* const> arguments);

/// Words for each SKANU_ variable without an option. Left alone are SKANU_BIN and the variables of
/// Kubernetes for a service of such a name (SKANU_GATEWAY_SERVICE_HOST, SKANU_GATEWAY_PORT …).
/// `app` has not parsed yet.
std::vector<std::string> unknown_variables(const CLI::App& app,
                                           const std::vector<std::string>& variables);

/// The names of this process's variables.
std::vector<std::string> variables_here();

}  // namespace skanu
