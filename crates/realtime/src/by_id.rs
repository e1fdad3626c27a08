//! A table of what has an id. The id is in the thing itself: beside it, a table would be three times as large, and there
//! is one entry for each connection.

use std::borrow::Borrow;
use std::collections::HashSet;
use std::hash::{Hash, Hasher};

use crate::id::Id;

/// Something with an id that never changes.
pub(crate) trait HasId {
    fn id_ref(&self) -> &Id;
}

/// Things by their id.
pub(crate) struct ById<T>(HashSet<Entry<T>>);

struct Entry<T>(T);

impl<T: HasId> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0.id_ref() == other.0.id_ref()
    }
}

impl<T: HasId> Eq for Entry<T> {}

impl<T: HasId> Hash for Entry<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.id_ref().hash(state);
    }
}

impl<T: HasId> Borrow<Id> for Entry<T> {
    fn borrow(&self) -> &Id {
        self.0.id_ref()
    }
}

impl<T> Default for ById<T> {
    fn default() -> Self {
        Self(HashSet::new())
    }
}

impl<T: HasId> ById<T> {
    pub(crate) fn get(&self, id: Id) -> Option<&T> {
        self.0.get(&id).map(|entry| &entry.0)
    }

    /// Puts it in, in the place of another with its id.
    pub(crate) fn insert(&mut self, thing: T) {
        self.0.replace(Entry(thing));
    }

    pub(crate) fn remove(&mut self, id: Id) {
        self.0.remove(&id);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|entry| &entry.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Thing(Id, u8);

    impl HasId for Thing {
        fn id_ref(&self) -> &Id {
            &self.0
        }
    }

    #[test]
    fn things_are_found_by_their_id_and_there_is_one_of_each() {
        let (one, two) = (Id::random(), Id::random());
        let mut things = ById::default();
        things.insert(Thing(one, 1));
        things.insert(Thing(two, 2));
        things.insert(Thing(one, 3));
        assert_eq!((things.len(), things.get(one).map(|thing| thing.1)), (2, Some(3)));
        things.remove(one);
        assert!(things.get(one).is_none());
        assert_eq!(things.iter().map(|thing| thing.1).collect::<Vec<_>>(), [2]);
    }
}
