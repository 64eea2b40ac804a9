//! The *Test* of a kubeconfig: the cluster's version and the login's rights.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::*;
use crate::support::peers::certificates::Authority;
use crate::support::peers::kube;

fn kubeconfig(peer: &Receiver, authority: &Authority, user: &str) -> String {
    let (server, authority) = (peer.url(), STANDARD.encode(&authority.pem));
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts:\n- name: c\n  context: {{cluster: c, user: u}}\n\
         clusters:\n- name: c\n  cluster: {{server: '{server}', certificate-authority-data: {authority}}}\n\
         users:\n- name: u\n  user: {user}\n"
    )
}

fn with_certificate(authority: &Authority) -> String {
    let pem = authority.client("kubernetes-admin");
    let (certificate, key) = pem.split_at(pem.find("-----BEGIN PRIVATE").unwrap());
    format!("{{client-certificate-data: {}, client-key-data: {}}}", STANDARD.encode(certificate), STANDARD.encode(key))
}

async fn by(config: &str) -> Finding {
    test("kubeconfig", &[("kubeconfig", config)], &Endpoints::default()).await
}

#[tokio::test]
async fn each_way_to_log_in_shows_the_table_of_what_it_may_do() {
    let authority = Authority::new();
    let logins = [
        ("Bearer abc.def.ghi", "{token: abc.def.ghi}".to_owned()),
        ("Basic YWRtaW46cGFzcyB3b3Jk", "{username: admin, password: 'pass word'}".to_owned()),
        ("none", with_certificate(&authority)),
    ];
    for (header, user) in logins {
        let peer = kube::cluster(&authority, header, &[]);
        let finding = by(&kubeconfig(&peer, &authority, &user)).await;
        assert_eq!(finding.verdict, Verdict::Ok, "{header}: {finding:?}");
        assert_eq!(fact(&finding, "Version"), "v1.33.1");
        let (heads, rows) = finding.table.unwrap();
        assert_eq!(heads, ["Resource", "Create", "Change", "Read", "Delete"]);
        assert_eq!(rows.len(), 7);
        let (pods, objects) = rows.split_last().unwrap();
        assert!(objects.iter().all(|row| row[1..] == ["Yes", "Yes", "Yes", "Yes"]));
        assert_eq!(pods[..], ["Pod", "–", "–", "Yes", "–"]);
        assert_eq!(peer.calls().len(), 28, "the version and 27 reviews, and nothing is created");
    }
}

#[tokio::test]
async fn what_is_missing_shows_in_the_table_with_the_role_to_give() {
    let authority = Authority::new();
    let peer = kube::cluster(&authority, "Bearer abc", &[("delete", "secrets"), ("create", "clusterroles")]);
    let finding = by(&kubeconfig(&peer, &authority, "{token: abc}")).await;
    assert_eq!(finding.verdict, Verdict::Denied, "{finding:?}");
    let (_, rows) = finding.table.unwrap();
    assert_eq!(rows[2], ["Secret", "Yes", "Yes", "Yes", "No"]);
    assert_eq!(rows[3], ["ClusterRole", "No", "Yes", "Yes", "Yes"]);
    assert!(finding.snippets[0].1.contains("kind: ClusterRole") && finding.snippets[1].1.contains("kind: RoleBinding"));
}

#[tokio::test]
async fn a_wrong_token_is_told_from_an_expired_one() {
    let authority = Authority::new();
    let peer = kube::cluster(&authority, "Bearer right", &[]);
    let wrong = by(&kubeconfig(&peer, &authority, "{token: wrong}")).await;
    assert_eq!(wrong.verdict, Verdict::BadKey, "{wrong:?}");
    let claims = URL_SAFE_NO_PAD.encode(r#"{"exp":1600000000,"sub":"system:serviceaccount:kube-system:strongroom"}"#);
    let expired = by(&kubeconfig(&peer, &authority, &format!("{{token: aa.{claims}.aa}}"))).await;
    assert_eq!(expired.verdict, Verdict::Expired, "{expired:?}");
    assert!(expired.expires_at.is_some());
}

#[tokio::test]
async fn a_cluster_with_another_certificate_authority_gets_no_token() {
    let (authority, other) = (Authority::new(), Authority::new());
    let peer = kube::cluster(&authority, "Bearer abc", &[]);
    let finding = by(&kubeconfig(&peer, &other, "{token: abc}")).await;
    assert_eq!(finding.verdict, Verdict::Unreachable, "{finding:?}");
    assert!(peer.calls().is_empty());
}

#[tokio::test]
async fn a_client_certificate_of_another_authority_does_not_count() {
    let (authority, other) = (Authority::new(), Authority::new());
    let peer = kube::cluster(&authority, "none", &[]);
    let finding = by(&kubeconfig(&peer, &authority, &with_certificate(&other))).await;
    assert_ne!(finding.verdict, Verdict::Ok, "{finding:?}");
}

#[tokio::test]
async fn field_fa_01_a_client_certificate_and_a_token_are_both_sent() {
    let authority = Authority::new();
    let peer = kube::cluster(&authority, "Bearer abc.def.ghi", &[]);
    let user = with_certificate(&authority).replace('{', "{token: abc.def.ghi, ");
    let finding = by(&kubeconfig(&peer, &authority, &user)).await;
    assert_eq!(finding.verdict, Verdict::Ok, "{finding:?}");
    let calls = peer.calls();
    assert!(calls.iter().all(|call| call.header("authorization") == Some("Bearer abc.def.ghi")));
    assert!(calls.iter().all(|call| call.certificate.is_some()));
}

#[tokio::test]
async fn field_fa_12_the_kubeconfig_of_k3s_leads_to_strongrooms_own_machine() {
    let authority = Authority::new();
    let peer = kube::cluster(&authority, "Bearer abc", &[]);
    let config = kubeconfig(&peer, &authority, "{token: abc}");
    drop(peer);
    let finding = by(&config).await;
    assert_eq!(finding.verdict, Verdict::Unreachable);
    assert!(finding.remedy.contains("machine or container that Strongroom itself runs on"), "{finding:?}");
    // Where the operator does not allow it, the form says the same before it is saved.
    let refused = Egress::new(Vec::new()).check_url(&"https://127.0.0.1:6443".parse().unwrap()).unwrap_err();
    assert!(refused.to_string().contains("machine or container that Strongroom itself runs on"), "{refused}");
    assert!(refused.to_string().contains("STRONGROOM_EGRESS_ALLOW"), "{refused}");
}

#[tokio::test]
async fn field_fa_14_a_wrong_name_is_told_from_an_unknown_authority() {
    let (authority, other) = (Authority::new(), Authority::new());
    let pair = authority.server("10.43.0.1");
    let peer = Receiver::start_tls_as(&authority, pair, |_| Said::json(200, &json!({"gitVersion": "v1.33.1"})));
    let name = by(&kubeconfig(&peer, &authority, "{token: abc}")).await;
    assert!(name.sentence.contains("for another name (10.43.0.1)"), "{name:?}");
    assert!(name.remedy.contains("a name of the certificate"), "{name:?}");
    let peer = kube::cluster(&authority, "Bearer abc", &[]);
    let unknown = by(&kubeconfig(&peer, &other, "{token: abc}")).await;
    assert!(unknown.remedy.contains("certificate-authority-data"), "{unknown:?}");
    for finding in [name, unknown] {
        assert!(!finding.remedy.contains("CA certificate"), "the form has no such field: {finding:?}");
    }
}
