//! Money we keep account of.
