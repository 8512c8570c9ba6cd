#include "cluster/peers/middleman.hpp"

#include <algorithm>
#include <memory>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include <sys/socket.h>

#include <caf/io/basp_broker.hpp>
#include <caf/io/network/default_multiplexer.hpp>
#include <caf/io/network/test_multiplexer.hpp>

#include "cluster/peers/tls_sessions.hpp"
#include "cluster/protocol/certificate.hpp"
#include "cluster/protocol/refusal_log.hpp"
#include "messages/interfaces.hpp"

namespace skanu {

namespace {

namespace basp = caf::io::basp;

using proved_atom = caf::atom_constant<caf::atom("proved")>;
constexpr auto broker_name = caf::atom("BASP");
constexpr std::chrono::seconds look_interval{1};

/// Checks each header before CAF reads the header. Both CAF and the broker treat a connection with
/// an unfinished TLS handshake as a silent connection.
class guarded_broker final : public caf::io::basp_broker {
 public:
  using caf::io::basp_broker::basp_broker;

  caf::behavior make_behavior() override {
    const auto caf_does = std::make_shared<caf::behavior>(caf::io::basp_broker::make_behavior());
    return caf::message_handler{
        [this, caf_does](caf::io::new_connection_msg& m) {
          const auto made = m.handle;
          auto message = caf::make_message(std::move(m));
          (*caf_does)(message);
          watch(made);
        },
        [this, caf_does](caf::io::connection_closed_msg& m) {
          forget(m.handle);
          auto message = caf::make_message(std::move(m));
          (*caf_does)(message);
        },
        [this, caf_does](caf::io::new_data_msg& m) {
          if (!may_pass(m)) return refuse(m.handle, "what it sends is no message of a node");
          note_client(m);
          auto message = caf::make_message(std::move(m));
          (*caf_does)(message);
          // CAF reads into the buffer again, so `m` gets the buffer back.
          // NOLINTNEXTLINE(bugprone-use-after-move)
          m.buf.swap(message.get_mutable_as<caf::io::new_data_msg>(0).buf);
        },
        [this](proved_atom, const caf::node_id& peer) {
          if (!is_from_this_node()) return;
          for (const auto& [connection, node] : nodes_) {
            if (node != peer) continue;
            strangers_.erase(connection);
            proved_.insert(connection);
          }
        },
        [this](sweep_atom) {
          if (is_from_this_node()) close_overdue();
        },
        [this, caf_does](caf::connect_atom, caf::io::scribe_ptr& connection, std::uint16_t port) {
          const auto made = connection->hdl();
          forget(made);
          auto message = caf::make_message(caf::connect_atom::value, std::move(connection), port);
          (*caf_does)(message);
          // CAF would close the connection at the next heartbeat for want of a last message.
          if (const auto at = ctx.find(made); at != ctx.end()) at->second.last_seen = clock().now();
        }}
        .or_else(*caf_does);
  }

  /// CAF calls the function after the first message of a node over the current connection: a dialed
  /// connection, or the node's first accepted connection.
  void learned_new_node_directly(const caf::node_id& node, bool was_known) override {
    note_node(this_context->hdl, node);
    caf::io::basp_broker::learned_new_node_directly(node, was_known);
  }

  /// CAF leaves a broker's mailbox open when the broker ends. A delayed message of the broker, such
  /// as the next heartbeat, then stays in the mailbox for ever, and broker and mailbox keep each
  /// other alive.
  bool cleanup(caf::error&& reason, caf::execution_unit* host) override {
    close_all();
    // The broker's own cleanup leaves the mailbox open.
    // NOLINTNEXTLINE(bugprone-parent-virtual-call)
    return caf::scheduled_actor::cleanup(std::move(reason), host);
  }

 private:
  using handle = caf::io::connection_handle;

  peer_certificates& certificates() {
    return dynamic_cast<guarded_middleman&>(system().middleman()).certificates;
  }

  bool is_from_this_node() {
    const auto& from = current_sender();
    return from && from->node() == this_node();
  }

  bool may_pass(const caf::io::new_data_msg& m) {
    const auto known = ctx.find(m.handle);
    if (known != ctx.end() && known->second.cstate == basp::await_payload) return true;
    basp::header header;
    caf::binary_deserializer source{system(), m.buf};
    const auto largest =
        proved_.contains(m.handle) ? largest_node_message : largest_strange_message;
    return !source(header) && is_from_a_node(header, largest);
  }

  /// Reads the node from a client's handshake before CAF does. After the loss of a connection the
  /// node may dial again while CAF keeps the old connection, and CAF then does not report the new
  /// connection.
  void note_client(const caf::io::new_data_msg& m) {
    const auto known = ctx.find(m.handle);
    if (known == ctx.end() || known->second.cstate != basp::await_payload ||
        known->second.hdr.operation != basp::message_type::client_handshake)
      return;
    caf::node_id node;
    caf::binary_deserializer source{system(), m.buf};
    if (!source(node)) note_node(m.handle, node);
  }

  void note_node(handle connection, const caf::node_id& node) {
    nodes_[connection] = node;
    if (is_socket_)
      certificates().note(connection, node, names_of_peer(static_cast<int>(connection.id())));
  }

  void watch(handle accepted) {
    if (strangers_.size() >= most_strange_connections) {
      const auto oldest = std::ranges::min_element(
          strangers_, {}, [](const auto& stranger) { return stranger.second; });
      refuse(oldest->first, "too many connections have proved nothing yet");
    }
    forget(accepted);  // CAF may have closed a connection of the same descriptor without a notice
    look_soon();
    strangers_.emplace(accepted, clock().now());
  }

  void look_soon() {
    if (!std::exchange(looks_, true)) delayed_send(this, look_interval, sweep_atom::value);
  }

  void close_overdue() {
    const auto until = clock().now() - strange_connection_kept;
    std::vector<handle> overdue;
    for (const auto& [connection, since] : strangers_)
      if (since <= until) overdue.push_back(connection);
    for (const auto& connection : overdue) refuse(connection, "it proved nothing in time");
    looks_ = false;
    if (!strangers_.empty()) look_soon();
  }

  void refuse(handle from, const char* why) {
    // CAF closes some connections without a notice, and the system may have reused the descriptors.
    if (!valid(from)) return forget(from);
    refusals_.say(remote_addr(from), why, clock().now());
    forget(from);
    connection_cleanup(from, caf::sec::malformed_basp_message);
    // CAF would first write the pending bytes, and a stalled TLS handshake blocks the write for
    // ever.
    if (is_socket_) ::shutdown(static_cast<int>(from.id()), SHUT_RDWR);
    close(from);
  }

  void forget(handle gone) {
    strangers_.erase(gone);
    proved_.erase(gone);
    nodes_.erase(gone);
    certificates().forget(gone);
  }

  /// CAF's handle of a connection is the descriptor; the test multiplexer's handles have no
  /// descriptor.
  const bool is_socket_ = dynamic_cast<caf::io::network::default_multiplexer*>(
                              &system().middleman().backend()) != nullptr;
  /// Accepted, with the time.
  std::unordered_map<handle, caf::actor_clock::time_point> strangers_;
  bool looks_ = false;  ///< A call of close_overdue() is due.
  std::unordered_set<handle> proved_;
  std::unordered_map<handle, caf::node_id> nodes_;  ///< As claimed by the nodes.
  refusal_log refusals_;
};

template <class Multiplexer>
class middleman_of final : public guarded_middleman {
 public:
  explicit middleman_of(caf::actor_system& system) : guarded_middleman(system), backend_(&system) {}

  caf::io::network::multiplexer& backend() override { return backend_; }

  void start() override {
    named_broker<guarded_broker>(broker_name);  // before CAF creates a broker
    guarded_middleman::start();
  }

 private:
  Multiplexer backend_;
};

}  // namespace

bool is_from_a_node(const basp::header& header, std::uint32_t largest) {
  return header.payload_len <= largest && (header.payload_len > 0 || !basp::is_handshake(header));
}

void note_proved(caf::scheduled_actor& by, const caf::node_id& peer) {
  auto& system = by.system();
  if (!system.has_middleman() || peer == system.node()) return;
  const auto broker = system.middleman().named_broker<caf::io::basp_broker>(broker_name);
  broker->enqueue(by.ctrl(), caf::make_message_id(), caf::make_message(proved_atom::value, peer),
                  by.context());
}

bool may_be(caf::actor_system& system, const caf::node_id& peer, const std::string& name) {
  if (!system.has_openssl_manager()) return true;
  return dynamic_cast<guarded_middleman&>(system.middleman()).certificates.name(peer, name);
}

void peer_certificates::note(caf::io::connection_handle over, const caf::node_id& peer,
                             names shown) {
  const std::lock_guard lock(mutex_);
  shown_[over] = {peer, std::move(shown)};
}

void peer_certificates::forget(caf::io::connection_handle over) {
  const std::lock_guard lock(mutex_);
  shown_.erase(over);
}

bool peer_certificates::name(const caf::node_id& peer, const std::string& node) const {
  const std::lock_guard lock(mutex_);
  bool named = false;
  for (const auto& [over, each] : shown_) {
    if (each.peer != peer) continue;
    if (!each.shown || !name_node(*each.shown, node)) return false;
    named = true;
  }
  return named;
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
