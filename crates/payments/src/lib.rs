//! Money that moves.
