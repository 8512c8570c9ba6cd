// What CAF does with connections and with its own broker, on real sockets and in real time.
#include "cluster/middleman.hpp"

#include <gtest/gtest.h>

#include <caf/all.hpp>
#include <caf/io/all.hpp>

#include "cluster/peers.hpp"

namespace skanu {
namespace {

cluster_options node_a() {
  cluster_options options;
  options.name = "a";
  return options;
}

struct node_config : caf::actor_system_config {
  node_config() {
    configure(*this, node_a());
    set("logger.verbosity", caf::atom("quiet"));
  }
};

caf::actor broker_of(caf::actor_system& system) {
  return system.middleman().named_broker<caf::io::basp_broker>(caf::atom("BASP"));
}

// CAF sends itself its heartbeats: the one that came behind a broker's end kept the broker, and
// with it whatever else waited there, for ever.
TEST(middleman_test, a_broker_that_ended_is_not_kept_by_a_message_to_itself) {
  caf::weak_actor_ptr kept;
  {
    node_config config;
    caf::actor_system system{config};
    const auto broker = broker_of(system);
    kept = caf::actor_cast<caf::weak_actor_ptr>(broker);
    caf::scoped_actor self{system};
    self->send_exit(broker, caf::exit_reason::user_shutdown);
    self->wait_for(broker);
    caf::send_as(broker, broker, caf::tick_atom::value);
  }
  EXPECT_FALSE(kept.lock());
}

}  // namespace
}  // namespace skanu
