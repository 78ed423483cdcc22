#include <string>
#include <vector>

#include "app/invoke.h"

int main(int argument_count, char** arguments) {
  const std::vector<std::string> rest(arguments + (argument_count > 0 ? 1 : 0),
                                      arguments + argument_count);
  return levada::app::Invoke(rest);
}
