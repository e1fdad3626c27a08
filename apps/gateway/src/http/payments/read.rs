//! Payments and their refunds, for those whose they are and for those who look after the money.

use actix_web::{get, web};
use kernel::{InvalidInput, Page, Paging, PaymentId, Permission, UserId};
use payments::{PaymentFilter, PaymentOutcome, PaymentStatus, PaymentView, RefundView, StaffPaymentView};
use serde::{Deserialize, Serialize};

use crate::http::error::ApiResult;
use crate::http::extract::{Finance, Member, PathId, Query};
use crate::state::AppState;

/// Which part of a list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(crate) struct PageParams {
    /// A page's number, from 1; asking for one tells the total. Not together with `cursor`.
    #[param(minimum = 1, maximum = 10_000)]
    page: Option<u32>,
    /// Payments per page, 20 by default.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// What the page before gave as `nextCursor`.
    #[param(min_length = 1, max_length = 1_024)]
    cursor: Option<String>,
}

/// Which payments, and which part of their list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(crate) struct AllParams {
    /// Only this person's.
    #[param(value_type = Option<String>, format = Uuid)]
    user_id: Option<UserId>,
    /// Only those that are this far.
    status: Option<PaymentStatus>,
    /// Only those of whose money this became.
    outcome: Option<PaymentOutcome>,
    /// A page's number, from 1; asking for one tells the total. Not together with `cursor`.
    #[param(minimum = 1, maximum = 10_000)]
    page: Option<u32>,
    /// Payments per page, 20 by default.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// What the page before gave as `nextCursor`.
    #[param(min_length = 1, max_length = 1_024)]
    cursor: Option<String>,
}

/// All refunds of a payment.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct RefundList {
    /// The refunds, oldest first.
    data: Vec<RefundView>,
}

pub(super) fn paging(
    page: Option<u32>,
    limit: Option<u32>,
    cursor: Option<String>,
) -> Result<Paging, InvalidInput> {
    Paging::parse(page, limit, cursor).map_err(|(field, error)| InvalidInput(vec![error.of(field)]))
}

/// Lists your payments, newest first.
#[utoipa::path(
    tag = "payments",
    operation_id = "myPayments",
    params(PageParams),
    responses((status = 200, description = "A page of your payments", body = Page<PaymentView>)),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("member")))
)]
#[get("/api/payments")]
pub(crate) async fn my_payments(
    member: Member,
    state: web::Data<AppState>,
    params: Query<PageParams>,
) -> ApiResult<web::Json<Page<PaymentView>>> {
    let paging = paging(params.0.page, params.0.limit, params.0.cursor)?;
    Ok(web::Json(state.market.payments.payments_of(member.user, &paging).await?))
}

/// Lists everybody's payments, newest first.
#[utoipa::path(
    tag = "payments",
    operation_id = "allPayments",
    params(AllParams),
    responses((status = 200, description = "A page of payments", body = Page<StaffPaymentView>)),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("finance")))
)]
#[get("/api/payments/all")]
pub(crate) async fn all_payments(
    _finance: Finance,
    state: web::Data<AppState>,
    params: Query<AllParams>,
) -> ApiResult<web::Json<Page<StaffPaymentView>>> {
    let AllParams { user_id, status, outcome, page, limit, cursor } = params.0;
    let filter = PaymentFilter { user: user_id, status, outcome };
    let paging = paging(page, limit, cursor)?;
    Ok(web::Json(state.market.payments.all_payments(&filter, &paging).await?))
}

/// The payment, for whom it is and for those who look after the money.
async fn seen(state: &AppState, member: &Member, id: PaymentId) -> ApiResult<PaymentView> {
    if member.caller.actor.may(Permission::PaymentsView) {
        return Ok(state.market.payments.payment(id).await?.payment);
    }
    Ok(state.market.payments.payment_of(member.user, id).await?)
}

/// Shows a payment of yours.
#[utoipa::path(
    tag = "payments",
    operation_id = "getPayment",
    params(("id" = String, Path, format = Uuid, description = "The payment")),
    responses((status = 200, description = "The payment", body = PaymentView)),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("owner")))
)]
#[get("/api/payments/{id}")]
pub(crate) async fn payment(
    member: Member,
    state: web::Data<AppState>,
    id: PathId<PaymentId>,
) -> ApiResult<web::Json<PaymentView>> {
    Ok(web::Json(seen(&state, &member, id.0).await?))
}

/// Lists the refunds of a payment of yours, oldest first.
#[utoipa::path(
    tag = "payments",
    operation_id = "refundsOfPayment",
    params(("id" = String, Path, format = Uuid, description = "The payment")),
    responses((status = 200, description = "The refunds", body = RefundList)),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("owner")))
)]
#[get("/api/payments/{id}/refunds")]
pub(crate) async fn refunds_of_payment(
    member: Member,
    state: web::Data<AppState>,
    id: PathId<PaymentId>,
) -> ApiResult<web::Json<RefundList>> {
    seen(&state, &member, id.0).await?;
    let refunds = state.market.payments.refunds_of_payment(id.0).await?;
    Ok(web::Json(RefundList { data: refunds.iter().map(payments::Refund::view).collect() }))
}
