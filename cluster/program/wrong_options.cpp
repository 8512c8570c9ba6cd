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
/// Letters of a word that is near to each longer name with such a beginning.
constexpr std::size_t shortest_beginning = 3;
/// Limit of a user's text that the words repeat.
constexpr std::size_t longest_quote = 80;
/// The variable that tells cluster/up, the examples and the tests where the program is.
constexpr std::string_view of_the_scripts = "SKANU_BIN";

/// The number of letters to insert, remove or exchange, or of neighbours to swap (the distance of
/// Damerau and Levenshtein, where no letter is changed twice).
std::size_t edits(std::string_view a, std::string_view b) {
  std::vector rows(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) {
    for (std::size_t j = 0; j <= b.size(); ++j) {
      auto& least = rows[i][j];
      least = i + j;
      if (i == 0 || j == 0) continue;
      const std::size_t exchange = a[i - 1] == b[j - 1] ? 0 : 1;
      least = std::min({rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + exchange});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        least = std::min(least, rows[i - 2][j - 2] + 1);
    }
  }
  return rows.back().back();
}

/// The front of the text, on one line.
std::string cited(std::string_view text) {
  std::string front(text.substr(0, longest_quote));
  std::ranges::replace_if(
      front, [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  return front;
}

/// " Did you mean --http?", or nothing.
std::string advice(std::string_view word, const names& candidates) {
  const auto near = nearest(word, candidates);
  return near.empty() ? std::string() : "; did you mean " + near + '?';
}

/// "a, b or c". There is a word at least.
std::string listed(const names& words, std::string_view last = "or") {
  std::string text = words.front();
  for (std::size_t i = 1; i < words.size(); ++i)
    text += (i + 1 < words.size() ? ", " : ' ' + std::string(last) + ' ') + words[i];
  return text;
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

/// The commands that have the option, in the form FRONT name BACK.
names holders(const CLI::App& app, const std::string& option, const char* front = "",
              const char* back = "") {
  names all;
  for (const auto& name : command_names(app))
    if (app.get_subcommand(name)->get_option_no_throw(option)) all.push_back(front + name + back);
  return all;
}

/// The commands chosen, from the program to the innermost.
std::vector<const CLI::App*> chosen_commands(const CLI::App& app) {
  std::vector<const CLI::App*> way{&app};
  for (auto inner = app.get_subcommands(); !inner.empty(); inner = way.back()->get_subcommands())
    way.push_back(inner.front());
  return way;
}

/// "skanu admin explain".
std::string words_of(const std::vector<const CLI::App*>& way) {
  std::string words = "skanu";
  for (std::size_t i = 1; i < way.size(); ++i) words += ' ' + way[i]->get_name();
  return words;
}

/// The configuration file in use; empty without one.
std::string configuration_file(std::span<const char* const> arguments) {
  std::string file;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): there are no threads yet
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
std::string words_for_key(const std::string& key, const CLI::App& app, const std::string& file) {
  constexpr std::string_view section_end = ".++";
  const auto commands = command_names(app);
  const auto in_file = " in " + (file.empty() ? std::string("the configuration file") : file);
  if (key.ends_with(section_end)) {
    const auto section = key.substr(0, key.size() - section_end.size());
    return "there is no section [" + cited(section) + ']' + in_file + advice(section, commands);
  }
  const auto dot = key.find('.');
  const auto unknown = "no option has the key " + cited(key) + in_file;
  const auto sections =
      holders(app, "--" + (dot == key.npos ? key : key.substr(dot + 1)), "[", "]");
  if (!sections.empty())
    return unknown + "; " + cited(key.substr(dot + 1)) + " stands under " + listed(sections);
  names known = option_names(app, "");
  if (dot != key.npos) {
    const auto command = key.substr(0, dot);
    known = std::ranges::find(commands, command) == commands.end()
                ? names()
                : option_names(*app.get_subcommand(command), command + '.');
  }
  return unknown + advice(key, known);
}

std::string words_for_word(const std::string& word, const CLI::App& app) {
  const auto way = chosen_commands(app);
  const auto known = command_names(*way.back());
  const auto words = words_of(way);
  if (known.empty()) return words + " takes no " + cited(word) + "; " + words + " --help";
  return "there is no command " + cited(word) + (way.size() > 1 ? " of " + words : "") +
         advice(word, known) + " (there are " + listed(known, "and") + ')';
}

std::string words_for_option(const std::string& name, const CLI::App& app) {
  const auto way = chosen_commands(app);
  const bool chosen = way.size() > 1;
  auto known = option_names(app, "--");
  for (const auto* command : way)
    for (auto& each : option_names(*command, "--")) known.push_back(std::move(each));
  const bool stands_before = chosen && std::ranges::find(known, name) != known.end();
  if (stands_before) return name + " stands behind " + way[1]->get_name();
  const auto commands = name.starts_with("--") ? holders(app, name) : names();
  if (!chosen && !commands.empty()) return name + " stands behind its command: " + listed(commands);
  const auto unknown = "there is no option " + cited(name) + (chosen ? " of " + words_of(way) : "");
  return unknown + (commands.empty() ? advice(name, known) : ", only of skanu " + listed(commands));
}

std::string words_for_extras(const CLI::App& app) {
  const auto extras = app.remaining(true);
  if (extras.empty()) return "there is a word that no command takes";
  const auto& word = extras.front();
  return word.starts_with('-') ? words_for_option(word.substr(0, word.find('=')), app)
                               : words_for_word(word, app);
}

/// Words where the last command chosen lacks a command.
std::string words_for_no_command(const CLI::App& app) {
  const auto way = chosen_commands(app);
  return words_of(way) + " takes a command: " + listed(command_names(*way.back()));
}

/// CLI11 reads -http as -h and further letters.
std::string flag_of_several_letters(std::span<const char* const> arguments) {
  for (const std::string_view word : arguments)
    if (word.size() > 2 && word[0] == '-' && (word[1] == 'h' || word[1] == 'v'))
      return std::string(word.substr(0, word.find('=')));
  return {};
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
  std::size_t best = std::max<std::size_t>(1, (word.size() + 1) / 3) + 1;
  best = std::min(best, word.size());  // a letter stays at least
  std::string near;
  for (const auto& candidate : candidates) {
    const bool begun = word.size() >= shortest_beginning && candidate.starts_with(word);
    const auto distance = begun ? 1 : edits(word, candidate);
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
  const auto& last = *chosen_commands(app).back();
  if (dynamic_cast<const CLI::RequiredError*>(&problem) && !command_names(last).empty())
    return words_for_no_command(app);
  return with_place(std::move(words), app, arguments);
}

std::string words_instead_of_help(const CLI::App& app, std::span<const char* const> arguments) {
  if (const auto flag = flag_of_several_letters(arguments); !flag.empty())
    return words_for_option(flag, app);
  for (const auto& word : app.remaining(true))
    if (!word.starts_with('-')) return words_for_word(word, app);
  return {};
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
          return words.append(" (in ").append(file).append(")");
    } catch (const CLI::Error&) {
      return words;  // said already
    }
  }
  const auto& variable = option->get_envname();
  // NOLINTNEXTLINE(concurrency-mt-unsafe): there are no threads yet
  if (!variable.empty() && std::getenv(variable.c_str()))
    return words + " (from the variable " + variable + ')';
  return words;
}

std::vector<std::string> unknown_variables(const CLI::App& app, const names& variables) {
  constexpr std::string_view front = "SKANU_", host = "_SERVICE_HOST";
  auto known = variable_names(app);
  for (auto& name : known) name.erase(0, front.size());
  names services;  // of Kubernetes, by their variables' fronts
  for (const auto& variable : variables)
    if (variable.ends_with(host))
      services.push_back(variable.substr(0, variable.size() - host.size()));
  const auto is_a_services = [&](const std::string& variable) {
    return std::ranges::any_of(services, [&](const std::string& service) {
      return variable.starts_with(service + "_SERVICE_") || variable.starts_with(service + "_PORT");
    });
  };
  names words;
  for (const auto& variable : variables) {
    if (!variable.starts_with(front) || variable == of_the_scripts) continue;
    const auto name = variable.substr(front.size());
    if (std::ranges::find(known, name) != known.end() || is_a_services(variable)) continue;
    const auto near = nearest(name, known);
    words.push_back("no option has the variable " + cited(variable) +
                    (near.empty() ? "" : "; did you mean " + std::string(front) + near + '?'));
  }
  return words;
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
