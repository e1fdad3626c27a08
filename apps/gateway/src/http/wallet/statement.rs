//! The history of one's own wallet as a file for spreadsheets.

use actix_web::http::header::CONTENT_DISPOSITION;
use actix_web::web::Bytes;
use actix_web::{HttpResponse, get, web};
use chrono::{DateTime, Utc};
use futures_util::{StreamExt, TryStreamExt, stream};
use ledger::{LedgerError, Statement, TransactionFilter, TransactionType};
use serde::Deserialize;

use crate::http::error::ApiResult;
use crate::http::extract::{Member, Query};
use crate::state::AppState;

/// Which rows.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(crate) struct StatementParams {
    /// Only rows of this type; name it again for more than one.
    #[serde(rename = "type", default)]
    #[param(required = false, max_items = 15)]
    types: Vec<TransactionType>,
    /// Not before this moment.
    from: Option<DateTime<Utc>>,
    /// Before this moment, which is after `from`.
    to: Option<DateTime<Utc>>,
}

/// Gives what happened to your wallet as CSV, latest first.
///
/// Amounts stand twice: in paise, and in rupees with two decimals. Text that a spreadsheet would take for a formula has
/// an apostrophe before it.
#[utoipa::path(
    tag = "wallet",
    operation_id = "walletStatement",
    params(StatementParams),
    responses((status = 200, description = "The statement", body = String, content_type = "text/csv",
               headers(("Content-Disposition" = String, description = "A name for the file")),
               example = json!("id,created_at,type,amount_paise,amount_rupees,…"))),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("member")))
)]
#[get("/api/wallet/statement")]
pub(crate) async fn wallet_statement(
    member: Member,
    state: web::Data<AppState>,
    params: Query<StatementParams>,
) -> ApiResult<HttpResponse> {
    let StatementParams { types, from, to } = params.0;
    let filter = TransactionFilter::new(types, from, to)?;
    let mut statement = state.market.ledger.statement(member.user, filter);
    // With the first piece in hand, a database that does not answer is a problem and not a file that breaks off.
    let first = statement.next_piece().await?.unwrap_or_default();
    let rest = stream::try_unfold(statement, next_piece).inspect_err(|error| {
        tracing::warn!(%error, "a statement broke off");
    });
    let body = stream::iter([Ok(Bytes::from(first))]).chain(rest);
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8; header=present")
        .insert_header((CONTENT_DISPOSITION, "attachment; filename=\"wallet-statement.csv\""))
        .streaming(body))
}

async fn next_piece(mut statement: Statement) -> Result<Option<(Bytes, Statement)>, LedgerError> {
    let piece = statement.next_piece().await?;
    Ok(piece.map(|piece| (Bytes::from(piece), statement)))
}
