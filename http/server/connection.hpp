// A client connection: the request being read, the unsent response, and the next step. No socket
// operation blocks.
#pragma once

#include "http/server/file_descriptor.hpp"
#include "http/server/request_reader.hpp"
#include "http/server/responder.hpp"
#include "http/server/server.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace skanu {

/// Bytes of memory shared by all connections. Thread-safe.
class byte_budget {
 public:
  explicit byte_budget(size_t limit) : limit_{limit} {}

  /// Changes a holder's share from `held` to `wanted`. Returns false, without a change, where the
  /// budget does not suffice.
  bool resize(size_t& held, size_t wanted);

 private:
  size_t limit_;
  std::atomic<size_t> used_{0};
};

/// Owned by a single thread at a time: the connection thread, or the worker that runs the request.
/// While a worker is the owner, `notify` notes edge-triggered readiness for the worker. Only the
/// owner calls the other members, unless a comment names the caller.
class connection {
 public:
  using clock = std::chrono::steady_clock;

  enum class outcome {
    waiting,        ///< waits for the client, until the deadline
    request_ready,  ///< `respond` is due
    finished,       ///< to be closed
  };

  /// The references outlive the connection.
  connection(file_descriptor socket, connection_endpoints endpoints, const server_options& options,
             responder& responder, byte_budget& budget);
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;
  ~connection();

  /// Takes the events of an epoll report, on the connection thread. Returns true where the
  /// connection thread is the owner and must call `advance`.
  bool notify(uint32_t epoll_events);
  /// Ends the connection thread's ownership: a worker takes the connection, or the connection is
  /// finished.
  void hand_over() { state_.store(with_worker, std::memory_order_release); }
  /// Returns ownership to the connection thread, after no worker could take the connection.
  void take_back() { state_.store(with_io, std::memory_order_release); }
  /// Returns ownership from the worker to the connection thread. False: readiness was noted
  /// meanwhile, and the worker must call `advance` again.
  bool hand_back();

  /// Sends unsent bytes, then reads and parses the bytes available.
  outcome advance();
  /// Runs the handler on the ready request and sends as much of the response as the client takes.
  /// `advance` is due.
  void respond();
  /// True after `respond` where the handler gave the socket to a taker. `give_away` is due.
  bool is_taken() const { return taker_ != nullptr; }
  /// Passes the socket and the unsent bytes to the taker; the connection is finished. The caller
  /// has removed the socket from epoll before.
  void give_away() { taker_(std::move(socket_), unsent_.substr(sent_)); }
  /// Answers with an error and ends the connection. `advance` is due.
  void refuse(const request_failure& failure);
  /// Acts on a passed deadline: an incomplete request gets 408, an unread response a reset.
  outcome expire();

  /// True where the connection thread is the owner and the deadline has passed. For the connection
  /// thread.
  bool is_overdue(clock::time_point now) const {
    return state_.load(std::memory_order_acquire) == with_io && now >= deadline_;
  }
  /// True while the connection waits and no byte of a request has arrived.
  bool is_idle() const { return phase_ == phase::idle; }

  int socket() const { return socket_.get(); }
  const std::string& remote_address() const { return endpoints_.remote.address; }

  /// Index in the connection thread's table.
  size_t index = 0;

 private:
  enum class phase { working, idle, head, body, writing, lingering };
  enum class io_result { done, blocked, broken };
  static constexpr unsigned with_io = 0;
  static constexpr unsigned with_worker = 1;
  static constexpr unsigned readiness_noted = 2;

  io_result send_output();
  void send_or_keep(std::string_view bytes);
  io_result receive();
  outcome linger();
  outcome wait_in(phase next);
  std::chrono::milliseconds allowed_time(phase waiting) const;
  bool hold_memory();

  file_descriptor socket_;
  connection_endpoints endpoints_;
  const server_options& options_;
  responder& responder_;
  byte_budget& budget_;
  request_reader reader_;

  std::string unsent_;
  size_t sent_ = 0;  // bytes of unsent_ already sent
  size_t held_ = 0;  // bytes of budget_
  size_t discarded_ = 0;

  phase phase_ = phase::working;
  clock::time_point deadline_;
  bool readable_ = false;        // a read may return bytes
  bool read_until_end_ = false;  // a short read does not mean that the socket is empty
  bool peer_finished_ = false;
  bool broken_ = false;
  bool closing_ = false;        // no further request is answered
  bool more_may_come_ = false;  // the client may send bytes after the last response
  bool shut_down_ = false;
  socket_taker taker_;

  std::atomic<unsigned> state_{with_io};
};

}  // namespace skanu
