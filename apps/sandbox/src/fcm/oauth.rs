//! Google's token endpoint: an assertion for an access token (RFC 7523 §2.1, developers.google.com/identity/protocols/oauth2/service-account).

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, Resource, web};
use jsonwebtoken::{Algorithm, Validation, decode};
use serde::Deserialize;
use serde_json::json;
use url::form_urlencoded;

use super::{AUDIENCE, CLIENT_EMAIL, Fcm};
use crate::http::method_not_allowed;
use crate::stage::Stage;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const SCOPE: &str = "https://www.googleapis.com/auth/firebase.messaging";

/// The longest that an assertion may hold, and how far its clock may be off, in seconds.
const LONGEST: i64 = 3_600;
const SKEW: i64 = 300;

/// `POST /token`.
pub(super) fn resource() -> Resource {
    web::resource("/token").route(web::post().to(token)).default_service(web::to(method_not_allowed))
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    scope: String,
    aud: String,
    iat: i64,
    exp: i64,
}

async fn token(stage: web::Data<Stage>, body: web::Bytes) -> HttpResponse {
    let form: Vec<(String, String)> = form_urlencoded::parse(&body).into_owned().collect();
    let field = |name: &str| form.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value);
    if field("grant_type") != GRANT {
        return refuse("unsupported_grant_type", &format!("Invalid grant_type: {}", field("grant_type")));
    }
    if let Err((error, description)) = check(&stage.fcm, field("assertion"), stage.ambient.now().timestamp())
    {
        return refuse(error, description);
    }
    let granted = stage.fcm.grant(&stage.ambient);
    HttpResponse::Ok().json(json!({
        "access_token": granted,
        "expires_in": stage.fcm.token_life.num_seconds(),
        "token_type": "Bearer",
    }))
}

fn check(fcm: &Fcm, assertion: &str, now: i64) -> Result<(), (&'static str, &'static str)> {
    let invalid = |description| Err(("invalid_grant", description));
    let mut rules = Validation::new(Algorithm::RS256);
    // The rest is checked by hand, in Google's words.
    rules.required_spec_claims.clear();
    rules.validate_exp = false;
    rules.validate_aud = false;
    let Ok(token) = decode::<Claims>(assertion, &fcm.key, &rules) else {
        return invalid("Invalid JWT Signature.");
    };
    let Claims { iss, scope, aud, iat, exp } = token.claims;
    if iss != CLIENT_EMAIL {
        return invalid("Invalid grant: account not found");
    }
    if aud != AUDIENCE {
        return invalid("Invalid JWT: Failed audience check.");
    }
    if exp <= now - SKEW || iat > now + SKEW || exp - iat > LONGEST || exp <= iat {
        return invalid(
            "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your \
             iat and exp values in the JWT claim.",
        );
    }
    if !scope.split(' ').any(|scope| scope == SCOPE) {
        return Err(("invalid_scope", "Invalid OAuth scope or ID token audience provided."));
    }
    Ok(())
}

fn refuse(error: &str, description: &str) -> HttpResponse {
    HttpResponse::build(StatusCode::BAD_REQUEST)
        .json(json!({"error": error, "error_description": description}))
}
