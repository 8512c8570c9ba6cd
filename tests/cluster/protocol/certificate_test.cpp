// Names and expiry of certificates.
#include "cluster/protocol/certificate.hpp"

#include <cstdio>
#include <fstream>
#include <memory>
#include <system_error>

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "tests/support/temporary_folder.hpp"

namespace skanu {
namespace {

using std::chrono::days;

const instant now = instant{days{20'000}};

certificate good() { return {{"stamp", "stamp-2"}, now - days{1}, now + days{60}}; }

TEST(certificate, names_its_node_and_no_other) {
  const std::vector<std::string> names{"order,payment", "Stamp"};
  for (const auto* node : {"order,payment", "stamp", "STAMP"}) EXPECT_TRUE(name_node(names, node));
  for (const auto* node : {"", "order", "payment", "stam", "stamps", "*"})
    EXPECT_FALSE(name_node(names, node)) << node;
  EXPECT_FALSE(name_node({std::string("stamp\0.evil", 11)}, "stamp"));
  EXPECT_FALSE(name_node({}, ""));
}

TEST(certificate, that_is_good_is_fit_for_each_node_that_it_names) {
  for (const auto* node : {"stamp", "stamp-2"}) EXPECT_EQ(why_unfit(good(), "f", node, now), "");
}

TEST(certificate, says_why_it_is_unfit) {
  const auto why = [](const certificate& c, const char* node = "stamp") {
    return why_unfit(c, "the-file", node, now);
  };
  auto expired = good(), early = good();
  expired.ends = now;
  early.begins = now + std::chrono::milliseconds(1);
  EXPECT_NE(why(expired).find("has expired"), std::string::npos);
  EXPECT_NE(why(early).find("not valid before"), std::string::npos);
  EXPECT_NE(why(good(), "order").find("does not name this node, order"), std::string::npos);
  for (const auto& text : {why(expired), why(early), why(good(), "order")})
    EXPECT_NE(text.find("the-file"), std::string::npos) << text;
}

TEST(certificate, that_cannot_be_read_is_named) {
  const temporary_folder folder;
  const auto file = (folder.path() / "certificate.pem").string();
  EXPECT_THROW(read_certificate(file), std::system_error);
  std::ofstream(file) << "no certificate\n";
  EXPECT_THROW(read_certificate(file), std::runtime_error);
}

TEST(certificate, is_read_with_all_its_names_and_times) {
  const std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key{EVP_EC_gen("P-256"), &EVP_PKEY_free};
  const std::unique_ptr<X509, void (*)(X509*)> made{X509_new(), &X509_free};
  X509_set_pubkey(made.get(), key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>("order,payment"), -1, -1, 0);
  auto* names = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name,
                                    "DNS:order.payment,IP:127.0.0.1,DNS:two");
  X509_add_ext(made.get(), names, -1);
  X509_EXTENSION_free(names);
  ASN1_TIME_set(X509_getm_notBefore(made.get()), 1'700'000'000);
  ASN1_TIME_set(X509_getm_notAfter(made.get()), 1'800'000'000);
  X509_sign(made.get(), key.get(), EVP_sha256());
  const temporary_folder folder;
  const auto file = (folder.path() / "certificate.pem").string();
  auto* out = std::fopen(file.c_str(), "w");
  PEM_write_X509(out, made.get());
  std::fclose(out);
  const auto read = read_certificate(file);
  EXPECT_EQ(read.names, (std::vector<std::string>{"order,payment", "order.payment", "two"}));
  EXPECT_EQ(to_rfc3339(read.begins), "2023-11-14T22:13:20.000Z");
  EXPECT_EQ(to_rfc3339(read.ends), "2027-01-15T08:00:00.000Z");
}

}  // namespace
}  // namespace skanu
