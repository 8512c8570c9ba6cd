// Dead letters of the trace view, and the lines of its log.
#include "tests/actors/consumers/trace_view_fixture.hpp"
#include "tests/support/log_capture.hpp"
#include "tests/support/small_shop.hpp"

namespace skanu {
namespace {

/// A log of one order; the event is damaged as long as `damaged` is true.
event_log_actor::behavior_type damaged_orders(event_log_actor::pointer, const bool* damaged) {
  return {[=](pull_atom, const log_query& query) -> caf::result<event_batch> {
            event_batch batch{{}, 2, false, 1};
            if (query.from == 1) batch.events.push_back({1, *damaged ? "" : placed(7)});
            return batch;
          },
          [](follow_atom, const follower_actor&) {}, [](hint_atom) {}};
}

class trace_letters_test : public trace_view_test {
 protected:
  static std::string by(service s) { return std::string(trace_consumer(s).name); }

  std::string tell(const letter_name& letter, bool discard = false) {
    asked a;
    caf::anon_send(view, dead_letter_command{letter, discard}, request_of(a));
    catch_up();
    return a.word();
  }

  std::vector<dead_letter> letters_of(service s) {
    std::vector<dead_letter> found;
    for (const auto& row : data.read()->rows(service::ordertrace, row_space::dead_letters,
                                             dead_letter_prefix(by(s)), {}, 10))
      found.push_back(from_json<dead_letter>(nlohmann::json::parse(row.value)));
    return found;
  }

  void store_letter(const dead_letter& l) {
    write_rows(data, service::ordertrace,
               {{row_space::dead_letters,
                 dead_letter_prefix(l.consumer) + ordered_key(l.entity) + ordered_key(l.offset),
                 to_json(l)}});
  }
};

TEST_F(trace_letters_test, an_event_that_is_damaged_in_its_log_is_replayed_once_it_is_not) {
  bool damaged = true;
  logs[0].log = keep(system.spawn(damaged_orders, &damaged));
  start_view();
  catch_up();
  const auto letters = letters_of(service::order);
  ASSERT_EQ(letters.size(), 1U);
  EXPECT_EQ(letters[0].reason, damaged_event);
  EXPECT_EQ(letters[0].attempts, 1);
  EXPECT_EQ(tell({by(service::order), 0, 1}), "not-allowed") << "it still is";
  EXPECT_FALSE(shown(7));
  damaged = false;
  EXPECT_EQ(tell({by(service::order), 0, 1}), "unchanged v0");
  EXPECT_TRUE(shown(7));
  EXPECT_TRUE(letters_of(service::order).empty());
}

TEST_F(trace_letters_test, an_event_without_an_id_is_set_aside) {
  start_view();
  happen(service::order, {placed(0), placed(1)});
  catch_up();
  EXPECT_EQ(letters_of(service::order).size(), 1U);
  EXPECT_TRUE(shown(1));
}

// The letter's program could not even read the id.
TEST_F(trace_letters_test, a_letter_without_an_order_is_replayed_for_the_order_of_its_event) {
  store_letter({by(service::order), "order", 1, 0, 1, "a test's", noon, placed(3)});
  start_view();
  EXPECT_EQ(tell({by(service::order), 0, 1}), "unchanged v0");
  EXPECT_TRUE(shown(3));
}

TEST_F(trace_letters_test, a_damaged_event_of_a_log_that_is_not_followed_fails_again) {
  store_letter({by(service::order), "stamp", 1, 0, 1, std::string(damaged_event), noon, ""});
  start_view();
  EXPECT_EQ(tell({by(service::order), 0, 1}), "not-allowed");
  EXPECT_EQ(letters_of(service::order).at(0).attempts, 2);
  EXPECT_EQ(tell({by(service::order), 0, 1}, true), "unchanged v0") << "it lives";
}

TEST_F(trace_letters_test, an_event_of_a_damaged_trace_is_set_aside) {
  small_shop shop;
  shop.put_as_it_is({service::ordertrace, table_kind::entities}, ordered_key(1), "damaged");
  hand_driven_journal shops_disk{shop.data(), nullptr};
  const service_environment own{shop.data(), shops_disk, metrics.of(service::ordertrace), seeds,
                                [this] { return wall_clock; }};
  append_events(data, service::order, {placed(1), placed(2)});
  view = start<trace_view>(own, logs, consumer_limits{});
  advance(milliseconds(30), false);
  ASSERT_EQ(shops_disk.waiting().size(), 1U);
  const auto& turn = shops_disk.waiting().front().data;
  EXPECT_EQ(turn.changes.size(), 1U) << "of the other order";
  EXPECT_EQ(metrics.of(service::ordertrace).dead_letters, 1);
  kill_view();
  shops_disk.lose_everything();
}

TEST_F(trace_letters_test, says_so_where_a_log_lacks_what_it_has_read) {
  happen(service::payment, {payment_event_of(1)});
  write_rows(data, service::ordertrace,
             {{row_space::meta, position_key(by(service::payment)), "4"}});
  log_capture said;
  start_view();
  EXPECT_EQ(said.lines_with("event=log_forked consumer=ordertrace-follows-payment log=payment "
                            "known=4 common=1 end=1 lost=3 "),
            1)
      << said.text();
}

TEST_F(trace_letters_test, logs_the_steps_of_a_traced_order) {
  const auto trace = trace_context_of("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
  log_capture said;
  start_view();
  happen(service::order,
         {placed(1), encode_event(order_event(ordered{2, coffee}), 1, noon, trace)});
  catch_up();
  EXPECT_EQ(said.lines_with("event=step consumer=ordertrace-follows-order"), 1) << said.text();
  EXPECT_EQ(said.lines_with("event=step", "offset=2 eventType=Ordered",
                            "trace=4bf92f3577b34da6a3ce929d0e0e4736"),
            1)
      << said.text();
}

}  // namespace
}  // namespace skanu
