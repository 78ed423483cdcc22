// What Asio and Beast would else compile into each of our sources, once: see the definitions in
// CMakeLists.txt.

#include <boost/asio/impl/src.hpp>
#include <boost/asio/ssl/impl/src.hpp>
#include <boost/beast/src.hpp>
