#include "os/memory_disk.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <utility>

#include "base/clock.h"
#include "os/disk_fault.h"

namespace levada::os {

// A file or a directory. `seen` is what processes see, `kept` what a crash leaves.
struct MemoryDisk::Node {
  using Bytes = std::vector<uint8_t>;
  using Entries = std::map<std::string, std::shared_ptr<Node>, std::less<>>;

  explicit Node(bool directory) : is_directory(directory) {}

  const bool is_directory;
  Bytes seen_bytes, kept_bytes;
  int64_t modified = 0;  // what of all changes of the disk was its last
  Entries seen_entries, kept_entries;
  bool locked = false;
};

namespace {

constexpr size_t kSectorBytes = 512;

std::vector<std::string> PartsOf(std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    const size_t slash = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, slash);
    path.remove_prefix(std::min(slash + 1, path.size()));
    if (!part.empty() && part != ".") parts.emplace_back(part);
  }
  return parts;
}

// What a crash may leave of a file that was changed from `kept` to `seen` and not synced.
std::vector<uint8_t> Torn(const std::vector<uint8_t>& kept, const std::vector<uint8_t>& seen,
                          Random& random) {
  const size_t least = std::min(kept.size(), seen.size());
  const size_t most = std::max(kept.size(), seen.size());
  // The size is metadata and goes its own way; half of the time it is one of the two.
  const uint64_t choice = random.Next() % 4;
  const size_t size = choice == 0   ? kept.size()
                      : choice == 1 ? seen.size()
                                    : least + random.Next() % (most - least + 1);
  std::vector<uint8_t> torn(size, 0);
  for (size_t begin = 0; begin < size; begin += kSectorBytes) {
    const auto& from = random.Next() % 2 == 0 ? kept : seen;
    const size_t end = std::min({begin + kSectorBytes, size, from.size()});
    if (begin < end) std::memcpy(torn.data() + begin, from.data() + begin, end - begin);
  }
  return torn;
}

}  // namespace

struct MemoryDisk::State {
  // One name of one directory; a null node: removed.
  struct Change {
    std::shared_ptr<Node> directory;
    std::string name;
    std::shared_ptr<Node> node;
  };
  using Operation = std::vector<Change>;  // all of it reaches the platter at once

  struct Place {
    std::shared_ptr<Node> directory;
    std::string name;
    std::shared_ptr<Node> node;  // null: there is nothing of this name
  };

  std::mutex mutex;
  std::shared_ptr<Node> root = std::make_shared<Node>(true);
  std::vector<Operation> pending;
  int64_t changes = 0;
  int64_t epoch = 0;  // grows with each crash; files and locks of an older one are dead

  // An errno where a part above the last is missing or a file.
  std::pair<Place, int> Find(const std::string& path) {
    const auto parts = PartsOf(path);
    if (parts.empty()) return {Place{nullptr, "", root}, 0};
    std::shared_ptr<Node> directory = root;
    for (size_t i = 0; i + 1 < parts.size(); ++i) {
      const auto entry = directory->seen_entries.find(parts[i]);
      if (entry == directory->seen_entries.end()) return {Place{}, ENOENT};
      directory = entry->second;
      if (!directory->is_directory) return {Place{}, ENOTDIR};
    }
    const auto entry = directory->seen_entries.find(parts.back());
    const bool found = entry != directory->seen_entries.end();
    return {Place{directory, parts.back(), found ? entry->second : nullptr}, 0};
  }

  void Apply(Operation operation) {
    for (const Change& change : operation) {
      if (change.node == nullptr) {
        change.directory->seen_entries.erase(change.name);
      } else {
        change.directory->seen_entries[change.name] = change.node;
      }
    }
    pending.push_back(std::move(operation));
  }

  static void Keep(const Change& change) {
    if (change.node == nullptr) {
      change.directory->kept_entries.erase(change.name);
    } else {
      change.directory->kept_entries[change.name] = change.node;
    }
  }

  void KeepChangesOf(const Node* directory) {
    for (Operation& operation : pending) {
      for (const Change& change : operation) {
        if (change.directory.get() == directory) Keep(change);
      }
      std::erase_if(operation, [&](const Change& c) { return c.directory.get() == directory; });
    }
    std::erase_if(pending, [](const Operation& operation) { return operation.empty(); });
  }

  static void Reset(Node& node, Random* random) {
    node.locked = false;
    if (!node.is_directory) {
      if (random != nullptr && node.kept_bytes != node.seen_bytes) {
        node.kept_bytes = Torn(node.kept_bytes, node.seen_bytes, *random);
      }
      node.seen_bytes = node.kept_bytes;
      return;
    }
    node.seen_entries = node.kept_entries;
    for (const auto& [name, child] : node.seen_entries) Reset(*child, random);
  }
};

class MemoryDisk::Writable final : public WritableFile {
 public:
  Writable(std::shared_ptr<State> state, std::shared_ptr<Node> node, std::string path)
      : state_(std::move(state)),
        node_(std::move(node)),
        path_(std::move(path)),
        epoch_(state_->epoch) {}

  Status Append(std::span<const uint8_t> bytes) override {
    std::lock_guard lock(state_->mutex);
    if (!alive()) return DiskFault(EIO, "write", path_);
    node_->seen_bytes.insert(node_->seen_bytes.end(), bytes.begin(), bytes.end());
    node_->modified = ++state_->changes;
    return Status::OK();
  }
  Status Sync() override {
    std::lock_guard lock(state_->mutex);
    if (!alive()) return DiskFault(EIO, "sync", path_);
    node_->kept_bytes = node_->seen_bytes;
    return Status::OK();
  }
  Status Close() override {
    std::lock_guard lock(state_->mutex);
    const bool died = epoch_ != state_->epoch && node_ != nullptr;
    node_ = nullptr;
    return died ? Status(DiskFault(EIO, "close", path_)) : Status::OK();
  }

 private:
  bool alive() const { return node_ != nullptr && epoch_ == state_->epoch; }

  const std::shared_ptr<State> state_;
  std::shared_ptr<Node> node_;
  const std::string path_;
  const int64_t epoch_;
};

class MemoryDisk::Readable final : public ReadableFile {
 public:
  Readable(std::shared_ptr<State> state, std::shared_ptr<Node> node, std::string path)
      : state_(std::move(state)),
        node_(std::move(node)),
        path_(std::move(path)),
        epoch_(state_->epoch) {}

  Result<int64_t> Size() const override {
    std::lock_guard lock(state_->mutex);
    if (epoch_ != state_->epoch) return DiskFault(EIO, "stat", path_);
    return static_cast<int64_t>(node_->seen_bytes.size());
  }
  Result<int64_t> ReadAt(int64_t offset, std::span<uint8_t> out) const override {
    std::lock_guard lock(state_->mutex);
    if (epoch_ != state_->epoch) return DiskFault(EIO, "read", path_);
    if (offset < 0) return DiskFault(EINVAL, "read", path_);
    const size_t begin = std::min<size_t>(static_cast<size_t>(offset), node_->seen_bytes.size());
    const size_t count = std::min(out.size(), node_->seen_bytes.size() - begin);
    std::copy_n(node_->seen_bytes.begin() + static_cast<int64_t>(begin), count, out.begin());
    return static_cast<int64_t>(count);
  }

 private:
  const std::shared_ptr<State> state_;
  const std::shared_ptr<Node> node_;
  const std::string path_;
  const int64_t epoch_;
};

class MemoryDisk::Mutable final : public MutableFile {
 public:
  Mutable(std::shared_ptr<State> state, std::shared_ptr<Node> node, std::string path)
      : state_(state),
        node_(node),
        path_(path),
        epoch_(state->epoch),
        readable_(state, node, path) {}

  Result<int64_t> Size() const override { return readable_.Size(); }
  Result<int64_t> ReadAt(int64_t offset, std::span<uint8_t> out) const override {
    return readable_.ReadAt(offset, out);
  }
  Status WriteAt(int64_t offset, std::span<const uint8_t> bytes) override {
    std::lock_guard lock(state_->mutex);
    if (epoch_ != state_->epoch) return DiskFault(EIO, "write", path_);
    if (offset < 0) return DiskFault(EINVAL, "write", path_);
    Node::Bytes& content = node_->seen_bytes;
    const size_t begin = static_cast<size_t>(offset);
    content.resize(std::max(content.size(), begin + bytes.size()));
    std::copy(bytes.begin(), bytes.end(), content.begin() + offset);
    node_->modified = ++state_->changes;
    return Status::OK();
  }
  Status Truncate(int64_t size) override {
    std::lock_guard lock(state_->mutex);
    if (epoch_ != state_->epoch) return DiskFault(EIO, "truncate", path_);
    if (size < 0) return DiskFault(EINVAL, "truncate", path_);
    node_->seen_bytes.resize(static_cast<size_t>(size));
    node_->modified = ++state_->changes;
    return Status::OK();
  }
  Status Sync() override {
    std::lock_guard lock(state_->mutex);
    if (epoch_ != state_->epoch) return DiskFault(EIO, "sync", path_);
    node_->kept_bytes = node_->seen_bytes;
    return Status::OK();
  }

 private:
  const std::shared_ptr<State> state_;
  const std::shared_ptr<Node> node_;
  const std::string path_;
  const int64_t epoch_;
  const Readable readable_;
};

class MemoryDisk::Lock final : public FileLock {
 public:
  Lock(std::shared_ptr<State> state, std::shared_ptr<Node> node)
      : state_(std::move(state)), node_(std::move(node)), epoch_(state_->epoch) {
    node_->locked = true;
  }
  ~Lock() override {
    std::lock_guard lock(state_->mutex);
    if (epoch_ == state_->epoch) node_->locked = false;
  }

 private:
  const std::shared_ptr<State> state_;
  const std::shared_ptr<Node> node_;
  const int64_t epoch_;
};

MemoryDisk::MemoryDisk() : state_(std::make_shared<State>()) {}
MemoryDisk::~MemoryDisk() = default;

void MemoryDisk::Crash(uint64_t seed) {
  std::lock_guard lock(state_->mutex);
  ++state_->epoch;
  const auto random = MakeSeededRandom(seed);
  const size_t kept = seed == 0 ? 0 : random->Next() % (state_->pending.size() + 1);
  for (size_t i = 0; i < kept; ++i) {
    for (const State::Change& change : state_->pending[i]) State::Keep(change);
  }
  state_->pending.clear();
  State::Reset(*state_->root, seed == 0 ? nullptr : random.get());
}

Result<std::unique_ptr<WritableFile>> MemoryDisk::Create(const std::string& path) {
  std::lock_guard lock(state_->mutex);
  auto [place, error] = state_->Find(path);
  if (error != 0) return DiskFault(error, "create", path);
  if (place.node != nullptr && place.node->is_directory) return DiskFault(EISDIR, "create", path);
  if (place.node == nullptr) {
    place.node = std::make_shared<Node>(false);
    state_->Apply({{place.directory, place.name, place.node}});
  }
  place.node->seen_bytes.clear();
  place.node->modified = ++state_->changes;
  return std::make_unique<Writable>(state_, place.node, path);
}

Result<std::unique_ptr<WritableFile>> MemoryDisk::CreatePrivate(const std::string& path) {
  {
    std::lock_guard lock(state_->mutex);
    auto [place, error] = state_->Find(path);
    if (error == 0 && place.node != nullptr) return DiskFault(EEXIST, "create", path);
  }
  return Create(path);
}

Result<std::unique_ptr<ReadableFile>> MemoryDisk::Open(const std::string& path) {
  std::lock_guard lock(state_->mutex);
  const auto [place, error] = state_->Find(path);
  if (error != 0 || place.node == nullptr) {
    return DiskFault(error != 0 ? error : ENOENT, "open", path);
  }
  if (place.node->is_directory) return DiskFault(EISDIR, "open", path);
  return std::make_unique<Readable>(state_, place.node, path);
}

Result<std::unique_ptr<MutableFile>> MemoryDisk::OpenMutable(const std::string& path) {
  std::lock_guard lock(state_->mutex);
  auto [place, error] = state_->Find(path);
  if (error != 0) return DiskFault(error, "open", path);
  if (place.node != nullptr && place.node->is_directory) return DiskFault(EISDIR, "open", path);
  if (place.node == nullptr) {
    place.node = std::make_shared<Node>(false);
    state_->Apply({{place.directory, place.name, place.node}});
  }
  return std::make_unique<Mutable>(state_, place.node, path);
}

Status MemoryDisk::Rename(const std::string& from, const std::string& to) {
  std::lock_guard lock(state_->mutex);
  const auto [source, source_error] = state_->Find(from);
  const auto [target, target_error] = state_->Find(to);
  const auto failed = [&](int error) { return DiskFault(error, "rename", from).With("to", to); };
  if (source_error != 0 || target_error != 0) {
    return failed(source_error != 0 ? source_error : target_error);
  }
  if (source.node == nullptr) return failed(ENOENT);
  if (source.directory == nullptr || target.directory == nullptr) return failed(EBUSY);  // the root
  if (source.node == target.node) return Status::OK();
  if (source.node->is_directory) {
    const auto from_parts = PartsOf(from), to_parts = PartsOf(to);
    const bool into_itself = to_parts.size() > from_parts.size() &&
                             std::equal(from_parts.begin(), from_parts.end(), to_parts.begin());
    if (into_itself) return failed(EINVAL);
  }
  if (target.node != nullptr) {
    if (target.node->is_directory && !source.node->is_directory) return failed(EISDIR);
    if (!target.node->is_directory && source.node->is_directory) return failed(ENOTDIR);
    if (!target.node->seen_entries.empty()) return failed(ENOTEMPTY);
  }
  state_->Apply(
      {{target.directory, target.name, source.node}, {source.directory, source.name, nullptr}});
  return Status::OK();
}

Status MemoryDisk::Remove(const std::string& path) {
  std::lock_guard lock(state_->mutex);
  const auto [place, error] = state_->Find(path);
  if (error == ENOENT || (error == 0 && place.node == nullptr)) return Status::OK();
  if (error != 0) return DiskFault(error, "remove", path);
  if (place.node->is_directory) return DiskFault(EISDIR, "remove", path);
  state_->Apply({{place.directory, place.name, nullptr}});
  return Status::OK();
}

Status MemoryDisk::RemoveEmptyDirectory(const std::string& path) {
  std::lock_guard lock(state_->mutex);
  const auto [place, error] = state_->Find(path);
  if (error == ENOENT || (error == 0 && place.node == nullptr)) return Status::OK();
  if (error != 0) return DiskFault(error, "remove directory", path);
  if (!place.node->is_directory) return DiskFault(ENOTDIR, "remove directory", path);
  if (place.directory == nullptr) return DiskFault(EBUSY, "remove directory", path);
  if (place.node->seen_entries.empty()) state_->Apply({{place.directory, place.name, nullptr}});
  return Status::OK();
}

Status MemoryDisk::CreateDirectories(const std::string& path) {
  std::lock_guard lock(state_->mutex);
  std::shared_ptr<Node> directory = state_->root;
  for (const std::string& part : PartsOf(path)) {
    if (!directory->seen_entries.contains(part)) {
      state_->Apply({{directory, part, std::make_shared<Node>(true)}});
      state_->KeepChangesOf(directory.get());
    }
    directory = directory->seen_entries[part];
    if (!directory->is_directory) return DiskFault(ENOTDIR, "create directory", path);
  }
  return Status::OK();
}

Status MemoryDisk::SyncDirectory(const std::string& path) {
  std::lock_guard lock(state_->mutex);
  const auto [place, error] = state_->Find(path);
  if (error != 0 || place.node == nullptr) {
    return DiskFault(error != 0 ? error : ENOENT, "sync directory", path);
  }
  if (!place.node->is_directory) return DiskFault(ENOTDIR, "sync directory", path);
  state_->KeepChangesOf(place.node.get());
  return Status::OK();
}

Status MemoryDisk::Link(const std::string& from, const std::string& to) {
  std::lock_guard lock(state_->mutex);
  const auto [source, source_error] = state_->Find(from);
  const auto [target, target_error] = state_->Find(to);
  const auto failed = [&](int error) { return DiskFault(error, "link", from).With("to", to); };
  if (source_error != 0 || target_error != 0) {
    return failed(source_error != 0 ? source_error : target_error);
  }
  if (source.node == nullptr) return failed(ENOENT);
  if (source.node->is_directory) return failed(EPERM);
  if (target.node != nullptr) return failed(EEXIST);
  state_->Apply({{target.directory, target.name, source.node}});
  return Status::OK();
}

DirectoryEntry MemoryDisk::EntryOf(std::string name, const Node& node) {
  return {std::move(name), node.is_directory, static_cast<int64_t>(node.seen_bytes.size()),
          node.modified};
}

Result<std::vector<DirectoryEntry>> MemoryDisk::List(const std::string& path) {
  std::lock_guard lock(state_->mutex);
  const auto [place, error] = state_->Find(path);
  if (error != 0 || place.node == nullptr) {
    return DiskFault(error != 0 ? error : ENOENT, "list", path);
  }
  if (!place.node->is_directory) return DiskFault(ENOTDIR, "list", path);
  std::vector<DirectoryEntry> entries;
  for (const auto& [name, node] : place.node->seen_entries) {
    entries.push_back(EntryOf(name, *node));
  }
  return entries;
}

Result<std::optional<DirectoryEntry>> MemoryDisk::Stat(const std::string& path) {
  std::lock_guard lock(state_->mutex);
  const auto [place, error] = state_->Find(path);
  if (error != 0 || place.node == nullptr) return std::nullopt;
  return EntryOf(std::string(BaseName(path)), *place.node);
}

Result<std::unique_ptr<FileLock>> MemoryDisk::TryLock(const std::string& path) {
  std::lock_guard lock(state_->mutex);
  auto [place, error] = state_->Find(path);
  if (error != 0) return DiskFault(error, "lock", path);
  if (place.node != nullptr && place.node->is_directory) return DiskFault(EISDIR, "lock", path);
  if (place.node == nullptr) {
    place.node = std::make_shared<Node>(false);
    state_->Apply({{place.directory, place.name, place.node}});
  }
  if (place.node->locked) return nullptr;
  return std::make_unique<Lock>(state_, place.node);
}

}  // namespace levada::os
