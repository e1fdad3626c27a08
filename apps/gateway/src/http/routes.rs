//! The list of routes, read twice: once to describe it, and by every server thread to serve it.
//!
//! A thread that serves needs no description. The document of all operations takes some megabytes while it is gathered,
//! which a thread's heap would keep ever after.

use actix_web::dev::HttpServiceFactory;
use actix_web::web;
use utoipa_actix_web::OpenApiFactory;
use utoipa_actix_web::service_config::ServiceConfig;

/// Where routes are registered.
pub(crate) enum Routes<'r, 'd> {
    /// They will run.
    Served(&'r mut web::ServiceConfig),
    /// They will be described.
    Described(&'r mut ServiceConfig<'d>),
}

impl Routes<'_, '_> {
    /// Registers a handler, which describes itself.
    pub(crate) fn service(
        &mut self,
        handler: impl HttpServiceFactory + OpenApiFactory + 'static,
    ) -> &mut Self {
        match self {
            Self::Served(config) => drop(config.service(handler)),
            Self::Described(config) => drop(config.service(handler)),
        }
        self
    }

    /// Registers those of a module.
    pub(crate) fn configure(&mut self, module: fn(&mut Routes<'_, '_>)) -> &mut Self {
        module(self);
        self
    }
}
