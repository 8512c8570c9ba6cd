#include "persistence/tables/lmdb_process_number.hpp"

#include <random>

#include <unistd.h>

namespace skanu {

namespace {

/// Linux gives no process id of more bits.
constexpr int id_bits = 22;
constexpr pid_t id_mask = (1 << id_bits) - 1;
constexpr pid_t most_by_chance = (1 << (31 - id_bits)) - 1;

}  // namespace

pid_t lmdb_process_number_by_chance() {
  std::random_device chance;
  std::uniform_int_distribution<pid_t> part(1, most_by_chance);
  return (part(chance) << id_bits) | (::getpid() & id_mask);
}

pid_t process_id_of(pid_t lmdb_number) { return lmdb_number & id_mask; }

}  // namespace skanu
