//! An incoming webhook: whoever has the address can post, so the whole address is the secret and only its host is shown.

use secrecy::SecretString;
use serde::Deserialize;

use super::{Facts, Guide, Kind, checks};
use crate::form::{Errors, Field, Values};

/// What a consumer gets.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payload {
    /// An https address. Log only its host.
    pub url: SecretString,
}

pub static KIND: Kind = Kind {
    slug: "webhook",
    label: "Webhook URL",
    summary: "An address to post to, which is itself the secret: Slack, Microsoft Teams, any receiver of webhooks.",
    fields: &[Field::secret("url", "URL")
        .max(4096)
        .help("Starts with https://. The address is stored as a secret: afterwards only its host is shown.")
        .check(|value| checks::https_url(value.trim()).map(String::from))],
    examine,
    parses: |values| super::payload::<Payload>(values).is_some(),
    ages: |_| false,
    guide: Guide {
        steps: &[
            "Slack: at api.slack.com/apps create an app, switch on Incoming Webhooks, choose Add New Webhook to \
             Workspace and a channel, and copy the Webhook URL.",
            "Microsoft Teams: in the channel's Workflows add \"Post to a channel when a webhook request is received\" \
             and copy the address.",
            "Anyone who knows the address can post to the channel: keep it nowhere else.",
        ],
        snippets: &[],
        source: "https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks/",
    },
    policies: super::no_policies,
};

fn examine(values: &Values) -> Result<Facts, Errors> {
    Ok(Facts { identity: checks::host(values.get("url")), ..Facts::default() })
}
