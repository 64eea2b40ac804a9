//! Alert channels on the wire: each against a receiver that was written from its vendor's documentation and checks
//! every field. What holds for all of them is in `every`, which walks the list of channels: a new one needs a stand
//! here.

use std::sync::OnceLock;
use std::time::Duration;

use chrono::{TimeZone, Utc};
use rcgen::{KeyPair, PKCS_RSA_SHA256};
use serde_json::json;
use strongroom::credentials::{self, Kind};
use strongroom::form::{self, Values};
use strongroom::integrations::Spec;
use strongroom::integrations::alerts::{Dispatch, Event, Failure, Line, Message, Receipt, Severity, Trigger, Usage};
use strongroom::integrations::context::{Context, Secret};
use strongroom::providers::aws::{self, Sessions};
use strongroom::providers::egress::Egress;
use strongroom::providers::endpoints::{Endpoints, Service};
use strongroom::providers::tokens::Stored;
use uuid::Uuid;

use crate::support::outside::World;
use crate::support::peers::channels::{
    CONSOLE, ibm_findings, jira, pagerduty, pubsub, security_hub, servicenow, slack, splunk, teams, webhooks,
};
use crate::support::peers::clouds;
use crate::support::peers::receiver::{Receiver, UPSTREAM};

mod checks;
mod every;
mod findings;
mod incidents;
mod posts;
mod streams;

const EMAIL: &str = "scanner@mycompany-project.iam.gserviceaccount.com";
const KEY_ID: &str = "abe29475a09fb22e709fdc622306a714e17cd1c0";
const ACCOUNT: &str = "b1946ac92b5e4a3f9d1c0123456789ab";
const API_KEY: &str = "dGhpcyBpcyBub3QgYW4gYXBpIGtleSBhdCBhbGwu";
const SIGNING_SECRET: &str = "a signing secret of ours";

/// Channels whose tests are elsewhere, since they do not speak HTTP.
const ELSEWHERE: [&str; 1] = ["email"];

/// A channel with what it needs to deliver to its receiver.
struct Stand {
    channel: &'static Spec,
    /// Gets the messages.
    peer: Receiver,
    /// Give tokens.
    _others: Vec<Receiver>,
    settings: Values,
    credential: (&'static Kind, Values),
    endpoints: Endpoints,
    aws: Sessions,
}

impl Stand {
    fn new(slug: &str, peer: Receiver, kind: &str, secrets: &[(&str, &str)], settings: &[(&str, &str)]) -> Self {
        let channel = Spec::find(slug).unwrap();
        let posted: Values = settings.iter().copied().collect();
        let settings = form::check(channel.fields, &posted, None).expect("the settings are good");
        let aws =
            aws::Endpoints::new([("AWS_ENDPOINT_URL", peer.url().as_str()), ("AWS_EC2_METADATA_DISABLED", "true")]);
        Self {
            channel,
            settings,
            credential: (credentials::find(kind).unwrap(), secrets.iter().copied().collect()),
            endpoints: Endpoints::default(),
            aws: Sessions::new(loopback(), aws),
            peer,
            _others: Vec::new(),
        }
    }

    fn moving(mut self, service: Service) -> Self {
        self.endpoints = self.endpoints.with(service, self.peer.url().parse().unwrap());
        self
    }

    fn with_tokens(mut self, service: Service, other: Receiver) -> Self {
        self.endpoints = self.endpoints.with(service, other.url().parse().unwrap());
        self._others.push(other);
        self
    }

    /// Another value of the credential, a wrong one for instance.
    fn with_secret(mut self, name: &str, value: &str) -> Self {
        self.credential.1.set(name, value);
        self
    }

    fn with_setting(mut self, name: &str, value: &str) -> Self {
        self.settings.set(name, value);
        self
    }

    fn world(&self, egress: Egress) -> World {
        World::new(egress, self.endpoints.clone())
    }

    fn secret(&self) -> Secret<'_> {
        let stored = Some(Stored { credential: Uuid::new_v4(), secret_version: 1 });
        Secret { kind: self.credential.0, values: &self.credential.1, stored }
    }

    async fn send(&self, message: &Message) -> Result<Receipt, Failure> {
        self.attempt(message, false).await
    }

    /// An attempt; nothing that it says may come from the peer, hold a secret or tell the address of a webhook.
    async fn attempt(&self, message: &Message, repeated: bool) -> Result<Receipt, Failure> {
        let world = World { aws: Sessions::new(loopback(), self.aws.endpoints().clone()), ..self.world(loopback()) };
        let cx = Context::new(world.outside(), &self.settings, "Security team", Some(self.secret()));
        let dispatch = Dispatch { message, letter: None, go_ahead: None, repeated };
        let result = (self.channel.channel().unwrap().send)(&cx, dispatch).await;
        if let Err(error) = &result {
            let said = &error.to_string();
            let first = said.chars().next().unwrap();
            assert!(said.ends_with('.') && !first.is_lowercase() || first.is_ascii_digit(), "{said}");
            for word in [UPSTREAM, "html", "\n", "http://", "https://", "whsec"] {
                assert!(!said.contains(word), "{word}: {said}");
            }
            for field in self.credential.0.fields.iter().filter(|field| field.control.is_secret()) {
                let secret = self.credential.1.get(field.name);
                let path = secret.rsplit_once('/').map_or(secret, |(_, path)| path);
                assert!(secret.is_empty() || !said.contains(path), "{}: {said}", field.name);
            }
        }
        result
    }

    /// *Test connection*; `None` where the protocol has no such call.
    async fn check(&self) -> Option<Result<String, String>> {
        let check = self.channel.check?;
        let world = World { aws: Sessions::new(loopback(), self.aws.endpoints().clone()), ..self.world(loopback()) };
        let cx = Context::new(world.outside(), &self.settings, "Security team", Some(self.secret()));
        let said = check(&cx).await.map_err(|failure| failure.to_string()).transpose()?;
        let text = said.as_ref().unwrap_or_else(|error| error);
        assert!(text.ends_with('.') && !text.contains(UPSTREAM), "{text}");
        Some(said)
    }

    fn bodies(&self) -> Vec<serde_json::Value> {
        self.peer.calls().iter().map(|call| call.json()).collect()
    }
}

/// The stand of a channel, with a credential that its receiver knows.
fn stand(slug: &str) -> Stand {
    let triggers = [("on_stale", "on")];
    match slug {
        "webhook_channel" => {
            let peer = webhooks::start(Some(SIGNING_SECRET.as_bytes().to_vec()));
            let url = format!("{}{}", peer.url(), webhooks::PATH);
            Stand::new(slug, peer, "webhook", &[("url", &url), ("signing_secret", SIGNING_SECRET)], &triggers)
        }
        "slack" => {
            let peer = slack::start();
            let url = format!("{}{}", peer.url(), slack::PATH);
            Stand::new(slug, peer, "webhook", &[("url", &url)], &triggers)
        }
        "teams" => {
            let peer = teams::start();
            let url = format!("{}{}", peer.url(), teams::PATH);
            Stand::new(slug, peer, "webhook", &[("url", &url)], &triggers)
        }
        "servicenow" => at_servicenow(servicenow::start().0),
        "jira" => at_jira(jira::start().0),
        "pagerduty" => at_pagerduty(pagerduty::start().0),
        "splunk" => {
            let peer = splunk::start();
            let url = peer.url();
            let settings = [("url", url.as_str()), ("index", "security"), ("source", "strongroom")];
            Stand::new(slug, peer, "api_token", &[("token", splunk::TOKEN)], &settings)
        }
        "security_hub" => {
            let secrets = [
                ("method", "access_key"),
                ("access_key_id", security_hub::KEY),
                ("secret_access_key", "x/y/secret-of-40"),
            ];
            Stand::new(slug, security_hub::start(), "aws", &secrets, &[("region", "eu-central-1")])
        }
        "google_pubsub" => {
            let account =
                json!({"type": "service_account", "project_id": "mycompany-project", "private_key_id": KEY_ID,
                "private_key": rsa_pem(), "client_email": EMAIL})
                .to_string();
            let public = credentials::pem::RsaKey::parse(rsa_pem()).unwrap().public_der().unwrap();
            let secrets = [("service_account", account.as_str()), ("level", "project")];
            Stand::new(slug, pubsub::start(), "gcp", &secrets, &[("topic", "strongroom")])
                .moving(Service::GooglePubsub)
                .with_tokens(Service::GoogleToken, clouds::google(EMAIL, KEY_ID, public))
        }
        "ibm_findings" => at_ibm(ibm_findings::start(ACCOUNT).0),
        other => panic!("the channel {other} needs a stand here, or its place in ELSEWHERE"),
    }
}

fn at_servicenow(peer: Receiver) -> Stand {
    let url = peer.url();
    let settings = [
        ("url", url.as_str()),
        ("table", "incident"),
        ("assignment_group", "Security"),
        ("caller", "strongroom"),
        ("close_code", "Solution provided"),
    ];
    let secrets = [("username", servicenow::USER), ("password", servicenow::PASSWORD)];
    Stand::new("servicenow", peer, "basic", &secrets, &settings)
}

fn at_jira(peer: Receiver) -> Stand {
    let url = peer.url();
    let settings = [("url", url.as_str()), ("project", "sec"), ("issue_type", "Task")];
    Stand::new("jira", peer, "basic", &[("username", jira::USER), ("password", jira::TOKEN)], &settings)
}

fn at_pagerduty(peer: Receiver) -> Stand {
    Stand::new("pagerduty", peer, "api_token", &[("token", pagerduty::KEY)], &[]).moving(Service::PagerDuty)
}

fn at_ibm(peer: Receiver) -> Stand {
    let url = format!("{}/findings/", peer.url());
    let secrets = [("account_guid", ACCOUNT), ("api_key", API_KEY)];
    Stand::new("ibm_findings", peer, "ibm_cloud", &secrets, &[("url", &url), ("provider", "strongroom")])
        .with_tokens(Service::IbmIam, clouds::ibm(API_KEY, ACCOUNT))
}

/// Gives up sooner than the product.
fn loopback() -> Egress {
    let egress = Egress::new(vec!["127.0.0.0/8".parse().unwrap()]);
    egress.within(Duration::from_secs(2), Duration::from_secs(4))
}

/// PEM of an RSA key, the same within a run.
fn rsa_pem() -> &'static str {
    static KEY: OnceLock<String> = OnceLock::new();
    KEY.get_or_init(|| KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap().serialize_pem())
}

/// A line about a credential of that name.
fn line(name: &str) -> Line {
    let page = |path: &str| format!("{CONSOLE}{path}").parse().unwrap();
    Line {
        alert: Uuid::new_v4(),
        trigger: Trigger::Stale,
        event: Event::Raised,
        severity: Severity::Warning,
        title: format!("The access key of “{name}” is 94 days old; its limit is 90 days."),
        subject: name.to_owned(),
        detail: "AWS · ID ends in 6QXA".to_owned(),
        subject_url: page("credentials/1"),
        url: page("alerts/1"),
        since: Utc.with_ymd_and_hms(2026, 11, 18, 0, 0, 0).unwrap(),
        usages: vec![Usage { family: "Registry Scan", name: format!("mirror of {name}"), url: page("integrations/1") }],
        more_usages: 2,
        remedy: "Make a new access key in AWS, store it here, then delete the old one.".to_owned(),
        reference: None,
    }
}

fn message(lines: Vec<Line>) -> Message {
    let at = Utc.with_ymd_and_hms(2026, 11, 22, 3, 16, 33).unwrap();
    Message { id: Uuid::new_v4(), at, console: CONSOLE.parse().unwrap(), lines, more: 0, test: false }
}

fn one(name: &str) -> Message {
    message(vec![line(name)])
}

/// The same alert later on, in another message.
fn later(message: &Message, event: Event, receipt: &Receipt) -> Message {
    let mut line = message.lines[0].clone();
    line.event = event;
    line.reference = receipt.reference.clone();
    let mut next = message.clone();
    next.id = Uuid::new_v4();
    next.lines = vec![line];
    next
}
