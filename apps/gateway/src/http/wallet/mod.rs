//! Wallets: what one has, where it came from and went, and promotional credit that staff give.

mod bonus;
mod read;
mod statement;
mod transactions;

use utoipa_actix_web::service_config::ServiceConfig;

pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(read::wallet)
        .service(read::wallet_stats)
        .service(transactions::wallet_transactions)
        .service(statement::wallet_statement)
        .service(bonus::grant_bonus);
}
