// The largest documents that a client sends and the one that is written most.

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <string>

#include "formats/s3xml/listings.h"
#include "formats/s3xml/object_requests.h"

namespace levada::s3xml {
namespace {

void ReadTenThousandParts(benchmark::State& state) {
  std::string body = "<CompleteMultipartUpload>";
  for (int i = 1; i <= 10'000; ++i) {
    body += "<Part><PartNumber>" + std::to_string(i) +
            "</PartNumber><ETag>&quot;d41d8cd98f00b204e9800998ecf8427e&quot;</ETag>"
            "<ChecksumCRC64NVME>AAAAAAAAAAA=</ChecksumCRC64NVME></Part>";
  }
  body += "</CompleteMultipartUpload>";
  for (auto _ : state) {
    if (!ParseCompleteMultipartUpload(body).ok()) std::abort();
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * body.size()));
}
BENCHMARK(ReadTenThousandParts)->Unit(benchmark::kMicrosecond);

void ReadAThousandDeletes(benchmark::State& state) {
  std::string body = "<Delete>";
  for (int i = 0; i < 1000; ++i) {
    body += "<Object><Key>year=2026/month=11/part-" + std::to_string(i) + ".parquet</Key></Object>";
  }
  body += "</Delete>";
  for (auto _ : state) {
    if (!ParseDelete(body).ok()) std::abort();
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * body.size()));
}
BENCHMARK(ReadAThousandDeletes)->Unit(benchmark::kMicrosecond);

void WriteAThousandObjects(benchmark::State& state) {
  ListObjectsV2 listing;
  listing.page.url_encode = state.range(0) != 0;
  listing.objects.resize(1000);
  for (size_t i = 0; i < listing.objects.size(); ++i) {
    ListedObject& object = listing.objects[i];
    object.key = "year=2026/month=11/part-" + std::to_string(i) + ".parquet";
    object.last_modified = 1'795'955'696'000'000;
    object.etag = "d41d8cd98f00b204e9800998ecf8427e";
    object.size = 1'234'567 + i;
  }
  size_t byte_count = 0;
  for (auto _ : state) byte_count += WriteListObjectsV2(listing).size();
  state.SetBytesProcessed(static_cast<int64_t>(byte_count));
}
BENCHMARK(WriteAThousandObjects)->Arg(0)->Arg(1)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace levada::s3xml
