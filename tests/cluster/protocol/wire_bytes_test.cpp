// The bytes that nodes of the versions 3 and 4 exchange, written down: a node of this program must
// understand a node of another build.
#include <gtest/gtest.h>

#include "cluster/protocol/handshake.hpp"
#include "cluster/protocol/wire.hpp"

namespace skanu {
namespace {

std::string hexadecimal(std::string_view bytes) {
  constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (const auto byte : bytes) {
    text += digits[static_cast<unsigned char>(byte) >> 4];
    text += digits[static_cast<unsigned char>(byte) & 15];
  }
  return text;
}

/// A message and its bytes in hexadecimal.
template <class Body>
struct sample {
  std::string name;
  Body body;
  std::string bytes;
  std::string bytes_in_3 = {};  ///< Empty where they are the same.
};

command_context with_all() {
  command_context terms;
  terms.operation.emplace();
  for (std::size_t i = 0; i < 16; ++i)
    terms.operation->bytes[i] = static_cast<unsigned char>(i * 17);
  terms.operation->from_client = true;
  terms.fingerprint = 300;
  terms.maybe_repeated = true;
  terms.condition = version_condition{true, {1, 2}};
  terms.trace = trace_context_of("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
  return terms;
}

const order_details tea = {1, "Tea", 2, 3'000, "card"};

template <class Command>
call_body command(Command c) {
  return command_call<Command>{7, std::move(c), {}};
}

std::vector<sample<call_body>> calls() {
  return {
      {"place_call", place_call{{tea, "010"}, with_all()},
       "00020354656104f02e0463617264020330313002002244668801aa01cc01ee019002b202d402f6029803ba03dc0"
       "3fe0302d8040202020202043730302d346266393266333537376233346461366133636539323964306530653437"
       "33362d303066303637616130626139303262372d3031"},
      {"place_call of nothing", place_call{}, "000000000000000000000000"},
      {"register_order", command(order_command(register_order{tea})),
       "010e00020354656104f02e04636172640000000000"},
      {"reject_order", command(order_command(reject_order{})), "010e010000000000"},
      {"cancel_order", command(order_command(cancel_order{})), "010e020000000000"},
      {"close_order", command(order_command(close_order{})), "010e030000000000"},
      {"open_payment", command(payment_command(open_payment{tea, "010"})),
       "020e00020354656104f02e046361726402033031300000000000"},
      {"update_payment",
       command(payment_command(
           update_payment{payment_status::cancelled, "010", "cash", 1, 2, 3, "Tea", 4, 5})),
       "020e0106020330313002046361736802020204020602035465610208020a0000000000"},
      {"update_payment of nothing", command(payment_command(update_payment{})),
       "020e010400000000000000000000000000"},
      {"cancel_payment", command(payment_command(cancel_payment{cancel_cause::order_rejected})),
       "020e02040000000000"},
      {"close_payment", command(payment_command(close_payment{})), "020e030000000000"},
      {"prepare_delivery", command(delivery_command(prepare_delivery{1, "Tea", 2})),
       "030e000203546561040000000000"},
      {"move_delivery", command(delivery_command(move_delivery{delivery_status::ended, "home"})),
       "030e01080204686f6d650000000000"},
      {"cancel_delivery", command(delivery_command(cancel_delivery{})), "030e020000000000"},
      {"add_stamps", command(stamp_command(add_stamps{-3})), "040e00050000000000"},
      {"earn_stamps", command(stamp_command(earn_stamps{1, 2})), "040e0102040000000000"},
      {"deduct_stamps", command(stamp_command(deduct_stamps{1})), "040e02020000000000"},
      {"pull_call", pull_call{service::stamp, {7, 8, {"Paid", "END"}, "0123456789abcdef"}},
       "05060e1002045061696403454e441030313233343536373839616263646566",
       "05060e1002045061696403454e44"},
      {"entity_call", entity_call{service::ordertrace, 42}, "060854"},
      {"page_call", page_call{service::delivery, {std::uint8_t{3}, 4, 5, 6, true}},
       "0704020602080a0c02"},
      {"rows_page_call", rows_page_call{service::stamp, 7, "p", {{}, {}, 1, 2, false}},
       "08060e01700000020400"},
      {"breaker_call", breaker_call{}, "09"},
  };
}

std::vector<sample<answer_body>> answers() {
  return {
      {"error", error{errc::invalid_field, "no", {{"qty", "too large"}}},
       "0002026e6f010371747909746f6f206c61726765"},
      {"error that version 3 knows not", error{errc::data_too_old, "old"}, "002e036f6c6400",
       "0022036f6c6400"},
      {"accepted", accepted{effect::changed, 1, 2, std::make_shared<const std::string>("{}")},
       "0102020402027b7d"},
      {"accepted without a document", accepted{}, "0104000000"},
      {"event_batch",
       event_batch{{{5, "a"}, {6, ""}}, 7, true, 9, true, {{1, "0123456789abcdef"}, {6, "b"}}},
       "02020a01610c000e021202020210303132333435363738396162636465660c0162",
       "02020a01610c000e0212"},
      {"entity", std::optional<std::string>("{}"), "0302027b7d"},
      {"no entity", std::optional<std::string>(), "0300"},
      {"page", stored_page{{{5, "{}"}, {6, ""}}, 7, 8, 9, 10, {11}},
       "04020a027b7d0c000e0210021202140116", "04020a027b7d0c000e021002120214"},
      {"page of rows", std::optional(stored_page{.total = -1}), "0502000100000000",
       "05020001000000"},
      {"no page of rows", std::optional<stored_page>(), "0500"},
      {"figures", circuit_breaker::figures{breaker_state::half_open, 49.75, -1, 3, 2, 300},
       "0604808080808080b8a44080808080808080f8bf010604d804"},
  };
}

template <class Body, class Decode>
void check(const sample<Body>& s, Decode decode) {
  for (const std::uint32_t version : {3, 4}) {
    const auto bytes = encode(s.body, version);
    EXPECT_EQ(hexadecimal(bytes), version == 3 && !s.bytes_in_3.empty() ? s.bytes_in_3 : s.bytes)
        << s.name << " in version " << version;
    EXPECT_EQ(encode(decode(bytes, version), version), bytes)
        << s.name << " in version " << version;
  }
}

TEST(wire_bytes, of_calls_are_those_of_other_builds) {
  for (const auto& s : calls()) check(s, decode_call);
}

TEST(wire_bytes, of_answers_are_those_of_other_builds) {
  for (const auto& s : answers()) check(s, decode_answer);
}

TEST(wire_bytes, of_hellos_are_those_of_other_builds) {
  hello h{4, "order", 300, "nonce", "cluster", {1, 2, "line"}};
  EXPECT_EQ(hexadecimal(encode(h)), "08056f72646572d804056e6f6e636507636c75737465720204046c696e65");
  h.protocol = 3;
  EXPECT_EQ(hexadecimal(encode(h)), "06056f72646572d804056e6f6e6365");
  EXPECT_EQ(decode_hello(encode(h)).cluster, "");
}

}  // namespace
}  // namespace skanu
