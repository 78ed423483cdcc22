#include "services/d1/point.h"

#include "base/testing.h"

namespace levada::services::d1 {
namespace {

TEST(Bookmarks, HaveCloudflaresForm) {
  const std::string bookmark = FormatBookmark(7, {.epoch = 0x85, .seq = 0x24c, .ms = 1000});
  EXPECT_THAT(bookmark, testing::MatchesRegex("[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{32}"));
  EXPECT_THAT(bookmark, testing::StartsWith("00000085-00000000-0000024c-"));
}

TEST(Bookmarks, GrowWithThePoints) {
  std::string before;
  for (const Point& point :
       {Point{1, 0, 5}, Point{1, 1, 5}, Point{1, 0xffffffff, 5}, Point{1, 0x100000000, 6},
        Point{2, 0x100000001, 6}, Point{0xffffffff, UINT64_MAX, INT64_MAX}}) {
    const std::string bookmark = FormatBookmark(7, point);
    EXPECT_LT(before, bookmark);
    EXPECT_EQ(ParseBookmark(7, bookmark), (Bookmark{point.epoch, point.seq, point.ms}));
    before = bookmark;
  }
}

TEST(Bookmarks, OfOthersAndOfNobodyAreNone) {
  const std::string bookmark = FormatBookmark(7, {.epoch = 1, .seq = 3, .ms = 77});
  EXPECT_FALSE(ParseBookmark(8, bookmark));
  EXPECT_FALSE(ParseBookmark(7, ""));
  EXPECT_FALSE(ParseBookmark(7, bookmark + "0"));
  for (size_t i = 0; i < bookmark.size(); ++i) {
    for (const char c : {'0', '1', 'A', 'g', '-', '\0'}) {
      std::string other = bookmark;
      other[i] = c;
      EXPECT_EQ(ParseBookmark(7, other).has_value(), other == bookmark) << other;
    }
  }
}

TEST(Seconds, EndAtTheFullOne) {
  EXPECT_EQ(SecondOf(0), 0);
  EXPECT_EQ(SecondOf(1), 1);
  EXPECT_EQ(SecondOf(1000), 1);
  EXPECT_EQ(SecondOf(1001), 2);
}

}  // namespace
}  // namespace levada::services::d1
