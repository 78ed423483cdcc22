#include "app/ad_hoc.h"

#include <gtest/gtest.h>

#include "os/memory_disk.h"

namespace levada::app {
namespace {

/// A catalog with one consumer that takes "fake://TABLE".
elt::Catalog FakeCatalog() {
  elt::CatalogEntry<elt::Consumer> entry;
  entry.kind = "fake";
  entry.url_schemes = {"fake", "fakes"};
  entry.from_url = [](const std::string& url) -> Result<elt::WrittenOptions> {
    return elt::WrittenOptions{{"dsn", url}, {"table", "it's \"here\"\n"}};
  };
  elt::Catalog catalog;
  catalog.Add(std::move(entry));
  return catalog;
}

TEST(AdHoc, WritesWhatAPersonWouldHaveWritten) {
  const Result<std::string> text =
      WriteAdHoc(FakeCatalog(), {"fake://host/db", "./lake/Order Lines/", ""});
  ASSERT_TRUE(text.ok()) << text.status().ToString();
  EXPECT_EQ(*text,
            "name: order_lines\n"
            "consumer:\n"
            "  fake:\n"
            "    dsn: \"fake://host/db\"\n"
            "    table: \"it's \\\"here\\\"\\x0a\"\n"
            "loaders:\n"
            "  - parquet:\n"
            "      path: \"./lake/Order Lines/\"\n");
}

TEST(AdHoc, NumbersAndSwitchesStandWithoutQuotes) {
  elt::CatalogEntry<elt::Consumer> entry;
  entry.kind = "typed";
  entry.url_schemes = {"typed"};
  entry.spec = {.name = "typed", .type = elt::OptionType::kGroup};
  entry.spec.fields = {{.name = "rows", .type = elt::OptionType::kInteger},
                       {.name = "trim", .type = elt::OptionType::kBool},
                       {.name = "wait", .type = elt::OptionType::kDuration},
                       {.name = "code"}};
  entry.from_url = [](const std::string&) -> Result<elt::WrittenOptions> {
    return elt::WrittenOptions{{"rows", "-12"}, {"trim", "true"}, {"wait", "30s"},
                               {"code", "12"},  {"rows", "1 2"},  {"rows", ""}};
  };
  elt::Catalog catalog;
  catalog.Add(std::move(entry));
  const Result<std::string> text = WriteAdHoc(catalog, {"typed:x", "lake", ""});
  ASSERT_TRUE(text.ok()) << text.status().ToString();
  EXPECT_NE(text->find("    rows: -12\n    trim: true\n    wait: \"30s\"\n    code: \"12\"\n"
                       "    rows: \"1 2\"\n    rows: \"\"\n"),
            std::string::npos)
      << *text;
}

TEST(AdHoc, ATargetMayBeAUrlToo) {
  elt::Catalog catalog = FakeCatalog();
  elt::CatalogEntry<elt::Loader> entry;
  entry.kind = "table";
  entry.spec.fields = {{.name = "table"}, {.name = "key", .type = elt::OptionType::kList}};
  entry.url_schemes = {"table"};
  entry.from_url = [](const std::string& url) -> Result<elt::WrittenOptions> {
    return elt::WrittenOptions{{"table", url.substr(8)}, {"key", "a,b c"}};
  };
  catalog.Add(std::move(entry));
  const std::string text = *WriteAdHoc(catalog, {"fake://x", "table://public.Orders", ""});
  EXPECT_TRUE(text.starts_with("name: public_orders\n")) << text;
  EXPECT_TRUE(
      text.ends_with("loaders:\n  - table:\n      table: public.Orders\n      key: [a, \"b c\"]\n"))
      << text;
}

TEST(AdHoc, NamesThatWouldBeEmptyOrNumbersGetAWord) {
  const auto name = [](const std::string& path) {
    const std::string text = *WriteAdHoc(FakeCatalog(), {"fake://x", path, ""});
    return text.substr(0, text.find('\n'));
  };
  EXPECT_EQ(name("./lake/2026"), "name: run_2026");
  EXPECT_EQ(name("/"), "name: ad_hoc");
  EXPECT_EQ(name("orders"), "name: orders");
}

TEST(AdHoc, AnUnknownSchemeIsRefusedWithTheNearest) {
  const Status status = WriteAdHoc(FakeCatalog(), {"fqke://x", "lake", ""}).status();
  EXPECT_EQ(CodeOf(status), FaultCode::kBadCommandLine);
  EXPECT_EQ(FaultOf(status).help(), "did you mean \"fake\"?");
}

TEST(AdHoc, SavesOnceAndNeverOverSomethingElse) {
  os::MemoryDisk disk;
  const AdHocPipeline ad_hoc{"fake://x", "lake", "orders.yaml"};
  EXPECT_TRUE(SaveAdHoc(disk, ad_hoc, "name: a\n").ok());
  EXPECT_TRUE(SaveAdHoc(disk, ad_hoc, "name: a\n").ok());
  EXPECT_EQ(CodeOf(SaveAdHoc(disk, ad_hoc, "name: b\n")), FaultCode::kBadCommandLine);
  EXPECT_EQ(**os::ReadFile(disk, "orders.yaml", 1000), "name: a\n");
}

TEST(AdHoc, NeverWritesAPasswordToAFile) {
  os::MemoryDisk disk;
  const AdHocPipeline ad_hoc{"postgres://me:secret@host/db?table=t", "lake", "orders.yaml"};
  const Status status = SaveAdHoc(disk, ad_hoc, "dsn: secret\n");
  EXPECT_EQ(CodeOf(status), FaultCode::kBadCommandLine);
  EXPECT_FALSE((*disk.Stat("orders.yaml")).has_value());
}

}  // namespace
}  // namespace levada::app
