#pragma once
// What an error of SQLite means where SQLite is the source.

#include "base/fault.h"
#include "db/sqlite/error.h"

namespace levada::sqlite {

Fault SourceFault(const db::sqlite::Error& error);

}  // namespace levada::sqlite
