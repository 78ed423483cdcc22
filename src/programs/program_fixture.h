#pragma once
// For the tests of exec stages: a directory with streams and scripts in it, and options from YAML
// as a pipeline file would have them. For *_test.cc only.

#include <arrow/io/memory.h>
#include <arrow/ipc/writer.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/testing.h"
#include "elt/catalog.h"
#include "elt/transformer_fixture.h"
#include "elt/value.h"
#include "os/disk.h"
#include "os/temporary_directory.h"
#include "programs/program_options.h"

namespace levada::programs {

/// Of this process, as a run would have it.
inline elt::StageInput ProcessStageInput(bool has_windows) {
  static const elt::Environment environment = elt::ProcessEnvironment();
  elt::StageInput input;
  input.environment = &environment;
  if (has_windows) input.sample_run.window = elt::Window{0, 86'400'000'000, "1970-01-01", "UTC"};
  return input;
}

/// The body of a stage, checked against `spec`.
inline Result<elt::Options> OptionsFrom(const elt::OptionSpec& spec, const std::string& yaml) {
  auto source = std::make_shared<const SourceText>(SourceText{"test.yaml", yaml});
  ARROW_ASSIGN_OR_RAISE(elt::Value value, elt::ParseYaml(source));
  std::vector<Diagnostic> diagnostics;
  elt::Options options = elt::ValidateOptions(
      spec, value, "exec", source,
      std::make_shared<const elt::Environment>(elt::ProcessEnvironment()), diagnostics);
  if (!diagnostics.empty()) {
    return Fault(diagnostics[0].code, diagnostics[0].message).At(diagnostics);
  }
  return options;
}

class ProgramFixture : public testing::Test {
 protected:
  ProgramFixture() : clock_(MakeSystemClock()), ctx_(surroundings_.context()) {
    ctx_.clock = clock_.get();  // programs take real time
  }

  std::string Write(const std::string& name, const std::string& bytes) {
    EXPECT_THAT(os::WriteFileDurably(*os::MakeSystemDisk(), directory_ / name, bytes), IsOk());
    return directory_ / name;
  }
  /// A script of sh; its path.
  std::string Script(const std::string& name, const std::string& body) {
    const std::string path = Write(name, "#!/bin/sh\n" + body);
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    return path;
  }
  /// A stream of these rows; its path.
  std::string StreamFile(const std::string& name, const std::vector<elt::BatchPtr>& batches) {
    auto out = ValueOf(arrow::io::BufferOutputStream::Create());
    auto writer = ValueOf(arrow::ipc::MakeStreamWriter(out, batches.at(0)->schema()));
    for (const auto& batch : batches) EXPECT_THAT(writer->WriteRecordBatch(*batch), IsOk());
    EXPECT_THAT(writer->Close(), IsOk());
    return Write(name, ValueOf(out->Finish())->ToString());
  }

  TestContext surroundings_;
  const std::unique_ptr<Clock> clock_;
  const os::TemporaryDirectory directory_;
  Context ctx_;
};

inline constexpr WallMicros kDay = int64_t{86'400} * 1'000'000;
inline constexpr WallMicros kNewYear = 1'767'225'600'000'000;  ///< 2026-01-01T00:00:00Z

/// The run of the first day of 2026, cut by `column`.
inline elt::RunInstance NewYearsRun(const std::string& column,
                                    elt::NullWindow nulls = elt::NullWindow::kError) {
  elt::RunInstance run;
  run.pipeline = "test";
  run.window = elt::Window{kNewYear, kNewYear + kDay, "2026-01-01", "UTC"};
  run.window_column = column;
  run.null_window = nulls;
  return run;
}

}  // namespace levada::programs
