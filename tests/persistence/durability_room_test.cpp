// Lack of room: a store refuses writes and goes on reading.
#include <future>

#include "tests/persistence/full_store.hpp"

namespace skanu {
namespace {

TEST_P(durability, a_full_store_refuses_writes_and_goes_on_reading_until_there_is_room) {
  entity_id next = 1;
  {
    const auto limited = open(1 << 20);
    write_until_full(*limited, next);
    ASSERT_GT(next, 20);
    const auto c = large_commit(next), other = large_commit(next + 1);
    EXPECT_EQ(limited->write(std::vector{&c, &other}),
              std::vector<commit_result>(2, errc::store_full));
  }
  const auto larger = open(2 << 20);
  const auto c = large_commit(next);
  EXPECT_EQ(larger->write(std::vector{&c}).at(0), std::nullopt);
  EXPECT_EQ(larger->read()->count(order, {}), next);
}

TEST_P(durability, a_full_disk_refuses_writes_and_goes_on_reading_until_there_is_room) {
  const small_disk disk(folder());
  // Without a mounted disk, the store's own limit stands in, and a larger limit makes room.
  auto opened = open(disk ? 0 : 1 << 20);
  const auto ballast = folder() / "ballast";
  if (disk) replace_bytes(ballast, std::string(2 << 20, 'x'));
  entity_id next = 1;
  for (int round = 0; round < 3; ++round) {
    write_until_full(*opened, next);
    std::vector<std::unique_ptr<snapshot>> held;
    std::vector<std::future<std::int64_t>> readers;
    for (int i = 0; i < 12; ++i) {
      readers.push_back(
          std::async(std::launch::async, [&] { return opened->read()->count(order, {}); }));
      held.push_back(opened->read());
    }
    for (auto& r : readers) EXPECT_EQ(r.get(), next - 1);
  }
  if (disk) {
    fs::remove(ballast);
  } else {
    opened.reset();
    opened = open(2 << 20);
  }
  const auto c = large_commit(next);
  EXPECT_EQ(opened->write(std::vector{&c}).at(0), std::nullopt) << "writing goes on";
  EXPECT_EQ(opened->read()->count(order, {}), next);
  opened.reset();
  EXPECT_EQ(open(disk ? 0 : 2 << 20)->read()->count(order, {}), next) << "all of it is there";
}

TEST_P(durability, a_store_can_be_opened_and_read_on_a_full_disk) {
  const small_disk disk(folder());
  entity_id next = 1;
  {
    const auto opened = open(disk ? 0 : 1 << 20);
    write_until_full(*opened, next);
  }
  fill_up(folder());
  const auto opened = open(disk ? 0 : 1 << 20);
  EXPECT_EQ(opened->read()->count(order, {}), next - 1);
}

}  // namespace
}  // namespace skanu
