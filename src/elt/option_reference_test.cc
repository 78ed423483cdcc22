#include "elt/option_reference.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "base/testing.h"
#include "elt/fake_catalog.h"
#include "os/disk.h"

namespace levada::elt {
namespace {

using testing::HasSubstr;

std::string Resolved(const std::string& text) {
  const auto environment = fake::MakeEnvironment({{"A", "apple"}, {"EMPTY", ""}, {"R", "${env:A}"}},
                                                 {{"/run/pw", "secret"}});
  const auto resolved = ResolveReferences(text, *environment);
  return resolved.problem
             ? "problem " + std::to_string(resolved.problem->offset) + "+" +
                   std::to_string(resolved.problem->length) + ": " + resolved.problem->message
             : resolved.text;
}

TEST(OptionReference, ReplacesVariablesAndFiles) {
  EXPECT_EQ(Resolved("${env:A}"), "apple");
  EXPECT_EQ(Resolved("x ${env:A} y ${file:/run/pw}."), "x apple y secret.");
  EXPECT_EQ(Resolved("${env:A}${env:A}"), "appleapple");
  EXPECT_EQ(Resolved("[${env:EMPTY}]"), "[]");
  EXPECT_EQ(Resolved("plain $ text { } $1"), "plain $ text { } $1");
}

TEST(OptionReference, DoubleDollarIsALiteral) {
  EXPECT_EQ(Resolved("$${env:A}"), "${env:A}");
  EXPECT_EQ(Resolved("a$${x}${env:A}"), "a${x}apple");
  EXPECT_EQ(Resolved("$$"), "$$");
}

TEST(OptionReference, WhatAReferenceStandsForIsNotReadAgain) {
  EXPECT_EQ(Resolved("${env:R}"), "${env:A}");
}

TEST(OptionReference, NamesTheReferenceThatFails) {
  EXPECT_EQ(Resolved("a ${env:NONE}"),
            "problem 2+11: the environment variable of \"${env:NONE}\" is not set");
  EXPECT_EQ(Resolved("${file:/none}"),
            "problem 0+13: the file of \"${file:/none}\" cannot be read");
}

TEST(OptionReference, RefusesWhatIsNotWellFormed) {
  EXPECT_THAT(Resolved("ab${env:A"), HasSubstr("problem 2+7: a reference without"));
  EXPECT_THAT(Resolved("${HOME}"), HasSubstr("not a reference: \"${HOME}\""));
  EXPECT_THAT(Resolved("${evn:A}"), HasSubstr("not a reference"));
  EXPECT_THAT(Resolved("${env:}"), HasSubstr("no environment variable can have the name"));
  EXPECT_THAT(Resolved("${env:1A}"), HasSubstr("no environment variable"));
  EXPECT_THAT(Resolved("${env:A-B}"), HasSubstr("no environment variable"));
  EXPECT_THAT(Resolved("${file:}"), HasSubstr("no path in"));
  EXPECT_THAT(Resolved("${}"), HasSubstr("not a reference"));
}

TEST(OptionReference, ChecksWithoutLookingUp) {
  EXPECT_FALSE(CheckReferences("${env:NONE} ${file:/none}").has_value());
  EXPECT_TRUE(CheckReferences("${env:NONE").has_value());
}

TEST(OptionReference, BoundsTheLengthOfTheResult) {
  const auto environment = fake::MakeEnvironment({{"BIG", std::string(kResolvedBytesMax, 'x')}});
  EXPECT_FALSE(ResolveReferences("${env:BIG}", *environment).problem.has_value());
  EXPECT_TRUE(ResolveReferences("${env:BIG}${env:BIG}", *environment).problem.has_value());
}

TEST(OptionReference, TheProcessHasVariablesAndFiles) {
  const Environment environment = ProcessEnvironment();
  EXPECT_TRUE(environment.variable("PATH").has_value());
  EXPECT_FALSE(environment.variable("LEVADA_NO_SUCH_VARIABLE").has_value());

  const std::string path = testing::TempDir() + "levada_reference_test";
  const auto disk = os::MakeSystemDisk();
  ASSERT_THAT(os::WriteFileDurably(*disk, path, "secret \n\n"), IsOk());
  EXPECT_EQ(ValueOf(environment.file(path)), "secret \n");
  ASSERT_THAT(os::WriteFileDurably(*disk, path, "secret\r\n"), IsOk());
  EXPECT_EQ(ValueOf(environment.file(path)), "secret");
  ASSERT_THAT(disk->Remove(path), IsOk());
  EXPECT_THAT(environment.file(path), FailsWith(FaultCode::kUnresolvedReference));
}

}  // namespace
}  // namespace levada::elt
