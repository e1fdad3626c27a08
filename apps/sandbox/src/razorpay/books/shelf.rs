//! Entities of one kind, by id and in the order they came to be.

use std::collections::HashMap;

use serde_json::Value;

use crate::razorpay::error::ApiError;
use crate::razorpay::id;

/// Something that has an id of Razorpay's and can be fetched by it.
pub(in crate::razorpay) trait Entity {
    /// What its ids begin with.
    const PREFIX: &'static str;

    fn id(&self) -> &str;

    /// In seconds since 1970.
    fn created_at(&self) -> i64;

    /// As it is on the wire.
    fn view(&self) -> Value;
}

/// Everything of one kind that there is.
pub(in crate::razorpay) struct Shelf<T> {
    entries: Vec<T>,
    places: HashMap<String, usize>,
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self { entries: Vec::new(), places: HashMap::new() }
    }
}

impl<T: Entity> Shelf<T> {
    /// Adds one.
    pub(super) fn add(&mut self, entry: T) {
        self.places.insert(entry.id().to_owned(), self.entries.len());
        self.entries.push(entry);
    }

    /// The one with this id.
    ///
    /// # Errors
    /// When there is none.
    pub(in crate::razorpay) fn find(&self, id: &str) -> Result<&T, ApiError> {
        let place = self.places.get(id).copied();
        place.and_then(|place| self.entries.get(place)).ok_or_else(|| missing::<T>(id))
    }

    /// The one with this id, to be changed.
    ///
    /// # Errors
    /// When there is none.
    pub(super) fn find_mut(&mut self, id: &str) -> Result<&mut T, ApiError> {
        let place = self.places.get(id).copied();
        place.and_then(|place| self.entries.get_mut(place)).ok_or_else(|| missing::<T>(id))
    }

    /// All of them, the newest first.
    pub(in crate::razorpay) fn newest_first(&self) -> impl Iterator<Item = &T> {
        self.entries.iter().rev()
    }
}

fn missing<T: Entity>(id: &str) -> ApiError {
    if id::is_well_formed(T::PREFIX, id) { ApiError::unknown_id() } else { ApiError::malformed_id(id) }
}
