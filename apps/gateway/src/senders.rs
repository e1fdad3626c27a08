//! The clients through which messages leave, from the configuration: each behind a guard of its own, several for one way
//! in the order in which they stand in for each other.

use std::io;
use std::sync::Arc;

use kernel::Ambient;
use notify::{
    Failover, Fcm, FcmConfig, Guarded, MailSender, OtpSenders, PushSender, Senders, SmsSender, Smtp,
    SmtpConfig, Twilio, TwilioConfig, TwilioSender,
};
use outbound::http::Timeouts;
use outbound::{Guard, GuardConfig};
use thiserror::Error;

use crate::config::{Config, MailProvider, SmsProvider, SmtpConfig as SmtpSection, TwilioAccount};

/// Why nobody can send messages; each names what to set.
#[derive(Debug, Error)]
pub enum SendersError {
    /// A provider's client refuses what it is configured with.
    #[error("a sender cannot be set up: {0}")]
    Client(#[from] notify::ConfigError),
    /// SMS have no sender.
    #[error("set DGT__{0}__FROM or DGT__{0}__MESSAGING_SERVICE_SID")]
    NoSmsSender(&'static str),
    /// A mail server's client refuses what it is configured with.
    #[error("DGT__{section}__: {source}")]
    MailServer {
        /// The server's section.
        section: &'static str,
        /// What is wrong with which value.
        source: notify::ConfigError,
    },
    /// The certificates of a mail server's authority cannot be read.
    #[error("DGT__{section}__CA_FILE cannot be read: {source}")]
    CaFile {
        /// The server's section.
        section: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// An order of providers has nobody in it, or somebody twice.
    #[error("DGT__NOTIFY__{0} must name each provider once, and one at least")]
    Order(&'static str),
    /// An order names a provider whose section is empty.
    #[error("DGT__NOTIFY__{order} names a provider without settings: set DGT__{section}__…, or leave it out")]
    NotSetUp {
        /// The order.
        order: &'static str,
        /// The section that is not there.
        section: &'static str,
    },
}

/// Everybody who sends messages.
///
/// # Errors
/// When a provider's settings cannot be used, or an order names nobody, somebody twice, or somebody who is not set up.
pub(crate) fn senders(config: &Config, ambient: &Ambient) -> Result<Senders, SendersError> {
    let (sms, mail) = (sms(config, ambient, Use::Notices)?, mail(config, ambient, Use::Notices)?);
    Ok(Senders { push: push(config, ambient)?, sms, mail })
}

/// Those who send one-time codes: the same providers in the same order.
///
/// # Errors
/// As [`senders`].
pub(crate) fn otp_senders(config: &Config, ambient: &Ambient) -> Result<OtpSenders, SendersError> {
    Ok(OtpSenders { sms: sms(config, ambient, Use::Codes)?, mail: mail(config, ambient, Use::Codes)? })
}

/// What a provider is used for: each has a guard of its own.
#[derive(Clone, Copy)]
enum Use {
    Notices,
    Codes,
}

impl Use {
    /// The one of two names.
    fn of(self, notices: &'static str, codes: &'static str) -> &'static str {
        match self {
            Self::Notices => notices,
            Self::Codes => codes,
        }
    }
}

fn guard(name: &'static str, ambient: &Ambient) -> Guard {
    Guard::new(name, GuardConfig::default(), ambient.clone())
}

fn sms(config: &Config, ambient: &Ambient, used: Use) -> Result<Arc<dyn SmsSender>, SendersError> {
    let senders = in_order("SMS", &config.notify.sms, |provider| {
        let (name, section, account) = match provider {
            SmsProvider::Twilio => (used.of("twilio", "twilio_otp"), "TWILIO", Some(config.twilio.account())),
            SmsProvider::TwilioStandby => {
                let name = used.of("twilio_standby", "twilio_standby_otp");
                (name, "TWILIO_STANDBY", config.twilio_standby.clone())
            }
        };
        let account = account.ok_or(SendersError::NotSetUp { order: "SMS", section })?;
        let client = Twilio::new(twilio(account, section)?)?;
        let sender: Arc<dyn SmsSender> = Arc::new(Guarded::new(client, guard(name, ambient)));
        Ok(sender)
    })?;
    Ok(Arc::new(senders))
}

fn mail(config: &Config, ambient: &Ambient, used: Use) -> Result<Arc<dyn MailSender>, SendersError> {
    let senders = in_order("MAIL", &config.notify.mail, |provider| {
        let (name, section, server) = match provider {
            MailProvider::Smtp => (used.of("smtp", "smtp_otp"), "SMTP", Some(&config.smtp)),
            MailProvider::SmtpStandby => {
                let name = used.of("smtp_standby", "smtp_standby_otp");
                (name, "SMTP_STANDBY", config.smtp_standby.as_ref())
            }
        };
        let server = server.ok_or(SendersError::NotSetUp { order: "MAIL", section })?;
        let client = Smtp::new(smtp(server.clone(), section)?, ambient.clone())
            .map_err(|source| SendersError::MailServer { section, source })?;
        let sender: Arc<dyn MailSender> = Arc::new(Guarded::new(client, guard(name, ambient)));
        Ok(sender)
    })?;
    Ok(Arc::new(senders))
}

fn smtp(server: SmtpSection, section: &'static str) -> Result<SmtpConfig, SendersError> {
    let SmtpSection { url, ca_file, from } = server;
    let authorities = ca_file.map(std::fs::read_to_string).transpose();
    let authorities = authorities.map_err(|source| SendersError::CaFile { section, source })?;
    Ok(SmtpConfig { authorities, ..SmtpConfig::new(url, from) })
}

/// Firebase, if its service account is set; without one nothing is pushed. Nobody else reaches the devices' apps.
fn push(config: &Config, ambient: &Ambient) -> Result<Option<Arc<dyn PushSender>>, SendersError> {
    let fcm = &config.fcm;
    let Some(account) = &fcm.service_account else { return Ok(None) };
    let mut client = FcmConfig::google(account.clone())?;
    if let Some(base_url) = &fcm.base_url {
        client.base_url = base_url.clone();
        client.iid_url = base_url.clone();
    }
    client.token_url.clone_from(&fcm.token_url);
    let client = Fcm::new(client, ambient.clone())?;
    Ok(Some(Arc::new(Guarded::new(client, guard("fcm", ambient)))))
}

/// A sender for each provider of an order, each for when those before it did not send.
fn in_order<P: PartialEq, S>(
    order: &'static str,
    providers: &[P],
    sender: impl Fn(&P) -> Result<S, SendersError>,
) -> Result<Failover<S>, SendersError> {
    let is_repeated =
        |(index, provider): (usize, &P)| providers.iter().skip(index + 1).any(|one| one == provider);
    let [first, others @ ..] = providers else { return Err(SendersError::Order(order)) };
    if providers.iter().enumerate().any(is_repeated) {
        return Err(SendersError::Order(order));
    }
    let others = others.iter().map(&sender).collect::<Result<Vec<_>, _>>()?;
    Ok(Failover::new(sender(first)?, others))
}

fn twilio(account: TwilioAccount, section: &'static str) -> Result<TwilioConfig, SendersError> {
    let sender = match (account.messaging_service_sid, account.from) {
        (Some(service), _) => TwilioSender::MessagingService(service),
        (None, Some(from)) => TwilioSender::From(from),
        (None, None) => return Err(SendersError::NoSmsSender(section)),
    };
    Ok(TwilioConfig {
        base_url: account.base_url,
        account_sid: account.account_sid,
        auth_token: account.auth_token,
        sender,
        timeouts: Timeouts::default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(adjust: impl FnOnce(&mut Config)) -> String {
        let mut config = crate::config::load(None).unwrap();
        adjust(&mut config);
        senders(&config, &Ambient::system()).map(drop).unwrap_err().to_string()
    }

    #[tokio::test]
    async fn an_order_names_each_provider_once_and_only_those_that_are_set_up() {
        let ambient = Ambient::system();
        let mut config = crate::config::load(None).unwrap();
        assert!(senders(&config, &ambient).is_ok(), "the defaults can be used");
        config.twilio_standby = Some(config.twilio.account());
        config.smtp_standby = Some(config.smtp.clone());
        config.notify.sms = vec![SmsProvider::TwilioStandby, SmsProvider::Twilio];
        config.notify.mail = vec![MailProvider::SmtpStandby, MailProvider::Smtp];
        assert!(senders(&config, &ambient).is_ok());

        let nobody = "DGT__NOTIFY__SMS must name each provider once, and one at least";
        assert_eq!(wrong(|config| config.notify.sms.clear()), nobody);
        assert_eq!(wrong(|config| config.notify.sms = vec![SmsProvider::Twilio; 2]), nobody);
        let away = wrong(|config| config.notify.mail.push(MailProvider::SmtpStandby));
        assert!(away.contains("DGT__SMTP_STANDBY__"), "{away}");
        let away = wrong(|config| config.notify.sms.push(SmsProvider::TwilioStandby));
        assert!(away.contains("DGT__TWILIO_STANDBY__"), "{away}");
        let silent = wrong(|config| config.twilio.from = None);
        assert!(silent.contains("DGT__TWILIO__FROM"), "{silent}");
    }

    #[tokio::test]
    async fn a_mail_servers_section_and_value_are_named_when_it_is_wrong() {
        let folder = std::env::temp_dir().join(format!("dgt-ca-{}", Ambient::system().new_uuid()));
        std::fs::create_dir(&folder).unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let none = file("none.pem", "no certificate");
        let broken = file("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n");
        let no_root = file("no-root.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
        let tls = "smtps://mail.example.in";
        for (url, ca_file, problem) in [
            ("mail.example.in", None, "url must"),
            (tls, Some(folder.join("nowhere")), "DGT__SMTP_STANDBY__CA_FILE cannot be read"),
            (tls, Some(none.clone()), "ca_file must hold certificates in PEM"),
            (tls, Some(broken), "ca_file holds a certificate that cannot be read"),
            (tls, Some(no_root), "ca_file holds a certificate that cannot be read"),
            ("smtp://127.0.0.1:4025", Some(none), "ca_file is of no use in the clear"),
        ] {
            let told = wrong(|config| {
                let standby = SmtpSection { url: url.into(), ca_file, from: config.smtp.from.clone() };
                config.smtp_standby = Some(standby);
                config.notify.mail = vec![MailProvider::Smtp, MailProvider::SmtpStandby];
            });
            assert!(told.contains("DGT__SMTP_STANDBY__") && told.contains(problem), "{problem}: {told}");
        }
        std::fs::remove_dir_all(folder).unwrap();
    }
}
