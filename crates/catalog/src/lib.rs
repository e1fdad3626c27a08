//! Goods: categories and their attributes, listings, photos, search.

pub mod photo;
