// A store of each backend, for tests of the contract of persistence/store.hpp.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/store_backends.hpp"
#include "tests/support/store_model.hpp"
#include "tests/support/temporary_folder.hpp"

namespace skanu {

inline constexpr auto order = service::order;
inline constexpr auto stamp = service::stamp;

inline std::vector<entity_id> ids_of(const std::vector<stored_entity>& entities) {
  std::vector<entity_id> ids;
  for (const auto& e : entities) ids.push_back(e.id);
  return ids;
}

inline std::vector<std::string> keys_of(const std::vector<stored_row>& rows) {
  std::vector<std::string> keys;
  for (const auto& r : rows) keys.push_back(r.key);
  return keys;
}

using ids = std::vector<entity_id>;
using keys = std::vector<std::string>;

class store_contract : public testing::TestWithParam<store_backend> {
 protected:
  void SetUp() override { open(); }

  void open() { store_ = GetParam().open(folder_.path(), services_, 0); }

  void reopen() {
    store_.reset();
    open();
  }

  commit_result write(const commit& c) { return write_batch({&c}).at(0); }

  std::vector<commit_result> write_batch(std::vector<const commit*> batch) {
    return store_->write(batch);
  }

  std::string contents() const { return contents_of(*store_->read(), services_); }

  static commit rows_commit(std::vector<row_write> rows) {
    commit c;
    c.rows = std::move(rows);
    return c;
  }

  const std::vector<service> services_ = {order, stamp};
  const temporary_folder folder_;
  std::unique_ptr<store> store_;
  commit_maker orders_{order};
};

using durable_store_contract = store_contract;

}  // namespace skanu
