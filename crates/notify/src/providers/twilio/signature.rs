//! Whether a callback comes from Twilio: `X-Twilio-Signature` is the HMAC-SHA1 of the address that Twilio called and of
//! the form's fields, under the account's auth token (twilio.com/docs/usage/webhooks/webhooks-security).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha1::Sha1;
use url::Url;

/// Whether the signature is right for the form that was posted to the address.
///
/// `url` is the address as Twilio knows it, query included: behind a proxy that is the configured public one, and never
/// what the request says of itself. Twilio signs it with or without the standard port, so both are tried.
pub fn verify_twilio_signature(
    auth_token: &SecretString,
    url: &Url,
    fields: &[(String, String)],
    signature: &str,
) -> bool {
    let Ok(signature) = STANDARD.decode(signature.trim()) else {
        return false;
    };
    let fields = sorted(fields);
    // Both are reckoned whatever the first says, and each is compared in constant time.
    forms(url).into_iter().fold(false, |is_right, form| {
        let mac = mac(auth_token).chain_update(form.as_bytes()).chain_update(fields.as_bytes());
        mac.verify_slice(&signature).is_ok() | is_right
    })
}

/// Signs as Twilio does.
pub fn twilio_signature(auth_token: &SecretString, url: &Url, fields: &[(String, String)]) -> String {
    let mac = mac(auth_token).chain_update(url.as_str()).chain_update(sorted(fields));
    STANDARD.encode(mac.finalize().into_bytes())
}

fn mac(auth_token: &SecretString) -> Hmac<Sha1> {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of every length (RFC 2104)")]
    Hmac::new_from_slice(auth_token.expose_secret().as_bytes()).expect("HMAC takes any key")
}

/// Names and values one after the other, by name; of one name each value once, in order.
fn sorted(fields: &[(String, String)]) -> String {
    let mut fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    fields.sort_unstable();
    fields.dedup();
    fields.into_iter().flat_map(|(name, value)| [name, value]).collect()
}

/// The address without and with its standard port.
fn forms(url: &Url) -> Vec<String> {
    let plain = url.as_str().to_owned();
    let with_port = match (url.port(), url.port_or_known_default()) {
        // The URL standard drops a standard port when it reads an address.
        (None, Some(port)) => url.as_str().split_once("://").map(|(scheme, rest)| {
            let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
            let (authority, path) = rest.split_at(end);
            format!("{scheme}://{authority}:{port}{path}")
        }),
        _ => None,
    };
    std::iter::once(plain).chain(with_port).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(of: &[(&str, &str)]) -> Vec<(String, String)> {
        of.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    /// The example of Twilio's own documents and of its helper libraries' tests.
    fn example() -> (SecretString, Url, Vec<(String, String)>) {
        (
            "12345".into(),
            "https://mycompany.com/myapp.php?foo=1&bar=2".parse().unwrap(),
            fields(&[
                ("CallSid", "CA1234567890ABCDE"),
                ("Digits", "1234"),
                ("From", "+14158675309"),
                ("To", "+18005551212"),
                ("Caller", "+14158675309"),
            ]),
        )
    }

    #[test]
    fn twilios_own_example_is_right() {
        let (token, url, fields) = example();
        assert!(verify_twilio_signature(&token, &url, &fields, "RSOYDt4T1cUTdK1PDd93/VVr8B8="));
        assert_eq!(twilio_signature(&token, &url, &fields), "RSOYDt4T1cUTdK1PDd93/VVr8B8=");
    }

    #[test]
    fn anything_that_was_changed_is_wrong() {
        let (token, url, fields) = example();
        let right = "RSOYDt4T1cUTdK1PDd93/VVr8B8=";
        assert!(!verify_twilio_signature(&"12346".into(), &url, &fields, right));
        let other: Url = "https://mycompany.com/myapp.php?foo=1&bar=3".parse().unwrap();
        assert!(!verify_twilio_signature(&token, &other, &fields, right));
        let mut changed = fields.clone();
        changed[1].1 = "1235".to_owned();
        assert!(!verify_twilio_signature(&token, &url, &changed, right));
        assert!(!verify_twilio_signature(&token, &url, &fields[1..], right));
        for odd in ["", "x", "RSOYDt4T1cUTdK1PDd93/VVr8B8", "RSOYDt4T1cUTdK1PDd93/VVr8B9=", "AAAA"] {
            assert!(!verify_twilio_signature(&token, &url, &fields, odd), "{odd}");
        }
    }

    #[test]
    fn the_standard_port_may_be_signed_or_not() {
        let token = SecretString::from("12345");
        let of = fields(&[("MessageSid", "SM1")]);
        for (url, signed) in [
            ("https://example.in/x?a=1", "https://example.in:443/x?a=1"),
            ("http://example.in/x", "http://example.in:80/x"),
        ] {
            let mac = mac(&token).chain_update(signed).chain_update(sorted(&of));
            let signature = STANDARD.encode(mac.finalize().into_bytes());
            assert!(verify_twilio_signature(&token, &url.parse().unwrap(), &of, &signature), "{url}");
        }
        let odd: Url = "https://example.in:8443/x".parse().unwrap();
        assert!(verify_twilio_signature(&token, &odd, &of, &twilio_signature(&token, &odd, &of)));
    }

    #[test]
    fn a_field_that_comes_twice_counts_once_per_value() {
        assert_eq!(sorted(&fields(&[("b", "2"), ("a", "2"), ("a", "1"), ("a", "2")])), "a1a2b2");
    }
}
