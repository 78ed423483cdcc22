#include "services/core/master_key.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/params.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <span>
#include <tuple>
#include <utility>

#include "base/binary_text.h"
#include "services/core/aes_gcm.h"

namespace levada::services {
namespace {

constexpr int64_t kFileBytesMax = 64 * 1024;

std::string Hmac(const std::array<uint8_t, 32>& key, std::string_view text) {
  std::array<uint8_t, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const uint8_t*>(text.data()), text.size(), digest.data(), &size);
  return {reinterpret_cast<const char*>(digest.data()), size};
}

void Require(bool holds) {
  if (!holds) std::abort();  // tidy: allow without a hash nobody could be told from anybody else
}

std::array<uint8_t, 32> Derived(const std::array<uint8_t, 32>& key, std::string_view use) {
  const std::string bytes = Hmac(key, use);
  std::array<uint8_t, 32> derived{};
  std::memcpy(derived.data(), bytes.data(), derived.size());
  return derived;
}

const uint8_t* Bytes(std::string_view text) {
  return reinterpret_cast<const uint8_t*>(text.data());
}
std::span<uint8_t> SpanOf(std::string& text) {
  return {reinterpret_cast<uint8_t*>(text.data()), text.size()};
}

/// The first bytes. Precondition: there are as many.
template <typename Array>
Array ArrayOf(std::string_view bytes) {
  Array array{};
  std::memcpy(array.data(), bytes.data(), array.size());
  return array;
}

Status NoSeal(std::string_view context) {
  return Fault(FaultCode::kStoreDamaged,
               "a sealed secret cannot be opened: it is damaged, or was "
               "sealed with another master key")
      .With("secret", std::string(context))
      .Help("put back the master key file that belongs to this data directory");
}

Status BadFile(const std::string& path, const std::string& why) {
  return Fault(FaultCode::kBadValue, "the master key file \"" + path + "\": " + why)
      .With("path", path)
      .Help(
          "put the file back from where it was backed up: what the first start wrote, a line a "
          "key");
}

}  // namespace

/// What Hmac gives for one key, whose own blocks are hashed once. Thread-safe.
class MasterKey::KeyedHmac final {
 public:
  explicit KeyedHmac(const std::array<uint8_t, 32>& key) {
    EVP_MAC* const method = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
    context_.reset(EVP_MAC_CTX_new(method));
    EVP_MAC_free(method);
    std::string digest = "SHA256";
    const std::array<OSSL_PARAM, 2> parameters = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), digest.size()),
        OSSL_PARAM_construct_end()};
    Require(context_ != nullptr &&
            EVP_MAC_init(context_.get(), key.data(), key.size(), parameters.data()) == 1);
  }

  std::string Of(std::string_view text) {
    std::array<uint8_t, EVP_MAX_MD_SIZE> digest{};
    size_t size = 0;
    const std::lock_guard lock(mutex_);
    Require(EVP_MAC_init(context_.get(), nullptr, 0, nullptr) == 1 &&  // the key stays
            EVP_MAC_update(context_.get(), Bytes(text), text.size()) == 1 &&
            EVP_MAC_final(context_.get(), digest.data(), &size, digest.size()) == 1);
    return {reinterpret_cast<const char*>(digest.data()), size};
  }

 private:
  struct Freed {
    void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
  };
  std::mutex mutex_;
  std::unique_ptr<EVP_MAC_CTX, Freed> context_;
};

MasterKey::Key::Key(std::string name, std::string_view bytes32) : id(std::move(name)) {
  std::array<uint8_t, 32> master{};
  std::memcpy(master.data(), bytes32.data(), std::min(bytes32.size(), master.size()));
  finding = std::make_shared<KeyedHmac>(Derived(master, "levada token lookup"));
  sealing = Derived(master, "levada sealing");
}

Result<MasterKey> MasterKey::Make(os::Disk& disk, const std::string& path, Random& random) {
  const std::string id = HexOf(RandomBytes(random, 4));
  const std::string bytes = RandomBytes(random, 32);
  const std::string line = id + " " + HexOf(bytes) + "\n";
  ARROW_ASSIGN_OR_RAISE(auto file, disk.CreatePrivate(path));
  ARROW_RETURN_NOT_OK(file->Append({Bytes(line), line.size()}));
  ARROW_RETURN_NOT_OK(file->Sync());
  ARROW_RETURN_NOT_OK(file->Close());
  ARROW_RETURN_NOT_OK(disk.SyncDirectory(os::ParentPath(path)));
  MasterKey master = Of(bytes);
  master.keys_.front().id = id;
  return master;
}

Result<std::optional<MasterKey>> MasterKey::Load(os::Disk& disk, const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(const std::optional<std::string> text,
                        os::ReadFile(disk, path, kFileBytesMax));
  if (!text) return std::optional<MasterKey>();
  struct stat status{};
  if (stat(path.c_str(), &status) == 0 && (status.st_mode & 077) != 0) {
    return Fault(FaultCode::kBadValue, "the master key file \"" + path + "\" is open to others")
        .With("path", path)
        .Help("chmod 0600 " + path);
  }
  MasterKey master;
  size_t begin = 0;
  while (begin < text->size()) {
    const size_t end = std::min(text->find('\n', begin), text->size());
    const std::string_view line = std::string_view(*text).substr(begin, end - begin);
    begin = end + 1;
    if (line.empty()) continue;
    const size_t blank = line.find(' ');
    const std::optional<std::string> bytes =
        blank == std::string_view::npos ? std::nullopt : BytesOfHex(line.substr(blank + 1));
    if (blank == 0 || !bytes || bytes->size() != 32) {
      return BadFile(path, "a line is not \"<key id> <64 hex digits>\"");
    }
    master.keys_.emplace_back(std::string(line.substr(0, blank)), *bytes);
  }
  if (master.keys_.empty()) return BadFile(path, "it is empty");
  return std::optional<MasterKey>(std::move(master));
}

MasterKey MasterKey::Of(std::string_view bytes32) {
  MasterKey master;
  master.keys_.emplace_back("key", bytes32);
  return master;
}

std::vector<std::string> MasterKey::LookupsOf(const Secret& token) const {
  std::vector<std::string> lookups;
  for (auto key = keys_.rbegin(); key != keys_.rend(); ++key) {
    lookups.push_back(HexOf(key->finding->Of(token.Reveal())));
  }
  return lookups;
}

Result<std::string> MasterKey::Seal(const Secret& secret, std::string_view context,
                                    Random& random) const {
  const Key& key = keys_.back();
  const std::string nonce = RandomBytes(random, std::tuple_size_v<GcmNonce>);
  std::string sealed = secret.Reveal();
  const std::optional<GcmTag> tag =
      SealInPlace(key.sealing, ArrayOf<GcmNonce>(nonce), context, SpanOf(sealed));
  if (!tag) return Fault(FaultCode::kInternal, "sealing: the library refused");
  return key.id + ":" +
         Base64UrlOf(nonce + sealed +
                     std::string(reinterpret_cast<const char*>(tag->data()), tag->size()));
}

Result<Secret> MasterKey::Open(std::string_view sealed, std::string_view context) const {
  constexpr size_t kNonceBytes = std::tuple_size_v<GcmNonce>;
  constexpr size_t kTagBytes = std::tuple_size_v<GcmTag>;
  const size_t colon = sealed.find(':');
  if (colon == std::string_view::npos) return NoSeal(context);
  const auto key = std::ranges::find(keys_, sealed.substr(0, colon), &Key::id);
  const std::optional<std::string> bytes = BytesOfBase64Url(sealed.substr(colon + 1));
  if (key == keys_.end() || !bytes || bytes->size() < kNonceBytes + kTagBytes) {
    return NoSeal(context);
  }
  const std::string_view whole = *bytes;
  std::string plain(whole.substr(kNonceBytes, whole.size() - kNonceBytes - kTagBytes));
  if (!OpenInPlace(key->sealing, ArrayOf<GcmNonce>(whole), context, SpanOf(plain),
                   ArrayOf<GcmTag>(whole.substr(whole.size() - kTagBytes)))) {
    return NoSeal(context);
  }
  return Secret(std::move(plain));
}

std::string RandomBytes(Random& random, size_t size) {
  std::string bytes;
  while (bytes.size() < size) {
    const uint64_t next = random.Next();
    for (int shift = 0; shift < 64 && bytes.size() < size; shift += 8) {
      bytes.push_back(static_cast<char>((next >> shift) & 255));
    }
  }
  return bytes;
}

}  // namespace levada::services
