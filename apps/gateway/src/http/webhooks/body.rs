//! An endpoint as administrators send it, and with its secret, which is shown once.

use kernel::InvalidInput;
use notify::{HookInput, HookView, NewHook};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Type};
use validator::Validate;

use crate::http::texts;

/// All that can be written of an endpoint.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct WebhookBody {
    /// Where webhooks go: an https address on the public network.
    #[schema(example = "https://partner.example.com/hooks", min_length = 8, max_length = 1_000)]
    url: String,
    #[serde(default)]
    #[schema(schema_with = description)]
    description: String,
    #[schema(schema_with = topics)]
    topics: Vec<String>,
}

fn description() -> ObjectBuilder {
    texts::line(1, 200)
        .min_length(Some(0))
        .pattern(None::<String>)
        .description(Some("What it is for"))
        .examples(["The partner's stock system"])
}

fn topics() -> ArrayBuilder {
    let topic = ObjectBuilder::new()
        .schema_type(Type::String)
        .max_length(Some(64))
        .pattern(Some(r"^(\*|[a-z0-9_]+(\.[a-z0-9_]+)*(\.\*)?)$"));
    ArrayBuilder::new()
        .items(topic)
        .min_items(Some(1))
        .max_items(Some(50))
        .description(Some("What it is told of: kinds of events, all that begin alike, or everything"))
        .examples([serde_json::json!(["listing.*", "wallet.updated"])])
}

impl WebhookBody {
    /// The endpoint, or everything that is wrong with it.
    pub(super) fn parse(&self, allow_loopback: bool) -> Result<HookInput, InvalidInput> {
        HookInput::parse(&self.url, &self.description, &self.topics, allow_loopback)
    }
}

/// An endpoint with its secret. Its `Debug` does not show that.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WebhookWithSecret {
    /// The endpoint.
    #[serde(flatten)]
    webhook: HookView,
    /// What its webhooks are signed with. It is shown this once.
    #[schema(example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    secret: String,
}

impl From<NewHook> for WebhookWithSecret {
    fn from(new: NewHook) -> Self {
        Self { webhook: new.hook, secret: new.secret.expose_secret().to_owned() }
    }
}
