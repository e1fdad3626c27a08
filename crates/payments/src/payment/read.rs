//! Reading payments.

use kernel::{Page, Paging, PaymentId, TypedId, UserId};
use sea_orm::Value;

use super::rows::{self, PaymentRow};
use super::{PaymentOutcome, PaymentStatus, PaymentView, StaffPaymentView};
use crate::slices::Slice;
use crate::{PaymentError, Payments};

/// Which payments staff want to see; what is not said does not restrict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PaymentFilter {
    /// Whose.
    pub user: Option<UserId>,
    /// How far.
    pub status: Option<PaymentStatus>,
    /// What became of their money.
    pub outcome: Option<PaymentOutcome>,
}

impl Payments {
    /// A payment of the user's.
    ///
    /// # Errors
    /// [`PaymentError::PaymentNotFound`] when there is none, or it is somebody else's.
    pub async fn payment_of(&self, user: UserId, id: PaymentId) -> Result<PaymentView, PaymentError> {
        let row = self.payment_row(id).await?;
        if row.user == Some(user) {
            Ok(StaffPaymentView::from(row).payment)
        } else {
            Err(PaymentError::PaymentNotFound)
        }
    }

    /// A payment, whosever it is.
    ///
    /// # Errors
    /// [`PaymentError::PaymentNotFound`] when there is none.
    pub async fn payment(&self, id: PaymentId) -> Result<StaffPaymentView, PaymentError> {
        Ok(self.payment_row(id).await?.into())
    }

    /// What became of the money of a payment, by its id at the provider; `None` when it was not captured, or was never
    /// seen.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn outcome_of(
        &self,
        provider_payment_id: &str,
    ) -> Result<Option<PaymentOutcome>, PaymentError> {
        Ok(rows::by_provider_id(self.db.reader()?, provider_payment_id).await?.and_then(|row| row.outcome))
    }

    /// The user's payments, latest first.
    ///
    /// # Errors
    /// When the cursor is not of this list, or the database fails.
    pub async fn payments_of(
        &self,
        user: UserId,
        paging: &Paging,
    ) -> Result<Page<PaymentView>, PaymentError> {
        let filter = PaymentFilter { user: Some(user), ..PaymentFilter::default() };
        let page = self.payment_page("payments-of", &filter, paging).await?;
        Ok(page.map(|row| StaffPaymentView::from(row).payment))
    }

    /// Everybody's payments, latest first.
    ///
    /// # Errors
    /// When the cursor is not of this list with these filters, or the database fails.
    pub async fn all_payments(
        &self,
        filter: &PaymentFilter,
        paging: &Paging,
    ) -> Result<Page<StaffPaymentView>, PaymentError> {
        Ok(self.payment_page("all-payments", filter, paging).await?.map(Into::into))
    }

    async fn payment_row(&self, id: PaymentId) -> Result<PaymentRow, PaymentError> {
        rows::by_id(self.db.reader()?, id).await?.ok_or(PaymentError::PaymentNotFound)
    }

    async fn payment_page(
        &self,
        list: &str,
        filter: &PaymentFilter,
        paging: &Paging,
    ) -> Result<Page<PaymentRow>, PaymentError> {
        let mut condition = "p.provider = ?".to_owned();
        let mut values: Vec<Value> = vec![crate::PROVIDER.into()];
        let filters = [
            (" AND p.user_id = ?", filter.user.map(|user| user.uuid().into())),
            (" AND p.status = ?", filter.status.map(|status| status.as_str().into())),
            (" AND p.outcome = ?", filter.outcome.map(|outcome| outcome.as_str().into())),
        ];
        for (also, value) in filters {
            if let Some(value) = value {
                condition += also;
                values.push(value);
            }
        }
        let slice = Slice {
            columns: rows::COLUMNS,
            from: "payments p",
            id: "p.id",
            condition,
            values,
            scope: format!("{list}:{filter:?}"),
        };
        self.page(slice, paging, rows::read, |row| row.id.uuid()).await
    }
}
