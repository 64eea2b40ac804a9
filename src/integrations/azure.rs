//! Shared by all integrations that look at subscriptions of Azure: the form's fields for them, the subscriptions that
//! they come to, and the commands that grant what is needed.

use std::collections::BTreeSet;

use super::context::Context;
use super::progress::Step;
use super::scan::{Gap, Hides};
use crate::credentials;
use crate::credentials::azure::Payload;
use crate::form::{Field, Values};
use crate::providers::ProviderError;
use crate::providers::azure::line::{Api, Line, Way};
use crate::providers::azure::management::{self, Subscription, is_subscription};

const CHOSEN: &str = "chosen";
const ALL: &str = "all";

pub const SUBSCRIPTIONS: Field = Field::choice(
    "subscriptions",
    "Subscriptions",
    &[
        ("own", "The credential's subscription"),
        (CHOSEN, "Chosen subscriptions"),
        (ALL, "All subscriptions that the credential sees"),
    ],
);
pub const SUBSCRIPTION_IDS: Field = Field::text("subscription_ids", "Subscription IDs")
    .when("subscriptions", &[CHOSEN])
    .placeholder("d189c61b-6c27-41d3-9749-ca5c9cc4a622")
    .help("Separate several by commas.")
    .max(8192)
    .check(subscription_ids);

/// In their canonical form, each once.
fn subscription_ids(text: &str) -> Result<String, String> {
    let ids: Vec<String> = listed(text).collect();
    if ids.is_empty() || !ids.iter().all(|id| is_subscription(id)) {
        return Err(
            "Enter the IDs of subscriptions, such as d189c61b-6c27-41d3-9749-ca5c9cc4a622, separated by commas."
                .to_owned(),
        );
    }
    let mut seen = BTreeSet::new();
    Ok(ids.into_iter().filter(|id| seen.insert(id.clone())).collect::<Vec<_>>().join(", "))
}

fn listed(text: &str) -> impl Iterator<Item = String> {
    text.split([',', '\n', ' ']).map(str::trim).filter(|id| !id.is_empty()).map(str::to_ascii_lowercase)
}

/// Which subscriptions the settings name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    Own,
    Chosen(Vec<String>),
    All,
}

impl Scope {
    pub fn of(settings: &Values) -> Self {
        match settings.get("subscriptions") {
            CHOSEN => Self::Chosen(listed(settings.get("subscription_ids")).collect()),
            ALL => Self::All,
            _ => Self::Own,
        }
    }

    /// Whether a subscription may be one of them.
    pub fn takes(&self, subscription: &str) -> bool {
        match self {
            Self::Own | Self::All => true,
            Self::Chosen(ids) => ids.iter().any(|id| id == subscription),
        }
    }
}

/// A signed-in principal, for one scan or test.
pub struct Visit<'a> {
    pub cx: &'a Context<'a>,
    pub way: Way<'a>,
    pub scope: Scope,
    /// The tenant that the credential names; of a machine's identity nobody knows it beforehand.
    pub tenant: String,
    /// The subscription that the credential names.
    own: Option<Subscription>,
}

impl Step {
    pub const LISTING_SUBSCRIPTIONS: Self = Self { label: "Listing subscriptions", doing: "Listing the subscriptions" };
}

/// The cause and the way out, in the words of Azure.
pub fn because(cause: &ProviderError) -> String {
    cause.sentence("Azure")
}

impl<'a> Visit<'a> {
    /// Gets a token for `api`, which shows that the credential is good.
    pub async fn sign_in(cx: &'a Context<'a>, api: &'static Api) -> Result<Self, Gap> {
        let failed = |cause: ProviderError| {
            let because = because(&cause);
            Gap::new(Step::SIGNING_IN, "", cause, because)
        };
        let secret = cx.main().ok_or(ProviderError::WrongCredential).map_err(failed)?;
        let payload: Payload =
            credentials::payload(secret.values).ok_or(ProviderError::WrongCredential).map_err(failed)?;
        let outside = cx.outside;
        let way = Way {
            egress: outside.egress,
            endpoints: outside.endpoints,
            tokens: outside.tokens,
            values: secret.values,
            stored: secret.stored,
            stop: cx.stop.clone(),
        };
        way.token(api).await.map_err(failed)?;
        let tenant = payload.tenant().unwrap_or("tenant of the machine").to_owned();
        let own = payload.subscription().map(Subscription::new);
        Ok(Self { cx, way, scope: Scope::of(cx.settings), tenant, own })
    }

    pub async fn line(&self, api: &'static Api) -> Result<Line<'a>, ProviderError> {
        let report = self.cx.report.clone();
        Line::open(&self.way, api, Box::new(move |until| report.pause(until))).await
    }

    /// The subscriptions to look at, and a gap where some are missing. An error when there is none.
    pub async fn subscriptions(&self, line: &Line<'_>) -> Result<(Vec<Subscription>, Option<Gap>), Gap> {
        let failed = |cause: ProviderError| {
            let because = format!("{} Or choose the subscriptions under Subscriptions.", because(&cause));
            Gap::new(Step::LISTING_SUBSCRIPTIONS, "", cause, because)
        };
        let found = management::subscriptions(line).await;
        let wanted = match &self.scope {
            Scope::Own => vec![self.own.clone().ok_or_else(unnamed)?],
            Scope::Chosen(ids) => ids.iter().map(|id| Subscription::new(id)).collect(),
            Scope::All => {
                let (found, rest) = found.map_err(failed)?;
                return match rest {
                    None if found.is_empty() => Err(sees_none()),
                    Some(cause) if found.is_empty() => Err(failed(cause)),
                    rest => Ok((found, rest.map(failed))),
                };
            }
        };
        if wanted.is_empty() {
            return Err(sees_none());
        }
        // Their names are for people, and may be missing.
        let (named, _) = match found {
            Err(cause @ ProviderError::Stopped) => return Err(failed(cause)),
            found => found.unwrap_or_default(),
        };
        let known = |one: Subscription| named.iter().find(|other| other.id == one.id).cloned().unwrap_or(one);
        Ok((wanted.into_iter().map(known).collect(), None))
    }
}

fn unnamed() -> Gap {
    let because = "the service key of the credential names no subscription. Choose others under Subscriptions, or \
                   create the key again with --json-auth.";
    Gap::new(Step::LISTING_SUBSCRIPTIONS, "", ProviderError::NotFound, because.to_owned())
}

fn sees_none() -> Gap {
    let because = "the credential sees no subscription. Give its principal a role on one, or on a management group: the \
                   credential's page has the exact commands.";
    Gap::new(Step::LISTING_SUBSCRIPTIONS, "", ProviderError::NotFound, because.to_owned())
}

/// A gap that hides whatever a subscription has.
pub fn of_subscription(step: Step, subscription: &Subscription, cause: ProviderError) -> Gap {
    let because = because(&cause);
    Gap::new(step, subscription.title(), cause, because).hiding(Hides::PlacesBelow(subscription.id.clone()))
}

/// Stands in a command for what only the credential knows; the page of the credential fills it in.
pub const CLIENT: &str = "CLIENT_ID";
pub const OWN_SUBSCRIPTION: &str = "CREDENTIAL_SUBSCRIPTION";

/// A caption, and the commands that grant the principal exactly these actions, by a role of its own named `role`. `may`
/// as in `may list the function apps`.
pub fn grant(scope: &Scope, may: &str, role: &str, actions: &[&str]) -> (String, String) {
    let caption = format!("Role of {CLIENT}: {may}");
    let scopes: Vec<String> = match scope {
        Scope::Own => vec![format!("/subscriptions/{OWN_SUBSCRIPTION}")],
        Scope::Chosen(ids) => ids.iter().map(|id| format!("/subscriptions/{id}")).collect(),
        Scope::All => vec!["/providers/Microsoft.Management/managementGroups/MANAGEMENT_GROUP".to_owned()],
    };
    let quoted = |texts: &[String]| texts.iter().map(|text| format!("\"{text}\"")).collect::<Vec<_>>().join(", ");
    let actions: Vec<String> = actions.iter().map(|action| (*action).to_owned()).collect();
    let (actions, assignable) = (quoted(&actions), quoted(&scopes));
    let assigned: String = scopes
        .iter()
        .map(|scope| format!("\naz role assignment create --assignee {CLIENT} --role \"{role}\" \\\n  --scope {scope}"))
        .collect();
    let text = format!(
        "az role definition create --role-definition '{{\n  \"Name\": \"{role}\",\n  \"Actions\": [{actions}],\n  \
         \"AssignableScopes\": [{assignable}]\n}}'{assigned}"
    );
    (caption, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "d189c61b-6c27-41d3-9749-ca5c9cc4a622";
    const B: &str = "bc968c1e-67a3-4ba5-8d05-f807abb54a57";

    #[test]
    fn subscription_ids_are_each_named_once() {
        let text = format!(" {},\n{B}  {A} ", A.to_uppercase());
        assert_eq!(subscription_ids(&text), Ok(format!("{A}, {B}")));
        for bad in ["", ",", "Production", "d189c61b", &format!("{A}/../{B}"), &format!("/subscriptions/{A}")] {
            assert!(subscription_ids(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_commands_grant_exactly_what_is_needed_where_it_is_needed() {
        let of =
            |scope: Scope| grant(&scope, "may list the function apps", "Strongroom functions", &["a/read", "b/read"]);
        let (caption, text) = of(Scope::Own);
        assert_eq!(caption, "Role of CLIENT_ID: may list the function apps");
        assert!(text.contains("\"Actions\": [\"a/read\", \"b/read\"]"), "{text}");
        assert!(
            text.contains("\"AssignableScopes\": [\"/subscriptions/CREDENTIAL_SUBSCRIPTION\"]\n}'\naz role"),
            "{text}"
        );
        assert!(text.ends_with("--scope /subscriptions/CREDENTIAL_SUBSCRIPTION"), "{text}");
        let (_, chosen) = of(Scope::Chosen(vec![A.to_owned(), B.to_owned()]));
        assert_eq!(chosen.matches("az role assignment create --assignee CLIENT_ID").count(), 2);
        assert!(of(Scope::All).1.contains("--scope /providers/Microsoft.Management/managementGroups/MANAGEMENT_GROUP"));
    }
}
