//! The commonest journeys, in a real browser and with files as the vendors' tools write them: what somebody has on the
//! screen or in a download folder becomes a credential, by way of the mistakes that people make.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::app::{TestApp, Visit};
use crate::support::browser::{Browser, WIDE};
use crate::support::peers::certificates::Authority;
use crate::support::peers::kube;
use crate::support::peers::registry::{Auth, Registry};

/// Puts a text into a field at once, as Ctrl+V does: one line where the field has one.
const PASTE: &str = "
    const field = document.getElementById(arguments[0]);
    field.value = arguments[1];
    field.dispatchEvent(new Event('input', { bubbles: true }));";

/// Chooses a file of these bytes (base64) for a document.
const CHOOSE: &str = "
    const input = document.getElementById(arguments[0] + '.file');
    const bytes = Uint8Array.from(atob(arguments[2]), (c) => c.charCodeAt(0));
    const files = new DataTransfer();
    files.items.add(new File([bytes], arguments[1]));
    input.files = files.files;
    input.dispatchEvent(new Event('change', { bubbles: true }));";

/// One of the inputs of the public reports.
fn input(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/console/credentials/pasted/");
    std::fs::read_to_string(format!("{folder}{name}")).expect("an input")
}

struct Journey {
    app: TestApp,
    visit: Visit,
    browser: Browser,
}

impl Journey {
    async fn begin() -> Self {
        let app = TestApp::start();
        let visit = app.administrator();
        let browser = Browser::open(&app.url, WIDE).await;
        browser.take(visit.cookie.as_deref()).await;
        Self { app, visit, browser }
    }

    /// The form of a type, with a name filled in.
    async fn form(&self, kind: &str, name: &str) {
        self.browser.goto(&format!("/credentials/new?kind={kind}")).await;
        self.browser.fill("Name", name).await;
    }

    async fn paste(&self, field: &str, text: &str) {
        self.browser.script(PASTE, vec![json!(field), json!(text)]).await;
    }

    async fn choose_file(&self, field: &str, file: &str, bytes: &[u8]) {
        self.browser.script(CHOOSE, vec![json!(field), json!(file), json!(STANDARD.encode(bytes))]).await;
        self.browser.sees(&format!("{file} was read into the form.")).await;
    }

    /// Saves, and is on the credential's page afterwards.
    async fn save(&self) {
        self.browser.press("Save").await;
        self.browser.sees("Usages").await;
        assert!(!self.browser.source().await.contains("PRIVATE KEY"));
    }

    /// Tries to save, and is told why not.
    async fn refused(&self, sentence: &str) {
        self.browser.press("Save").await;
        self.browser.sees("Please fix").await;
        self.browser.sees(sentence).await;
    }

    async fn end(self) {
        assert_eq!(self.browser.complaints().await, Vec::<String>::new());
        self.browser.close().await;
        drop((self.visit, self.app));
    }
}

#[actix_web::test]
async fn field_journey_the_files_of_aws_and_ibm_become_credentials() {
    let journey = Journey::begin().await;
    let csv = input("FA-44.csv");
    let secret = csv.trim().rsplit(',').next().expect("a secret").to_owned();
    journey.form("aws", "AWS prod").await;
    journey.paste("access_key_id", &csv).await;
    journey.paste("secret_access_key", &csv).await;
    journey.refused("CSV file of an AWS access key").await;
    assert!(!journey.browser.source().await.contains(&secret));
    assert_eq!(journey.browser.script("return document.getElementById('name').value", Vec::new()).await, "AWS prod");
    // From the spreadsheet, a cell each, with the tab that it puts behind them.
    journey.paste("access_key_id", "AKIAQ3EXAMPLEFIELDA7\t").await;
    journey.paste("secret_access_key", &format!("{secret}\t")).await;
    journey.save().await;
    journey.browser.sees("AKIAQ3EXAMPLEFIELDA7").await;

    journey.form("ibm_cloud", "IBM").await;
    journey.paste("account_guid", "0123456789abcdef0123456789abcdef").await;
    journey.paste("api_key", &input("FA-45.json")).await;
    journey.refused("IBM Cloud's apikey.json").await;
    let file: Value = serde_json::from_str(&input("FA-45.json")).expect("JSON");
    journey.paste("account_guid", "0123456789abcdef0123456789abcdef").await;
    journey.paste("api_key", file["apikey"].as_str().expect("a key")).await;
    journey.save().await;
    journey.end().await;
}

#[actix_web::test]
async fn field_journey_the_files_of_azure_and_google_become_credentials() {
    let journey = Journey::begin().await;
    let key = json!({
        "clientId": "11111111-2222-4333-8444-555555555555",
        "clientSecret": "Xy8Q~field_A.sec-ret~ForTest1234567890abc",
        "subscriptionId": "bbbbbbbb-cccc-4ddd-8eee-ffffffffffff",
        "tenantId": "66666666-7777-4888-8999-aaaaaaaaaaaa",
        "activeDirectoryEndpointUrl": "https://login.microsoftonline.us",
        "resourceManagerEndpointUrl": "https://management.usgovcloudapi.net/",
    });
    let printed = format!("{key:#}");
    journey.form("azure", "Azure reader").await;
    journey.paste("service_key", &input("FA-35.txt")).await;
    journey.refused("--output json").await;
    journey.paste("service_key", &format!("WARNING: The output includes credentials.\n{printed}")).await;
    journey.refused("other text around the JSON").await;
    journey.paste("service_key", &printed).await;
    journey.save().await;
    journey.browser.sees("Azure US Government").await;

    // The key file as Windows PowerShell has written it anew, chosen from the download folder.
    journey.form("gcp", "Google").await;
    journey.choose_file("service_account", "key.json", include_bytes!("credentials/pasted/FA-32.json")).await;
    journey.save().await;
    journey.browser.sees("sr@field-proj.iam.gserviceaccount.com").await;

    // The container of a browser is no PEM, and the form says so.
    journey.form("certificate", "Client").await;
    journey.choose_file("certificate", "bundle.pfx", include_bytes!("credentials/pasted/FA-25.pfx")).await;
    journey.refused("openssl pkcs12").await;
    journey.paste("certificate", &input("FA-15.pem")).await;
    journey.save().await;
    journey.end().await;
}

fn cluster(name: &str, server: &str, authority: &Authority, user: Value) -> String {
    let ca = STANDARD.encode(&authority.pem);
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "preferences": {},
        "clusters": [{"name": name, "cluster": {"certificate-authority-data": ca, "server": server}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name, "namespace": "default"}}],
        "current-context": name,
        "users": [{"name": name, "user": user}],
    });
    format!("{config:#}")
}

fn client(authority: &Authority) -> (String, String) {
    let pem = authority.client("masterclient");
    let (certificate, key) = pem.split_at(pem.find("-----BEGIN PRIVATE").expect("a key"));
    (STANDARD.encode(certificate), STANDARD.encode(key))
}

#[actix_web::test]
async fn field_journey_kubeconfigs_of_aks_k3s_rancher_and_openshift() {
    let journey = Journey::begin().await;
    let authority = Authority::new();
    let (certificate, key) = client(&authority);

    // az aks get-credentials --admin
    let peer = kube::cluster(&authority, "Bearer 8f3c0d0e8f3c0d0e", &[]);
    let login = json!({"client-certificate-data": certificate, "client-key-data": key, "token": "8f3c0d0e8f3c0d0e"});
    let aks = cluster("aks-prod-admin", &peer.url(), &authority, login);
    journey.form("kubeconfig", "AKS").await;
    journey.paste("kubeconfig", &STANDARD.encode(&aks)).await;
    journey.refused("a kubeconfig in base64").await;
    journey.paste("kubeconfig", &aks).await;
    journey.browser.press("Test").await;
    journey.browser.sees("The cluster knows the login").await;
    journey.save().await;
    journey.browser.sees("Client certificate and token").await;

    // /etc/rancher/k3s/k3s.yaml, on a laptop.
    let peer = kube::cluster(&authority, "none", &[]);
    let login = json!({"client-certificate-data": certificate, "client-key-data": key});
    let k3s = cluster("default", &peer.url(), &authority, login);
    drop(peer);
    journey.form("kubeconfig", "k3s").await;
    journey.paste("kubeconfig", &k3s).await;
    journey.browser.press("Test").await;
    journey.browser.sees("the machine or container that Strongroom itself runs on").await;

    // Rancher's download, with its member api-version and its path.
    journey.form("kubeconfig", "Rancher").await;
    journey.paste("kubeconfig", &input("FA-02.yaml")).await;
    journey.save().await;
    journey.browser.sees("/k8s/clusters/c-7xk2p").await;

    // oc login, then oc config view, which hides; then with --raw.
    let openshift = |token: &str| {
        format!(
            "apiVersion: v1\nclusters:\n- cluster:\n    server: https://api.ocp.example.com:6443\n  \
             name: api-ocp-example-com:6443\ncontexts:\n- context:\n    cluster: api-ocp-example-com:6443\n    \
             namespace: default\n    user: kube:admin/api-ocp-example-com:6443\n  \
             name: default/api-ocp-example-com:6443/kube:admin\n\
             current-context: default/api-ocp-example-com:6443/kube:admin\nkind: Config\npreferences: {{}}\nusers:\n\
             - name: kube:admin/api-ocp-example-com:6443\n  user:\n    token: {token}\n"
        )
    };
    journey.form("kubeconfig", "OpenShift").await;
    journey.paste("kubeconfig", &openshift("REDACTED")).await;
    journey.refused("kubectl has hidden the secrets").await;
    journey.paste("kubeconfig", &openshift("sha256~Zs1Qe0pFa2Xm9vT4kR7yWc3nB6uJ8hLdG5iOqPtEwVx")).await;
    journey.save().await;
    journey.browser.sees("api.ocp.example.com:6443").await;
    journey.end().await;
}

#[actix_web::test]
async fn field_journey_dockers_config_becomes_a_registry_scan() {
    let registry = Registry::start(Auth::Htpasswd { user: "robot", password: "robot-secret-1" }).await;
    registry.push_image("team/app", &["1.0"]).await;
    let journey = Journey::begin().await;
    let auth = STANDARD.encode("robot:robot-secret-1");
    let config = format!("{:#}", json!({"auths": {registry.url(): {"auth": auth}}, "credsStore": ""}));
    journey.form("api_token", "Registry").await;
    journey.paste("token", &config).await;
    journey.refused("This is Docker's config.json").await;
    journey.form("basic", "Registry").await;
    journey.browser.fill("Username", "robot").await;
    journey.paste("password", "robot-secret-1\n").await;
    journey.save().await;
    journey.browser.goto("/integrations/new?version=docker_v2").await;
    journey.browser.fill("Name", "Team images").await;
    journey.browser.fill("Registry", &registry.url()).await;
    journey.browser.choose("Credential", "Registry").await;
    journey.browser.press("Add and scan").await;
    journey.browser.sees("team/app").await;
    journey.end().await;
}
