// What nodes say to each other: calls and their answers.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "actors/rules/circuit_breaker.hpp"
#include "cluster/protocol/wire_format.hpp"
#include "messages/delivery.hpp"
#include "messages/log.hpp"
#include "messages/order.hpp"
#include "messages/payment.hpp"
#include "messages/reply.hpp"
#include "messages/stamp.hpp"
#include "persistence/store.hpp"

namespace skanu {

/// What travels with a command to another node: a request without the right to answer it, which the
/// session keeps.
struct request_terms {
  std::optional<operation_id> operation;
  std::uint64_t fingerprint = 0;
  bool maybe_repeated = false;
  std::optional<version_condition> condition;
  std::string traceparent = {};  ///< Empty where the request has no trace.
};

struct place_call {
  place_order order;
  request_terms with;
};

template <class Command>
struct command_call {
  entity_id id = 0;
  Command command;
  request_terms with;
};

struct pull_call {
  service of = service::order;
  log_query query;
};

struct entity_call {
  service of = service::order;
  entity_id id = 0;
};

struct page_call {
  service of = service::order;
  page_query query;
};

struct rows_page_call {
  service of = service::order;
  entity_id id = 0;
  std::string prefix;
  page_query query;
};

/// What is read of a store, in one question and from one moment.
using read_body = std::variant<entity_call, page_call, rows_page_call>;

struct breaker_call {};

using call_body =
    std::variant<place_call, command_call<order_command>, command_call<payment_command>,
                 command_call<delivery_command>, command_call<stamp_command>, pull_call,
                 entity_call, page_call, rows_page_call, breaker_call>;

using answer_body = std::variant<error, accepted, event_batch, std::optional<std::string>,
                                 stored_page, std::optional<stored_page>, circuit_breaker::figures>;

/// Whether a call may change something: then "no answer" says nothing about its outcome.
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
