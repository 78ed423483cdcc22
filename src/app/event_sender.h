#pragma once
// R2's event notifications as messages of queues: the two services know nothing of each other.

#include "services/queues/queue_access.h"
#include "services/r2/event_courier.h"

namespace levada::app {

/// `queues` outlives it.
services::r2::EventCourier::Send SenderOfEvents(const services::queues::QueueAccess& queues);

}  // namespace levada::app
