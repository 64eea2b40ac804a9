//! The Azure Resource Manager: the subscriptions that a credential sees, and how resources are named. What there is in
//! a subscription has a file each.
//! <https://learn.microsoft.com/en-us/rest/api/resources/subscriptions/list>

use chrono::{DateTime, NaiveDateTime, Utc};
use serde::Deserialize;

use super::Resource;
use super::line::{Api, Line, Right, or_default};
use crate::credentials::checks;
use crate::providers::ProviderError;
use crate::providers::endpoints::Service;
use crate::providers::oci_registry::Pages;

pub static API: Api = Api { name: "Azure", service: Service::AzureManagement, resource: Resource::ResourceManager };

/// How every right of the Resource Manager is granted.
pub const READER: &str = "Give the credential's principal a role on the subscription that has this action: Reader, or the \
                          narrower one on the credential's page.";

/// Azure lists what the principal has any role on, and refuses nothing.
static SEES: Right = Right { api: &API, name: "Microsoft.Resources/subscriptions/read", remedy: READER };

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// A GUID in small letters.
    pub id: String,
    /// As people name it; blank where Azure did not tell.
    pub name: String,
}

impl Subscription {
    pub fn new(id: &str) -> Self {
        Self { id: id.to_ascii_lowercase(), name: String::new() }
    }

    /// `Production (d189c61b-…)`
    pub fn title(&self) -> String {
        if self.name.is_empty() { self.id.clone() } else { format!("{} ({})", self.name, self.id) }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    subscription_id: String,
    #[serde(default, deserialize_with = "or_default")]
    display_name: String,
    #[serde(default, deserialize_with = "or_default")]
    state: String,
}

/// All subscriptions that the credential sees, each once and in order, and why there are no more, if there should be.
/// One that was deleted is listed for a while longer, and left out.
pub async fn subscriptions(line: &Line<'_>) -> Result<(Vec<Subscription>, Option<ProviderError>), ProviderError> {
    let (entries, mut rest) = line.list::<Written>(&SEES, "subscriptions?api-version=2022-12-01", Pages::All).await?;
    let mut found = Vec::new();
    for entry in entries.into_iter().filter(|entry| entry.state != "Deleted") {
        if is_subscription(&entry.subscription_id) {
            let name = shown(&entry.display_name, 128);
            found.push(Subscription { name, ..Subscription::new(&entry.subscription_id) });
        } else {
            rest.get_or_insert(ProviderError::BadAnswer);
        }
    }
    found.sort_by(|a, b| a.id.cmp(&b.id));
    found.dedup_by(|a, b| a.id == b.id);
    Ok((found, rest))
}

/// Whether a text can be the ID of a subscription.
pub fn is_subscription(id: &str) -> bool {
    checks::is_guid(id)
}

/// The names in the ID of a resource: of `/subscriptions/S/resourceGroups/G/providers/Microsoft.Web/sites/pay/slots/b`
/// the group `G` and the names `pay` and `b`. Azure takes capitals and small letters of the rest for the same.
pub(super) struct ResourceId<'a> {
    pub group: &'a str,
    pub names: Vec<&'a str>,
}

impl<'a> ResourceId<'a> {
    /// `None` for what is no such ID, or of another subscription or kind (`Microsoft.Web/sites/slots`).
    pub fn parse(id: &'a str, subscription: &str, kind: &str) -> Option<Self> {
        let parts: Vec<&str> = id.strip_prefix('/')?.split('/').collect();
        let [subscriptions, of, groups, group, providers, namespace, rest @ ..] = parts.as_slice() else { return None };
        let (kinds, names): (Vec<&str>, Vec<&str>) =
            rest.chunks(2).filter_map(|pair| Some((*pair.first()?, *pair.get(1)?))).unzip();
        let fixed = [*subscriptions, *groups, *providers].join("/");
        let good = fixed.eq_ignore_ascii_case("subscriptions/resourceGroups/providers")
            && of.eq_ignore_ascii_case(subscription)
            && format!("{namespace}/{}", kinds.join("/")).eq_ignore_ascii_case(kind)
            && rest.len().is_multiple_of(2)
            && names.iter().chain([group]).all(|name| is_name(name));
        good.then_some(Self { group, names })
    }
}

/// Whether a text can name a resource or a group of them, and is one part of a path.
/// <https://learn.microsoft.com/en-us/azure/azure-resource-manager/management/resource-name-rules>
pub(super) fn is_name(name: &str) -> bool {
    let good = |c: char| c.is_alphanumeric() || "-._()".contains(c);
    (1..=90).contains(&name.chars().count()) && name.chars().all(good) && name.chars().any(char::is_alphanumeric)
}

/// `westeurope`, of that or of `West Europe`; `None` for what can be no region.
pub(super) fn region(text: &str) -> Option<String> {
    let name: String = text.chars().filter(|c| *c != ' ').collect::<String>().to_ascii_lowercase();
    let good = (1..=64).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    good.then_some(name)
}

/// A word of Azure's, cut short and without control characters.
pub(super) fn shown(text: &str, most: usize) -> String {
    text.trim().chars().filter(|c| !c.is_control()).take(most).collect()
}

/// `2026-03-01T12:00:00.1234567Z`; App Service leaves the zone out.
pub(super) fn moment(text: &str) -> Option<DateTime<Utc>> {
    let zoned = DateTime::parse_from_rfc3339(text).map(|at| at.to_utc());
    let naive = || NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").map(|at| at.and_utc());
    // Azure writes the year 1 where it knows none.
    zoned.or_else(|_| naive()).ok().filter(|at| at.timestamp() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: &str = "d189c61b-6c27-41d3-9749-ca5c9cc4a622";

    #[test]
    fn the_id_of_a_resource_names_its_group_and_itself() {
        let names = |id: &str, kind: &str| {
            let id = id.replace("{S}", S);
            ResourceId::parse(&id, S, kind).map(|id| format!("{} {}", id.group, id.names.join(" ")))
        };
        let site = "/subscriptions/{S}/resourceGroups/shop_(eu)/providers/Microsoft.Web/sites/pay";
        assert_eq!(names(site, "Microsoft.Web/sites").as_deref(), Some("shop_(eu) pay"));
        let slot = "/Subscriptions/{S}/resourcegroups/shop/providers/microsoft.web/Sites/pay/slots/b";
        assert_eq!(names(slot, "Microsoft.Web/sites/slots").as_deref(), Some("shop pay b"));
        for odd in [
            "",
            "/",
            "/subscriptions/{S}",
            "/subscriptions/other/resourceGroups/g/providers/Microsoft.Web/sites/pay",
            "/subscriptions/{S}/resourceGroups/../providers/Microsoft.Web/sites/pay",
            "/subscriptions/{S}/resourceGroups/g/providers/Microsoft.Web/sites/pay?x",
            "/subscriptions/{S}/resourceGroups/g/providers/Microsoft.Web/sites/",
            "/subscriptions/{S}/resourceGroups/g/providers/Microsoft.Web/sites/pay/slots",
            "/subscriptions/{S}/resourceGroups/g/providers/Microsoft.Web/servers/pay",
        ] {
            assert_eq!(names(odd, "Microsoft.Web/sites"), None, "{odd}");
        }
    }

    #[test]
    fn regions_have_one_name_and_moments_may_lack_their_zone() {
        assert_eq!(region("West Europe").as_deref(), Some("westeurope"));
        assert_eq!((region(""), region("<b>")), (None, None));
        for good in ["2026-03-01T12:00:00.1234567Z", "2026-03-01T12:00:00.123", "2026-03-01T13:00:00+01:00"] {
            assert_eq!(moment(good).map(|at| at.timestamp()), Some(1_772_366_400), "{good}");
        }
        assert_eq!((moment("0001-01-01T00:00:00"), moment("yesterday")), (None, None));
    }
}
