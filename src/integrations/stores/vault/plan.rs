//! What the settings of a store in Vault ask for, and the least policy for it.

use url::Url;

use crate::form::Values;
use crate::integrations::patterns::{Names, is_below};
use crate::integrations::service_address;
use crate::integrations::spec::Grants;
use crate::integrations::stores::names::{is_path, selected};
use crate::providers::vault::Version;

pub(super) fn address(settings: &Values) -> Option<Url> {
    service_address(settings.get("address")).ok()
}

/// Without the slashes around it.
pub(super) fn path(text: &str) -> Result<String, String> {
    let path = text.trim().trim_matches('/');
    match is_path(path) {
        true => Ok(path.to_owned()),
        false => Err("Enter a path such as team/prod.".to_owned()),
    }
}

/// What the settings ask for.
pub(super) struct Plan {
    pub mount: String,
    pub path: String,
    names: Names,
    pub version: Option<Version>,
}

impl Plan {
    pub fn of(settings: &Values) -> Self {
        let version = match settings.get("kv") {
            "1" => Some(Version::One),
            "2" => Some(Version::Two),
            _ => None,
        };
        Self {
            mount: settings.get("mount").to_owned(),
            path: settings.get("path").to_owned(),
            names: selected(settings),
            version,
        }
    }

    pub fn takes(&self, name: &str) -> bool {
        (self.path.is_empty() || name == self.path || is_below(name, &self.path)) && self.names.take(name)
    }

    /// The name in the mount of an entry that the settings select.
    pub fn name<'a>(&self, entry: &'a str) -> Option<&'a str> {
        let name = entry.strip_prefix(&self.mount)?.strip_prefix('/')?;
        (is_path(name) && self.takes(name)).then_some(name)
    }

    /// The path that a right on the names of a folder is about.
    pub fn listed(&self, version: Version, folder: &str) -> String {
        let parts = match version {
            Version::One => [&*self.mount, "", folder],
            Version::Two => [&*self.mount, "metadata", folder],
        };
        joined(&parts)
    }

    pub fn read(&self, version: Version, name: &str) -> String {
        match version {
            Version::One => joined(&[&self.mount, name]),
            Version::Two => joined(&[&self.mount, "data", name]),
        }
    }

    /// The least policy, in the language of Vault.
    fn policy(&self, version: Version) -> String {
        let rule = |path: String, right: &str| format!("path \"{path}\" {{\n  capabilities = [\"{right}\"]\n}}");
        let (listed, read) = (self.listed(version, &self.path), self.read(version, &self.path));
        match version {
            Version::Two => {
                [rule(format!("{listed}/*"), "list"), rule(listed, "list"), rule(format!("{read}/*"), "read")]
                    .join("\n")
            }
            Version::One => format!(
                "path \"{read}/*\" {{\n  capabilities = [\"list\", \"read\"]\n}}\n{}",
                rule(read.clone(), "list")
            ),
        }
    }
}

pub(super) fn joined(parts: &[&str]) -> String {
    parts.iter().copied().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/")
}

pub(super) fn grants(settings: &Values, _name: &str) -> Grants {
    let plan = Plan::of(settings);
    let versions = plan.version.map_or(vec![Version::Two, Version::One], |version| vec![version]);
    let caption = |version: Version| format!("Policy for a mount of {} (strongroom.hcl)", version.label());
    Grants { role: None, policies: versions.into_iter().map(|of| (caption(of), plan.policy(of))).collect() }
}
