// The number by which LMDB knows a process: LMDB locks a byte at that place of the lock file, and
// refuses to read where another process holds the byte.
#pragma once

#include <sys/types.h>

namespace skanu {

/// LMDB takes the process id, but programs in containers with separate process ids have equal ids,
/// on the same files: id 1, mostly. So the number has a part by chance above the id.
///
/// A server that crashed comes back under another number. LMDB never takes a reader of an equal
/// number for dead.
pid_t lmdb_process_number_by_chance();

/// Returns the process id in a number, as the process itself sees the id.
pid_t process_id_of(pid_t lmdb_number);

/// Number for the calling thread's calls of LMDB; 0: the process id. The program's getpid()
/// (cluster/main/process_number.cpp) returns the number; in other programs the number has no
/// effect.
inline thread_local constinit pid_t lmdb_process_number = 0;

/// Sets the number until destruction on the same thread. LMDB asks at the creation and at the end
/// of an environment.
class under_lmdb_number {
 public:
  explicit under_lmdb_number(pid_t number) { lmdb_process_number = number; }
  ~under_lmdb_number() { lmdb_process_number = 0; }
  under_lmdb_number(const under_lmdb_number&) = delete;
  under_lmdb_number& operator=(const under_lmdb_number&) = delete;
};

}  // namespace skanu
