//! Three tiers of rate limit, each counted per client: everything but probes and webhooks, logging in, and asking for
//! codes.
//!
//! The tier of codes is beside the caps per phone and address that identity keeps in the database; those hold
//! across instances, these spare the database.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::time::Duration;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, web};
use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};

use super::routed::{is_probe, is_socket, is_webhook};
use super::{RequestFacts, routed_path};
use crate::config::RateLimitConfig;
use crate::http::error::ApiError;
use crate::state::AppState;

type Keyed = RateLimiter<IpAddr, DefaultKeyedStateStore<IpAddr>, DefaultClock, StateInformationMiddleware>;

struct Tier {
    name: &'static str,
    per_minute: u32,
    limiter: Keyed,
}

/// The limits of this process.
pub(crate) struct RateLimits {
    general: Tier,
    auth: Tier,
    otp: Tier,
}

impl RateLimits {
    /// The limits as configured.
    pub(crate) fn new(config: &RateLimitConfig) -> Self {
        Self {
            general: Tier::new("general", config.general_per_minute),
            auth: Tier::new("auth", config.auth_per_minute),
            otp: Tier::new("otp", config.otp_per_minute),
        }
    }

    fn tier(&self, path: &str) -> Option<&Tier> {
        match path {
            "/api/auth/send-otp" | "/api/users/me/contact" => Some(&self.otp),
            path if path.starts_with("/api/auth/") => Some(&self.auth),
            path if is_probe(path) || is_webhook(path) => None,
            _ => Some(&self.general),
        }
    }

    /// Forgets clients that were not seen for a while; called now and then, as the tables would only grow.
    pub(crate) fn forget_idle_clients(&self) {
        for tier in [&self.general, &self.auth, &self.otp] {
            tier.limiter.retain_recent();
            tier.limiter.shrink_to_fit();
        }
    }
}

impl Tier {
    fn new(name: &'static str, per_minute: u32) -> Self {
        let quota = Quota::per_minute(NonZeroU32::new(per_minute).unwrap_or(NonZeroU32::MIN));
        Self { name, per_minute, limiter: RateLimiter::keyed(quota).with_middleware() }
    }

    /// What is left, or how long to wait.
    fn take(&self, client: IpAddr) -> Result<u32, Duration> {
        match self.limiter.check_key(&client) {
            Ok(snapshot) => Ok(snapshot.remaining_burst_capacity()),
            Err(refused) => Err(refused.wait_time_from(DefaultClock::default().now())),
        }
    }
}

/// What counts as one client: one household or company has a whole IPv6 /64 to choose addresses from.
pub(crate) fn aggregated(client: IpAddr) -> IpAddr {
    match client {
        IpAddr::V6(address) => {
            let network = u128::from(address) & (u128::MAX << 64);
            IpAddr::V6(Ipv6Addr::from(network))
        }
        v4 => v4,
    }
}

/// Lets the request through, or answers 429 with the time to wait.
pub(crate) async fn limit_rate(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let state = request.app_data::<web::Data<AppState>>().cloned();
    let client = request.extensions().get::<RequestFacts>().map(|facts| facts.client);
    let limits = state.as_ref().and_then(|state| Some((state, state.rate_limits.as_ref()?)));
    let (Some((state, limits)), Some(client)) = (limits, client) else {
        return next.call(request).await.map(ServiceResponse::map_into_boxed_body);
    };
    // What belongs to a connection was counted when that was opened.
    let is_connected = is_socket(routed_path(&request)) && state.live.knows(request.query_string());
    let Some(tier) = limits.tier(routed_path(&request)).filter(|_| !is_connected) else {
        return next.call(request).await.map(ServiceResponse::map_into_boxed_body);
    };
    let taken = tier.take(aggregated(client));
    let mut response = match taken {
        Ok(_) => next.call(request).await?.map_into_boxed_body(),
        Err(wait) => {
            metrics::counter!("rate_limited_total", "tier" => tier.name).increment(1);
            let refused = ApiError::new(
                StatusCode::TOO_MANY_REQUESTS,
                "rate_limited",
                "too many requests: wait as long as Retry-After says",
            );
            // Rounded up: whoever waits so long gets through.
            request.error_response(refused.retry_after(wait + Duration::from_secs(1))).map_into_boxed_body()
        }
    };
    add_headers(&mut response, tier, taken);
    Ok(response)
}

/// `RateLimit` and `RateLimit-Policy` of the IETF draft on rate limit headers.
fn add_headers(response: &mut ServiceResponse<BoxBody>, tier: &Tier, taken: Result<u32, Duration>) {
    let (remaining, wait) = match taken {
        Ok(remaining) => (remaining, 60 / u64::from(tier.per_minute.max(1))),
        Err(wait) => (0, wait.as_secs() + 1),
    };
    let policy = format!("\"{}\";q={};w=60", tier.name, tier.per_minute);
    let state = format!("\"{}\";r={remaining};t={wait}", tier.name);
    for (name, value) in [("ratelimit-policy", policy), ("ratelimit", state)] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_refused_after_its_quota_and_others_are_not() {
        let tier = Tier::new("test", 3);
        let (one, other) = ("203.0.113.1".parse().unwrap(), "203.0.113.2".parse().unwrap());
        assert_eq!((0..3).map(|_| tier.take(one)).collect::<Vec<_>>(), [Ok(2), Ok(1), Ok(0)]);
        assert!(tier.take(one).is_err());
        assert_eq!(tier.take(other), Ok(2));
    }

    #[test]
    fn every_path_but_the_probes_and_the_webhooks_has_a_tier() {
        let limits = RateLimits::new(&RateLimitConfig {
            enabled: true,
            general_per_minute: 9,
            auth_per_minute: 9,
            otp_per_minute: 9,
        });
        for (path, tier) in [
            ("/api/auth/send-otp", Some("otp")),
            ("/api/auth/refresh", Some("auth")),
            ("/api/listings", Some("general")),
            ("/media/a.webp", Some("general")),
            ("/.well-known/jwks.json", Some("general")),
            ("/nowhere", Some("general")),
            ("/", Some("general")),
            ("/api/payments/order", Some("general")),
            ("/api/payments/webhook", None),
            ("/api/notifications/sms-status", None),
            ("/api/notifications/unsubscribe", Some("general")),
            ("/livez", None),
            ("/readyz", None),
            ("/health", None),
            ("/metrics", None),
        ] {
            assert_eq!(limits.tier(path).map(|tier| tier.name), tier, "{path}");
        }
    }

    #[test]
    fn a_whole_ipv6_network_counts_as_one_client() {
        let (a, b) = ("2001:db8:1:2::1".parse().unwrap(), "2001:db8:1:2:ffff::9".parse().unwrap());
        assert_eq!(aggregated(a), aggregated(b));
    }
}
