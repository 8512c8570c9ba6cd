// Mutual recognition of nodes.
#include "cluster/protocol/handshake.hpp"

#include <gtest/gtest.h>

#include <set>

#include "cluster/protocol/wire_format.hpp"
#include "tests/support/hellos.hpp"

namespace skanu {
namespace {

hello of(std::string name, std::uint64_t incarnation = 1, std::string nonce = "nonce") {
  return {protocol_version, std::move(name), incarnation, std::move(nonce)};
}

TEST(handshake, a_hello_is_read_as_it_was_written) {
  const auto made = make_hello("order", 0xffff'ffff'ffff'fffe);
  EXPECT_EQ(made.nonce.size(), 16U);
  const auto read = decode_hello(encode(made));
  EXPECT_EQ(read.protocol, protocol_version);
  EXPECT_EQ(read.name, "order");
  EXPECT_EQ(read.incarnation, 0xffff'ffff'ffff'fffe);
  EXPECT_EQ(read.nonce, made.nonce);
}

TEST(handshake, no_nonce_comes_twice) {
  std::set<std::string> nonces;
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(nonces.insert(make_hello("a", 1).nonce).second);
}

TEST(handshake, a_damaged_hello_is_refused) {
  const auto bytes = encode(of("order"));
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_THROW(decode_hello(bytes.substr(0, size)), decode_error) << size;
  EXPECT_THROW(decode_hello(bytes + "x"), decode_error);
}

TEST(handshake, a_version_too_old_is_seen_whatever_follows_it) {
  for (const auto* rest : {"", "x", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"}) {
    const auto read = decode_hello(to_wire(oldest_protocol_version - 1) + rest);
    EXPECT_EQ(read.protocol, oldest_protocol_version - 1);
    EXPECT_EQ(read.name, "");
    EXPECT_EQ(common_version(read), std::nullopt);
  }
}

TEST(handshake, what_a_newer_version_adds_to_its_hello_is_skipped) {
  auto newer = make_hello("order", 7);
  newer.protocol = protocol_version + 2;
  newer.services = {"order", "a service of the future"};
  const auto read = decode_hello(encode(newer) + "and more");
  EXPECT_EQ(read.name, "order");
  EXPECT_EQ(read.services, newer.services);
  EXPECT_EQ(common_version(read), protocol_version);
}

TEST(handshake, both_sides_speak_the_newest_version_that_they_share) {
  const auto common = [](std::uint32_t newest, std::uint32_t oldest) {
    auto h = make_hello("a", 1);
    h.protocol = newest;
    h.oldest = oldest;
    return common_version(decode_hello(encode(h)));
  };
  EXPECT_EQ(common(protocol_version, oldest_protocol_version), protocol_version);
  EXPECT_EQ(common(protocol_version + 3, protocol_version), protocol_version);
  EXPECT_EQ(common(protocol_version + 3, protocol_version + 1), std::nullopt);
  EXPECT_EQ(common(4, 0), 4U) << "versions before 5 say one version only";
  EXPECT_EQ(common(3, 0), 3U);
}

TEST(handshake, a_node_runs_what_it_lists) {
  auto h = make_hello("kitchen", 1);
  h.services = {"delivery", "stamp"};
  EXPECT_TRUE(runs(h, {service::delivery}));
  EXPECT_TRUE(runs(h, {service::stamp, service::delivery}));
  EXPECT_FALSE(runs(h, {service::delivery, service::order}));
}

TEST(handshake, a_proof_is_good_for_its_secret_side_and_hellos_only) {
  const auto connector = of("a"), acceptor = of("b");
  const auto proof = proof_of("secret", proving_side::acceptor, connector, acceptor);
  const auto holds = [&](std::string_view secret, proving_side by, const hello& from,
                         const hello& to) { return is_proof(proof, secret, by, from, to); };
  EXPECT_TRUE(holds("secret", proving_side::acceptor, connector, acceptor));
  EXPECT_FALSE(holds("Secret", proving_side::acceptor, connector, acceptor));
  EXPECT_FALSE(holds("", proving_side::acceptor, connector, acceptor));
  EXPECT_FALSE(holds("secret", proving_side::connector, connector, acceptor));
  EXPECT_FALSE(holds("secret", proving_side::acceptor, acceptor, connector));
  EXPECT_FALSE(holds("secret", proving_side::acceptor, of("c"), acceptor));
  EXPECT_FALSE(holds("secret", proving_side::acceptor, of("a", 2), acceptor));
  EXPECT_FALSE(holds("secret", proving_side::acceptor, of("a", 1, "other"), acceptor));
  EXPECT_FALSE(holds("secret", proving_side::acceptor, connector, of("c")));
  EXPECT_FALSE(holds("secret", proving_side::acceptor, connector, of("b", 2)));
  EXPECT_FALSE(holds("secret", proving_side::acceptor, connector, of("b", 1, "other")));
}

TEST(handshake, a_proof_of_another_length_or_with_one_bit_changed_is_refused) {
  const auto connector = of("a"), acceptor = of("b");
  const auto proof = proof_of("secret", proving_side::connector, connector, acceptor);
  ASSERT_EQ(proof.size(), 32U);
  const auto holds = [&](const std::string& given) {
    return is_proof(given, "secret", proving_side::connector, connector, acceptor);
  };
  EXPECT_TRUE(holds(proof));
  EXPECT_FALSE(holds(""));
  EXPECT_FALSE(holds(proof.substr(0, 31)));
  EXPECT_FALSE(holds(proof + '\0'));
  for (std::size_t i = 0; i < proof.size(); ++i) {
    auto changed = proof;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_FALSE(holds(changed)) << i;
  }
}

TEST(handshake, what_is_moved_from_one_field_to_the_next_is_another_hello) {
  const auto acceptor = of("b");
  EXPECT_NE(proof_of("s", proving_side::acceptor, of("ab", 1, "c"), acceptor),
            proof_of("s", proving_side::acceptor, of("a", 1, "bc"), acceptor));
}

TEST(handshake, names_are_what_may_stand_in_a_log_line) {
  for (const auto* good : {"a", "order", "order-1", "A.b_C", "order,payment", "0"})
    EXPECT_TRUE(is_node_name(good)) << good;
  for (const auto* bad : {"", " ", "a b", "a\n", "a\"", "a=b", "a/b", "caf\xc3\xa9", "\x7f"})
    EXPECT_FALSE(is_node_name(bad)) << bad;
  EXPECT_FALSE(is_node_name(std::string_view("a\0b", 3)));
  EXPECT_TRUE(is_node_name(std::string(100, 'a')));
  EXPECT_FALSE(is_node_name(std::string(101, 'a')));
}

}  // namespace
}  // namespace skanu
