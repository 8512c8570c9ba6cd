// The bytes between nodes in every protocol version, written down: nodes of other builds must
// understand each other.
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

/// A message and its bytes in hexadecimal, in protocol version 4.
template <class Body>
struct sample {
  std::string name;
  Body body;
  std::string bytes;
  std::string bytes_in_5;
  std::string bytes_in_3 = {};  ///< Empty if the bytes equal the bytes in version 4.

  const std::string& bytes_in(std::uint32_t version) const {
    if (version == 5) return bytes_in_5;
    return version == 3 && !bytes_in_3.empty() ? bytes_in_3 : bytes;
  }
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
       "33362d303066303637616130626139303262372d3031",
       "0077130d020354656104f02e0463617264020330313062021d002244668801aa01cc01ee019002b202d402f6"
       "029803ba03dc03fe0302d8040202060202020400003730302d34626639326633353737623334646136613363"
       "653932396430653065343733362d303066303637616130626139303262372d3031"},
      {"place_call of nothing", place_call{}, "000000000000000000000000",
       "000e0705000000000000050000000000"},
      {"register_order", command(order_command(register_order{tea})),
       "010e00020354656104f02e04636172640000000000",
       "01170e000e0d020354656104f02e0463617264050000000000"},
      {"reject_order", command(order_command(reject_order{})), "010e010000000000",
       "01090e0100050000000000"},
      {"cancel_order", command(order_command(cancel_order{})), "010e020000000000",
       "01090e0200050000000000"},
      {"close_order", command(order_command(close_order{})), "010e030000000000",
       "010a0e030100050000000000"},
      {"close_order, delivered at noon",
       command(order_command(close_order{instant{std::chrono::hours{12}}})), "010e030000000000",
       "010e0e03050280b89929050000000000"},
      {"open_payment", command(payment_command(open_payment{tea, "010"})),
       "020e00020354656104f02e046361726402033031300000000000",
       "021c0e00130d020354656104f02e04636172640203303130050000000000"},
      {"update_payment",
       command(payment_command(
           update_payment{payment_status::cancelled, "010", "cash", 1, 2, 3, "Tea", 4, 5})),
       "020e0106020330313002046361736802020204020602035465610208020a0000000000",
       "02240e011b06020330313002046361736802020204020602035465610208020a050000000000"},
      {"update_payment of nothing", command(payment_command(update_payment{})),
       "020e010400000000000000000000000000", "02120e0109040000000000000000050000000000"},
      {"cancel_payment", command(payment_command(cancel_payment{cancel_cause::order_rejected})),
       "020e02040000000000", "020a0e020104050000000000"},
      {"close_payment", command(payment_command(close_payment{})), "020e030000000000",
       "020a0e030100050000000000"},
      {"prepare_delivery", command(delivery_command(prepare_delivery{1, "Tea", 2})),
       "030e000203546561040000000000", "030f0e0006020354656104050000000000"},
      {"move_delivery", command(delivery_command(move_delivery{delivery_status::ended, "home"})),
       "030e01080204686f6d650000000000", "03100e0107080204686f6d65050000000000"},
      {"cancel_delivery", command(delivery_command(cancel_delivery{})), "030e020000000000",
       "03090e0200050000000000"},
      {"add_stamps", command(stamp_command(add_stamps{-3})), "040e00050000000000",
       "040a0e000105050000000000"},
      {"earn_stamps", command(stamp_command(earn_stamps{1, 2})), "040e0102040000000000",
       "040b0e01020204050000000000"},
      {"deduct_stamps", command(stamp_command(deduct_stamps{1})), "040e02020000000000",
       "040a0e020102050000000000"},
      {"pull_call", pull_call{service::stamp, {7, 8, {"Paid", "END"}, "0123456789abcdef"}},
       "05060e1002045061696403454e441030313233343536373839616263646566",
       "051f061d0e1002045061696403454e441030313233343536373839616263646566",
       "05060e1002045061696403454e44"},
      {"entity_call", entity_call{service::ordertrace, 42}, "060854", "06020854"},
      {"page_call", page_call{service::delivery, {std::uint8_t{3}, 4, 5, 6, true}},
       "0704020602080a0c02", "070b0409020602080a0c020000"},
      {"rows_page_call", rows_page_call{service::stamp, 7, "p", {{}, {}, 1, 2, false}},
       "08060e01700000020400", "080c060e01700700000204000000"},
      {"breaker_call", breaker_call{}, "09", "0900"},
  };
}

std::vector<sample<answer_body>> answers() {
  return {
      {"error", error{errc::invalid_field, "no", {{"qty", "too large"}}},
       "0002026e6f010371747909746f6f206c61726765", "001402026e6f010e0371747909746f6f206c61726765"},
      {"error that version 3 knows not", error{errc::data_too_old, "old"}, "002e036f6c6400",
       "00062e036f6c6400", "0022036f6c6400"},
      {"accepted", accepted{effect::changed, 1, 2, std::make_shared<const std::string>("{}")},
       "0102020402027b7d", "010702020402027b7d"},
      {"accepted without a document", accepted{}, "0104000000", "010404000000"},
      {"event_batch",
       event_batch{{{5, "a"}, {6, ""}}, 7, true, 9, true, {{1, "0123456789abcdef"}, {6, "b"}}},
       "02020a01610c000e021202020210303132333435363738396162636465660c0162",
       "022402030a0161020c000e0212020212021030313233343536373839616263646566030c0162",
       "02020a01610c000e0212"},
      {"entity", std::optional<std::string>("{}"), "0302027b7d", "0302027b7d"},
      {"no entity", std::optional<std::string>(), "0300", "0300"},
      {"page", stored_page{{{5, "{}"}, {6, ""}}, 7, 8, 9, 10, {11}},
       "04020a027b7d0c000e0210021202140116", "041302040a027b7d020c000e021002120214011600",
       "04020a027b7d0c000e021002120214"},
      {"page of rows", std::optional(stored_page{.total = -1}), "0502000100000000",
       "05020700010000000000", "05020001000000"},
      {"no page of rows", std::optional<stored_page>(), "0500", "0500"},
      {"figures", circuit_breaker::figures{breaker_state::half_open, 49.75, -1, 3, 2, 300},
       "0604808080808080b8a44080808080808080f8bf010604d804",
       "061804808080808080b8a44080808080808080f8bf010604d804"},
  };
}

template <class Body, class Decode>
void check(const sample<Body>& s, Decode decode) {
  for (auto version = oldest_protocol_version; version <= protocol_version; ++version) {
    const auto bytes = encode(s.body, version);
    EXPECT_EQ(hexadecimal(bytes), s.bytes_in(version)) << s.name << " in version " << version;
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

std::string bytes_of(std::string_view hexadecimal) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hexadecimal.size(); i += 2)
    bytes += static_cast<char>(std::stoi(std::string(hexadecimal.substr(i, 2)), nullptr, 16));
  return bytes;
}

TEST(wire_bytes, of_the_first_builds_of_version_5_lack_the_fields_added_since) {
  const auto list = std::get<page_call>(decode_call(bytes_of("07090407020602080a0c02"), 5));
  EXPECT_EQ(list.query.size, 6U);
  EXPECT_FALSE(list.query.from || list.query.until);
  const auto page =
      std::get<stored_page>(decode_answer(bytes_of("041202040a027b7d020c000e0210021202140116"), 5));
  EXPECT_EQ(page.damaged.size(), 1U);
  EXPECT_FALSE(page.in_window);
  const auto close =
      std::get<command_call<order_command>>(decode_call(bytes_of("01090e0300050000000000"), 5));
  EXPECT_FALSE(std::get<close_order>(close.command).delivered_at);
}

TEST(wire_bytes, a_condition_that_an_older_node_does_not_know_is_met_by_nothing_there) {
  command_call<stamp_command> call{7, add_stamps{1}, {}};
  call.with.condition =
      version_condition{.unwanted = version_list{true, {}}, .only_unwanted = true};
  const auto seen =
      std::get<command_call<stamp_command>>(decode_call(encode(call_body(call), 4), 4));
  ASSERT_TRUE(seen.with.condition);
  EXPECT_FALSE(seen.with.condition->holds(std::nullopt));
  EXPECT_FALSE(seen.with.condition->holds(1));
  const auto here = std::get<command_call<stamp_command>>(decode_call(encode(call_body(call))));
  EXPECT_TRUE(here.with.condition->holds(std::nullopt));
  EXPECT_FALSE(here.with.condition->holds(1));
}

TEST(wire_bytes, of_hellos_are_those_of_other_builds) {
  hello h{.name = "order", .incarnation = 300, .nonce = "nonce", .cluster = "cluster"};
  h.orders = {1, 2, "line", {{1, "a"}}};
  h.oldest = 3;
  h.services = {"order", "stamp"};
  const std::string in_3 = "06056f72646572d804056e6f6e6365";
  const std::string in_4 = in_3 + "07636c75737465720204046c696e65";
  const std::string in_5 =
      in_3 + "07636c75737465720204046c696e65" + "01020161" + "0602056f72646572057374616d70";
  const auto bytes_in = [&](std::uint32_t version) {
    h.protocol = version;
    return hexadecimal(encode(h)).substr(2);
  };
  EXPECT_EQ(bytes_in(3), in_3.substr(2));
  EXPECT_EQ(bytes_in(4), in_4.substr(2));
  EXPECT_EQ(bytes_in(5), in_5.substr(2));
  h.protocol = 3;
  EXPECT_EQ(decode_hello(encode(h)).cluster, "");
}

}  // namespace
}  // namespace skanu
