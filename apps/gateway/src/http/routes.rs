//! The list of routes, read three times: once to know the paths, by every server thread to serve them, and to describe
//! them, when somebody asks.

use actix_web::dev::HttpServiceFactory;
use actix_web::web;
use utoipa_actix_web::OpenApiFactory;
use utoipa_actix_web::service_config::ServiceConfig;

use super::not_found::KnownPaths;

/// Where routes are registered.
pub(crate) enum Routes<'r, 'd> {
    /// They will run.
    Served(&'r mut web::ServiceConfig),
    /// They will be described.
    Described(&'r mut ServiceConfig<'d>),
    /// Their paths and methods will be known.
    Listed(&'r mut KnownPaths),
}

impl Routes<'_, '_> {
    /// Registers a handler, which describes itself.
    pub(crate) fn service<H>(&mut self, handler: H) -> &mut Self
    where
        H: HttpServiceFactory + OpenApiFactory + utoipa::Path + 'static,
    {
        match self {
            Self::Served(config) => drop(config.service(handler)),
            Self::Described(config) => drop(config.service(handler)),
            Self::Listed(known) => known.add(&H::path(), H::methods()),
        }
        self
    }

    /// Registers those of a module.
    pub(crate) fn configure(&mut self, module: fn(&mut Routes<'_, '_>)) -> &mut Self {
        module(self);
        self
    }
}
