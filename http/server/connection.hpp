// One client connection: what it has sent, what it has yet to take, and what it may do next.
// Nothing here blocks.
#pragma once

#include "http/server/file_descriptor.hpp"
#include "http/server/request_reader.hpp"
#include "http/server/responder.hpp"
#include "http/server/server.hpp"
#include "http/server/socket_stream.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace skanu {

/// An amount of memory that all connections share. Thread-safe.
class byte_budget {
 public:
  explicit byte_budget(size_t limit) : limit_{limit} {}

  /// Changes a holder's share from `held` to `wanted`; false, and no change, where that is too
  /// much.
  bool resize(size_t& held, size_t wanted);

 private:
  size_t limit_;
  std::atomic<size_t> used_{0};
};

/// Belongs to one thread at a time: to the connection thread, or to the worker that it was handed
/// to. Readiness (edge-triggered) that comes in while a worker has it is noted for that worker.
/// Every member but `notify` is for the owner.
class connection {
 public:
  using clock = std::chrono::steady_clock;

  enum class outcome {
    waiting,        ///< for the client, within a time
    request_ready,  ///< `respond` is due
    finished,       ///< to be closed
  };

  /// The references outlive the connection.
  connection(file_descriptor socket, connection_endpoints endpoints, const server_options& options,
             responder& responder, byte_budget& budget);
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;
  ~connection();

  /// Called by the connection thread with what epoll reported. True: that thread has the
  /// connection, and `advance` is due.
  bool notify(uint32_t epoll_events);
  /// Before the connection is given to a worker, or to nobody because it is finished.
  void hand_over() { state_.store(with_worker, std::memory_order_release); }
  /// By the connection thread, where no worker could take it.
  void take_back() { state_.store(with_io, std::memory_order_release); }
  /// By the worker when the connection waits. False: something came in, `advance` once more.
  bool hand_back();

  /// Sends what is unsent, reads what is there, parses it.
  outcome advance();
  /// Runs the request that is ready and sends the response as far as the client takes it.
  /// `advance` is due.
  void respond();
  /// After `respond`: the connection is somebody else's now, and `give_away` is due.
  bool is_taken() const { return taker_ != nullptr; }
  /// Gives the socket, watched by nobody here any more, to its taker; then the connection is
  /// finished.
  void give_away() { taker_(std::move(socket_), unsent_.substr(sent_)); }
  /// Answers with an error instead; then the connection ends. `advance` is due.
  void refuse(const request_failure& failure);
  /// The deadline has passed.
  outcome expire();

  /// By the connection thread: whether it has the connection and the client's time is up.
  bool is_overdue(clock::time_point now) const {
    return state_.load(std::memory_order_acquire) == with_io && now >= deadline_;
  }
  /// Waits, and nothing of a request is here.
  bool is_idle() const { return phase_ == phase::idle; }

  int socket() const { return socket_.get(); }
  const std::string& remote_address() const { return endpoints_.remote.address; }

  /// The place in the connection thread's table.
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
  size_t sent_ = 0;  // bytes of unsent_ that are gone
  size_t held_ = 0;  // of budget_
  size_t discarded_ = 0;

  phase phase_ = phase::working;
  clock::time_point deadline_;
  bool readable_ = false;        // a read may yield something
  bool read_until_end_ = false;  // a short read does not mean that the socket is empty
  bool peer_finished_ = false;
  bool broken_ = false;
  bool closing_ = false;        // nothing more will be answered
  bool more_may_come_ = false;  // although nothing more will be answered
  bool shut_down_ = false;
  socket_taker taker_;

  std::atomic<unsigned> state_{with_io};
};

}  // namespace skanu
