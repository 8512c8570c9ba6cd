// LMDB's writers trust the book-keeping of pages; readers of tables never see the book-keeping.
#pragma once

#include <lmdb.h>

namespace skanu {

/// Checks the headers of all tables' pages, and the list of free pages: its form, and that free
/// pages and those of all tables add up to the pages of the file. `path` is for the message. Throws
/// store_error with errc::damaged.
void check_pages_of_lmdb(MDB_env* env, MDB_txn* txn, const char* path);

}  // namespace skanu
