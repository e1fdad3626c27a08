//! Wallets: what one has, where it came from and went, and promotional credit that staff give.

mod bonus;
mod read;
mod statement;
mod transactions;

use crate::http::Routes;

pub(crate) fn routes(routes: &mut Routes<'_, '_>) {
    routes
        .service(read::wallet)
        .service(read::wallet_stats)
        .service(transactions::wallet_transactions)
        .service(statement::wallet_statement)
        .service(bonus::grant_bonus);
}
