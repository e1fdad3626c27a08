//! Who may: authority as a type. A handler that takes a [`Moderator`] cannot run for anybody else, because the
//! value cannot be built without the check.

use std::marker::PhantomData;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::AUTHORIZATION;
use actix_web::{FromRequest, HttpRequest, web};
use futures_util::future::LocalBoxFuture;
use kernel::{Actor, Caller, Role, SessionId, UserId};

use super::ClientOrigin;
use crate::http::error::ApiError;
use crate::state::AppState;

/// Who is asking, having proved to be a person of the kind `A`.
#[derive(Debug, Clone)]
pub(crate) struct Authorized<A> {
    /// Who, and from where.
    pub(crate) caller: Caller,
    /// The person.
    pub(crate) user: UserId,
    /// The login they act through.
    pub(crate) session: SessionId,
    kind: PhantomData<A>,
}

/// A kind of people, as a rule about roles.
pub(crate) trait Authority: 'static {
    /// Whether somebody of the role belongs to it.
    fn admits(role: Role) -> bool;
    /// Whether a code of the second factor must have been given within the last minutes.
    const STEP_UP: bool = false;
}

/// Anybody who is logged in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AnyMember;
/// Anybody who works here.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AnyStaff;
/// MODERATOR, ADMIN, SUPER_ADMIN.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moderation;
/// FINANCE, ADMIN, SUPER_ADMIN.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Finances;
/// ADMIN, SUPER_ADMIN.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Administration;
/// SUPER_ADMIN.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SuperAdministration;
/// The same people, with a fresh code of their second factor.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fresh<A>(PhantomData<A>);

impl Authority for AnyMember {
    fn admits(_: Role) -> bool {
        true
    }
}

impl Authority for AnyStaff {
    fn admits(role: Role) -> bool {
        role.is_staff()
    }
}

impl Authority for Moderation {
    fn admits(role: Role) -> bool {
        matches!(role, Role::Moderator | Role::Admin | Role::SuperAdmin)
    }
}

impl Authority for Finances {
    fn admits(role: Role) -> bool {
        matches!(role, Role::Finance | Role::Admin | Role::SuperAdmin)
    }
}

impl Authority for Administration {
    fn admits(role: Role) -> bool {
        matches!(role, Role::Admin | Role::SuperAdmin)
    }
}

impl Authority for SuperAdministration {
    fn admits(role: Role) -> bool {
        role == Role::SuperAdmin
    }
}

impl<A: Authority> Authority for Fresh<A> {
    fn admits(role: Role) -> bool {
        A::admits(role)
    }

    const STEP_UP: bool = true;
}

/// Anybody who is logged in.
pub(crate) type Member = Authorized<AnyMember>;
/// Anybody who works here.
pub(crate) type Staff = Authorized<AnyStaff>;
/// Those who review.
pub(crate) type Moderator = Authorized<Moderation>;
/// Those who look after the money.
pub(crate) type Finance = Authorized<Finances>;
/// Those who run the place.
pub(crate) type Admin = Authorized<Administration>;
/// One of them with a fresh code of the second factor: `SteppedUp<SuperAdministration>`.
pub(crate) type SteppedUp<A> = Authorized<Fresh<A>>;

/// Whoever is looking at something public: a person if a valid token came along, else nobody. A token that is not
/// valid is refused all the same: answering as if nobody were logged in would hide from a client that its session ended.
#[derive(Debug, Clone)]
pub(crate) struct Viewer(pub(crate) Option<Actor>);

impl FromRequest for Viewer {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        if !request.headers().contains_key(AUTHORIZATION) {
            return Box::pin(std::future::ready(Ok(Self(None))));
        }
        let request = request.clone();
        Box::pin(async move {
            let actor = authenticate(&request).await?;
            // Staff without their second factor see what everybody sees.
            let is_enrolled = staff_without_factor(&request, &actor).await?.is_none();
            Ok(Self(if is_enrolled || actor.role() == Some(Role::User) { Some(actor) } else { None }))
        })
    }
}

impl<A: Authority> FromRequest for Authorized<A> {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let actor = authenticate(&request).await?;
            let Actor::Person { user, role, session, staff } = actor else {
                return Err(ApiError::unauthenticated());
            };
            if !A::admits(role) {
                return Err(ApiError::new(
                    StatusCode::FORBIDDEN,
                    "forbidden",
                    "your role does not allow this",
                ));
            }
            if !A::admits(Role::User)
                && let Some(refusal) = staff_without_factor(&request, &actor).await?
            {
                return Err(refusal);
            }
            if A::STEP_UP && !is_stepped_up(&request, staff) {
                return Err(ApiError::new(
                    StatusCode::FORBIDDEN,
                    "step_up_required",
                    "give a fresh code of your authenticator first: POST /api/auth/step-up",
                ));
            }
            let caller = Caller { actor, origin: ClientOrigin::of(&request).0 };
            Ok(Self { caller, user, session, kind: PhantomData })
        })
    }
}

fn state(request: &HttpRequest) -> Result<&web::Data<AppState>, ApiError> {
    request
        .app_data::<web::Data<AppState>>()
        .ok_or_else(|| ApiError::of_status(StatusCode::INTERNAL_SERVER_ERROR))
}

/// The person behind the bearer token: one read of the session, so that a block or a new role bites at once.
async fn authenticate(request: &HttpRequest) -> Result<Actor, ApiError> {
    let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let (scheme, token) =
        header.and_then(|value| value.split_once(' ')).ok_or_else(ApiError::unauthenticated)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(ApiError::unauthenticated());
    }
    Ok(state(request)?.market.identity.authenticate(token.trim()).await?)
}

/// The refusal for staff who have not enrolled an authenticator, while the setting asks for one.
async fn staff_without_factor(request: &HttpRequest, actor: &Actor) -> Result<Option<ApiError>, ApiError> {
    let Actor::Person { role, staff, .. } = actor else { return Ok(None) };
    if !role.is_staff() || staff.is_some_and(|facts| facts.totp_confirmed) {
        return Ok(None);
    }
    if !state(request)?.market.settings.get(&platform::settings::STAFF_TOTP_REQUIRED).await {
        return Ok(None);
    }
    Ok(Some(ApiError::new(
        StatusCode::FORBIDDEN,
        "totp_enrolment_required",
        "staff need an authenticator: POST /api/auth/totp/enrol, then /api/auth/totp/confirm",
    )))
}

fn is_stepped_up(request: &HttpRequest, staff: Option<kernel::StaffFacts>) -> bool {
    let until = staff.and_then(|facts| facts.stepped_up_until);
    match (until, state(request)) {
        (Some(until), Ok(state)) => until > state.ambient.now(),
        _ => false,
    }
}
