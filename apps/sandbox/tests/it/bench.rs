//! A sandbox of the test's own and an HTTP client for it.

use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use sandbox::{Running, Sandbox, SandboxConfig};
use serde_json::Value;

pub(crate) const ACCOUNT: &str = "AC00000000000000000000000000000000";
pub(crate) const TOKEN: &str = "sandbox-auth-token";
pub(crate) const ASHA: &str = "+919876543210";
pub(crate) const SENDER: &str = "+15005550006";

pub(crate) struct Bench {
    pub(crate) running: Running,
    client: Client,
}

impl Bench {
    pub(crate) async fn open() -> Self {
        Self::with(SandboxConfig::on_free_ports()).await
    }

    pub(crate) async fn with(config: SandboxConfig) -> Self {
        Self {
            running: Sandbox::start(config).await.unwrap(),
            client: Client::builder().timeout(Duration::from_secs(10)).build().unwrap(),
        }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.running.http_url()))
    }

    /// Calls Twilio's API below the account, with the account's credentials.
    pub(crate) fn twilio(&self, method: Method, path: &str) -> RequestBuilder {
        self.request(method, &format!("/2010-04-01/Accounts/{ACCOUNT}/{path}"))
            .basic_auth(ACCOUNT, Some(TOKEN))
    }

    pub(crate) async fn send(&self, form: &[(&str, &str)]) -> Response {
        self.twilio(Method::POST, "Messages.json").form(form).send().await.unwrap()
    }

    pub(crate) async fn send_sms(&self, to: &str, body: &str) -> Response {
        self.send(&[("To", to), ("From", SENDER), ("Body", body)]).await
    }

    pub(crate) async fn inbox(&self, query: &str) -> Vec<Value> {
        let answer = self.request(Method::GET, &format!("/inbox{query}")).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        json(answer).await.as_array().unwrap().clone()
    }

    pub(crate) async fn set_fault(&self, fault: &Value) -> Response {
        self.request(Method::POST, "/control/faults").json(fault).send().await.unwrap()
    }
}

pub(crate) async fn json(answer: Response) -> Value {
    answer.json().await.unwrap()
}
