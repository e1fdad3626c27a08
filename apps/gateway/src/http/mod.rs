//! The HTTP API: one folder per module, each with its routes and wire types.

mod announcements;
mod auth;
mod boosts;
mod categories;
mod dead_letters;
mod deliveries;
mod devices;
pub(crate) mod error;
pub(crate) mod extract;
mod health;
mod listings;
pub(crate) mod middleware;
mod moderation;
mod not_found;
mod notifications;
pub mod openapi;
mod payments;
mod photos;
mod routes;
mod templates;
mod texts;
mod users;
mod wallet;
mod webhooks;

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
        .configure(notifications::routes)
        .configure(devices::routes)
        .configure(announcements::routes)
        .configure(templates::routes)
        .configure(deliveries::routes)
        .configure(webhooks::routes)
        .configure(dead_letters::routes);
}
