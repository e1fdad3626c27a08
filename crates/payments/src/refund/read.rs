//! Reading refunds.

use kernel::{Page, Paging, PaymentId, RefundId, TypedId, UserId};
use sea_orm::Value;

use super::{Refund, RefundOrigin, RefundStatus, RefundView, StaffRefundView, rows};
use crate::slices::Slice;
use crate::{PaymentError, Payments};

/// Which refunds staff want to see; what is not said does not restrict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RefundFilter {
    /// Whose.
    pub user: Option<UserId>,
    /// How far.
    pub status: Option<RefundStatus>,
    /// Made by whom.
    pub origin: Option<RefundOrigin>,
}

impl Payments {
    /// A refund, whosever it is.
    ///
    /// # Errors
    /// [`PaymentError::RefundNotFound`] when there is none.
    pub async fn refund(&self, id: RefundId) -> Result<Refund, PaymentError> {
        rows::by_id(self.db.reader()?, id).await?.ok_or(PaymentError::RefundNotFound)
    }

    /// A payment's refunds, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn refunds_of_payment(&self, payment: PaymentId) -> Result<Vec<Refund>, PaymentError> {
        Ok(rows::of_payment(self.db.reader()?, payment).await?)
    }

    /// The user's refunds, latest first.
    ///
    /// # Errors
    /// When the cursor is not of this list, or the database fails.
    pub async fn refunds_of(&self, user: UserId, paging: &Paging) -> Result<Page<RefundView>, PaymentError> {
        let filter = RefundFilter { user: Some(user), ..RefundFilter::default() };
        Ok(self.refund_page("refunds-of", &filter, paging).await?.map(|refund| refund.view()))
    }

    /// Everybody's refunds, latest first.
    ///
    /// # Errors
    /// When the cursor is not of this list with these filters, or the database fails.
    pub async fn all_refunds(
        &self,
        filter: &RefundFilter,
        paging: &Paging,
    ) -> Result<Page<StaffRefundView>, PaymentError> {
        Ok(self.refund_page("all-refunds", filter, paging).await?.map(|refund| refund.staff_view()))
    }

    async fn refund_page(
        &self,
        list: &str,
        filter: &RefundFilter,
        paging: &Paging,
    ) -> Result<Page<Refund>, PaymentError> {
        let mut condition = "p.provider = ?".to_owned();
        let mut values: Vec<Value> = vec![crate::PROVIDER.into()];
        let filters = [
            (" AND p.user_id = ?", filter.user.map(|user| user.uuid().into())),
            (" AND r.status = ?", filter.status.map(|status| status.as_str().into())),
            (" AND r.origin = ?", filter.origin.map(|origin| origin.as_str().into())),
        ];
        for (also, value) in filters {
            if let Some(value) = value {
                condition += also;
                values.push(value);
            }
        }
        let slice = Slice {
            columns: rows::COLUMNS,
            from: rows::FROM,
            id: "r.id",
            condition,
            values,
            scope: format!("{list}:{filter:?}"),
        };
        self.page(slice, paging, rows::read, |refund| refund.id.uuid()).await
    }
}
