#include <string>
#include <vector>

#include "app/invoke.h"
#include "places/file_system.h"

int main(int argument_count, char** arguments) {
  const std::vector<std::string> rest(arguments + (argument_count > 0 ? 1 : 0),
                                      arguments + argument_count);
  const int status = levada::app::Invoke(rest);
  levada::places::EndFileSystems();
  return status;
}
