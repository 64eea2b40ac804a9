//! App Service, as far as it runs functions: the function apps of a subscription and their deployment slots. Their
//! settings hold secrets: lists come without them, and nothing asks for them.
//! <https://learn.microsoft.com/en-us/rest/api/appservice/web-apps/list>,
//! <https://learn.microsoft.com/en-us/rest/api/appservice/web-apps/list-slots>

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::line::{Line, Right, is_unused, or_default};
use super::management::{API, READER, ResourceId, Subscription, moment, region, shown};
use crate::providers::ProviderError;
use crate::providers::oci_registry::{Lenient, Pages};

pub static READS: Right = Right { api: &API, name: "Microsoft.Web/sites/read", remedy: READER };
pub static READS_SLOTS: Right = Right { api: &API, name: "Microsoft.Web/sites/slots/read", remedy: READER };

/// Knows Flex Consumption, and is old enough for all clouds.
const VERSION: &str = "api-version=2024-04-01";
const SITES: &str = "Microsoft.Web/sites";
const SLOTS: &str = "Microsoft.Web/sites/slots";
/// Identities of one app that are kept.
const MAX_IDENTITIES: usize = 16;

/// A function app, or a slot of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct App {
    /// The group of resources that it is in.
    pub group: String,
    /// `pay`
    pub name: String,
    /// `staging`; `None` is the app itself.
    pub slot: Option<String>,
    /// `westeurope`
    pub region: String,
    /// `Python 3.11`; `None` where the list does not tell, as of apps on Windows.
    pub runtime: Option<String>,
    /// It runs a container image.
    pub is_image: bool,
    pub is_linux: bool,
    /// `Running`
    pub state: String,
    pub modified: Option<DateTime<Utc>>,
    /// It has an identity of its own.
    pub own_identity: bool,
    /// Names of the identities that were assigned to it.
    pub identities: Vec<String>,
}

/// Apps or slots, as far as they could be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Apps {
    pub found: Vec<App>,
    /// Names of those that are described in a way that cannot be; blank where even the name is not one.
    pub unreadable: Vec<String>,
    /// Why there are no more, if there should be.
    pub rest: Option<ProviderError>,
}

#[derive(Deserialize)]
struct Written {
    id: String,
    #[serde(default, deserialize_with = "or_default")]
    kind: String,
    #[serde(default, deserialize_with = "or_default")]
    location: String,
    #[serde(default, deserialize_with = "or_default")]
    identity: Identity,
    #[serde(default, deserialize_with = "or_default")]
    properties: Properties,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Identity {
    #[serde(default, rename = "type", deserialize_with = "or_default")]
    kind: String,
    /// By the IDs of the resources.
    #[serde(default, deserialize_with = "or_default")]
    user_assigned_identities: BTreeMap<String, IgnoredAny>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Properties {
    #[serde(default, deserialize_with = "or_default")]
    state: String,
    #[serde(default, deserialize_with = "or_default")]
    last_modified_time_utc: String,
    /// The plan is one of Linux.
    #[serde(default, deserialize_with = "or_default")]
    reserved: bool,
    /// Of Flex Consumption only.
    #[serde(default, deserialize_with = "or_default")]
    function_app_config: FunctionAppConfig,
    /// Usually null in lists.
    #[serde(default, deserialize_with = "or_default")]
    site_config: SiteConfig,
    #[serde(default, deserialize_with = "or_default")]
    site_properties: SiteProperties,
}

#[derive(Default, Deserialize)]
struct FunctionAppConfig {
    #[serde(default, deserialize_with = "or_default")]
    runtime: Runtime,
}

#[derive(Default, Deserialize)]
struct Runtime {
    #[serde(default, deserialize_with = "or_default")]
    name: String,
    #[serde(default, deserialize_with = "or_default")]
    version: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SiteConfig {
    #[serde(default, deserialize_with = "or_default")]
    linux_fx_version: String,
    #[serde(default, deserialize_with = "or_default")]
    windows_fx_version: String,
}

/// The same two, where lists have them.
#[derive(Default, Deserialize)]
struct SiteProperties {
    #[serde(default, deserialize_with = "or_default")]
    properties: Vec<Lenient<Pair>>,
}

#[derive(Deserialize)]
struct Pair {
    name: String,
    #[serde(default, deserialize_with = "or_default")]
    value: String,
}

/// The function apps of a subscription. Logic Apps run as function apps too, without a language of their own: they are
/// left out.
pub async fn function_apps(line: &Line<'_>, of: &Subscription, pages: Pages) -> Result<Apps, ProviderError> {
    let path = format!("subscriptions/{}/providers/Microsoft.Web/sites?{VERSION}", of.id);
    let found = match line.list::<Written>(&READS, &path, pages).await {
        Err(cause) if is_unused(&cause) => return Ok(Apps::default()),
        found => found?,
    };
    Ok(Apps::sorted_out(found, of, SITES))
}

/// The slots of a function app; none where the app is gone by now.
pub async fn slots(line: &Line<'_>, of: &Subscription, app: &App) -> Result<Apps, ProviderError> {
    let (id, App { group, name, .. }) = (&of.id, app);
    let path =
        format!("subscriptions/{id}/resourceGroups/{group}/providers/Microsoft.Web/sites/{name}/slots?{VERSION}");
    match line.list::<Written>(&READS_SLOTS, &path, Pages::All).await {
        Err(ProviderError::NotFound) => Ok(Apps::default()),
        found => Ok(Apps::sorted_out(found?, of, SLOTS)),
    }
}

impl Apps {
    fn sorted_out((entries, rest): (Vec<Written>, Option<ProviderError>), of: &Subscription, kind: &str) -> Self {
        let mut apps = Self { rest, ..Self::default() };
        for entry in entries.into_iter().filter(Written::is_function_app) {
            match entry.app(of, kind) {
                Ok(app) => apps.found.push(app),
                Err(name) => apps.unreadable.push(name),
            }
        }
        apps
    }
}

impl App {
    /// `pay`, and of a slot `pay/staging`.
    pub fn title(&self) -> String {
        match &self.slot {
            Some(slot) => format!("{}/{slot}", self.name),
            None => self.name.clone(),
        }
    }
}

impl Written {
    /// `functionapp,linux,container`
    /// <https://github.com/Azure/app-service-linux-docs/blob/master/Things_You_Should_Know/kind_property.md>
    fn is(&self, part: &str) -> bool {
        self.kind.split(',').any(|one| one.trim().eq_ignore_ascii_case(part))
    }

    fn is_function_app(&self) -> bool {
        self.is("functionapp") && !self.is("workflowapp")
    }

    /// An error is the name of what cannot be read, blank where it has none.
    fn app(self, of: &Subscription, kind: &str) -> Result<App, String> {
        let id = ResourceId::parse(&self.id, &of.id, kind).ok_or_else(String::new)?;
        let (name, slot) = match id.names.as_slice() {
            [name] => ((*name).to_owned(), None),
            [name, slot] => ((*name).to_owned(), Some((*slot).to_owned())),
            _ => return Err(String::new()),
        };
        let title = id.names.join("/");
        let region = region(&self.location).ok_or(title)?;
        let stack = self.stack();
        let identities = self.identity.user_assigned_identities.keys();
        let identity = |id: &String| id.rsplit('/').next().map(|name| shown(name, 128)).filter(|name| !name.is_empty());
        Ok(App {
            group: id.group.to_owned(),
            name,
            slot,
            region,
            is_image: stack.as_deref() == Some(IMAGE) || (stack.is_none() && self.is("container")),
            runtime: stack.filter(|stack| stack != IMAGE),
            is_linux: self.properties.reserved || self.is("linux"),
            state: shown(&self.properties.state, 32),
            modified: moment(&self.properties.last_modified_time_utc),
            own_identity: self.identity.kind.split(',').any(|kind| kind.trim().eq_ignore_ascii_case("SystemAssigned")),
            identities: identities.filter_map(identity).take(MAX_IDENTITIES).collect(),
        })
    }

    /// The runtime, or [`IMAGE`], from whichever member tells.
    fn stack(&self) -> Option<String> {
        let Properties { function_app_config, site_config, site_properties, .. } = &self.properties;
        let Runtime { name, version } = &function_app_config.runtime;
        let pairs = site_properties.properties.iter().filter_map(|pair| match pair {
            Lenient::Read(pair) if ["LinuxFxVersion", "WindowsFxVersion"].contains(&pair.name.as_str()) => {
                Some(pair.value.as_str())
            }
            Lenient::Read(_) | Lenient::Odd(_) => None,
        });
        let written = [site_config.linux_fx_version.as_str(), site_config.windows_fx_version.as_str()];
        let split = |text: &str| text.split_once('|').and_then(|(name, version)| stack(name, version));
        stack(name, version).or_else(|| written.into_iter().chain(pairs).find_map(split))
    }
}

/// What stands for a container image, whose name is dropped.
const IMAGE: &str = "image";

/// `Python 3.11` of `PYTHON` and `3.11`, as the table of support has it; `None` where nothing is told.
fn stack(name: &str, version: &str) -> Option<String> {
    let name = name.trim().to_ascii_lowercase();
    let version = version.trim().trim_start_matches('~').trim_end_matches("-lts");
    let version = version.strip_suffix(".0").unwrap_or(version);
    let plain = |text: &str, more: &str| {
        (1..=24).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
    };
    let (label, model) = match name.as_str() {
        "docker" | "compose" | "kube" => return Some(IMAGE.to_owned()),
        "custom" => return Some("Custom handler".to_owned()),
        "python" => ("Python", ""),
        "node" => ("Node.js", ""),
        "java" => ("Java", ""),
        "powershell" => ("PowerShell", ""),
        "dotnet" | "dotnetcore" => (".NET", " in-process"),
        "dotnet-isolated" => (".NET", " isolated"),
        other => (other, ""),
    };
    (plain(&name, "-") && plain(version, ".-")).then(|| format!("{label} {version}{model}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const S: &str = "d189c61b-6c27-41d3-9749-ca5c9cc4a622";

    fn read(changes: &Value) -> Apps {
        let id = format!("/subscriptions/{S}/resourceGroups/shop/providers/Microsoft.Web/sites/pay");
        let mut site = json!({"id": id, "name": "pay", "kind": "functionapp,linux", "location": "West Europe",
            "identity": {"type": "SystemAssigned, UserAssigned", "principalId": "p", "userAssignedIdentities": {
                "/subscriptions/x/providers/Microsoft.ManagedIdentity/userAssignedIdentities/deployer": {}}},
            "properties": {"state": "Running", "reserved": true, "lastModifiedTimeUtc": "2026-03-01T12:00:00.5",
                "siteConfig": {"linuxFxVersion": "Python|3.11", "appSettings": [{"name": "K", "value": "canary"}]}}});
        for (name, value) in changes.as_object().unwrap() {
            site[name] = value.clone();
        }
        Apps::sorted_out((serde_json::from_value(json!([site])).unwrap(), None), &Subscription::new(S), SITES)
    }

    #[test]
    fn a_function_app_is_read_without_its_settings() {
        let apps = read(&json!({}));
        let [app] = &apps.found[..] else { panic!("{apps:?}") };
        assert_eq!((app.title().as_str(), app.region.as_str(), app.group.as_str()), ("pay", "westeurope", "shop"));
        assert_eq!((app.runtime.as_deref(), app.is_image, app.is_linux), (Some("Python 3.11"), false, true));
        assert!(app.own_identity && app.identities == ["deployer"] && app.state == "Running");
        assert_eq!(app.modified.map(|at| at.timestamp()), Some(1_772_366_400));
        assert!(!format!("{app:?}").contains("canary"));
    }

    #[test]
    fn the_runtime_is_taken_from_whichever_member_tells_it() {
        let of = |kind: &str, properties: Value| {
            let apps = read(&json!({"kind": kind, "properties": properties}));
            (apps.found[0].runtime.clone().unwrap_or_default(), apps.found[0].is_image)
        };
        let named = |text: &str| (text.to_owned(), false);
        let flex = json!({"functionAppConfig": {"runtime": {"name": "dotnet-isolated", "version": "8.0"}}});
        assert_eq!(of("functionapp,linux", flex), named(".NET 8 isolated"));
        let pairs = json!({"siteConfig": null, "siteProperties": {"metadata": null, "properties": [
            {"name": "LinuxFxVersion", "value": "NODE|20-lts"}, {"name": "WindowsFxVersion", "value": null}, 7]}});
        assert_eq!(of("functionapp,linux", pairs), named("Node.js 20"));
        assert_eq!(of("functionapp", json!({"siteConfig": null})), named(""));
        assert_eq!(of("functionapp", Value::Null), named(""));
        let image = json!({"siteConfig": {"linuxFxVersion": "DOCKER|example.azurecr.io/pay:1"}});
        assert_eq!(of("functionapp,linux,container", image), (String::new(), true));
        assert_eq!(of("functionapp,linux,container,azurecontainerapps", json!({})), (String::new(), true));
        assert_eq!(of("functionapp", json!({"siteConfig": {"linuxFxVersion": "A\u{7}|<b>"}})), named(""));
    }

    #[test]
    fn only_function_apps_are_taken_and_an_odd_one_costs_itself_alone() {
        for other in ["app", "app,linux", "functionapp,workflowapp", "functionapp,linux,workflowapp", "functionapps"] {
            assert_eq!(read(&json!({"kind": other})), Apps::default(), "{other}");
        }
        assert_eq!(read(&json!({"location": null})).unreadable, ["pay"]);
        for odd in ["", "/subscriptions/x", "/subscriptions/x/resourceGroups/g/providers/Microsoft.Web/sites/pay"] {
            assert_eq!(read(&json!({"id": odd})).unreadable, [""], "{odd}");
        }
        let odd = read(&json!({"identity": 7, "properties": {"state": {}, "lastModifiedTimeUtc": 5}}));
        assert_eq!((odd.found.len(), odd.found[0].modified), (1, None));
    }
}
