// Two nodes, a and b, that may become peers.
#pragma once

#include <gtest/gtest.h>

#include "cluster/peers/peer_session.hpp"
#include "tests/support/two_nodes.hpp"

namespace skanu {

class peer_session_test : public two_nodes_test {
 protected:
  peer_session_test() : a(node("a")), b(node("b")) {
    a.here.entities.of<payment_command>() = prompt_payments();
    b.here.entities.of<payment_command>() = prompt_payments();
  }

  /// Makes a and b peers; each dials the other.
  void connect() {
    add_peer(b, "a", "a");
    add_peer(a, "b", "b");
    ASSERT_TRUE(both_up());
  }

  bool both_up() const { return up(a, "b") && up(b, "a"); }
  bool both_down() const { return !up(a, "b") && !up(b, "a"); }

  /// Demands answers to calls in both directions.
  void expect_calls_answered() {
    EXPECT_EQ(call(a, "b", change(1)).word(), "accepted");
    EXPECT_EQ(call(b, "a", change(2)).word(), "accepted");
  }

  /// Starts another run of b, after a silent end of the first run.
  node_side& start_again() {
    caf::anon_send_exit(b.peers.at("a")->session, caf::exit_reason::kill);
    run();
    auto& again = node("b");
    again.here.entities.of<payment_command>() = prompt_payments();
    return again;
  }

  /// Limits without the pause that lets the other side dial first.
  static peer_session_limits eager() {
    peer_session_limits limits;
    limits.yield = milliseconds(0);
    return limits;
  }

  node_side& a;
  node_side& b;
};

}  // namespace skanu
