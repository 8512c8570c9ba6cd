// Messages between nodes: written, read as the same, and refused where damaged.
#include "cluster/protocol/wire.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>

namespace skanu {
namespace {

constexpr auto smallest = std::numeric_limits<std::int64_t>::min();
constexpr auto largest = std::numeric_limits<std::int64_t>::max();

/// Every byte there is.
std::string all_bytes() {
  std::string text;
  for (int byte = 0; byte < 256; ++byte) text += static_cast<char>(byte);
  return text;
}

command_context all_terms() {
  command_context terms;
  terms.operation.emplace();
  for (std::size_t i = 0; i < 16; ++i)
    terms.operation->bytes[i] = static_cast<unsigned char>(i * 17);
  terms.operation->from_client = true;
  terms.fingerprint = std::numeric_limits<std::uint64_t>::max();
  terms.maybe_repeated = true;
  terms.condition = version_condition{true, {0, 1, largest}};
  terms.trace = trace_context_of("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
  return terms;
}

order_details all_details() { return {largest, all_bytes(), smallest, -1, "card"}; }

update_payment all_of_a_payment() {
  return {payment_status::cancelled, "010", "card", 1, smallest, largest, all_bytes(),
          std::int64_t{-7},          won{0}};
}

/// One call of every kind and command, with every field set, and with none.
std::vector<call_body> all_calls() {
  const auto with = all_terms();
  std::vector<call_body> calls = {
      place_call{{all_details(), all_bytes()}, with},
      place_call{},
      pull_call{service::stamp, {largest, SIZE_MAX, {"", "Paid", all_bytes()}}},
      pull_call{},
      entity_call{service::ordertrace, largest},
      entity_call{},
      page_call{service::delivery, {std::uint8_t{255}, smallest, largest, SIZE_MAX, true}},
      page_call{},
      rows_page_call{service::stamp, largest, all_bytes(), {std::uint8_t{0}, 0, smallest, 1, true}},
      rows_page_call{},
      breaker_call{}};
  const auto add = [&](auto command) {
    calls.push_back(command_call<decltype(command)>{largest, command, with});
    calls.push_back(command_call<decltype(command)>{0, command, {}});
  };
  add(order_command(register_order{all_details()}));
  add(order_command(reject_order{}));
  add(order_command(cancel_order{}));
  add(order_command(close_order{}));
  add(payment_command(open_payment{all_details(), all_bytes()}));
  add(payment_command(open_payment{}));
  add(payment_command(all_of_a_payment()));
  add(payment_command(update_payment{}));
  add(payment_command(cancel_payment{cancel_cause::order_rejected}));
  add(payment_command(close_payment{}));
  add(delivery_command(prepare_delivery{largest, all_bytes(), smallest}));
  add(delivery_command(move_delivery{delivery_status::cancelled, all_bytes()}));
  add(delivery_command(move_delivery{}));
  add(delivery_command(cancel_delivery{}));
  add(stamp_command(add_stamps{smallest}));
  add(stamp_command(earn_stamps{largest, -1}));
  add(stamp_command(deduct_stamps{largest}));
  return calls;
}

stored_page whole_page() {
  return {{{1, all_bytes()}, {largest, ""}}, smallest, largest, 0, smallest};
}

std::vector<answer_body> all_answers() {
  circuit_breaker::figures figures{breaker_state::half_open, 49.75, -1, SIZE_MAX, 0, largest};
  return {error{errc::undecodable, all_bytes(), {{"qty", "too large"}, {"", all_bytes()}}},
          error{},
          accepted{effect::unchanged, largest, smallest,
                   std::make_shared<const std::string>(all_bytes())},
          accepted{},
          event_batch{{{largest, all_bytes()}, {0, ""}}, smallest, true},
          event_batch{},
          std::optional<std::string>(all_bytes()),
          std::optional<std::string>(""),
          std::optional<std::string>(),
          whole_page(),
          stored_page{},
          std::optional<stored_page>(whole_page()),
          std::optional<stored_page>(stored_page{}),
          std::optional<stored_page>(),
          figures,
          circuit_breaker::figures{}};
}

// --- Round trips -------------------------------------------------------------------------------

// The fields are compared one by one below; here every kind is read as it was written.
TEST(wire, every_kind_of_call_is_read_as_it_was_written) {
  std::set<std::size_t> kinds;
  std::set<std::string> bytes;
  for (const auto& call : all_calls()) {
    const auto written = encode(call);
    const auto read = decode_call(written);
    EXPECT_EQ(read.index(), call.index());
    EXPECT_EQ(encode(read), written);
    kinds.insert(call.index());
    EXPECT_TRUE(bytes.insert(written).second) << "two calls look the same, " << call.index();
  }
  EXPECT_EQ(kinds.size(), std::variant_size_v<call_body>);
}

TEST(wire, every_kind_of_answer_is_read_as_it_was_written) {
  std::set<std::size_t> kinds;
  std::set<std::string> bytes;
  for (const auto& answer : all_answers()) {
    const auto written = encode(answer);
    const auto read = decode_answer(written);
    EXPECT_EQ(read.index(), answer.index());
    EXPECT_EQ(encode(read), written);
    kinds.insert(answer.index());
    EXPECT_TRUE(bytes.insert(written).second) << "two answers look the same, " << answer.index();
  }
  EXPECT_EQ(kinds.size(), std::variant_size_v<answer_body>);
}

template <class Wanted>
Wanted through(Wanted value) {
  if constexpr (std::is_constructible_v<answer_body, Wanted>) {
    return std::get<Wanted>(decode_answer(encode(answer_body(value))));
  } else {
    return std::get<Wanted>(decode_call(encode(call_body(value))));
  }
}

TEST(wire, every_field_of_a_command_arrives) {
  const auto placed = through(place_call{{all_details(), all_bytes()}, all_terms()});
  EXPECT_EQ(placed.order.details, all_details());
  EXPECT_EQ(placed.order.phone_number, all_bytes());
  EXPECT_EQ(placed.with.operation, all_terms().operation);
  EXPECT_EQ(placed.with.fingerprint, all_terms().fingerprint);
  EXPECT_TRUE(placed.with.maybe_repeated);
  ASSERT_TRUE(placed.with.condition);
  EXPECT_TRUE(placed.with.condition->any);
  EXPECT_EQ(placed.with.condition->versions, all_terms().condition->versions);
  EXPECT_EQ(placed.with.trace, all_terms().trace);

  const auto paid = through(command_call<payment_command>{3, all_of_a_payment(), {}});
  EXPECT_EQ(paid.id, 3);
  EXPECT_FALSE(paid.with.operation);
  EXPECT_FALSE(paid.with.condition);
  const auto& u = std::get<update_payment>(paid.command);
  const auto expected = all_of_a_payment();
  EXPECT_EQ(u.target, expected.target);
  EXPECT_EQ(u.phone_number, expected.phone_number);
  EXPECT_EQ(u.payment_type, expected.payment_type);
  EXPECT_EQ(u.id, expected.id);
  EXPECT_EQ(u.order_id, expected.order_id);
  EXPECT_EQ(u.product_id, expected.product_id);
  EXPECT_EQ(u.product_name, expected.product_name);
  EXPECT_EQ(u.qty, expected.qty);
  EXPECT_EQ(u.cost, expected.cost);

  const auto opened =
      through(command_call<payment_command>{1, open_payment{all_details(), "1"}, {}});
  EXPECT_EQ(std::get<open_payment>(opened.command).details, all_details());
  EXPECT_EQ(std::get<open_payment>(opened.command).phone_number, "1");
  const auto cancelled =
      through(command_call<payment_command>{1, cancel_payment{cancel_cause::order_cancelled}, {}});
  EXPECT_EQ(std::get<cancel_payment>(cancelled.command).cause, cancel_cause::order_cancelled);
  const auto registered =
      through(command_call<order_command>{1, register_order{all_details()}, {}});
  EXPECT_EQ(std::get<register_order>(registered.command).details, all_details());
  const auto prepared =
      through(command_call<delivery_command>{1, prepare_delivery{2, "Tea", 3}, {}});
  EXPECT_EQ(std::get<prepare_delivery>(prepared.command).product_id, 2);
  EXPECT_EQ(std::get<prepare_delivery>(prepared.command).product_name, "Tea");
  EXPECT_EQ(std::get<prepare_delivery>(prepared.command).qty, 3);
  const auto moved = through(
      command_call<delivery_command>{1, move_delivery{delivery_status::started, "here"}, {}});
  EXPECT_EQ(std::get<move_delivery>(moved.command).target, delivery_status::started);
  EXPECT_EQ(std::get<move_delivery>(moved.command).destination, "here");
  const auto earned = through(command_call<stamp_command>{1, earn_stamps{5, 6}, {}});
  EXPECT_EQ(std::get<earn_stamps>(earned.command).payment_id, 5);
  EXPECT_EQ(std::get<earn_stamps>(earned.command).qty, 6);
}

TEST(wire, every_field_of_a_read_arrives) {
  const auto pulled = through(pull_call{service::stamp, {7, 8, {"Paid", ""}}});
  EXPECT_EQ(pulled.of, service::stamp);
  EXPECT_EQ(pulled.query.from, 7);
  EXPECT_EQ(pulled.query.limit, 8U);
  EXPECT_EQ(pulled.query.types, (std::vector<std::string>{"Paid", ""}));
  const auto list = through(page_call{service::delivery, {std::uint8_t{3}, 4, 5, 6, true}});
  EXPECT_EQ(list.of, service::delivery);
  EXPECT_EQ(list.query.status, 3);
  EXPECT_EQ(list.query.after, 4);
  EXPECT_EQ(list.query.number, 5);
  EXPECT_EQ(list.query.size, 6U);
  EXPECT_TRUE(list.query.descending);
  const auto rows = through(rows_page_call{service::stamp, 7, "p", {.after = 8, .size = 9}});
  EXPECT_EQ(rows.of, service::stamp);
  EXPECT_EQ(rows.id, 7);
  EXPECT_EQ(rows.prefix, "p");
  EXPECT_EQ(rows.query.after, 8);
  EXPECT_EQ(rows.query.size, 9U);
  EXPECT_FALSE(rows.query.descending);
  EXPECT_EQ(through(entity_call{service::payment, 42}).id, 42);
}

TEST(wire, every_field_of_an_answer_arrives) {
  const error e{errc::not_found, "none", {{"id", "of nothing"}}};
  EXPECT_EQ(through(e), e);
  const auto done =
      through(accepted{effect::changed, 1, 2, std::make_shared<const std::string>(all_bytes())});
  EXPECT_EQ(done.what, effect::changed);
  EXPECT_EQ(done.id, 1);
  EXPECT_EQ(done.version, 2);
  EXPECT_EQ(*done.document, all_bytes());
  EXPECT_EQ(through(accepted{}).document, nullptr);
  const auto batch = through(event_batch{{{5, all_bytes()}, {6, ""}}, 7, true});
  ASSERT_EQ(batch.events.size(), 2U);
  EXPECT_EQ(batch.events[0].offset, 5);
  EXPECT_EQ(batch.events[0].body, all_bytes());
  EXPECT_EQ(batch.next, 7);
  EXPECT_TRUE(batch.more);
  const auto shown = through(circuit_breaker::figures{breaker_state::open, 12.5, NAN, 3, 4, 5});
  EXPECT_EQ(shown.state, breaker_state::open);
  EXPECT_EQ(shown.failure_rate, 12.5);
  EXPECT_TRUE(std::isnan(shown.slow_call_rate));
  EXPECT_EQ(shown.buffered_calls, 3U);
  EXPECT_EQ(shown.failed_calls, 4U);
  EXPECT_EQ(shown.not_permitted_calls, 5);
  const auto page = through(stored_page{{{5, all_bytes()}, {6, ""}}, 7, 8, 9, 10});
  ASSERT_EQ(page.items.size(), 2U);
  EXPECT_EQ(page.items[0].id, 5);
  EXPECT_EQ(page.items[0].document, all_bytes());
  EXPECT_EQ(page.total, 7);
  EXPECT_EQ(page.next_after, 8);
  EXPECT_EQ(page.prev_after, 9);
  EXPECT_EQ(page.last_after, 10);
  EXPECT_EQ(through(std::optional<stored_page>()), std::nullopt);
  for (const auto n : {smallest, std::int64_t{-1}, std::int64_t{0}, std::int64_t{1}, largest})
    EXPECT_EQ(through(std::optional(stored_page{.total = n}))->total, n);
}

// --- Which calls change something --------------------------------------------------------------

TEST(wire, commands_are_changes_and_can_be_marked_as_repeats) {
  for (auto call : all_calls()) {
    const bool has_terms = std::visit(
        [](auto& c) {
          return requires { c.with; };
        },
        call);
    EXPECT_EQ(is_change(call), has_terms) << call.index();
    mark_repeated(call);
    std::visit(
        [](auto& c) {
          if constexpr (requires { c.with; }) {
            EXPECT_TRUE(c.with.maybe_repeated);
          }
        },
        call);
  }
}

// --- Damaged bytes -----------------------------------------------------------------------------

TEST(wire, what_is_cut_short_or_too_long_is_refused) {
  const auto check = [](const std::string& bytes, auto decode) {
    for (std::size_t size = 0; size < bytes.size(); ++size)
      EXPECT_THROW(decode(std::string_view(bytes).substr(0, size)), decode_error)
          << size << " of " << bytes.size();
    EXPECT_THROW(decode(bytes + '\0'), decode_error);
    EXPECT_THROW(decode(bytes + bytes), decode_error);
  };
  for (const auto& call : all_calls())
    check(encode(call), [](std::string_view b) { return decode_call(b); });
  for (const auto& answer : all_answers())
    check(encode(answer), [](std::string_view b) { return decode_answer(b); });
}

// Bytes written by hand have no sizes of values.
constexpr std::uint32_t without_sizes = first_version_with_sizes - 1;
call_body read_call(std::string_view bytes) { return decode_call(bytes, without_sizes); }
answer_body read_answer(std::string_view bytes) { return decode_answer(bytes, without_sizes); }

TEST(wire, unknown_kinds_and_values_are_refused) {
  const auto number = [](std::int64_t n) { return to_wire(n); };
  const std::string unknown_call(1, static_cast<char>(std::variant_size_v<call_body>));
  const std::string unknown_answer(1, static_cast<char>(std::variant_size_v<answer_body>));
  EXPECT_THROW(read_call(unknown_call), decode_error);
  EXPECT_THROW(read_answer(unknown_answer), decode_error);
  EXPECT_THROW(read_call("\xff\xff\xff\xff\x7f"), decode_error);
  const std::string entity(1, '\6');
  EXPECT_EQ(std::get<entity_call>(read_call(entity + number(4) + number(1))).of,
            service::ordertrace);
  EXPECT_THROW(read_call(entity + number(5) + number(1)), decode_error);
  EXPECT_THROW(read_call(entity + number(-1) + number(1)), decode_error);
  EXPECT_THROW(read_call(entity + number(256) + number(1)), decode_error);
  const std::string failed(1, '\0');
  EXPECT_THROW(read_answer(failed + number(255) + std::string(2, '\0')), decode_error);
  const std::string order(1, '\1');
  EXPECT_THROW(read_call(order + number(1) + "\4"), decode_error) << "no such command";
}

TEST(wire, flags_and_small_numbers_out_of_range_are_refused) {
  const auto page = [](const std::string& flag, std::int64_t status) {
    const auto zero = to_wire(std::int64_t{0});
    return std::string(1, '\7') + to_wire(std::int64_t{1}) + flag + to_wire(status) + zero + zero +
           zero + zero;
  };
  EXPECT_NO_THROW(read_call(page(to_wire(true), 255)));
  EXPECT_THROW(read_call(page(to_wire(std::int64_t{2}), 1)), decode_error);
  EXPECT_THROW(read_call(page(to_wire(true), 256)), decode_error);
  EXPECT_THROW(read_call(page(to_wire(true), -1)), decode_error);
}

/// A page without items, up to its total.
const std::string page_up_to_total("\4\0", 2);
const std::string page_behind_total(4, '\0');

TEST(wire, a_number_that_does_not_end_is_refused) {
  const auto page_of = [](const std::string& total) {
    return page_up_to_total + total + page_behind_total;
  };
  EXPECT_THROW(read_answer(page_of(std::string(11, '\x80'))), decode_error);
  EXPECT_THROW(read_answer(page_of(std::string(10, '\xff') + '\1')), decode_error);
  EXPECT_NO_THROW(read_answer(page_of(std::string(9, '\xff') + '\1')));
}

// It was read as another number: the bits beyond the 64th were dropped.
TEST(wire, a_number_beyond_64_bits_is_refused) {
  EXPECT_THROW(read_answer(page_up_to_total + std::string(9, '\xff') + '\2' + page_behind_total),
               decode_error);
  EXPECT_THROW(read_answer(page_up_to_total + std::string(9, '\x80') + '\x7e' + page_behind_total),
               decode_error);
}

TEST(wire, a_length_beyond_the_end_takes_no_memory) {
  const std::string document = std::string(1, '\3') + to_wire(true);
  EXPECT_THROW(read_answer(document + "\xff\xff\xff\xff\xff\xff\xff\xff\x7f"), decode_error);
  const std::string page(1, '\4');
  EXPECT_THROW(read_answer(page + "\xff\xff\xff\xff\xff\xff\xff\xff\x7f"), decode_error);
}

TEST(wire, fields_that_only_one_side_knows_are_skipped) {
  // A deduct_stamps: its size, and the payment's id.
  const call_body call = command_call<stamp_command>{42, deduct_stamps{7}, {}};
  auto bytes = encode(call);
  const std::string fields("\x01\x0e", 2);
  const auto at = bytes.find(fields);
  ASSERT_NE(at, bytes.npos);
  const auto command = [](const std::string& b) {
    return std::get<deduct_stamps>(std::get<command_call<stamp_command>>(decode_call(b)).command);
  };
  EXPECT_EQ(command(bytes).payment_id, 7);
  auto longer = bytes;
  longer.replace(at, 2,
                 std::string("\x04\x0e"
                             "new",
                             5));
  longer[1] = static_cast<char>(longer[1] + 3);
  EXPECT_EQ(command(longer).payment_id, 7) << "a newer node's";
  auto shorter = bytes;
  shorter.replace(at, 2, std::string("\0", 1));
  shorter[1] = static_cast<char>(shorter[1] - 1);
  EXPECT_EQ(command(shorter).payment_id, 0) << "an older node's";
}

}  // namespace
}  // namespace skanu
