// What two nodes say to each other, over CAF's own protocol: its proxies, its routes, its heartbeats.
#include <gtest/gtest.h>

#include <spdlog/spdlog.h>

#include "tests/support/caf_node.hpp"

namespace skanu {
namespace {

using std::chrono::milliseconds;

class caf_nodes_test : public testing::Test {
 protected:
  caf_nodes_test() {
    spdlog::set_level(spdlog::level::off);
    nodes.advance(milliseconds(300));
  }

  bool both_up() const { return nodes.a.up() && nodes.b.up(); }

  called call(caf_node& from, call_body body) {
    auto c = from.call(std::move(body));
    nodes.advance(milliseconds(10));
    return c;
  }
  /// The node's payment service answers what it was told.
  void answer(caf_node& by, std::size_t which) {
    by.told.at(which).how.answer(accepted{effect::changed, by.told[which].id, 1, nullptr});
    nodes.advance(milliseconds(10));
  }

  caf_nodes nodes;
  caf_node& a = nodes.a;
  caf_node& b = nodes.b;
};

TEST_F(caf_nodes_test, they_recognise_each_other_and_both_may_call) {
  ASSERT_TRUE(both_up());
  EXPECT_EQ(nodes.connections, 1);
  const auto there = call(a, change(1));
  const auto back = call(b, change(2));
  EXPECT_EQ(there.word(), "waiting");
  answer(b, 0);
  answer(a, 0);
  EXPECT_EQ(there.word(), "accepted");
  EXPECT_EQ(back.word(), "accepted");
  nodes.advance(milliseconds(10'000));
  EXPECT_TRUE(both_up());
  EXPECT_EQ(nodes.connections, 1);
}

}  // namespace
}  // namespace skanu
