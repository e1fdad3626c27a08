//! The history of one's own wallet.

use actix_web::{get, web};
use chrono::{DateTime, Utc};
use kernel::{InvalidInput, Page, Paging};
use ledger::{TransactionFilter, TransactionQuery, TransactionType, WalletTransactionView};
use serde::Deserialize;

use crate::http::error::ApiResult;
use crate::http::extract::{Member, Query};
use crate::state::AppState;

/// Which rows, and which page of them.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(crate) struct TransactionParams {
    /// Only rows of this type; name it again for more than one.
    #[serde(rename = "type", default)]
    #[param(required = false, max_items = 15)]
    types: Vec<TransactionType>,
    /// Not before this moment.
    from: Option<DateTime<Utc>>,
    /// Before this moment, which is after `from`.
    to: Option<DateTime<Utc>>,
    /// A page's number, from 1; asking for one tells the total. Not together with `cursor`.
    #[param(minimum = 1, maximum = 10_000)]
    page: Option<u32>,
    /// Rows per page, 20 by default.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// What the page before gave as `nextCursor`.
    #[param(min_length = 1, max_length = 1_024)]
    cursor: Option<String>,
}

impl TransactionParams {
    fn parse(self) -> Result<TransactionQuery, InvalidInput> {
        let Self { types, from, to, page, limit, cursor } = self;
        let filter = TransactionFilter::new(types, from, to);
        let paging =
            Paging::parse(page, limit, cursor).map_err(|(field, error)| InvalidInput(vec![error.of(field)]));
        match (filter, paging) {
            (Ok(filter), Ok(paging)) => Ok(TransactionQuery { filter, paging }),
            (Err(mut one), Err(other)) => {
                one.0.extend(other.0);
                Err(one)
            }
            (Err(error), _) | (_, Err(error)) => Err(error),
        }
    }
}

/// Lists what happened to your wallet, latest first.
///
/// Each row carries what could be spent and what was held before and after it, also when the rows between are filtered
/// out. A cursor stays good while the wallet changes.
#[utoipa::path(
    tag = "wallet",
    operation_id = "walletTransactions",
    params(TransactionParams),
    responses((status = 200, description = "A page of rows", body = Page<WalletTransactionView>)),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("member")))
)]
#[get("/api/wallet/transactions")]
pub(crate) async fn wallet_transactions(
    member: Member,
    state: web::Data<AppState>,
    params: Query<TransactionParams>,
) -> ApiResult<web::Json<Page<WalletTransactionView>>> {
    let query = params.0.parse()?;
    Ok(web::Json(state.market.ledger.transactions(member.user, &query).await?))
}
