//! Clusters that are busy, broken, out of date or somebody else.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::support::peers::certificates::Authority;
use crate::support::peers::receiver::Call;

fn cluster(authority: &Authority, url: &str) -> String {
    let ca = STANDARD.encode(&authority.pem);
    json!({"apiVersion": "v1", "kind": "Config", "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": url, "certificate-authority-data": ca}}],
        "users": [{"name": "u", "user": {"token": "abc.def"}}]})
    .to_string()
}

async fn tested(said: Said) -> Finding {
    let authority = Authority::new();
    let peer = Receiver::start_tls(&authority, move |_| said.clone());
    test("kubeconfig", &[("kubeconfig", &cluster(&authority, &peer.url()))], &Endpoints::default()).await
}

#[tokio::test]
async fn a_cluster_that_answers_out_of_form_is_not_understood() {
    for said in [Said::html(200), Said::Half, Said::Endless, Said::json(200, &json!({"gitVersion": 7}))] {
        let finding = tested(said).await;
        assert_eq!(finding.verdict, Verdict::Unreachable, "{finding:?}");
    }
    let silent = tested(Said::Silent).await;
    assert!(silent.sentence.contains("did not answer in time"), "{silent:?}");
    assert_eq!(tested(Said::html(429)).await.verdict, Verdict::Throttled);
}

#[tokio::test]
async fn a_server_whose_certificate_has_expired_or_is_not_valid_yet_is_told_from_one_that_is_not_trusted() {
    let (authority, other) = (Authority::new(), Authority::new());
    let fine = |_: &Call| Said::json(200, &json!({"gitVersion": "v1.33.1"}));
    for (from, until) in [(2001, 2002), (2901, 2902)] {
        let pair = authority.server_between("127.0.0.1", from, until);
        let peer = Receiver::start_tls_as(&authority, pair, fine);
        let finding =
            test("kubeconfig", &[("kubeconfig", &cluster(&authority, &peer.url()))], &Endpoints::default()).await;
        assert_eq!(finding.verdict, Verdict::Unreachable);
        let said = if from == 2001 { "it expired on 2002-01-01." } else { "it is not valid yet, but from 2901-01-01." };
        assert!(finding.sentence.ends_with(said), "{finding:?}");
        assert!(finding.remedy.contains("renew") && finding.remedy.contains("clock"), "{finding:?}");
        assert!(peer.calls().is_empty(), "the token was not sent");
    }
    let peer = Receiver::start_tls(&other, fine);
    let finding = test("kubeconfig", &[("kubeconfig", &cluster(&authority, &peer.url()))], &Endpoints::default()).await;
    assert!(finding.sentence.contains("is not trusted: "), "{finding:?}");
    assert!(finding.remedy.contains("certificate-authority-data"), "{finding:?}");
}
