//! Secrets of sample data: made up, whole enough for the checks of each type, and good for nothing anywhere. Hosts are
//! below `sample.example`, which nobody can have (RFC 6761).

use serde_json::json;

use crate::form::Values;

/// A key and a certificate that were made for this and are used for nothing else.
const RSA: &str = include_str!("rsa.pem");
const CLIENT: &str = include_str!("client.pem");
/// Of [`RSA`].
const FINGERPRINT: &str = "94:ec:a0:1e:9c:17:5c:2c:45:65:71:ed:ba:f1:33:6d";

/// What the form of a type would hold. `number` tells them apart.
pub fn of(kind: &str, number: usize) -> Values {
    let guid = |what: usize| format!("00000000-0000-4000-8000-{:012}", what * 1000 + number);
    let secret = format!("sample-not-a-real-secret-{number:04}");
    let pairs: Vec<(&str, String)> = match kind {
        "aws" => vec![
            ("method", "access_key".to_owned()),
            ("access_key_id", format!("AKIASAMPLE{number:010}")),
            ("secret_access_key", format!("sample/not/a/real/key/{number:018}")),
        ],
        "azure" => vec![("method", "service_key".to_owned()), ("service_key", service_key(&guid, &secret))],
        "gcp" => vec![("service_account", service_account(number)), ("level", "project".to_owned())],
        "ibm_cloud" => vec![("account_guid", guid(1)), ("api_key", secret)],
        "kubeconfig" => vec![("kubeconfig", kubeconfig(number, &secret))],
        "basic" => vec![("username", format!("robot-{number}")), ("password", secret)],
        "webhook" => vec![("url", format!("https://hooks.sample.example/{secret}"))],
        "certificate" => vec![("certificate", CLIENT.to_owned())],
        "oci" => vec![
            ("user_ocid", format!("ocid1.user.oc1..sample{number}")),
            ("tenancy_ocid", "ocid1.tenancy.oc1..sample".to_owned()),
            ("fingerprint", FINGERPRINT.to_owned()),
            ("private_key", RSA.to_owned()),
        ],
        "github_token" => server("github", format!("ghp_{}", secret.replace('-', "0"))),
        "gitlab_token" => server("gitlab", format!("glpat-{secret}")),
        _ => vec![("token", secret)],
    };
    pairs.into_iter().collect()
}

fn server(name: &str, token: String) -> Vec<(&'static str, String)> {
    vec![("server_url", format!("https://{name}.sample.example")), ("token", token)]
}

fn service_key(guid: &impl Fn(usize) -> String, secret: &str) -> String {
    json!({ "clientId": guid(1), "clientSecret": secret, "tenantId": guid(2), "subscriptionId": guid(3) }).to_string()
}

fn service_account(number: usize) -> String {
    json!({
        "type": "service_account",
        "project_id": "sample-project",
        "private_key_id": format!("sample{number:034}"),
        "private_key": RSA,
        "client_email": format!("robot-{number}@sample-project.iam.gserviceaccount.com"),
    })
    .to_string()
}

fn kubeconfig(number: usize, token: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: sample\n\
         clusters: [{{name: sample, cluster: {{server: 'https://cluster-{number}.sample.example:6443'}}}}]\n\
         users: [{{name: sample, user: {{token: {token}}}}}]\n\
         contexts: [{{name: sample, context: {{cluster: sample, user: sample}}}}]\n"
    )
}
