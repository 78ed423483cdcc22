#include "elt/hidden_source.h"

#include <gtest/gtest.h>

#include "base/testing.h"
#include "elt/fake_catalog.h"

namespace levada::elt {
namespace {

std::string Likely(const std::string& text) {
  return HideLikelySecrets(fake::MakeSource(text))->text;
}

/// What is shown of the value of `dsn`, a secret option.
std::string Shown(const std::string& text) {
  const auto source = fake::MakeSource(text);
  const Value root = ValueOf(ParseYaml(source));
  return HideSecrets(source, {root.Find("dsn")})->text;
}

TEST(HiddenSource, HidesWhatLooksLikeAPassword) {
  EXPECT_EQ(Likely("a: postgres://me:pw@host/db\n"), "a: postgres://me:**@host/db\n");
  EXPECT_EQ(Likely("a: postgres://me:p@ss:w@host/db"), "a: postgres://me:******@host/db");
  EXPECT_EQ(Likely("password: pw\nb: 1"), "password: **\nb: 1");
  EXPECT_EQ(Likely("api_token: \"a b\" # c"), "api_token: \"***\" # c");
  EXPECT_EQ(Likely("url: x://h/db?password=pw&a=1"), "url: x://h/db?password=**&a=1");
}

TEST(HiddenSource, LeavesTheRestAlone) {
  const std::string text = "a: postgres://host:5432/db\nb: s3://lake/x\nname: orders\n";
  const auto source = fake::MakeSource(text);
  EXPECT_EQ(HideLikelySecrets(source), source);
}

TEST(HiddenSource, ShowsReferences) {
  EXPECT_EQ(Likely("password: ${env:PW}"), "password: ${env:PW}");
  EXPECT_EQ(Shown("dsn: ${env:DSN}\n"), "dsn: ${env:DSN}\n");
  EXPECT_EQ(Shown("dsn: postgres://me:${env:PW}@h/db\n"), "dsn: postgres://me:${env:PW}@h/db\n");
}

TEST(HiddenSource, HidesTheValuesOfSecretOptions) {
  EXPECT_EQ(Shown("dsn: hunter2\n"), "dsn: *******\n");
  EXPECT_EQ(Shown("dsn: 'hun''ter'\n"), "dsn: **********\n");
  EXPECT_EQ(Shown("dsn: postgres://me@h/db\n"), "dsn: postgres://me@h/db\n");
  EXPECT_EQ(Shown("dsn: host=h password='a b' user=u\n"), "dsn: host=h password='***' user=u\n");
  EXPECT_EQ(Shown("dsn: |\n  two\n  lines\nb: 1\n"), "dsn: *\n*****\n*******\nb: 1\n");
}

TEST(HiddenSource, TellsLiteralSecretsFromReferences) {
  EXPECT_TRUE(HoldsLiteralSecret("hunter2"));
  EXPECT_TRUE(HoldsLiteralSecret("postgres://me:pw@h/db"));
  EXPECT_TRUE(HoldsLiteralSecret("postgres://me:pw${env:X}@h/db"));
  EXPECT_TRUE(HoldsLiteralSecret("host=h password=pw"));
  EXPECT_FALSE(HoldsLiteralSecret("${env:DSN}"));
  EXPECT_FALSE(HoldsLiteralSecret("${env:DSN}?sslmode=require"));
  EXPECT_TRUE(HoldsLiteralSecret("${env:DSN}?password=pw"));
  EXPECT_TRUE(HoldsLiteralSecret("${env:PREFIX}hunter2"));
  EXPECT_FALSE(HoldsLiteralSecret("postgres://me@h/db"));
  EXPECT_FALSE(HoldsLiteralSecret("postgres://me:${env:PW}@h/db"));
  EXPECT_FALSE(HoldsLiteralSecret("host=h dbname=d"));
}

}  // namespace
}  // namespace levada::elt
