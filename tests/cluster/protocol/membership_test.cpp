#include "cluster/protocol/membership.hpp"

#include <gmock/gmock.h>

namespace skanu {
namespace {

membership gateway() {
  membership_functions f;
  f.has_databases = false;
  return membership({}, std::move(f));
}

TEST(Membership, AGatewayThatMetAStrangerFirstRefusedItsOwnClusterUntilItsRestart) {
  auto m = gateway();
  m.meet("order", "strangers", {});
  EXPECT_FALSE(m.admits("ours"));
  m.left("order");
  EXPECT_TRUE(m.admits("ours"));
  m.meet("order", "ours", {});
  EXPECT_FALSE(m.admits("strangers"));
}

TEST(Membership, AGatewaysIdentityLastsAsLongAsAnyPeerIsHere) {
  auto m = gateway();
  m.meet("order", "ours", {});
  m.meet("stamp", "ours", {});
  m.left("order");
  EXPECT_EQ(m.cluster(), "ours");
  EXPECT_FALSE(m.admits("strangers"));
}

TEST(Membership, ANodeWithADatabaseKeepsItsIdentityWithoutPeers) {
  std::string kept;
  membership_functions f;
  f.keep = [&](const std::string& cluster) { kept = cluster; };
  membership m({}, std::move(f));
  m.meet("order", "ours", {});
  m.left("order");
  EXPECT_EQ(kept, "ours");
  EXPECT_FALSE(m.admits("strangers"));
}

}  // namespace
}  // namespace skanu
