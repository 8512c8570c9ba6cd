#include "cluster/program/wrong_options.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <numeric>

namespace skanu {

namespace {

using names = std::vector<std::string>;

/// A word longer than any name is near to none, and its distances would take long.
constexpr std::size_t longest_name = 64;
/// Limit of a user's text that the words repeat.
constexpr std::size_t longest_quote = 80;

/// The number of letters to insert, remove or exchange (Levenshtein's distance).
std::size_t edits(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    auto diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const auto above = row[j + 1];
      row[j + 1] = std::min({row[j] + 1, above + 1, diagonal + (a[i] == b[j] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row.back();
}

std::string quoted(std::string_view text) { return std::string(text.substr(0, longest_quote)); }

/// " Did you mean --http?", or nothing.
std::string advice(std::string_view word, const names& candidates) {
  const auto near = nearest(word, candidates);
  return near.empty() ? std::string() : "; did you mean " + near + '?';
}

names option_names(const CLI::App& command, std::string_view front) {
  names all;
  for (const auto* option : command.get_options())
    for (const auto& name : option->get_lnames()) all.push_back(std::string(front) + name);
  return all;
}

names command_names(const CLI::App& app) {
  names all;
  for (const auto* command : app.get_subcommands([](const CLI::App*) { return true; }))
    all.push_back(command->get_name());
  return all;
}

names variable_names(const CLI::App& app) {
  names all;
  for (const auto* option : app.get_options())
    if (!option->get_envname().empty()) all.push_back(option->get_envname());
  for (const auto* command : app.get_subcommands([](const CLI::App*) { return true; }))
    for (auto& name : variable_names(*command)) all.push_back(std::move(name));
  return all;
}

std::string joined(const names& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

/// The configuration file in use; empty without one.
std::string configuration_file(std::span<const char* const> arguments) {
  std::string file;
  if (const auto* variable = std::getenv("SKANU_CONFIG")) file = variable;
  constexpr std::string_view name = "--config";
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view word = arguments[i];
    if (word == name && i + 1 < arguments.size()) file = arguments[i + 1];
    if (word.starts_with("--config=")) file = word.substr(name.size() + 1);
  }
  return file;
}

/// CLI11 reports an unknown key of the file as a parse failure.
std::string words_for_key(std::string key, const CLI::App& app, const std::string& file) {
  constexpr std::string_view section_end = ".++";
  const auto commands = command_names(app);
  const auto in_file = " in " + (file.empty() ? std::string("the configuration file") : file);
  if (key.ends_with(section_end)) {
    const auto section = key.substr(0, key.size() - section_end.size());
    return "there is no section [" + quoted(section) + ']' + in_file + advice(section, commands);
  }
  const auto dot = key.find('.');
  names known = option_names(app, "");
  if (dot != key.npos) {
    const auto command = key.substr(0, dot);
    known = std::ranges::find(commands, command) == commands.end()
                ? names()
                : option_names(*app.get_subcommand(command), command + '.');
  }
  return "no option has the key " + quoted(key) + in_file + advice(key, known);
}

std::string words_for_extras(const CLI::App& app) {
  const auto extras = app.remaining(true);
  if (extras.empty()) return "there is a word that no command takes";
  const auto chosen = app.get_subcommands();
  const auto& word = extras.front();
  if (!word.starts_with('-')) {
    if (chosen.empty())
      return "there is no command " + quoted(word) + advice(word, command_names(app)) +
             " (the commands are " + joined(command_names(app)) + ')';
    return chosen.front()->get_name() + " takes no " + quoted(word) + "; skanu " +
           chosen.front()->get_name() + " --help";
  }
  const auto name = word.substr(0, word.find('='));
  auto known = option_names(app, "--");
  std::string of;
  for (const auto* command : chosen) {
    for (auto& each : option_names(*command, "--")) known.push_back(std::move(each));
    of += ' ' + command->get_name();
  }
  return "there is no option " + quoted(name) + (of.empty() ? "" : " of skanu" + of) +
         advice(name, known);
}

/// The option that the words begin with or name first: "--http takes …", "--from: …".
const CLI::Option* option_in(const std::string& words, const CLI::App& app) {
  const auto begin = words.find("--");
  if (begin == words.npos) return nullptr;
  const auto end = words.find_first_not_of("abcdefghijklmnopqrstuvwxyz-", begin);
  const auto name = words.substr(begin, end - begin);
  for (const auto* command : app.get_subcommands())
    if (const auto* option = command->get_option_no_throw(name)) return option;
  return app.get_option_no_throw(name);
}

}  // namespace

std::string nearest(std::string_view word, const names& candidates) {
  if (word.size() > longest_name) return {};
  std::size_t best = std::max<std::size_t>(2, word.size() / 3) + 1;
  std::string near;
  for (const auto& candidate : candidates) {
    const auto distance = edits(word, candidate);
    if (distance >= best) continue;
    best = distance;
    near = candidate;
  }
  return near;
}

std::string words_for(const CLI::ParseError& problem, const CLI::App& app,
                      std::span<const char* const> arguments) {
  constexpr std::string_view unknown_key = "INI was not able to parse ";
  std::string words = problem.what();
  if (words.starts_with(unknown_key))
    return words_for_key(words.substr(unknown_key.size()), app, configuration_file(arguments));
  if (dynamic_cast<const CLI::ExtrasError*>(&problem) || !app.remaining(true).empty())
    return words_for_extras(app);
  return with_place(std::move(words), app, arguments);
}

std::string with_place(std::string words, const CLI::App& app,
                       std::span<const char* const> arguments) {
  const auto* option = option_in(words, app);
  if (!option) return words;
  const auto flag = "--" + option->get_lnames().front();
  const bool on_line = std::ranges::any_of(arguments, [&](std::string_view word) {
    return word == flag || word.starts_with(flag + '=');
  });
  if (on_line) return words;
  // The file wins over the environment.
  const auto file = configuration_file(arguments);
  if (!file.empty()) {
    try {
      for (const auto& item : app.get_config_formatter()->from_file(file))
        if (item.name == option->get_lnames().front() && !item.parents.empty() &&
            app.got_subcommand(item.parents.front()))
          return words + " (in " + file + ')';
    } catch (const CLI::Error&) {
      return words;  // said already
    }
  }
  const auto& variable = option->get_envname();
  if (!variable.empty() && std::getenv(variable.c_str()))
    return words + " (from the variable " + variable + ')';
  return words;
}

std::vector<std::string> doubtful_variables(const CLI::App& app, const names& variables) {
  const auto known = variable_names(app);
  constexpr std::string_view front = "SKANU_";
  names doubts;
  for (const auto& variable : variables) {
    if (!variable.starts_with(front) || variable.size() > longest_name) continue;
    if (std::ranges::find(known, variable) != known.end()) continue;
    const std::size_t most_edits = variable.size() - front.size() > 6 ? 2 : 1;
    const auto near = nearest(variable, known);
    if (!near.empty() && edits(variable, near) <= most_edits)
      doubts.push_back("no option has the variable " + variable + "; did you mean " + near + '?');
  }
  return doubts;
}

std::vector<std::string> variables_here() {
  names all;
  for (char** each = ::environ; each && *each; ++each) {
    const std::string_view text = *each;
    all.emplace_back(text.substr(0, text.find('=')));
  }
  return all;
}

}  // namespace skanu
