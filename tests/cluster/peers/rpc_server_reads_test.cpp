// Reads and pulls of peers: bounded, and no hindrance to commands.
#include "actors/consumers/event_log.hpp"
#include "tests/cluster/peers/rpc_server_fixture.hpp"
#include "tests/support/log_capture.hpp"
#include "tests/support/scripted_log.hpp"

namespace skanu {
namespace {

TEST_F(rpc_server_test, reads_what_is_stored) {
  here.stores[static_cast<std::size_t>(service::payment)] = &data;
  here.entities.of<payment_command>() =
      start<region<payment_rules>>(env(service::payment), region_limits{});
  serve();
  for (entity_id id = 1; id <= 3; ++id)
    call(static_cast<call_number>(id),
         command_call<payment_command>{id, open_payment{coffee, {}}, {}});
  settle();
  told[0].answers.clear();

  call(10, look(2));
  call(11, look(4));
  call(12, page_call{service::payment, {.after = 1, .size = 1}});
  call(13, page_call{service::payment, {.status = std::uint8_t(payment_status::paid)}});
  call(14, rows_page_call{service::payment, 2, "a-", {}});
  call(15, rows_page_call{service::payment, 4, "a-", {}});
  ASSERT_EQ(told[0].words(),
            "10 document, 11 document, 12 page, 13 page, 14 rows page, 15 rows page");
  const auto answer = [&](std::size_t i) { return told[0].answers[i].second; };
  EXPECT_EQ(std::get<3>(answer(0)), stored(service::payment, 2));
  EXPECT_EQ(std::get<3>(answer(1)), std::nullopt);
  const auto page = std::get<stored_page>(answer(2));
  ASSERT_EQ(page.items.size(), 1U);
  EXPECT_EQ(page.items[0].id, 2);
  EXPECT_EQ(page.items[0].document, stored(service::payment, 2));
  EXPECT_EQ(page.total, 3);
  EXPECT_EQ(page.next_after, 2);
  EXPECT_EQ(page.prev_after, 0);
  EXPECT_EQ(page.last_after, 2);
  EXPECT_EQ(std::get<stored_page>(answer(3)).total, 0);
  EXPECT_EQ(std::get<5>(answer(4))->total, 1);
  EXPECT_EQ(std::get<5>(answer(5)), std::nullopt);
}

// A deep page must not hold up the peer's other calls.
TEST_F(rpc_server_test, a_read_holds_up_no_command) {
  hold_reads();
  serve();
  call(1, page_call{service::payment, {}});
  call(2, look(2));
  call(3, change(42));
  ASSERT_EQ(questions.size(), 1U);
  decide(0, accepted{});
  EXPECT_EQ(told[0].words(), "3 accepted");
  answer_read("{}");
  EXPECT_EQ(told[0].words(), "3 accepted, 1 document");
}

TEST_F(rpc_server_test, pages_and_items_have_readers_of_their_own) {
  hold_reads();
  here.item_reader = keep(system.spawn(reader));
  serve();
  call(1, page_call{service::payment, {}});
  call(2, rows_page_call{service::payment, 1, "", {}});
  call(3, look(2));
  EXPECT_EQ(told[0].words(), "3 document");
  EXPECT_EQ(reads.size(), 2U);
}

TEST_F(rpc_server_test, a_new_run_of_the_peer_gets_no_read_that_the_last_one_asked_for) {
  hold_reads();
  serve();
  call(5, look(1));
  arrive(peers[1]);
  call_as(peers[1], 5, look(2));
  ASSERT_EQ(reads.size(), 2U);
  answer_read("{\"of\":1}");
  EXPECT_EQ(told[0].words() + told[1].words(), "");
  answer_read("{\"of\":2}");
  ASSERT_EQ(told[1].words(), "5 document");
  EXPECT_EQ(std::get<3>(told[1].answers[0].second), "{\"of\":2}");
}

TEST_F(rpc_server_test, a_repeat_of_a_read_that_is_under_way_is_read_once) {
  hold_reads();
  serve();
  call(5, look(1));
  call(5, look(1));
  EXPECT_EQ(reads.size(), 1U);
  answer_read("{}");
  call(5, look(1));
  EXPECT_EQ(reads.size(), 1U) << "its answer may have been lost";
}

TEST_F(rpc_server_test, too_many_reads_are_refused_at_once_and_commands_are_not) {
  hold_reads();
  serve();
  for (call_number n = 1; n <= rpc_server::most_reads; ++n)
    caf::send_as(peers[0], serving, call_atom::value, n, encode(look(1)));
  run();
  EXPECT_EQ(reads.size(), rpc_server::most_reads);
  call(9'000, look(1));
  EXPECT_EQ(told[0].words(), "9000 overloaded");
  call(9'001, change(42));
  EXPECT_EQ(questions.size(), 1U);
  answer_read("{}");
  call(9'002, look(1));
  EXPECT_EQ(told[0].words(), "9000 overloaded, 1 document");
}

TEST_F(rpc_server_test, a_read_that_waited_until_nobody_waits_for_it_is_not_done) {
  const auto by = keep(system.spawn(reader));
  caf::scoped_actor self{system};
  data.inject({.name = "read", .at = fault_point::read});
  auto asked_of_it =
      self->request(by, caf::infinite, read_atom::value,
                    peer_read{&data, entity_call{service::payment, 1}, virtual_now()});
  run();
  asked_of_it.receive(
      [](const std::string& answer) { EXPECT_EQ(word_for(decode_answer(answer)), "overloaded"); },
      [](caf::error&) { ADD_FAILURE(); });
  EXPECT_EQ(data.hits("read"), 0U);
}

TEST_F(rpc_server_test, a_page_that_there_cannot_be_is_refused) {
  here.stores[static_cast<std::size_t>(service::payment)] = &data;
  serve();
  call(1, page_call{service::payment, {.size = 0}});
  call(2, page_call{service::payment, {.size = largest_page + 1}});
  call(3, page_call{service::payment, {.number = -1}});
  call(4, page_call{service::payment, {.number = deepest_skip, .size = 2}});
  call(5, rows_page_call{service::payment, 1, "", {.after = -1}});
  call(6, rows_page_call{service::payment, 1, "", {.size = 0}});
  for (const auto& [number, a] : told[0].answers) EXPECT_EQ(word_for(a), "undecodable") << number;
  call(7, page_call{service::payment, {.after = 1, .number = max_safe_integer}});
  ASSERT_EQ(told[0].answers.size(), 7U);
  EXPECT_EQ(word_for(told[0].answers.back().second), "page") << "its number is only a name";
}

TEST_F(rpc_server_test, the_last_page_that_there_can_be_is_read) {
  here.stores[static_cast<std::size_t>(service::payment)] = &data;
  serve();
  call(1, page_call{service::payment, {.size = largest_page}});
  call(2, page_call{service::payment, {.after = 0}});
  call(3, page_call{service::payment, {.after = max_safe_integer}});
  call(4, page_call{service::payment, {.number = deepest_skip / 2, .size = 2}});
  EXPECT_EQ(told[0].words(), "1 page, 2 page, 3 page, 4 page");
}

TEST_F(rpc_server_test, shows_the_breaker) {
  breaker_display breaker;
  circuit_breaker::figures open;
  open.state = breaker_state::open;
  open.failed_calls = 20;
  breaker.set(open);
  here.breaker = &breaker;
  serve();
  call(1, breaker_call{});
  ASSERT_EQ(told[0].words(), "1 breaker");
  const auto shown = std::get<circuit_breaker::figures>(told[0].answers[0].second);
  EXPECT_EQ(shown.state, breaker_state::open);
  EXPECT_EQ(shown.failed_calls, 20U);
}

TEST_F(rpc_server_test, a_store_that_cannot_be_read_is_answered_with_its_error) {
  here.stores[static_cast<std::size_t>(service::payment)] = &data;
  serve();
  data.inject({.name = "unreadable", .at = fault_point::read});
  call(1, look(2));
  call(2, look(2));
  EXPECT_EQ(told[0].words(), "1 store-failed, 2 document");
}

TEST_F(rpc_server_test, damage_is_told_to_the_peer_and_to_the_log) {
  here.stores[static_cast<std::size_t>(service::payment)] = &data;
  serve();
  data.inject({.name = "damaged", .at = fault_point::read, .code = errc::damaged});
  log_capture log;
  call(1, look(2));
  EXPECT_EQ(told[0].words(), "1 damaged");
  EXPECT_EQ(log.lines_with("event=damaged"), 1) << log.text();
}

TEST_F(rpc_server_test, pulls_from_a_log_and_hints_when_it_grows) {
  const auto log = keep(system.spawn(event_log, &env(service::payment), service::payment));
  here.logs[static_cast<std::size_t>(service::payment)] = log;
  append_events(data, service::payment, {R"({"eventType":"A"})", R"({"eventType":"B"})"});
  serve();
  call(1, pull_call{service::payment, {1, 10, {"B"}}});
  ASSERT_EQ(told[0].words(), "1 events");
  const auto batch = std::get<event_batch>(told[0].answers[0].second);
  ASSERT_EQ(batch.events.size(), 1U);
  EXPECT_EQ(batch.events[0].offset, 2);
  EXPECT_EQ(batch.next, 3);
  caf::anon_send(log, hint_atom::value);
  run();
  EXPECT_EQ(told[0].grown, std::vector<std::uint8_t>{1});
  call(2, pull_call{service::payment, {3, 10, {}}});
  caf::anon_send(log, hint_atom::value);
  run();
  EXPECT_EQ(told[0].grown, (std::vector<std::uint8_t>{1, 1})) << "its pull makes it a follower";
}

TEST_F(rpc_server_test, hints_of_anybody_are_for_the_peer_that_is_there_now) {
  use_log();
  serving = start<rpc_server>(here);
  run();
  ASSERT_TRUE(follower);
  caf::anon_send(follower, hint_atom::value, service::payment);
  run();
  arrive(peers[0]);
  arrive(peers[1]);
  caf::anon_send(follower, hint_atom::value, service::payment);
  run();
  EXPECT_TRUE(told[0].grown.empty());
  EXPECT_EQ(told[1].grown, std::vector<std::uint8_t>{1});
}

TEST_F(rpc_server_test, a_log_that_hangs_is_answered_for) {
  use_log();
  serve();
  call(1, pull_call{service::payment, {1, 10, {}}});
  advance(milliseconds(2'100));
  EXPECT_EQ(told[0].words(), "1 store-failed");
}

}  // namespace
}  // namespace skanu
