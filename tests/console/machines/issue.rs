//! What is issued from each kind of credential, against peers that check what they are asked.

use std::time::Duration;

use rcgen::{KeyPair, PKCS_RSA_SHA256};
use serde_json::json;
use strongroom::credentials;
use strongroom::form::Values;
use strongroom::integrations::context::Secret;
use strongroom::integrations::issue::{Form, Issued, Kept, Key, Order};
use strongroom::providers::Failure;
use strongroom::providers::aws;
use strongroom::providers::egress::Egress;
use strongroom::providers::endpoints::{Endpoints, Service};
use uuid::Uuid;

use crate::support::azure_scan::service_key;
use crate::support::kubernetes::{Caller, Lab, Login, rule};
use crate::support::outside::World;
use crate::support::peers::acr;
use crate::support::peers::clouds;
use crate::support::peers::entra::{self, CLIENT, SECRET, TENANT};
use crate::support::peers::moto::{ACCOUNT, Moto};
use crate::support::peers::receiver::{Receiver, UPSTREAM};

/// One credential, and the world outside.
struct Desk {
    kind: &'static str,
    values: Values,
    world: World,
}

impl Desk {
    fn new(kind: &'static str, values: &[(&str, &str)], endpoints: Endpoints) -> Self {
        let egress = Egress::new(vec!["127.0.0.0/8".parse().unwrap()]);
        let egress = egress.within(Duration::from_secs(2), Duration::from_secs(8));
        Self { kind, values: values.iter().copied().collect(), world: World::new(egress, endpoints) }
    }

    /// Issues as a rule with these settings would, which are checked like a form.
    async fn issue(&self, form: &str, posted: &[(&str, &str)]) -> Result<Issued, Failure> {
        let form = Form::find(form).expect("a form");
        let kind = credentials::find(self.kind).expect("a kind");
        let shown = kind.fields.iter().filter(|field| !field.control.is_secret());
        let shown: Values = shown.map(|field| (field.name, self.values.get(field.name))).collect();
        let settings = form.check(kind, &posted.iter().copied().collect(), &shown).expect("good settings");
        let secret = Secret { kind, values: &self.values, stored: None };
        let order = Order { outside: self.world.outside(), secret, settings: &settings, client: "web shop" };
        (form.issue.expect("it issues"))(&order).await
    }

    async fn refused(&self, form: &str, posted: &[(&str, &str)]) -> String {
        let failure = self.issue(form, posted).await.expect_err("it is refused");
        let all = format!("{failure:?}");
        assert!(!all.contains(UPSTREAM) && !all.contains("PRIVATE KEY"), "{all}");
        failure.to_string()
    }
}

/// Minutes until it ends.
fn minutes(issued: &Issued) -> u64 {
    issued.left().expect("it ends").as_secs().div_ceil(60)
}

async fn aws(moto: &Moto, (id, secret): &(String, String)) -> Desk {
    let endpoints = [("AWS_ENDPOINT_URL", moto.url()), ("AWS_EC2_METADATA_DISABLED", "true".to_owned())];
    let aws = aws::Endpoints::new(endpoints);
    let values = [("method", "access_key"), ("access_key_id", id), ("secret_access_key", secret)];
    Desk::new("aws", &values, Endpoints::default().with_aws(aws))
}

#[tokio::test]
async fn an_aws_session_of_a_role_is_named_after_the_client() {
    let moto = Moto::start().await;
    let pair = moto.user("scanner").await;
    let role = moto.role("reader", &format!("arn:aws:iam::{ACCOUNT}:user/scanner")).await;
    moto.allow("scanner", "sts:AssumeRole", &role).await;
    let desk = aws(&moto, &pair).await;
    let settings = [("role", role.as_str()), ("region", "eu-central-1"), ("session_minutes", "30")];
    let issued = desk.issue("aws_session", &settings).await.unwrap();
    let names: Vec<&str> = issued.fields.names().collect();
    assert_eq!(names, ["access_key_id", "region", "secret_access_key", "session_token"]);
    assert_ne!(issued.fields.get("access_key_id"), pair.0);
    assert_ne!(issued.fields.get("secret_access_key"), pair.1);
    assert_eq!((minutes(&issued), issued.fields.get("region")), (30, "eu-central-1"));
    let asked = moto.seen().into_iter().rfind(|request| request.action == "AssumeRole").unwrap();
    assert_eq!(
        (asked.parameter("RoleSessionName"), asked.parameter("DurationSeconds")),
        ("strongroom-web-shop", "1800")
    );

    moto.trust("reader", &format!("arn:aws:iam::{ACCOUNT}:user/another")).await;
    let refused = desk.refused("aws_session", &settings).await;
    assert!(refused.contains("role"), "{refused}");
}

#[tokio::test]
async fn without_a_role_the_key_itself_stays_and_a_session_leaves() {
    let moto = Moto::start().await;
    let pair = moto.user("scanner").await;
    moto.allow("scanner", "sts:GetSessionToken", "*").await;
    let desk = aws(&moto, &pair).await;
    let issued = desk.issue("aws_session", &[]).await.unwrap();
    assert_ne!(issued.fields.get("access_key_id"), pair.0);
    assert_ne!(issued.fields.get("secret_access_key"), pair.1);
    assert!(!issued.fields.get("session_token").is_empty());
    assert_eq!(minutes(&issued), 60);
    let wrong = aws(&moto, &(pair.0, "x".repeat(40))).await;
    assert!(wrong.refused("aws_session", &[]).await.contains("secret"));
}

#[tokio::test]
async fn an_ecr_login_is_of_the_registry_that_the_rule_names() {
    let moto = Moto::start().await;
    let pair = moto.user("scanner").await;
    moto.allow("scanner", "ecr:*", "*").await;
    let registry = format!("{ACCOUNT}.dkr.ecr.eu-central-1.amazonaws.com");
    let issued = aws(&moto, &pair).await.issue("ecr_login", &[("registry", &registry)]).await.unwrap();
    assert_eq!((issued.fields.get("registry"), issued.fields.get("username")), (registry.as_str(), "AWS"));
    assert!(!issued.fields.get("password").is_empty() && issued.expires_at.is_some());
}

fn azure(secret: &str, more: &[(Service, String)]) -> (Receiver, Desk) {
    let login = entra::start(None);
    let endpoints = Endpoints::default().with(Service::AzureLogin, login.url().parse().unwrap());
    let endpoints = more.iter().fold(endpoints, |all, (service, url)| all.with(*service, url.parse().unwrap()));
    let key = service_key(secret, Some(CLIENT));
    (login, Desk::new("azure", &[("method", "service_key"), ("service_key", &key)], endpoints))
}

#[tokio::test]
async fn an_azure_token_is_for_one_resource() {
    let (login, desk) = azure(SECRET, &[]);
    let issued = desk.issue("azure_token", &[("resource", "graph")]).await.unwrap();
    assert_eq!(issued.fields.get("resource"), "https://graph.microsoft.com");
    assert_eq!((issued.fields.get("token_type"), issued.fields.get("tenant_id")), ("Bearer", TENANT));
    assert_eq!(issued.fields.get("subscription_id"), CLIENT);
    assert!(!issued.fields.get("access_token").is_empty() && minutes(&issued) >= 50);
    let other = [("resource", "other"), ("address", "https://outlook.office365.com/")];
    desk.issue("azure_token", &other).await.unwrap();
    let scopes: Vec<String> = login.calls().iter().filter_map(|call| call.field("scope")).collect();
    assert_eq!(scopes, ["https://graph.microsoft.com/.default", "https://outlook.office365.com/.default"]);
    let (_login, expired) = azure("expired", &[]);
    assert!(expired.refused("azure_token", &[]).await.contains("expired"));
}

#[tokio::test]
async fn a_login_of_azures_registry_is_its_refresh_token() {
    let registry = acr::start(&[acr::REGISTRIES]);
    let (_login, desk) = azure(SECRET, &[(Service::AzureRegistry, registry.url())]);
    let issued = desk.issue("acr_login", &[("registry", acr::HOST)]).await.unwrap();
    assert_eq!(issued.fields.get("username"), "00000000-0000-0000-0000-000000000000");
    assert!(!issued.fields.get("password").is_empty());
    let other = acr::start(&[]);
    let (_login, desk) = azure(SECRET, &[(Service::AzureRegistry, other.url())]);
    assert!(desk.refused("acr_login", &[("registry", acr::HOST)]).await.contains("AcrPull"));
}

const EMAIL: &str = "scanner@mycompany-project.iam.gserviceaccount.com";
const KEY_ID: &str = "abe29475a09fb22e709fdc622306a714e17cd1c0";

#[tokio::test]
async fn a_google_token_and_registry_login_leave_the_key_behind() {
    let pem = KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap().serialize_pem();
    let public = credentials::pem::RsaKey::parse(&pem).unwrap().public_der().unwrap();
    let google = clouds::google(EMAIL, KEY_ID, public);
    let account = json!({"type": "service_account", "project_id": "mycompany-project", "private_key_id": KEY_ID,
        "private_key": pem, "client_email": EMAIL, "token_uri": "https://oauth2.googleapis.com/token"})
    .to_string();
    let endpoints = Endpoints::default().with(Service::GoogleToken, google.url().parse().unwrap());
    let desk = Desk::new("gcp", &[("service_account", &account), ("level", "project")], endpoints);
    let issued = desk.issue("google_token", &[]).await.unwrap();
    assert_eq!(issued.fields.get("project_id"), "mycompany-project");
    assert!(issued.fields.get("access_token").starts_with("ya29.") && minutes(&issued) == 60);
    let login = desk.issue("google_login", &[("registry", "europe-west3-docker.pkg.dev")]).await.unwrap();
    assert_eq!(login.fields.get("username"), "oauth2accesstoken");
    assert!(login.fields.get("password").starts_with("ya29."));
    google.set_clock_ahead(-600);
    assert!(desk.refused("google_token", &[]).await.contains("clock"));
}

#[tokio::test]
async fn an_ibm_token_and_registry_login_leave_the_api_key_behind() {
    const ACCOUNT: &str = "b1946ac92b5e4a3f9d1c0123456789ab";
    const API_KEY: &str = "dGhpcyBpcyBub3QgYW4gYXBpIGtleSBhdCBhbGwu";
    let ibm = clouds::ibm(API_KEY, ACCOUNT);
    let endpoints = || Endpoints::default().with(Service::IbmIam, ibm.url().parse().unwrap());
    let desk = Desk::new("ibm_cloud", &[("account_guid", ACCOUNT), ("api_key", API_KEY)], endpoints());
    let issued = desk.issue("ibm_token", &[]).await.unwrap();
    assert_eq!((issued.fields.get("account"), issued.fields.get("token_type")), (ACCOUNT, "Bearer"));
    let login = desk.issue("ibm_login", &[("registry", "de.icr.io")]).await.unwrap();
    assert_eq!(login.fields.get("username"), "iambearer");
    assert!(!login.fields.get("password").contains(API_KEY));
    let other = Desk::new("ibm_cloud", &[("account_guid", ACCOUNT), ("api_key", "another")], endpoints());
    assert!(other.refused("ibm_token", &[]).await.contains("does not know this API key"));
}

#[tokio::test]
async fn a_cluster_issues_a_token_of_the_service_account_that_the_rule_names() {
    let lab = Lab::open("issue").await;
    let namespace = lab.namespace("shop").await;
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "deployer"}});
    lab.administrator.create(&format!("/api/v1/namespaces/{namespace}/serviceaccounts"), &account).await;
    let login = lab.login();
    let desk = |kubeconfig: &str| {
        let kind = credentials::find("kubeconfig").unwrap();
        let posted = [("kubeconfig", kubeconfig)].into_iter().collect();
        let values = strongroom::form::check(kind.fields, &posted, None).expect("a good kubeconfig");
        Desk::new("kubeconfig", &[("kubeconfig", values.get("kubeconfig"))], Endpoints::default())
    };
    let by_login = desk(&lab.kubeconfig(&login));
    let settings = [("namespace", namespace.as_str()), ("service_account", "deployer"), ("token_minutes", "30")];
    let refused = by_login.refused("kubernetes_token", &settings).await;
    assert!(refused.contains("serviceaccounts/token"), "{refused}");
    let may = rule("", &["serviceaccounts/token"], &["create"]);
    lab.grant_in(&namespace, &login, &[may]).await;
    let issued = by_login.issue("kubernetes_token", &settings).await.unwrap();
    assert_eq!((issued.fields.get("server"), minutes(&issued)), (lab.server(), 30));
    assert!(issued.fields.get("certificate_authority").contains("BEGIN CERTIFICATE"));
    assert!(!issued.fields.get("token").contains(&login.token));
    let by_token = Caller::new(lab.authority(), lab.server(), issued.fields.get("token"));
    assert!(by_token.answers("/version").await, "the API server knows it");
    let missing = [("namespace", namespace.as_str()), ("service_account", "nobody")];
    assert!(by_login.refused("kubernetes_token", &missing).await.contains("There is no service account nobody"));
    let unknown =
        desk(&lab.kubeconfig(&Login { name: "nobody".to_owned(), token: "not-a-token-of-the-cluster".to_owned() }));
    assert!(unknown.refused("kubernetes_token", &settings).await.contains("doesn't accept"));
}

#[tokio::test]
async fn what_is_issued_is_kept_until_half_of_its_life_and_for_its_own_rule_and_version() {
    let kept = Kept::default();
    let key = Key { credential: Uuid::new_v4(), secret_version: 1, rule: Uuid::new_v4(), rule_version: 1 };
    let made = std::sync::atomic::AtomicUsize::new(0);
    let made = &made;
    let issue = |minutes: i64| async move {
        let number = made.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let expires_at = Some(chrono::Utc::now() + chrono::TimeDelta::minutes(minutes));
        Ok(Issued { fields: [("number", number.to_string())].into_iter().collect(), expires_at })
    };
    let number = |issued: Result<Issued, Failure>| issued.unwrap().fields.get("number").to_owned();
    assert_eq!(number(kept.get(key.clone(), || issue(60)).await), "0");
    assert_eq!(number(kept.get(key.clone(), || issue(60)).await), "0");
    let other = Key { rule: Uuid::new_v4(), ..key.clone() };
    assert_eq!(number(kept.get(other, || issue(60)).await), "1");
    let edited = Key { rule_version: 2, ..key.clone() };
    assert_eq!(number(kept.get(edited.clone(), || issue(60)).await), "2");
    let rotated = Key { secret_version: 2, ..edited };
    assert_eq!(number(kept.get(rotated.clone(), || issue(0)).await), "3");
    assert_eq!(number(kept.get(rotated, || issue(60)).await), "4", "nothing is left of it");
}
