// CAF's middleman, with a watch over what comes in from other nodes.
#pragma once

#include <cstdint>

#include <caf/io/all.hpp>

namespace skanu {

/// More than any message between nodes: the largest are pages of 1,000 items, and batches of a log.
inline constexpr std::uint32_t largest_node_message = 32 * 1024 * 1024;

/// Whether a node says so. CAF would take as much memory as a header announces, and end the process
/// at an empty handshake: whatever else speaks to the port (a scanner, a program that was told the
/// wrong port) must do neither.
bool is_from_a_node(const caf::io::basp::header& header);

/// Loaded in the place of CAF's own: the same, but that it closes connections that do not speak as
/// a node does.
class guarded_middleman : public caf::io::middleman {
 public:
  static caf::actor_system::module* make(caf::actor_system& system, caf::detail::type_list<>);

 protected:
  using caf::io::middleman::middleman;
};

}  // namespace skanu
