#pragma once
// ASSERT_OK and ASSERT_OK_AND_ASSIGN for tests: Arrow's own live in a header that needs its test
// library.

#include <arrow/result.h>
#include <arrow/status.h>
#include <gtest/gtest.h>

#include <utility>

#define LEVADA_CONCAT_(a, b) a##b
#define LEVADA_CONCAT(a, b) LEVADA_CONCAT_(a, b)

/// Ends the test function unless `expression`, a Status, is OK.
#define ASSERT_OK(expression)                                    \
  do {                                                           \
    const ::arrow::Status levada_status = (expression);          \
    ASSERT_TRUE(levada_status.ok()) << levada_status.ToString(); \
  } while (false)

#define LEVADA_ASSERT_OK_AND_ASSIGN(result, target, expression) \
  auto&& result = (expression);                                 \
  ASSERT_TRUE(result.ok()) << result.status().ToString();       \
  target = std::move(result).ValueUnsafe()

/// `target` = the value of `expression`, a Result; ends the test function when it has none.
#define ASSERT_OK_AND_ASSIGN(target, expression) \
  LEVADA_ASSERT_OK_AND_ASSIGN(LEVADA_CONCAT(levada_result_, __LINE__), target, expression)
