//! Uploaded photos.

use crate::sql::Step;

pub(crate) const STEPS: &[Step] = &[];
