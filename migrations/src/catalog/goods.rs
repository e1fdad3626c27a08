//! Categories and listings.

use crate::sql::Step;

pub(crate) const STEPS: &[Step] = &[];
