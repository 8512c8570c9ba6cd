#include "cluster/middleman.hpp"

#include <memory>

#include <caf/io/basp_broker.hpp>
#include <caf/io/network/default_multiplexer.hpp>
#include <caf/io/network/test_multiplexer.hpp>

#include "cluster/refusal_log.hpp"

namespace skanu {

namespace {

namespace basp = caf::io::basp;

/// Reads each header before CAF does, and leaves nothing behind.
class guarded_broker final : public caf::io::basp_broker {
 public:
  using caf::io::basp_broker::basp_broker;

  caf::behavior make_behavior() override {
    const auto caf_does = std::make_shared<caf::behavior>(caf::io::basp_broker::make_behavior());
    return caf::message_handler{
        [this, caf_does](caf::io::new_data_msg& m) {
          if (!may_pass(m)) return refuse(m.handle);
          auto message = caf::make_message(std::move(m));
          (*caf_does)(message);
          m.buf.swap(message.get_mutable_as<caf::io::new_data_msg>(0).buf);  // read into again
        },
        [this, caf_does](caf::connect_atom, caf::io::scribe_ptr& connection, std::uint16_t port) {
          const auto made = connection->hdl();
          auto message = caf::make_message(caf::connect_atom::value, std::move(connection), port);
          (*caf_does)(message);
          // CAF has never heard from it, and would close it for that with its next heartbeat.
          if (const auto at = ctx.find(made); at != ctx.end()) at->second.last_seen = clock().now();
        }}
        .or_else(*caf_does);
  }

  /// CAF leaves a broker's mailbox open when the broker ends. What it sends itself, such as the
  /// next heartbeat, then lies there for ever and holds the broker, which holds the mailbox.
  bool cleanup(caf::error&& reason, caf::execution_unit* host) override {
    close_all();
    return caf::scheduled_actor::cleanup(std::move(reason), host);
  }

 private:
  bool may_pass(const caf::io::new_data_msg& m) {
    const auto known = ctx.find(m.handle);
    if (known != ctx.end() && known->second.cstate == basp::await_payload) return true;
    basp::header header;
    caf::binary_deserializer source{system(), m.buf};
    return !source(header) && is_from_a_node(header);
  }

  void refuse(caf::io::connection_handle from) {
    refusals_.say(remote_addr(from), "what it sends is no message of a node", clock().now());
    connection_cleanup(from, caf::sec::malformed_basp_message);
    close(from);
  }

  refusal_log refusals_;
};

template <class Multiplexer>
class middleman_of final : public guarded_middleman {
 public:
  explicit middleman_of(caf::actor_system& system) : guarded_middleman(system), backend_(&system) {}

  caf::io::network::multiplexer& backend() override { return backend_; }

  void start() override {
    named_broker<guarded_broker>(caf::atom("BASP"));  // before CAF makes its own
    guarded_middleman::start();
  }

 private:
  Multiplexer backend_;
};

}  // namespace

bool is_from_a_node(const basp::header& header) {
  return header.payload_len <= largest_node_message &&
         (header.payload_len > 0 || !basp::is_handshake(header));
}

caf::actor_system::module* guarded_middleman::make(caf::actor_system& system,
                                                   caf::detail::type_list<>) {
  const auto network =
      caf::get_or(system.config(), "middleman.network-backend", caf::atom("default"));
  if (network == caf::atom("testing"))
    return new middleman_of<caf::io::network::test_multiplexer>(system);
  return new middleman_of<caf::io::network::default_multiplexer>(system);
}

}  // namespace skanu
