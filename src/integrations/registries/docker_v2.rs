//! Any registry that speaks Docker Registry v2: distribution, Harbor, Nexus, Artifactory, Quay. A vendor whose own
//! interface tells more (push dates) gets its own file beside this one.

use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use secrecy::SecretString;
use url::Url;

use super::collect::{collect, judged, selected};
use super::failure::odd_name;
use super::scan::{Judge, Scan};
use super::selection::{self, Selection};
use super::{Image, ScanError, Step, Version};
use crate::form::{Field, Values};
use crate::integrations::context::{Context, Secret};
use crate::integrations::progress::Report;
use crate::integrations::{Spec, ca_certificate, service_address};
use crate::providers::ProviderError;
use crate::providers::egress::Tls;
use crate::providers::oci_registry::{AT_ONCE, Login, Registry};
use crate::providers::tls_faults::Form;

/// The version's line in the family's list.
pub struct DockerV2;

static FIELDS: &[Field] = &[
    Field::text("registry", "Registry")
        .placeholder("https://registry.example.com")
        .help("The address of the registry. https is assumed where nothing else is said.")
        .check(address)
        .identity(),
    Field::text("repository", "Repository")
        .optional()
        .placeholder("team/*")
        .help(
            "Blank takes all. * stands for anything; separate several by commas. Names without a * work also where \
             the registry does not list its repositories.",
        )
        .max(4096)
        .check(selection::check_patterns),
    selection::EXCLUDE_REPOSITORIES,
    selection::TAG,
    selection::EXCLUDE_TAGS,
    Field::document("ca_certificate", "CA certificate")
        .optional()
        .help("In PEM form, when the registry's certificate is self-signed or issued by a private CA.")
        .check(ca_certificate::check),
    Field::number("cap", "Cap", 0, 10_000).optional().default("5").help(
        "Keeps the newest tags of each repository, 0 keeps all. This kind of registry tells no dates: latest comes \
         first, then versions from high to low, then other names.",
    ),
];

impl Spec for DockerV2 {
    fn slug(&self) -> &'static str {
        "docker_v2"
    }

    fn label(&self) -> &'static str {
        "Docker Registry v2"
    }

    fn fields(&self) -> &'static [Field] {
        FIELDS
    }

    fn credential_kinds(&self) -> &'static [&'static str] {
        &["basic", "api_token", "certificate"]
    }

    fn needs_credential(&self) -> bool {
        false
    }

    fn address(&self, settings: &Values) -> Option<Url> {
        service_address(settings.get("registry")).ok()
    }
}

impl Version for DockerV2 {
    fn scan<'a>(&'a self, cx: &'a Context<'a>) -> BoxFuture<'a, Result<Scan, ScanError>> {
        Box::pin(async move {
            let address = self.address(cx.settings).ok_or(ProviderError::InvalidAddress);
            let registry = address.and_then(|address| connect(cx, &address));
            let registry = registry.map_err(|cause| ScanError::new(Step::SigningIn, "", cause))?;
            cx.report.step(Step::SigningIn);
            let report = cx.report.clone();
            let registry = registry.telling(Box::new(move |wait| report.pause(wait)));
            scan(registry, Selection::of(cx.settings), &cx.report).await
        })
    }
}

fn address(text: &str) -> Result<String, String> {
    let url = service_address(text)?;
    // People paste what their browser or client shows; the /v2/ is added by the protocol.
    let path = url.path().trim_end_matches('/');
    let path = path.strip_suffix("/v2").unwrap_or(path);
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    Ok(format!("{}://{}{port}{path}", url.scheme(), url.host_str().unwrap_or_default()))
}

/// What to do when the registry wants a client certificate.
const CLIENT_CERTIFICATE: &str = "Choose a certificate credential that it trusts.";

fn connect(cx: &Context<'_>, address: &Url) -> Result<Registry, ProviderError> {
    let form = Form { client: Some(CLIENT_CERTIFICATE), ..Form::CA_FIELD };
    let mut tls = Tls { form, ..Tls::default() };
    let mut trust = |pem: &str| {
        if !pem.trim().is_empty() {
            tls.ca_certificates.push(pem.to_owned());
        }
    };
    trust(cx.settings.get("ca_certificate"));
    let login = match cx.main() {
        None => Login::Anonymous,
        Some(Secret { kind, values, .. }) => match kind.slug {
            "basic" => Login::Basic {
                username: values.get("username").to_owned(),
                password: SecretString::from(values.get("password")),
            },
            "api_token" => Login::Token(SecretString::from(values.get("token"))),
            "certificate" => {
                trust(values.get("ca_certificate"));
                tls.identity = Some(SecretString::from(values.get("certificate")));
                Login::Certificate
            }
            _ => return Err(ProviderError::WrongCredential),
        },
    };
    let registry = Registry::new(cx.outside.egress.client(tls)?, address, login, cx.stop.clone());
    Ok(registry.listing(cx.sent_to.clone()))
}

async fn scan(registry: Registry, selection: Selection, report: &Report) -> Result<Scan, ScanError> {
    registry.sign_in().await.map_err(|cause| ScanError::new(Step::SigningIn, "", cause))?;
    report.step(Step::ListingRepositories);
    let exact = selection.names.exact();
    let listed = exact.is_none();
    let (repositories, gaps) = match exact {
        Some(names) => (names, Vec::new()),
        None => {
            let listing = registry.repositories().await;
            let listing = listing.map_err(|cause| ScanError::new(Step::ListingRepositories, "", cause))?;
            selected(listing, &selection.names)
        }
    };
    let reader = Arc::new(Reader { registry, selection, listed, judge: Judge::default() });
    collect(repositories, gaps, report, |repository| Arc::clone(&reader).repository(repository)).await
}

struct Reader {
    registry: Registry,
    selection: Selection,
    /// The repositories came from the catalogue, which also names emptied ones.
    listed: bool,
    judge: Judge,
}

impl Reader {
    async fn repository(self: Arc<Self>, repository: String) -> Result<Scan, ScanError> {
        let failed = |cause| ScanError::new(Step::ListingTags, &repository, cause);
        let found = match self.registry.tags(&repository).await {
            Err(ProviderError::NotFound) if self.listed => {
                self.judge.answered();
                return Ok(Scan::default());
            }
            found => judged(&self.judge, found, failed)?,
        };
        let found = match found {
            Ok(found) => found,
            Err(gap) => return Ok(Scan::gap(gap)),
        };
        let mut scan = Scan::default();
        let odd = found.odd.iter().filter(|name| self.selection.tags.take(name));
        scan.gaps.extend(odd.map(|name| failed(odd_name(name))));
        if let Some(cause) = found.rest {
            scan.gaps.push(self.judge.gap(failed(cause))?);
        }
        let mut tags = found.good;
        tags.retain(|tag| self.selection.tags.take(tag));
        selection::newest_first(&mut tags);
        tags.dedup();
        tags.truncate(self.selection.cap.unwrap_or(usize::MAX));
        let work = tags.into_iter().map(|tag| self.image(&repository, tag));
        let mut finished = futures_util::stream::iter(work).buffer_unordered(AT_ONCE);
        while let Some(found) = finished.next().await {
            scan.add(found?);
        }
        Ok(scan)
    }

    /// One tag: the image, a gap, or both, where a part of it is missing.
    async fn image(&self, repository: &str, tag: String) -> Result<Scan, ScanError> {
        let failed = |cause| ScanError::new(Step::ReadingManifests, format!("{repository}:{tag}"), cause);
        let found = match judged(&self.judge, self.registry.describe(repository, &tag).await, failed)? {
            Ok(found) => found,
            Err(gap) => return Ok(Scan::gap(gap)),
        };
        let gaps = found.missing.map(|cause| self.judge.gap(failed(cause))).transpose()?;
        let image = Image {
            repository: repository.to_owned(),
            digest: found.digest,
            size_bytes: i64::try_from(found.size_bytes).unwrap_or(i64::MAX),
            platforms: found.platforms,
            pushed_at: None,
            tag,
        };
        Ok(Scan { images: vec![image], gaps: gaps.into_iter().collect() })
    }
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
        let host = |registry| DockerV2.host(&Values::from_iter([("registry", registry)]));
        assert_eq!(host("https://registry.example.com").as_deref(), Some("registry.example.com"));
        assert_eq!(host("registry.example.com:5000").as_deref(), Some("registry.example.com:5000"));
        assert_eq!(host("http://registry.example.com").as_deref(), Some("http://registry.example.com"));
        assert_eq!(host(""), None);
    }
}
