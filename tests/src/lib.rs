//! What the runs of the whole system share. Each run is a program of `src/bin`.

pub mod dice;
pub mod job_crash;
