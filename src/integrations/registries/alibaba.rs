//! Alibaba Cloud Container Registry, Personal and Enterprise Edition, by the v2 interface: it takes the user name and the
//! password of the registry, and has no catalogue. What lists repositories and dates is the cr API, which wants an
//! AccessKey; there is no type of credential for one yet.
//! <https://www.alibabacloud.com/help/en/acr/user-guide/configure-access-credentials>

use super::docker_v2::{self, REGISTRY, connect, registry};
use super::selection::{self, Selection};
use super::{Images, catalogue, check};
use crate::form::{Errors, Field, Values};
use crate::integrations::context::Context;
use crate::integrations::spec::{Does, Host, Spec, Use, no_grants};

pub static ALIBABA: Spec = Spec {
    slug: "alibaba",
    label: "Alibaba Cloud Container Registry",
    fields: FIELDS,
    uses: &[Use::main(&["basic"]).optional()],
    host: Host::Chosen(registry),
    suits,
    grants: no_grants,
    check: Some(|cx| check(open, cx)),
    does: Does::Scan(&Images(open)),
};

static FIELDS: &[Field] = &[
    REGISTRY
        .placeholder("https://registry.cn-hangzhou.aliyuncs.com")
        .help(
            "The public or VPC endpoint of the registry or of the instance, as its console shows it. The credential is the registry's own user name and \
             password (Access Credential), as Basic authentication; not an AccessKey.",
        )
        .check(address),
    Field { required: true, advanced: false, ..selection::REPOSITORY }.placeholder("namespace/app, namespace/web").help(
        "The repositories with their namespaces, separated by commas. This interface lists none, so a * finds nothing.",
    ),
    selection::TAG,
    selection::EXCLUDE_TAGS,
    selection::CAP.help(
        "Keeps the newest tags of each repository. 0 = all. This interface doesn't report dates, so tags are ordered: \
        latest, then version (newest first), then name.",
    ),
    selection::VERSION_PATTERN,
];

/// An endpoint of the registry, in mainland China or elsewhere, of a person or of an instance.
/// <https://www.alibabacloud.com/help/en/acr/product-overview/supported-regions>
fn address(text: &str) -> Result<String, String> {
    let whole = docker_v2::address(text)?;
    let host = whole.split("://").nth(1).unwrap_or_default();
    if whole.starts_with("https://") && host.ends_with(".aliyuncs.com") && !host.contains('/') {
        return Ok(whole);
    }
    Err("Enter the endpoint alone: registry.cn-hangzhou.aliyuncs.com, or that of an instance, which ends in \
         cr.aliyuncs.com. A domain of your own works with the registry type Docker Registry v2."
        .to_owned())
}

fn suits(settings: &Values, _kind: &str, _credential: &Values) -> Result<(), Errors> {
    if Selection::of(settings).names.exact().is_some() {
        return Ok(());
    }
    let sentence = "Alibaba Cloud lists no repositories to a user name and password. Enter their names without a *.";
    Err(Errors::one("repository", sentence))
}

fn open<'a>(cx: &'a Context<'a>) -> catalogue::Opening<'a> {
    Box::pin(async move { catalogue::opened(connect(cx).await?) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_endpoint_of_alibaba_is_taken() {
        for good in [
            "registry.cn-hangzhou.aliyuncs.com",
            "registry-intl.eu-central-1.aliyuncs.com",
            "registry-vpc.cn-beijing.aliyuncs.com",
            "acme-registry.cn-shanghai.cr.aliyuncs.com",
            "crpi-abc123.cn-hangzhou.personal.cr.aliyuncs.com",
        ] {
            assert_eq!(address(good), Ok(format!("https://{good}")), "{good}");
        }
        for bad in [
            "http://registry.cn-hangzhou.aliyuncs.com",
            "registry.cn-hangzhou.aliyuncs.com/namespace",
            "aliyuncs.com.evil.example",
            "aliyuncs.com",
            "registry.example.com",
        ] {
            assert!(address(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_with_a_wildcard_are_refused_since_nothing_lists_them() {
        let suited = |names: &str| suits(&Values::from_iter([("repository", names)]), "basic", &Values::default());
        assert_eq!(suited("team/app, team/web"), Ok(()));
        assert!(suited("team/*").is_err() && suited("").is_err());
    }
}
