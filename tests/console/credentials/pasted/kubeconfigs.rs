//! Kubeconfigs.

use super::{input, refusal, saved, says};

fn kept(text: &str) -> String {
    saved("kubeconfig", &[("kubeconfig", text)]).get("kubeconfig").to_owned()
}

fn refused(text: &str) -> String {
    refusal("kubeconfig", &[("kubeconfig", text)])
}

#[test]
fn field_fa_01_a_client_certificate_and_a_token_are_both_kept() {
    let kept = kept(input!("FA-01.yaml"));
    says(&kept, &["client-certificate-data", "client-key-data", "8f3c0d0e8f3c0d0e8f3c0d0e8f3c0d0e"]);
}

#[test]
fn field_fa_02_the_member_api_version_of_rancher_is_passed_over() {
    let kept = kept(input!("FA-02.yaml"));
    says(&kept, &["kubeconfig-user-5qpl2:z9w8x7v6", "/k8s/clusters/c-7xk2p"]);
}

#[test]
fn field_fa_04_a_last_line_of_dashes_is_no_second_document() {
    kept(input!("FA-04.yaml"));
    let text = input!("FA-04.yaml");
    kept(&format!("---\n---\n{text}\n...\n"));
    says(&refused(&format!("{text}{text}")), &["several documents"]);
}

#[test]
fn field_fa_05_values_that_kubectl_has_hidden_are_never_stored() {
    says(&refused(input!("FA-05.yaml")), &["kubectl has hidden", "--raw"]);
    let text = input!("FA-04.yaml").replace("eyJhbGciOiJSUzI1NiJ9", "REDACTED # ");
    says(&refused(&text), &["hidden"]);
    let omitted = input!("FA-01.yaml").lines().map(|line| match line.split_once("-data:") {
        Some((name, _)) => format!("{name}-data: DATA+OMITTED\n"),
        None => format!("{line}\n"),
    });
    says(&refused(&omitted.collect::<String>()), &["DATA+OMITTED", "--raw"]);
    says(&refusal("api_token", &[("token", "REDACTED")]), &["hidden"]);
    says(&refusal("basic", &[("password", "REDACTED"), ("username", "robot")]), &["hidden"]);
}

#[test]
fn field_fa_07_a_kubeconfig_in_base64_is_named() {
    says(&refused(input!("FA-07.txt")), &["kubeconfig in base64", "base64 -d"]);
}

#[test]
fn field_fa_09_a_kubernetes_secret_is_named_before_its_members() {
    says(&refused(input!("FA-09.yaml")), &["Kubernetes Secret", "decoded value"]);
}

#[test]
fn field_fa_10_spaces_of_a_web_page_are_named_with_their_line() {
    says(&refused(input!("FA-10.yaml")), &["Line 5", "unusual spaces"]);
}

#[test]
fn field_fa_51_a_merged_kubeconfig_of_200_kb_is_taken() {
    let text = input!("FA-01.yaml");
    let (head, users) = text.split_once("users:\n").expect("users");
    let other = users.replace("name: u1", "name: other");
    let merged = |most: usize| {
        let more = (0..most / other.len()).map(|n| other.replace("name: other", &format!("name: other{n}")));
        format!("{head}users:\n{users}{}", more.collect::<String>())
    };
    assert!(merged(200_000).len() > 190_000);
    assert_eq!(kept(&merged(200_000)), kept(text));
    says(&refused(&merged(300_000)), &["kubectl config view --minify --flatten --raw"]);
}
