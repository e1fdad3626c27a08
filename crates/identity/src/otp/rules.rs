//! Who is counted for what when codes are asked for and guessed.

use std::net::IpAddr;

use chrono::TimeDelta;
use kernel::TypedId;
use uuid::Uuid;

use super::{OtpCode, Purpose};
use crate::Contact;
use crate::config::OtpConfig;
use crate::counters::Limit;
use crate::keys::MacKey;

/// The most guesses that are evaluated per code.
pub(super) const MAX_GUESSES: i32 = 5;

/// Who asks for a code, as fingerprints.
pub(super) struct Asker {
    /// The contact.
    pub(super) contact: String,
    /// The client's address or network.
    pub(super) client: String,
}

impl Asker {
    pub(super) fn new(pepper: &MacKey, contact: &Contact, client: &str) -> Self {
        Self {
            contact: contact.fingerprint(pepper),
            client: pepper.hex("client", &[network(client).as_bytes()]),
        }
    }

    /// Everything that must have room before a code is sent, in the order in which the rows are locked: the row
    /// that all requests share comes last.
    pub(super) fn limits(&self, config: &OtpConfig) -> [Limit<'_>; 4] {
        let limit = |scope, subject, max, window| Limit { scope, subject, max, window };
        let (hour, day) = (TimeDelta::hours(1), TimeDelta::days(1));
        [
            limit("otp_contact_hour", self.contact.as_str(), config.per_contact_hour, hour),
            limit("otp_contact_day", self.contact.as_str(), config.per_contact_day, day),
            limit("otp_client_hour", self.client.as_str(), config.per_client_hour, hour),
            limit("otp_day", "all", config.per_day, day),
        ]
    }
}

/// Wrong guesses at the codes of one contact, whatever they were for.
pub(super) fn wrong_guesses<'a>(fingerprint: &'a str, config: &OtpConfig) -> Limit<'a> {
    Limit {
        scope: "otp_wrong_day",
        subject: fingerprint,
        max: config.wrong_per_contact_day,
        window: TimeDelta::days(1),
    }
}

/// The row in which the code of this contact and purpose lives.
pub(super) fn slot(pepper: &MacKey, contact: &Contact, purpose: Purpose) -> String {
    let (name, user) = match purpose {
        Purpose::Login => ("login", Uuid::nil()),
        Purpose::ContactChange(user) => ("contact_change", user.uuid()),
    };
    let parts: [&[u8]; 4] =
        [name.as_bytes(), user.as_bytes(), contact.kind().as_bytes(), contact.as_str().as_bytes()];
    pepper.hex("otp-slot", &parts)
}

/// What is kept of a code. The slot stands for contact and purpose.
pub(super) fn code_digest(pepper: &MacKey, id: Uuid, slot: &str, code: &OtpCode) -> [u8; 32] {
    let parts: [&[u8]; 3] = [id.as_bytes(), slot.as_bytes(), code.digits().as_bytes()];
    pepper.digest("otp-code", &parts)
}

/// An IPv6 client owns a whole /64 and could take a new address for each request.
fn network(client: &str) -> String {
    match client.parse::<IpAddr>() {
        Ok(IpAddr::V6(address)) => match address.to_ipv4_mapped() {
            Some(mapped) => mapped.to_string(),
            None => format!("{:x}::/64", u128::from(address) >> 64),
        },
        _ => client.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_network_counts_as_one_client() {
        assert_eq!(network("2001:db8:1:2::1"), network("2001:db8:1:2:ffff::9"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
        assert_eq!(network("::ffff:192.0.2.1"), "192.0.2.1");
    }

    #[test]
    fn a_code_is_bound_to_its_id_contact_purpose_and_person() {
        let pepper = MacKey::new(vec![1; 32]);
        let contact = |n: &str| Contact::parse(Some(n), None).unwrap();
        let (one, other) = (contact("9876543210"), contact("9876543211"));
        let user = |n: u128| Purpose::ContactChange(Uuid::from_u128(n).into());
        let slots = [
            slot(&pepper, &one, Purpose::Login),
            slot(&pepper, &other, Purpose::Login),
            slot(&pepper, &one, user(1)),
            slot(&pepper, &one, user(2)),
        ];
        let code = OtpCode::parse("123456").unwrap();
        let mut digests: Vec<_> =
            slots.iter().map(|slot| code_digest(&pepper, Uuid::from_u128(1), slot, &code)).collect();
        digests.push(code_digest(&pepper, Uuid::from_u128(2), &slots[0], &code));
        digests.sort_unstable();
        digests.dedup();
        assert_eq!(digests.len(), 5);
        assert!(slots.iter().all(|slot| !slot.contains("98765")));
    }
}
