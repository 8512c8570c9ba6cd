// Calls between nodes, and the answers.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "actors/rules/circuit_breaker.hpp"
#include "cluster/protocol/wire_format.hpp"
#include "messages/entity_commands.hpp"
#include "messages/log.hpp"
#include "messages/reply.hpp"
#include "persistence/store.hpp"

namespace skanu {

// Calls. `changes` says whether a call may change something: only then it carries what travels with
// a command, and "no answer" says nothing about its outcome.

struct place_call {
  static constexpr bool changes = true;
  place_order order;
  command_context with;

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("order", self.order);
    visit("with", self.with);
  }
};

template <class Command>
struct command_call {
  static constexpr bool changes = true;
  entity_id id = 0;
  Command command;
  command_context with;

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("id", self.id);
    visit("command", self.command);
    visit("with", self.with);
  }
};

struct pull_call {
  static constexpr bool changes = false;
  service of = service::order;
  log_query query;

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("of", self.of);
    visit("query", self.query);
  }
};

struct entity_call {
  static constexpr bool changes = false;
  service of = service::order;
  entity_id id = 0;

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("of", self.of);
    visit("id", self.id);
  }
};

struct page_call {
  static constexpr bool changes = false;
  service of = service::order;
  page_query query;

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("of", self.of);
    visit("query", self.query);
  }
};

struct rows_page_call {
  static constexpr bool changes = false;
  service of = service::order;
  entity_id id = 0;
  std::string prefix;
  page_query query;

  template <class Self, class Visitor>
  static constexpr void fields(Self& self, Visitor& visit) {
    visit("of", self.of);
    visit("id", self.id);
    visit("prefix", self.prefix);
    visit("query", self.query);
  }
};

struct breaker_call {
  static constexpr bool changes = false;
};

template <class Call>
concept carries_context = requires(Call& c) {
  { c.with } -> std::same_as<command_context&>;
};

/// One read of a store, from one moment.
using read_body = std::variant<entity_call, page_call, rows_page_call>;

using call_body =
    std::variant<place_call, command_call<order_command>, command_call<payment_command>,
                 command_call<delivery_command>, command_call<stamp_command>, pull_call,
                 entity_call, page_call, rows_page_call, breaker_call>;

using answer_body = std::variant<error, accepted, event_batch, std::optional<std::string>,
                                 stored_page, std::optional<stored_page>, circuit_breaker::figures>;

/// True for a call that may change something.
bool is_change(const call_body& call);

/// Says of a command that it may have been carried out before.
void mark_repeated(call_body& call);

/// In the protocol version that the peer speaks.
std::string encode(const call_body& call, std::uint32_t version = protocol_version);
std::string encode(const answer_body& answer, std::uint32_t version = protocol_version);

/// Throw decode_error.
call_body decode_call(std::string_view bytes, std::uint32_t version = protocol_version);
answer_body decode_answer(std::string_view bytes, std::uint32_t version = protocol_version);

}  // namespace skanu
