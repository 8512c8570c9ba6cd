// Stores without room: the limit of a store, and a small disk.
#pragma once

#include <gtest/gtest.h>
#include <sys/mount.h>

#include <utility>

#include "tests/persistence/durability_fixture.hpp"

namespace skanu {

/// An order's first commit, of several pages.
inline commit large_commit(entity_id id) {
  auto c = commit_maker(order).next(id);
  c.rows = {{row_space::rows, "row " + std::to_string(id), std::string(10'000, 'x')}};
  return c;
}

/// Writes orders from `next` on until the store is full. All acknowledged orders must then be
/// readable. Afterwards `next` is the refused order.
inline void write_until_full(store& s, entity_id& next) {
  commit_result result;
  while (!result && next < 100'000) {
    const auto c = large_commit(next);
    result = s.write(std::vector{&c}).at(0);
    if (!result) ++next;
  }
  ASSERT_EQ(result, errc::store_full);
  const auto now = s.read();
  EXPECT_EQ(now->count(order, {}), next - 1);
  EXPECT_EQ(now->log_end(order), next - 1);
  EXPECT_EQ(now->entity(order, next), std::nullopt);
  EXPECT_EQ(now->row(order, row_space::rows, "row " + std::to_string(next)), std::nullopt);
  for (entity_id id = 1; id < next; ++id)
    ASSERT_EQ(now->entity(order, id), sample_document(order, id, 1));
}

/// The test's own small file system, where the system permits mounting.
class small_disk {
 public:
  explicit small_disk(fs::path at)
      : at_(std::move(at)),
        mounted_(::mount("tmpfs", at_.c_str(), "tmpfs", 0, "size=6m,mode=755") == 0) {}
  ~small_disk() {
    if (mounted_) ::umount2(at_.c_str(), MNT_DETACH);
  }
  small_disk(const small_disk&) = delete;
  small_disk& operator=(const small_disk&) = delete;
  explicit operator bool() const { return mounted_; }

 private:
  fs::path at_;
  bool mounted_;
};

/// Uses up the free space of a small disk; does not touch a large disk.
inline void fill_up(const fs::path& folder) {
  if (fs::space(folder).available > 64U << 20) return;
  std::ofstream rest(folder / "rest", std::ios::binary);
  while (rest << std::string(4096, 'x') && rest.flush()) {
  }
}

}  // namespace skanu
