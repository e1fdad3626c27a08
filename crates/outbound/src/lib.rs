//! Calls to the outside world.
