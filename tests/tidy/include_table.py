"""Who may include whom, and which folder is the only one to know a third-party library.

The table is the architecture: an edge that is not here is a decision to take, not a line to add in passing.
"""
import fnmatch

# Folder pattern below src -> folders it may include besides itself. The first match counts.
FOLDERS = [
    ("base", []),
    ("os", ["base"]),
    ("net", ["base", "os"]),
    ("formats/*", ["base"]),
    ("db/sqlite", ["base", "os", "formats/checksums"]),
    ("db/rocksdb", ["base", "os", "formats/checksums"]),
    ("db/*", ["base", "os"]),
    ("places", ["base", "os"]),
    ("places/s3", ["base", "os", "net", "places", "formats/sigv4", "formats/s3xml"]),
    ("backup", ["base", "os", "places"]),
    ("elt", ["base", "os", "places"]),
    ("programs", ["base", "os", "elt", "formats/arrow_ipc"]),
    ("connectors/files", ["base", "os", "places", "places/s3", "elt", "conversions", "formats/*"]),
    ("connectors/*", ["base", "os", "places", "places/s3", "elt", "programs", "formats/*", "db/*"]),
    ("conversions", ["base", "elt"]),
    ("expressions", ["base", "elt", "conversions"]),
    ("spill", ["base", "os", "elt"]),
    ("transformers/*", ["base", "os", "elt", "conversions", "expressions", "spill", "programs"]),
    ("controllers/*", ["base", "os", "elt"]),
    ("readers", ["base", "formats/parquet"]),
    ("services/core", ["base", "os", "net", "db/*"]),
    ("services/s3", ["base", "net", "services/core", "services/r2", "formats/*"]),
    ("services/*", ["base", "os", "net", "services/core", "db/*", "formats/*"]),
    ("app", ["*"]),
]

# File pattern below src -> more folders that just these files may include.
FILES = [
    ("elt/ledger*", ["db/sqlite"]),
]

# Prefix of a third-party include -> file patterns below src that may include it. The longest prefix counts.
HOMES = {
    "CLI/": ["app/command_line.cc"],
    "arrow/": ["backup/*", "base/*", "formats/*", "places/*", "elt/*", "conversions/*", "expressions/*", "spill/*",
               "programs/*", "connectors/*", "transformers/*", "app/*", "controllers/*"],
    "arrow/api.h": [],
    "arrow/compute/api.h": ["expressions/*", "spill/*", "transformers/*"],
    "benchmark/": ["*_bench.cc"],
    "boost/": ["net/*"],
    "curl/": ["net/http_session.cc"],
    "date/": ["elt/*"],
    "expat.h": ["formats/s3xml/element.cc"],
    "fmt/": ["*"],
    "gmock/": ["*_test.cc"],
    "gtest/": ["*_test.cc"],
    "immintrin.h": ["formats/checksums/crc_fold.cc"],
    "libpq-fe.h": ["db/postgres/*"],
    "nlohmann/": ["base/json.h"],
    "openssl/": ["connectors/clickhouse/socket.cc", "db/postgres/raw_session.cc", "formats/checksums/checksum.cc", "formats/sigv4/hashes.cc", "net/client_tls.cc",
                 "net/tls_context.cc", "net/tls_fixture.h", "net/wire.cc", "places/sha256*", "services/core/*", "services/queues/lease_id.cc", "services/r2/blob_file.cc",
                 "transformers/mask/masking.cc"],
    "parquet/": ["formats/parquet/*"],
    "rapidjson/": ["transformers/flatten/json_fields.cc"],
    "rocksdb/": ["db/rocksdb/*"],
    "sqlite3.h": ["db/sqlite/*"],
    "xxhash.h": ["elt/*", "formats/parquet/*", "spill/*"],
    "yaml-cpp/": ["elt/*yaml*.cc"],
    "zlib.h": ["*_bench.cc"],
}

# What base takes of Arrow: Status, Result and the memory pool's interface, nothing with columns in it.
BASE_ARROW = {"arrow/status.h", "arrow/result.h", "arrow/memory_pool.h", "arrow/util/logging.h", "arrow/util/utf8.h"}

# Headers too heavy to stand in a header of ours outside their home: they cost every includer a second.
HEAVY = ["CLI/", "boost/", "fmt/", "nlohmann/", "base/json.h", "yaml-cpp/", "date/", "parquet/", "arrow/compute/", "gmock/",
         "spdlog/", "rocksdb/"]
HEAVY_HOMES = {"nlohmann/": "base/json.h", "parquet/": "formats/parquet/*", "boost/": "net/*", "rocksdb/": "db/rocksdb/*"}


def folder_of(below_src):
    """"connectors/postgres/register.cc" -> "connectors/postgres"."""
    return below_src.rsplit("/", 1)[0]


def allowed_folders(below_src):
    folder = folder_of(below_src)
    more = [edge for pattern, edges in FILES if fnmatch.fnmatch(below_src, pattern) for edge in edges]
    for pattern, edges in FOLDERS:
        if fnmatch.fnmatch(folder, pattern):
            return [folder, *edges, *more]
    return None


def may_include(below_src, target):
    allowed = allowed_folders(below_src)
    return allowed is not None and any(fnmatch.fnmatch(folder_of(target), pattern) for pattern in allowed)


def home_of(include):
    """The prefix in HOMES that the include falls under, or None."""
    found = [prefix for prefix in HOMES if include == prefix or (prefix.endswith("/") and include.startswith(prefix))]
    return max(found, key=len, default=None)
