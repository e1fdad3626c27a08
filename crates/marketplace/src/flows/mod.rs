//! The stories, one file each.

mod seed;
