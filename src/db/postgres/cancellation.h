#pragma once
// Asking a server to stop the statement of a connection, without waiting longer than we want to.

#include <chrono>

struct pg_conn;

namespace levada::pq {

/// Sends a CancelRequest on a connection of its own and waits at most `patience`. libpq's call
/// cannot be interrupted and may hang in connect(2) when the network is gone, so it has a thread
/// that is left to itself when patience ends. True when the server took the request; it may still
/// have come too late.
bool RequestCancel(pg_conn* connection, std::chrono::milliseconds patience);

}  // namespace levada::pq
