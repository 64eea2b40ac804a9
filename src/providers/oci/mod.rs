//! Oracle Cloud Infrastructure: requests signed with a user's API key (draft-cavage-http-signatures, as Oracle has it),
//! and which hosts answer for a realm. <https://docs.oracle.com/en-us/iaas/Content/API/Concepts/signingrequests.htm>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::join_all;
use reqwest::Request;
use reqwest::header::{AUTHORIZATION, DATE, HeaderValue};
use secrecy::ExposeSecret;
use serde::Deserialize;
use url::Url;

use super::egress::{Answer, Client, Egress, Tls};
use super::endpoints::{Endpoints, Service};
use super::probe::{Finding, Verdict};
use super::{Failure, ProviderError, calls as wire, clock, jwt};
use crate::credentials::checks;
use crate::credentials::oci::Payload;
use crate::credentials::pem::RsaKey;
use crate::form::Values;

pub mod artifacts;
pub mod calls;
pub mod clusters;
pub mod functions;
pub mod tenancy;

const WHO: &str = "Oracle Cloud";

/// The domain of a realm, and regions that are homes to many of its tenancies. A region knows the users of a tenancy
/// only if the tenancy subscribes to it. Where the credential does not name one, these are asked at once, and the first
/// that knows the key decides.
/// <https://docs.oracle.com/en-us/iaas/Content/General/Concepts/regions.htm>
const REALMS: [(&str, &str, &[&str]); 10] = [
    (
        "oc1",
        "oraclecloud.com",
        &[
            "us-ashburn-1",
            "us-phoenix-1",
            "eu-frankfurt-1",
            "uk-london-1",
            "ap-tokyo-1",
            "ap-mumbai-1",
            "ap-sydney-1",
            "sa-saopaulo-1",
        ],
    ),
    ("oc2", "oraclegovcloud.com", &["us-langley-1", "us-luke-1"]),
    ("oc3", "oraclegovcloud.com", &["us-gov-ashburn-1", "us-gov-chicago-1", "us-gov-phoenix-1"]),
    ("oc4", "oraclegovcloud.uk", &["uk-gov-london-1", "uk-gov-cardiff-1"]),
    ("oc8", "oraclecloud8.com", &["ap-chiyoda-1", "ap-ibaraki-1"]),
    ("oc9", "oraclecloud9.com", &["me-dcc-muscat-1"]),
    ("oc10", "oraclecloud10.com", &["ap-dcc-canberra-1"]),
    ("oc14", "oraclecloud14.com", &["eu-dcc-dublin-1", "eu-dcc-milan-1"]),
    ("oc19", "oraclecloud.eu", &["eu-frankfurt-2", "eu-madrid-2"]),
    ("oc20", "oraclecloud20.com", &["eu-jovanovac-1"]),
];

/// What the hosts of a tenancy's realm end in; `None` for a realm that is not known here.
pub(super) fn domain_of(tenancy: &str) -> Option<&'static str> {
    let realm = tenancy.split('.').nth(2)?;
    REALMS.iter().find(|(name, ..)| *name == realm).map(|(_, domain, _)| *domain)
}

/// Regions of a tenancy's realm that are homes to many, of which one should know its users.
pub fn usual_regions(tenancy: &str) -> &'static [&'static str] {
    let realm = tenancy.split('.').nth(2).unwrap_or_default();
    REALMS.iter().find(|(name, ..)| *name == realm).map_or(&[], |(_, _, usual)| *usual)
}

/// Where the users of a tenancy may be asked for; the operator's choice alone, if there is one, then the credential's.
fn identity_urls(payload: &Payload, path: &str, endpoints: &Endpoints) -> Vec<Url> {
    if endpoints.moved(Service::OciIdentity).is_some() {
        return endpoints.url(Service::OciIdentity, "", path).into_iter().collect();
    }
    let realm = payload.tenancy_ocid.split('.').nth(2).unwrap_or_default();
    let Some((_, domain, usual)) = REALMS.iter().find(|(name, ..)| *name == realm) else { return Vec::new() };
    let regions = payload.region.as_deref().map_or_else(|| usual.to_vec(), |region| vec![region]);
    let hosts = regions.into_iter().map(|region| format!("https://identity.{region}.oci.{domain}"));
    hosts.filter_map(|host| endpoints.url(Service::OciIdentity, &host, path).ok()).collect()
}

/// Signs a request without a body: its date, method, path and host.
pub(super) fn sign(request: &mut Request, payload: &Payload) -> Result<(), ProviderError> {
    let key = RsaKey::parse(payload.private_key.expose_secret()).map_err(|_| ProviderError::BadCertificate)?;
    let date = clock::now().format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let url = request.url();
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    let target = format!("{} {}{query}", request.method().as_str().to_ascii_lowercase(), url.path());
    let text = format!("date: {date}\n(request-target): {target}\nhost: {}", checks::authority(url));
    let signature = STANDARD.encode(jwt::rs256(&key, text.as_bytes())?);
    let Payload { tenancy_ocid, user_ocid, fingerprint, .. } = payload;
    let header = format!(
        "Signature version=\"1\",keyId=\"{tenancy_ocid}/{user_ocid}/{fingerprint}\",algorithm=\"rsa-sha256\",\
         headers=\"date (request-target) host\",signature=\"{signature}\""
    );
    let mut header = HeaderValue::from_str(&header).map_err(|_| ProviderError::WrongCredential)?;
    header.set_sensitive(true);
    let date = HeaderValue::from_str(&date).map_err(|_| ProviderError::WrongCredential)?;
    request.headers_mut().insert(DATE, date);
    request.headers_mut().insert(AUTHORIZATION, header);
    Ok(())
}

async fn ask(client: &Client, url: Url, payload: &Payload) -> Result<Answer, ProviderError> {
    let mut request = wire::get(url);
    sign(&mut request, payload)?;
    wire::send(client, request).await
}

#[derive(Deserialize)]
struct User {
    name: String,
}

/// The user reads itself.
pub(super) async fn probe(values: &Values, egress: &Egress, endpoints: &Endpoints) -> Finding {
    let Some(payload) = crate::credentials::payload::<Payload>(values) else { return Finding::unreadable() };
    let urls = identity_urls(&payload, &format!("/20160918/users/{}", payload.user_ocid), endpoints);
    if urls.is_empty() {
        return Finding::new(
            Verdict::NotHere,
            "Strongroom does not know the regions of this tenancy's realm.",
            "Have the operator name the home region's address: STRONGROOM_ENDPOINTS=oci-identity=https://…",
        );
    }
    let client = match egress.client(Tls::default()) {
        Ok(client) => client,
        Err(error) => return wire::failed(&error, WHO).into(),
    };
    let several = urls.len() > 1;
    let answers = join_all(urls.into_iter().map(|url| ask(&client, url, &payload))).await;
    match answers.into_iter().min_by_key(rank) {
        Some(Ok(answer)) if answer.status == 200 => match wire::json::<User>(&answer, WHO) {
            Ok(user) => {
                let finding = Finding::ok("Oracle Cloud knows the key.");
                let finding = wire::shown(&user.name).into_iter().fold(finding, |found, name| found.fact("User", name));
                finding.fact("Tenancy", payload.tenancy_ocid)
            }
            Err(finding) => finding.into(),
        },
        Some(Ok(answer)) => explain(answer, several).into(),
        Some(Err(error)) => wire::failed(&error, WHO).into(),
        None => Finding::unreadable(),
    }
}

/// The most telling answer first: one that knew the key, then one that did not, then none at all.
fn rank(answer: &Result<Answer, ProviderError>) -> u8 {
    match answer {
        Ok(Answer { status: 200, .. }) => 0,
        Ok(Answer { status: 403 | 404, .. }) => 1,
        Err(ProviderError::Throttled { .. }) => 2,
        Ok(Answer { status: 401, .. }) => 3,
        Ok(_) => 4,
        Err(_) => 5,
    }
}

/// What it refuses, for the help.
pub(super) fn known_refusals() -> Vec<Failure> {
    [401, 403].map(|status| explain(Answer::made_up(status, ""), true)).into()
}

fn explain(answer: Answer, several: bool) -> Failure {
    match (answer.status, clock::skew(&answer)) {
        // Signatures older than five minutes are refused like wrong ones.
        (401, Some(skew)) => Failure::from(Finding::new(
            Verdict::BadKey,
            format!("{skew}, and Oracle Cloud refused the signature."),
            "Set the clock: let it follow a time server (NTP). Then test again.",
        )),
        (401, None) => {
            let remedy =
                "Check that the public key is still listed under API keys of this user, with this fingerprint.";
            let elsewhere = " If the tenancy does not subscribe to any of the large regions, enter its Home region.";
            let remedy = if several { format!("{remedy}{elsewhere}") } else { remedy.to_owned() };
            Failure::from(Finding::new(
                Verdict::BadKey,
                "Oracle Cloud refused the key, the user or the tenancy.",
                remedy,
            ))
        }
        // "NotAuthorizedOrNotFound": the signature was good.
        (403 | 404, _) => {
            let mut finding = Finding::new(
                Verdict::Denied,
                "Oracle Cloud knows the key, but does not let the user read itself.",
                "Add the statement below to the policy of the user's group. Scans may work without it.",
            );
            let statement = "Allow group strongroom to inspect users in tenancy";
            finding.snippets.push(("Policy of the group".to_owned(), statement.to_owned()));
            Failure::from(finding)
        }
        _ => wire::unexplained(answer, WHO),
    }
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::*;

    fn asked(tenancy: &str, region: Option<&str>) -> Vec<String> {
        let payload = Payload {
            user_ocid: String::new(),
            tenancy_ocid: tenancy.to_owned(),
            fingerprint: String::new(),
            private_key: SecretString::default(),
            region: region.map(str::to_owned),
        };
        let urls = identity_urls(&payload, "/x", &Endpoints::default());
        urls.iter().filter_map(Url::host_str).map(str::to_owned).collect()
    }

    #[test]
    fn the_home_region_is_asked_alone_and_in_the_domain_of_the_tenancys_realm() {
        let (public, sovereign) = ("ocid1.tenancy.oc1..a", "ocid1.tenancy.oc19..a");
        assert_eq!(asked(public, Some("me-jeddah-1")), ["identity.me-jeddah-1.oci.oraclecloud.com"]);
        assert_eq!(asked(sovereign, Some("eu-madrid-2")), ["identity.eu-madrid-2.oci.oraclecloud.eu"]);
        assert!(asked(public, None).len() > 5);
        assert!(
            asked("ocid1.tenancy.oc99..a", Some("eu-madrid-2")).is_empty(),
            "no guess of a host for an unknown realm"
        );
    }
}
