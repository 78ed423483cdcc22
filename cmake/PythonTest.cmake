# levada_python_test(<name> FILES <test files> [LABELS <labels>] [TIMEOUT <seconds>] [SERIAL]): one ctest entry that
# runs pytest on the files with the interpreter of the virtual environment. The tests find in their environment:
#   LEVADA_BINARY     the levada of this build tree        LEVADA_SOURCE   the checkout
#   LEVADA_TEST_SIZE  ci | all (set by ./test; absent: ci)
function(levada_python_test name)
  cmake_parse_arguments(TEST "SERIAL" "TIMEOUT" "FILES;LABELS" ${ARGN})
  if(NOT TEST_TIMEOUT)
    set(TEST_TIMEOUT 900)
  endif()
  list(TRANSFORM TEST_FILES PREPEND "${CMAKE_CURRENT_SOURCE_DIR}/")
  add_test(NAME ${name} COMMAND "${LEVADA_VENV}/bin/python3" -m pytest -q -p no:cacheprovider ${TEST_FILES})
  set_tests_properties(${name} PROPERTIES
    TIMEOUT ${TEST_TIMEOUT}
    LABELS "${TEST_LABELS}"
    WORKING_DIRECTORY "${PROJECT_BINARY_DIR}"
    ENVIRONMENT "${LEVADA_TEST_ENVIRONMENT};LEVADA_BINARY=$<TARGET_FILE:levada>;LEVADA_SOURCE=${PROJECT_SOURCE_DIR};PYTHONDONTWRITEBYTECODE=1;PYTHONPATH=${PROJECT_SOURCE_DIR}/tests")
  if(TEST_SERIAL)
    set_tests_properties(${name} PROPERTIES RUN_SERIAL TRUE)
  endif()
endfunction()
