// Two nodes over CAF's own protocol, with its proxies, routes and heartbeats.
#include <gtest/gtest.h>

#include "tests/support/caf_node.hpp"

namespace skanu {
namespace {

using std::chrono::milliseconds;

class caf_nodes_test : public testing::Test {
 protected:
  caf_nodes_test() { nodes.advance(milliseconds(300)); }

  bool both_up() const { return nodes.a.up() && nodes.b.up(); }
  bool both_down() const { return !nodes.a.up() && !nodes.b.up(); }

  called call(caf_node& from, call_body body) {
    auto c = from.call(std::move(body));
    nodes.advance(milliseconds(10));
    return c;
  }
  /// Lets the node's payment service answer a received command.
  void answer(caf_node& by, std::size_t which) {
    by.told.at(which).how.answer(accepted{effect::changed, by.told[which].id, 1, nullptr});
    nodes.advance(milliseconds(10));
  }
  static std::vector<entity_id> told(const caf_node& node) {
    std::vector<entity_id> ids;
    for (const auto& t : node.told) ids.push_back(t.id);
    return ids;
  }

  caf_nodes nodes;
  caf_node& a = nodes.a;
  caf_node& b = nodes.b;
};

TEST_F(caf_nodes_test, they_recognise_each_other_and_both_may_call) {
  ASSERT_TRUE(both_up());
  EXPECT_EQ(nodes.connections(), 1);
  const auto there = call(a, change(1));
  const auto back = call(b, change(2));
  EXPECT_EQ(there.word(), "waiting");
  answer(b, 0);
  answer(a, 0);
  EXPECT_EQ(there.word(), "accepted");
  EXPECT_EQ(back.word(), "accepted");
  nodes.advance(milliseconds(10'000));
  EXPECT_TRUE(both_up());
  EXPECT_EQ(nodes.connections(), 1);
}

TEST_F(caf_nodes_test, calls_arrive_in_their_order_also_those_that_wait_for_the_peer) {
  std::vector<entity_id> expected;
  const auto call_some = [&] {
    for (int i = 0; i < 50; ++i) {
      expected.push_back(static_cast<entity_id>(expected.size()) + 1);
      a.call(change(expected.back()));
    }
    nodes.advance(milliseconds(10));
  };
  call_some();
  EXPECT_EQ(told(b), expected);
  for (std::size_t i = 0; i < expected.size(); ++i) answer(b, i);
  nodes.listens = false;
  nodes.close();
  call_some();
  EXPECT_EQ(b.told.size(), 50u);
  nodes.listens = true;
  nodes.advance(milliseconds(1'000));
  EXPECT_TRUE(both_up());
  EXPECT_EQ(told(b), expected);
}

TEST_F(caf_nodes_test, a_call_that_is_sent_again_over_a_new_connection_is_carried_out_once) {
  const auto asked = call(a, change(1));
  nodes.close();
  EXPECT_TRUE(both_down());
  nodes.advance(milliseconds(1'000));
  ASSERT_TRUE(both_up());
  EXPECT_EQ(nodes.connections(), 2);
  EXPECT_EQ(told(b), std::vector<entity_id>{1});
  answer(b, 0);
  EXPECT_EQ(asked.word(), "accepted");
}

TEST_F(caf_nodes_test, a_call_whose_answer_was_lost_is_made_again_and_says_so) {
  const auto asked = call(a, change(1));
  nodes.cut = true;
  answer(b, 0);
  nodes.close();
  nodes.cut = false;
  nodes.advance(milliseconds(1'000));
  ASSERT_TRUE(both_up());
  EXPECT_EQ(asked.word(), "waiting");
  ASSERT_EQ(told(b), (std::vector<entity_id>{1, 1}));
  EXPECT_FALSE(b.told[0].how.maybe_repeated);
  EXPECT_TRUE(b.told[1].how.maybe_repeated);
  answer(b, 1);
  EXPECT_EQ(asked.word(), "accepted");
}

TEST_F(caf_nodes_test, an_answer_that_comes_too_late_changes_nothing) {
  const auto asked = call(a, change(1));
  nodes.advance(milliseconds(2'100));
  EXPECT_EQ(asked.word(), "outcome-unknown");
  const auto next = call(a, change(2));
  answer(b, 0);
  EXPECT_EQ(asked.word(), "outcome-unknown");
  EXPECT_EQ(next.word(), "waiting");
  answer(b, 1);
  EXPECT_EQ(next.word(), "accepted");
}

TEST_F(caf_nodes_test, a_connection_that_ended_for_the_dialer_alone_is_made_again_and_stays) {
  const auto asked = call(a, change(1));
  nodes.close_at_a();
  EXPECT_FALSE(a.up());
  nodes.advance(milliseconds(1'000));
  ASSERT_TRUE(both_up());
  EXPECT_EQ(nodes.connections(), 2);
  answer(b, 0);
  EXPECT_EQ(asked.word(), "accepted");
  nodes.advance(milliseconds(10'000));
  ASSERT_TRUE(both_up());
  EXPECT_EQ(nodes.connections(), 2) << "the end of the old one does no harm to the new one";
  const auto there = call(a, change(2));
  const auto back = call(b, change(3));
  answer(b, 1);
  answer(a, 0);
  EXPECT_EQ(there.word(), "accepted");
  EXPECT_EQ(back.word(), "accepted");
}

// The dialed side still believes in the old connection, and loses the calls sent over that
// connection.
TEST_F(caf_nodes_test, calls_that_an_old_connection_swallowed_are_made_again_over_the_new_one) {
  nodes.cut = true;
  const auto swallowed = call(b, change(1));
  nodes.close_at_a();
  EXPECT_TRUE(b.up()) << "nobody told it";
  nodes.cut = false;
  nodes.advance(milliseconds(1'000));
  ASSERT_TRUE(both_up());
  ASSERT_EQ(told(a), std::vector<entity_id>{1});
  answer(a, 0);
  EXPECT_EQ(swallowed.word(), "accepted");
}

TEST_F(caf_nodes_test, a_cut_is_noticed_and_the_calls_that_wait_are_carried_out_once_it_heals) {
  nodes.cut = true;
  const auto swallowed = call(a, change(1));
  nodes.advance(milliseconds(1'200));
  EXPECT_TRUE(both_up()) << "it may speak yet";
  nodes.advance(milliseconds(500));
  EXPECT_TRUE(both_down());
  const auto waits = call(a, change(2));
  EXPECT_EQ(swallowed.word(), "waiting");
  EXPECT_EQ(waits.word(), "waiting");
  EXPECT_TRUE(b.told.empty());
  nodes.cut = false;
  nodes.advance(milliseconds(10));
  ASSERT_TRUE(both_up());
  EXPECT_EQ(nodes.connections(), 1);
  EXPECT_EQ(told(b), (std::vector<entity_id>{1, 2})) << "the first came twice, late and again";
  answer(b, 0);
  answer(b, 1);
  EXPECT_EQ(swallowed.word(), "accepted");
  EXPECT_EQ(waits.word(), "accepted");
}

TEST_F(caf_nodes_test, a_cut_that_lasts_is_given_up_and_a_new_connection_made) {
  nodes.cut = true;
  nodes.advance(milliseconds(1'800));
  EXPECT_TRUE(both_down());
  const auto waits = call(a, change(1));
  EXPECT_EQ(waits.word(), "waiting");
  nodes.advance(milliseconds(10'000));
  EXPECT_EQ(waits.word(), "service-away");
  EXPECT_EQ(call(a, change(2)).word(), "service-away");
  nodes.cut = false;
  nodes.advance(milliseconds(1'500));
  ASSERT_TRUE(both_up());
  EXPECT_EQ(nodes.connections(), 2) << "CAF itself had given the first one up";
  const auto asked = call(a, change(3));
  EXPECT_EQ(told(b), std::vector<entity_id>{3}) << "what was refused is not carried out later";
  answer(b, 0);
  EXPECT_EQ(asked.word(), "accepted");
}

}  // namespace
}  // namespace skanu
