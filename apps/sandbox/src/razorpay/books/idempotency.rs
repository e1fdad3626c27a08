//! Idempotency keys of refunds (razorpay.com/docs/api/refunds/normal-refunds-idempotent): the same key with the same
//! body gets the same refund, with another body it is refused, and while the first request runs it is a conflict.

use std::collections::HashMap;

use super::Books;
use crate::razorpay::error::ApiError;

/// What a key was first used for.
#[derive(Clone, PartialEq, Eq)]
pub(in crate::razorpay) struct Request {
    pub(in crate::razorpay) payment_id: String,
    /// The body, byte by byte.
    pub(in crate::razorpay) body: Vec<u8>,
}

/// A key that has been used.
struct Claim {
    request: Request,
    /// None while the request runs.
    refund_id: Option<String>,
}

/// All keys that have been used.
#[derive(Default)]
pub(super) struct Claims(HashMap<String, Claim>);

impl Books {
    /// Takes a key for a request, unless it has led to a refund.
    ///
    /// # Errors
    /// When the key was used for something else, or its request still runs.
    pub(in crate::razorpay) fn claim_key(&mut self, key: &str, request: &Request) -> Result<(), ApiError> {
        match self.claims.0.get(key) {
            None => {
                let claim = Claim { request: request.clone(), refund_id: None };
                self.claims.0.insert(key.to_owned(), claim);
                Ok(())
            }
            Some(claim) if claim.request != *request => Err(ApiError::key_reused()),
            Some(Claim { refund_id: None, .. }) => Err(ApiError::key_running()),
            Some(_) => Ok(()),
        }
    }

    /// The refund that a key has led to.
    pub(in crate::razorpay) fn refund_of_key(&self, key: &str) -> Option<String> {
        self.claims.0.get(key)?.refund_id.clone()
    }

    /// Ends the request that took a key. A key that has led to nothing is free again.
    pub(in crate::razorpay) fn close_key(&mut self, key: &str, refund_id: Option<&str>) {
        match refund_id {
            Some(refund_id) => {
                if let Some(claim) = self.claims.0.get_mut(key) {
                    claim.refund_id = Some(refund_id.to_owned());
                }
            }
            None => drop(self.claims.0.remove(key)),
        }
    }
}
