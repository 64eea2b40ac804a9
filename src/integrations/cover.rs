//! What scans cover: places of the clouds by their scopes, so that the page *Discovery* can tell which of the registries
//! and functions that it shows some integration reads, and which none does. A scope is the smallest place that a scan
//! can read for itself, written the same by the scan that finds the place and by the scan that covers it.

/// A place that a scan reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cover {
    pub scope: String,
    pub extent: Extent,
}

/// How much of a place a scan takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    Whole,
    /// The settings leave some of it out.
    Part,
    /// It could not be read this time. Where an earlier scan of the integration has read it, it stays covered.
    Unread,
}

impl Cover {
    /// A place that was read, by settings that take all of it or not.
    pub fn read(scope: String, takes_all: bool) -> Self {
        Self { scope, extent: if takes_all { Extent::Whole } else { Extent::Part } }
    }

    pub fn unread(scope: String) -> Self {
        Self { scope, extent: Extent::Unread }
    }
}

/// The scope of a registry by its host, and by what of the host a scan can read for itself, as a project of Google:
/// `registry/123456789012.dkr.ecr.eu-central-1.amazonaws.com`, `registry/europe-west3-docker.pkg.dev/project`. `host` may
/// be an address. `None` where it is blank.
pub fn registry(host: &str, within: &str) -> Option<String> {
    let host = host.trim().to_ascii_lowercase();
    let host = host.split_once("://").map_or(host.as_str(), |(_, rest)| rest);
    let host = host.split('/').next().unwrap_or_default();
    let host = host.strip_suffix(":443").unwrap_or(host);
    let separator = if within.is_empty() { "" } else { "/" };
    (!host.is_empty()).then(|| format!("registry/{host}{separator}{within}"))
}

/// The scope of the functions of an account, in one of its regions where a scan may read the regions apart:
/// `functions/aws/123456789012/eu-central-1`. Without: `functions/azure/<subscription>`.
pub fn functions(cloud: &str, account: &str, region: Option<&str>) -> String {
    let region = region.map(|region| format!("/{region}")).unwrap_or_default();
    format!("functions/{cloud}/{account}{region}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_has_one_scope_however_its_address_is_written() {
        let expected = Some("registry/example.azurecr.io".to_owned());
        for address in ["example.azurecr.io", " https://Example.azurecr.io/", "https://example.azurecr.io:443/v2/"] {
            assert_eq!(registry(address, ""), expected, "{address}");
        }
        assert_eq!(registry("http://r.example:5000", "").as_deref(), Some("registry/r.example:5000"));
        assert_eq!(registry("eu-docker.pkg.dev", "p").as_deref(), Some("registry/eu-docker.pkg.dev/p"));
        assert_eq!(registry("", "p"), None);
    }
}
