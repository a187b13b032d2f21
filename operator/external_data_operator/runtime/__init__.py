"""From an event to one look at one object: watches, the queue, the router, workers, health."""
