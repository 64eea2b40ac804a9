//! Any registry that speaks Docker Registry v2, such as distribution. A vendor whose own interface tells more (push
//! dates, projects) has its own file beside this one, and reads here what that interface does not tell.

use secrecy::SecretString;
use url::Url;

use super::catalogue::{Catalogue, Described, Details, Listing, Missing, Opening, Pages, Tag, opened};
use super::reach::reach;
use super::selection::{self, Names};
use super::{Images, check};
use crate::form::{Field, Values};
use crate::integrations::context::{Context, Secret};
use crate::integrations::spec::{Does, Host, Spec, Use, no_grants, suits_all};
use crate::integrations::{ca_certificate, service_address};
use crate::providers::ProviderError;
use crate::providers::egress::Tls;
use crate::providers::oci_registry::{Login, Registry};
use crate::providers::tls_faults::Form;

pub static DOCKER_V2: Spec = Spec {
    slug: "docker_v2",
    label: "Docker Registry v2",
    fields: FIELDS,
    uses: &[Use::main(&["basic", "api_token", "certificate"]).optional()],
    host: Host::Chosen(registry),
    suits: suits_all,
    grants: no_grants,
    check: Some(|cx| check(open, cx)),
    does: Does::Scan(&Images(open)),
};

/// The address of a registry that people run themselves.
pub(super) const REGISTRY: Field = Field::text("registry", "Registry")
    .placeholder("https://registry.example.com")
    .help("The address of the registry. Defaults to https.")
    .check(address)
    .identity();
const CA_CERTIFICATE: Field =
    ca_certificate::FIELD.help("As PEM, if the registry's certificate is self-signed or issued by a private CA.");

/// The form of a registry at an address that the operator enters: its own are the address, the names, and the cap.
pub(super) const fn fields(registry: Field, repository: Field, cap: Field) -> [Field; 8] {
    let [without, tag, without_tags] = [selection::EXCLUDE_REPOSITORIES, selection::TAG, selection::EXCLUDE_TAGS];
    [registry, repository, without, tag, without_tags, CA_CERTIFICATE, cap, selection::VERSION_PATTERN]
}

static FIELDS: &[Field] = &fields(
    REGISTRY,
    selection::REPOSITORY.placeholder("team/*").help(
        "Leave blank for all. Use * as a wildcard and commas between patterns. Exact names also work with registries \
        that don't allow listing.",
    ),
    selection::CAP.help(
        "Keeps the newest tags of each repository. 0 = all. This registry doesn't report dates, so tags are \
        ordered: latest, then version (newest first), then name.",
    ),
);

/// The address that the settings name.
pub(super) fn registry(settings: &Values) -> Option<Url> {
    service_address(settings.get("registry")).ok()
}

pub(super) fn address(text: &str) -> Result<String, String> {
    let url = service_address(text)?;
    // People paste what their browser or client shows; the /v2/ is added by the protocol.
    let path = url.path().trim_end_matches('/');
    let path = path.strip_suffix("/v2").unwrap_or(path);
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    Ok(format!("{}://{}{port}{path}", url.scheme(), url.host_str().unwrap_or_default()))
}

/// What to do when the registry wants a client certificate.
const CLIENT_CERTIFICATE: &str = "Choose a certificate credential that it trusts.";

fn open<'a>(cx: &'a Context<'a>) -> Opening<'a> {
    Box::pin(async move { opened(connect(cx).await?) })
}

/// Signs in at the address of the settings, by whatever credential there is.
pub(super) async fn connect(cx: &Context<'_>) -> Result<Registry, ProviderError> {
    let address = registry(cx.settings).ok_or(ProviderError::InvalidAddress)?;
    let form = Form { client: Some(CLIENT_CERTIFICATE), ..Form::CA_FIELD };
    let mut tls = Tls { form, ..ca_certificate::tls(cx.settings) };
    let login = match cx.main() {
        None => Login::Anonymous,
        Some(Secret { kind, values, .. }) => match kind.slug {
            "basic" => Login::Basic {
                username: values.get("username").to_owned(),
                password: SecretString::from(values.get("password")),
            },
            "api_token" => Login::Token(SecretString::from(values.get("token"))),
            "certificate" => {
                tls.ca_certificates.extend(ca_certificate::pasted(values));
                tls.identity = Some(SecretString::from(values.get("certificate")));
                Login::Certificate
            }
            _ => return Err(ProviderError::WrongCredential),
        },
    };
    let registry = reach(cx, tls, &address, login)?;
    registry.sign_in().await?;
    Ok(registry)
}

impl Catalogue for Registry {
    async fn repositories(&self, _names: &Names, pages: Pages) -> Result<Listing<String>, ProviderError> {
        self.repositories(pages).await
    }

    async fn tags(&self, repository: &str, pages: Pages) -> Result<Listing<Tag>, ProviderError> {
        Ok(self.tags(repository, pages).await?.map(Tag::named))
    }

    async fn describe(&self, repository: &str, tag: &Tag) -> Result<Described, ProviderError> {
        described(self, repository, tag).await
    }
}

/// What the v2 interface says of a tag.
pub(super) async fn described(registry: &Registry, repository: &str, tag: &Tag) -> Result<Described, ProviderError> {
    let found = registry.describe(repository, &tag.name).await?;
    let (digest, size_bytes, platforms) = (found.digest, found.size_bytes, found.platforms);
    let details = Details { digest, size_bytes, platforms };
    Ok(Described { details, missing: found.missing.map(Missing::Here) })
}

/// The same of a tag whose digest the vendor's list has told already: what the list said stays where the rest cannot be
/// read.
pub(super) async fn completed(registry: &Registry, repository: &str, tag: &Tag) -> Result<Described, ProviderError> {
    described(registry, repository, tag).await.or_else(|cause| kept(tag, cause))
}

/// What a vendor's list has told of a tag whose manifest cannot be read for that reason. A tag that is gone is none.
pub(super) fn kept(tag: &Tag, cause: ProviderError) -> Result<Described, ProviderError> {
    let is_gone = matches!(cause, ProviderError::Stopped | ProviderError::NotFound);
    if is_gone || tag.details.digest.is_empty() {
        return Err(cause);
    }
    Ok(Described { details: tag.details.clone(), missing: Some(Missing::Here(cause)) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form;

    fn checked(registry: &str) -> Result<String, String> {
        let posted = Values::from_iter([("registry", registry)]);
        let values = form::check(FIELDS, &posted, None);
        values.map(|v| v.get("registry").to_owned()).map_err(|e| e.of("registry").unwrap_or_default().to_owned())
    }

    #[test]
    fn a_bare_host_is_taken_as_https() {
        assert_eq!(checked("registry.example.com:5000").unwrap(), "https://registry.example.com:5000");
        assert_eq!(checked("https://Registry.example.com/v2/").unwrap(), "https://registry.example.com");
        assert_eq!(checked("http://127.0.0.1:5000/").unwrap(), "http://127.0.0.1:5000");
        assert_eq!(checked("https://x.example/artifactory/api/docker/a").unwrap().matches('/').count(), 6);
    }

    #[test]
    fn an_address_with_a_user_name_a_query_or_another_scheme_is_refused() {
        for bad in [
            "https://u:p@x.example",
            "https://x.example/?a",
            "ftp://x.example",
            "file:///etc/passwd",
            "https://",
            "http:\\\\x.example\\@good.com/",
            "http:/x.example",
            "x.example\\y",
            "x. example",
        ] {
            let message = checked(bad).unwrap_err();
            assert!(!message.is_empty() && !message.contains("x.example"), "{bad}: {message}");
        }
    }

    #[test]
    fn the_credential_is_bound_to_host_and_port_and_plain_http_is_another_place() {
        let host = |registry| DOCKER_V2.host(&Values::from_iter([("registry", registry)]));
        assert_eq!(host("https://registry.example.com").as_deref(), Some("registry.example.com"));
        assert_eq!(host("registry.example.com:5000").as_deref(), Some("registry.example.com:5000"));
        assert_eq!(host("http://registry.example.com").as_deref(), Some("http://registry.example.com"));
        assert_eq!(host(""), None);
    }
}
