// Rules as tables: events make a state, and one word names a decision.
#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "actors/rules/decision.hpp"
#include "messages/fields.hpp"

namespace skanu {

/// The state after the given events.
template <class Rules>
typename Rules::state after(std::initializer_list<typename Rules::event> events) {
  typename Rules::state s;
  for (const auto& e : events) Rules::apply(s, e);
  return s;
}

template <class... Events>
std::string_view type_of(const std::variant<Events...>& event) {
  return std::visit([]<class E>(const E&) { return E::event_type; }, event);
}

/// The types of the events, "nothing", or the word of the refusal.
template <class Event>
std::string word_for(const decision<Event>& d) {
  if (d.refusal) return std::string(name_of(d.refusal->code));
  if (d.events.empty()) return "nothing";
  std::string words;
  for (const auto& e : d.events) words += (words.empty() ? "" : ",") + std::string(type_of(e));
  return words;
}

/// The event of a decision with exactly one event.
template <class Wanted, class Event>
Wanted only_event(const decision<Event>& d) {
  if (d.events.size() != 1 || !std::holds_alternative<Wanted>(d.events.front())) {
    ADD_FAILURE() << "decided " << word_for(d);
    return {};
  }
  return std::get<Wanted>(d.events.front());
}

/// Every state against every command: `rows` names a state and lists one word per command.
template <class Rules>
struct decision_table {
  using state = typename Rules::state;
  using command = typename Rules::command;

  std::vector<std::pair<std::string, state>> states;
  std::vector<std::pair<std::string, command>> commands;
  std::map<std::string, std::vector<std::string>> rows;

  /// Checks every decision. Each decided event must apply and lead to another state, and the same
  /// command again must be a no-op.
  void check(entity_id id) const {
    ASSERT_EQ(rows.size(), states.size());
    for (const auto& [state_name, s] : states) {
      ASSERT_TRUE(rows.contains(state_name)) << state_name;
      const auto& words = rows.at(state_name);
      ASSERT_EQ(words.size(), commands.size()) << state_name;
      for (std::size_t i = 0; i < commands.size(); ++i) {
        SCOPED_TRACE(state_name + ", " + commands[i].first);
        const auto decided = Rules::decide(s, commands[i].second, id);
        EXPECT_EQ(word_for(decided), words[i]);
        if (decided.refusal) {
          EXPECT_FALSE(decided.refusal->detail.empty());
        }
        if (decided.events.empty()) continue;
        auto next = s;
        for (const auto& e : decided.events) Rules::apply(next, e);
        EXPECT_NE(next, s);
        EXPECT_EQ(word_for(Rules::decide(next, commands[i].second, id)), "nothing");
      }
    }
  }
};

}  // namespace skanu
