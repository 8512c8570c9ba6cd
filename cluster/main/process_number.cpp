// This function shadows the C library's. LMDB asks for the process id and takes no other number;
// persistence/tables/lmdb_process_number.hpp says why it must. Every other caller, and every thread
// that is not in a call of LMDB, gets the process id.
#include <sys/syscall.h>
#include <unistd.h>

#include "persistence/tables/lmdb_process_number.hpp"

extern "C" pid_t getpid() noexcept {
  const auto number = skanu::lmdb_process_number;
  return number != 0 ? number : static_cast<pid_t>(::syscall(SYS_getpid));
}
