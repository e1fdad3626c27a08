//! The HTTP API: one folder per module, each with its routes and wire types.

mod auth;
mod boosts;
mod categories;
mod dead_letters;
pub(crate) mod error;
pub(crate) mod extract;
mod health;
mod listings;
pub(crate) mod middleware;
mod moderation;
mod not_found;
pub mod openapi;
mod payments;
mod photos;
mod routes;
mod texts;
mod users;
mod wallet;

pub(crate) use not_found::{answer as answer_unknown, refuse_strange_methods};
pub(crate) use routes::Routes;

/// Every route of the API. What is registered here is what runs, and what the OpenAPI document shows.
pub(crate) fn routes(routes: &mut Routes<'_, '_>) {
    routes
        .configure(health::routes)
        .configure(auth::routes)
        .configure(users::routes)
        .configure(categories::routes)
        .configure(boosts::routes)
        .configure(listings::routes)
        .configure(moderation::routes)
        .configure(photos::routes)
        .configure(wallet::routes)
        .configure(payments::routes)
        .configure(dead_letters::routes);
}
