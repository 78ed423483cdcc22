#include "services/queues/ready_window.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace levada::services::queues {
namespace {

using testing::ElementsAre;

std::vector<uint64_t> SeqsOf(const ReadyWindow& window) {
  std::vector<uint64_t> seqs;
  for (const auto& [place, waiting] : window.entries()) seqs.push_back(place.seq);
  return seqs;
}

TEST(ReadyWindow, KeepsTheFirstAndForgetsTheRest) {
  ReadyWindow window(2);
  for (uint64_t seq = 1; seq <= 5; ++seq) window.Insert({10, seq}, {{}, seq});
  EXPECT_THAT(SeqsOf(window), ElementsAre(1, 2));
  EXPECT_EQ(window.NeedsMore(2), std::nullopt);
  EXPECT_EQ(window.NeedsMore(3), (Place{10, 3}));
}

TEST(ReadyWindow, WhatIsNotWrittenYetIsNotForgotten) {
  ReadyWindow window(2);
  for (uint64_t seq = 1; seq <= 5; ++seq) window.Insert({10, seq}, {{}, seq});
  window.Insert({10, 6}, {{}, 6});
  window.Wrote(3);
  // The disk has the third alone.
  window.Extend({{{10, 3}, {}}});
  EXPECT_THAT(SeqsOf(window), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_EQ(window.NeedsMore(100), std::nullopt);
}

TEST(ReadyWindow, WhatCameFromTheDiskDoesNotComeTwice) {
  ReadyWindow window(2);
  window.Reset({});
  window.Insert({10, 3}, {{}, 1});  // behind the horizon: all is
  window.Extend({{{10, 1}, {}}, {{10, 3}, {}}});
  EXPECT_THAT(SeqsOf(window), ElementsAre(1, 3));
  window.Remove({10, 1}, 2);
  window.Remove({10, 3}, 2);
  EXPECT_EQ(window.NeedsMore(1), (Place{10, 4}));
  window.Extend({});
  EXPECT_THAT(SeqsOf(window), ElementsAre());
  EXPECT_EQ(window.head(), kNowhere);
}

TEST(ReadyWindow, AnEarlierPlaceGoesBeforeTheOthers) {
  ReadyWindow window(2);
  for (uint64_t seq = 1; seq <= 5; ++seq) window.Insert({10, seq}, {{}, seq});
  window.Insert({9, 6}, {{}, 6});
  EXPECT_THAT(SeqsOf(window), ElementsAre(6, 1, 2));
  EXPECT_EQ(window.head(), (Place{9, 6}));
}

TEST(ReadyWindow, WhatWasTakenDoesNotComeBackFromADiskThatIsBehind) {
  ReadyWindow window(2);
  window.Insert({10, 7}, {{}, 1});
  window.Wrote(1);
  window.Remove({10, 7}, 2);
  // Others are put before it, and the window ends among them.
  for (uint64_t seq = 1; seq <= 5; ++seq) window.Insert({10, seq}, {{}, 2 + seq});
  for (const uint64_t seq : {1, 2}) window.Remove({10, seq}, 8);
  EXPECT_EQ(window.NeedsMore(1), (Place{10, 3}));
  window.Extend({{{10, 7}, {}}});
  EXPECT_THAT(SeqsOf(window), ElementsAre(3, 4, 5));
  window.Wrote(8);
}

TEST(ReadyWindow, WhatWasPurgedDoesNotComeBackFromTheDisk) {
  ReadyWindow window(2);
  window.Reset(kNowhere, 4);
  for (uint64_t seq = 4; seq <= 8; ++seq) window.Insert({10, seq}, {{}, seq});
  window.Wrote(8);
  for (const uint64_t seq : {4, 5}) window.Remove({10, seq}, 9);
  // The purge is not on the disk yet.
  window.Extend({{{10, 3}, {}}, {{10, 6}, {}}});
  EXPECT_THAT(SeqsOf(window), ElementsAre(6));
}

}  // namespace
}  // namespace levada::services::queues
