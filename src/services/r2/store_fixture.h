#pragma once
// ObjectStoreTest: a store on a disk of its own with a loop that runs, driven from the test's
// thread. For *_test.cc only.

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/testing.h"
#include "net/client_fixture.h"
#include "os/temporary_directory.h"
#include "services/r2/object_store.h"
#include "services/r2/r2_error.h"

namespace levada::services::r2 {

/// A text, in pieces.
class TextSource final : public ObjectSource {
 public:
  explicit TextSource(std::string text, size_t piece = 100'000)
      : text_(std::move(text)), piece_(piece) {}
  net::Task<Result<std::string_view>> Read() override {
    const std::string_view piece = std::string_view(text_).substr(at_, piece_);
    at_ += piece.size();
    co_return piece;
  }
  std::optional<uint64_t> declared_bytes() const override { return text_.size(); }
  std::vector<checksums::Algorithm> algorithms() const override { return {}; }
  Result<std::vector<StoredChecksum>> Check(const Computed&) override {
    return std::vector<StoredChecksum>();
  }

 private:
  const std::string text_;
  const size_t piece_;
  size_t at_ = 0;
};

class ObjectStoreTest : public testing::Test {
 protected:
  ObjectStoreTest() {
    // Small, so that a test meets all of them.
    limits_.inline_bytes_max = 1000;
    limits_.part_bytes_min = 10;
    Open();
  }
  ~ObjectStoreTest() override { Close(); }

  void Open() {
    running_ = std::make_unique<net::LoopThread>();
    workers_ = std::make_unique<net::Workers>(4, 4096);
    store_ = ValueOf(ObjectStore::Open(
        directory_ / "objects", limits_,
        {*disk_, clock_, *random_, running_->loop(), *workers_, *workers_, *log_, nullptr},
        options_));
  }
  void Close() {
    if (running_ == nullptr) return;
    running_->End();
    workers_.reset();
    store_.reset();
    running_.reset();
  }
  void Reopen() {
    Close();
    Open();
  }

  template <typename T>
  T Wait(net::Task<T> task) {
    std::optional<T> value;
    running_->Await(Keep(std::move(task), value));
    return *std::move(value);
  }

  Result<ObjectRecord> Put(Bucket bucket, const std::string& key, const std::string& text,
                           PutOptions options = {}) {
    TextSource source(text);
    return Wait(store_->Put(bucket, key, std::move(options), source));
  }
  /// The text of a version; nullopt with kNoSuchKey and its like.
  std::optional<std::string> Get(Bucket bucket, const std::string& key, VersionChoice version = {},
                                 std::optional<CustomerKey> customer_key = {}) {
    Result<OpenedObject> opened = Wait(store_->OpenObject(bucket, key, version));
    if (!opened.ok()) {
      EXPECT_TRUE(IsR2Error(opened.status())) << opened.status();
      return std::nullopt;
    }
    const ByteRange all{0, opened->record.bytes};
    const Result<std::string> text = ReadAll(*std::move(opened), all, std::move(customer_key));
    EXPECT_TRUE(text.ok()) << text.status();
    return text.ok() ? std::optional(*text) : std::nullopt;
  }
  Result<std::string> ReadAll(OpenedObject object, ByteRange range,
                              std::optional<CustomerKey> customer_key = {}) {
    auto held = std::make_shared<OpenedObject>(std::move(object));
    return Wait(Collect(*store_, std::move(held), range, std::move(customer_key)));
  }
  std::vector<std::string> Keys(Bucket bucket, const ListRequest& request = {}) {
    std::vector<std::string> keys;
    const ListPage page = ValueOf(Wait(store_->List(bucket, request)));
    for (const ListedObject& object : page.objects) keys.push_back(object.key);
    return keys;
  }
  /// Files of blobs; once all that is under way has ended.
  size_t Files() {
    // What is removed is removed by a thread: the workers end with what they took.
    running_->Do([] {});
    workers_ = std::make_unique<net::Workers>(4, 4096);
    Reopen();
    size_t files = 0;
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(directory_ / "objects/blobs")) {
      files += entry.is_regular_file() ? 1 : 0;
    }
    return files;
  }

  R2Limits limits_;
  os::TemporaryDirectory directory_;
  ManualClock clock_{1'700'000'000'000'000};
  std::unique_ptr<os::Disk> disk_ = os::MakeSystemDisk();
  std::unique_ptr<Random> random_ = MakeSeededRandom(1);
  std::unique_ptr<Logger> log_ = MakeNullLogger();
  db::rocks::StoreOptions options_;
  std::unique_ptr<net::LoopThread> running_;
  std::unique_ptr<net::Workers> workers_;
  std::unique_ptr<ObjectStore> store_;

 private:
  template <typename T>
  static net::Task<void> Keep(net::Task<T> task, std::optional<T>& into) {
    into.emplace(co_await std::move(task));
  }
  static net::Task<Result<std::string>> Collect(ObjectStore& store,
                                                std::shared_ptr<OpenedObject> object,
                                                ByteRange range,
                                                std::optional<CustomerKey> customer_key) {
    const auto reader = store.Read(std::move(*object), range, std::move(customer_key));
    std::string text;
    while (true) {
      const Result<std::string_view> piece = co_await reader->Next();
      if (!piece.ok()) co_return piece.status();
      if (piece->empty()) co_return text;
      text += *piece;
    }
  }
};

}  // namespace levada::services::r2
