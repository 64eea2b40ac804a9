//! What providers are known to refuse, as a test or a scan says it: the help lists it. The answers are made up, and read
//! by the code that reads real ones, so that no sentence stands in two places.

use super::answer::Answer;
use super::aws::{self, Refusal};
use super::tls_faults::{CertificateFault, ClientFault, Form, HandshakeFault};
use super::{Failure, ProviderError, Sent, azure, certificate, gcp, github, gitlab, ibm, kubernetes, oci, proxy};

/// Of a host or role in a sentence.
const HOST: &str = "registry.example.com";
const ROLE: &str = "arn:aws:iam::123456789012:role/reader";

fn told(failures: impl IntoIterator<Item = Failure>) -> Vec<String> {
    failures.into_iter().map(|failure| failure.to_string()).collect()
}

/// Why a credential of a kind is refused. Empty for a kind whose service alone knows.
pub fn refusals(kind: &str) -> Vec<String> {
    match kind {
        "aws" => of_aws(),
        "azure" => told(azure::known_refusals()),
        "gcp" => told(gcp::known_refusals()),
        "ibm_cloud" => told(ibm::known_refusals()),
        "oci" => told(oci::known_refusals()),
        "kubeconfig" => told([401, 403, 404].map(|status| kubernetes::explain(Answer::made_up(status, "")))),
        "github_token" => told([401, 403, 404].map(|status| github::explain(Answer::made_up(status, "")))),
        "gitlab_token" => told([401, 403, 404].map(|status| gitlab::explain(Answer::made_up(status, "")))),
        "certificate" => of_certificates(),
        "basic" => vec![refused(Sent::Password), ProviderError::Forbidden.told("the service")],
        "api_token" => vec![refused(Sent::Token), ProviderError::Forbidden.told("the service")],
        _ => Vec::new(),
    }
}

fn refused(sent: Sent) -> String {
    ProviderError::Unauthorized { sent }.told("the service")
}

fn of_aws() -> Vec<String> {
    let role = || ROLE.to_owned();
    let action = "ecr:DescribeRepositories";
    let refusals = [
        Refusal::UnknownKey,
        Refusal::WrongSecret,
        Refusal::ClockSkew,
        Refusal::MayNotAssume { role: role() },
        Refusal::NotTrusted { role: role() },
        Refusal::NotAssumed { role: role() },
        Refusal::TooLong { role: role(), minutes: aws::LONGEST },
        Refusal::Denied { action },
        Refusal::DeniedByOrganization { action },
        Refusal::NoRole,
        Refusal::BadRole,
        Refusal::RegionOff,
    ];
    refusals.into_iter().map(|refusal| ProviderError::Aws(refusal).told("AWS")).collect()
}

fn of_certificates() -> Vec<String> {
    let clients = [ClientFault::Missing, ClientFault::UnknownAuthority, ClientFault::Expired, ClientFault::Revoked];
    let form = Form { client: Some("Store another one here."), ..Form::CA_FIELD };
    let client = |why| ProviderError::ClientCertificate { host: HOST.to_owned(), why, form }.told("the service");
    certificate::known_refusals().into_iter().chain(clients.map(client)).collect()
}

/// Why a service is not reached at all, whichever it is: (what happened, what to do).
pub fn unreached() -> Vec<(String, String)> {
    let host = || HOST.to_owned();
    let form = Form::CA_FIELD;
    let certificate = |fault| ProviderError::Certificate { host: host(), fault, form };
    let handshake = |fault| ProviderError::Handshake { host: host(), fault };
    let proxy = |fault| ProviderError::Proxy { proxy: "proxy.example.com:3128".to_owned(), host: host(), fault };
    let issuer = || "Example CA".to_owned();
    let errors = [
        ProviderError::Unreachable { host: host() },
        ProviderError::Timeout { host: host() },
        ProviderError::RefusedByPolicy { host: "10.0.0.5".to_owned() },
        ProviderError::Reserved { host: "169.254.169.254".to_owned() },
        certificate(CertificateFault::UnknownAuthority { issuer: issuer() }),
        certificate(CertificateFault::MissingIntermediate { issuer: issuer() }),
        certificate(CertificateFault::SelfSigned { pasted: false }),
        certificate(CertificateFault::OtherName { names: vec!["www.example.com".to_owned()] }),
        certificate(CertificateFault::Expired { on: "2026-11-26".to_owned() }),
        handshake(HandshakeFault::OldVersion),
        handshake(HandshakeFault::NothingInCommon),
        ProviderError::NotTls { host: host() },
        proxy(proxy::ProxyFault::Away),
        proxy(proxy::ProxyFault::Login { given: false }),
        proxy(proxy::ProxyFault::Refused { status: 403 }),
        ProviderError::Redirected { host: host() },
        ProviderError::Throttled { retry_after: None },
        ProviderError::ServerError { status: 500 },
        ProviderError::BadAnswer,
    ];
    errors.iter().map(|error| error.told_apart("the service")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::KINDS;
    use crate::providers::has_test;

    #[test]
    fn every_kind_that_has_a_test_names_its_refusals() {
        for kind in KINDS.iter().filter(|kind| has_test(kind)) {
            let known = refusals(kind.slug);
            assert!(known.len() > 1, "{}", kind.slug);
            for sentence in known {
                assert!(sentence.ends_with('.') && !sentence.contains("not understood"), "{}: {sentence}", kind.slug);
            }
        }
    }

    #[test]
    fn what_is_not_reached_is_told_with_what_to_do() {
        for (cause, remedy) in unreached() {
            assert!(cause.ends_with('.') && remedy.ends_with('.'), "{cause} {remedy}");
        }
    }
}
