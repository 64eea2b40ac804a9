//! Azure Kubernetes Service.

use serde_json::{Value, json};
use strongroom::providers::endpoints::Service;

use super::*;
use crate::support::azure_scan::service_key;
use crate::support::peers::azure_management::{Management, Says};
use crate::support::peers::entra::{self, SECRET, TENANT};
use crate::support::peers::managed_clusters as api;

const A: &str = "d189c61b-6c27-41d3-9749-ca5c9cc4a622";
const B: &str = "bc968c1e-67a3-4ba5-8d05-f807abb54a57";
const PROD: [(&str, &str); 1] = [("cluster", "d189c61b-6c27-41d3-9749-ca5c9cc4a622/shop/prod")];

/// Azure with the cluster prod; its directory lives as long.
fn azure(api: &Receiver, authority: &Authority, properties: &Value, user: &str) -> (Management, Receiver, Console) {
    let (azure, login) = (Management::start(), entra::start(None));
    azure.subscription(A, "Production").subscription(B, "Test");
    azure.cluster(A, "shop", "prod", properties).hands_out(A, "shop", "prod", &kubeconfig(&api.url(), authority, user));
    let key = service_key(SECRET, None);
    let endpoints = [(Service::AzureLogin, login.url()), (Service::AzureManagement, azure.receiver.url())];
    let endpoints =
        endpoints.into_iter().fold(Endpoints::default(), |all, (service, url)| all.with(service, url.parse().unwrap()));
    let console = Console::new("aks", "azure", &[("method", "service_key"), ("service_key", &key)], endpoints);
    (azure, login, console)
}

/// A kubeconfig as Azure writes it.
fn kubeconfig(server: &str, authority: &Authority, user: &str) -> String {
    let ca = in_base64(authority);
    format!(
        "apiVersion: v1\nclusters:\n- cluster:\n    certificate-authority-data: {ca}\n    server: {server}\n  \
         name: prod\ncontexts:\n- context:\n    cluster: prod\n    user: clusterUser_shop_prod\n  name: prod\n\
         current-context: prod\nkind: Config\npreferences: {{}}\nusers:\n- name: clusterUser_shop_prod\n  user:\n{user}"
    )
}

/// The user of a cluster with Entra ID: kubelogin would fetch a token.
const KUBELOGIN: &str = "    exec:
      apiVersion: client.authentication.k8s.io/v1beta1
      args:
      - get-token
      - --environment
      - AzurePublicCloud
      - --server-id
      - 6dae42f8-4368-4678-94ff-3960e28e3630
      - --client-id
      - 80faf920-1908-4b52-b5ef-a8e7bedfc67a
      - --tenant-id
      - d189c61b-6c27-41d3-9749-ca5c9cc4a622
      - --login
      - devicecode
      command: kubelogin
      env: null
      installHint: |2

        kubelogin is not installed which is required to connect to AAD enabled cluster.
      provideClusterInfo: false
";

fn entra_profile(tenant: &str) -> Value {
    json!({"aadProfile": {"managed": true, "enableAzureRBAC": true, "tenantID": tenant}, "disableLocalAccounts": true})
}

#[tokio::test]
async fn an_aks_cluster_accepts_an_entra_id_token_and_no_program_runs() {
    let authority = Authority::new();
    let api = api::aks(&authority, TENANT);
    let (azure, login, console) = azure(&api, &authority, &entra_profile(TENANT), KUBELOGIN);
    let said = console.check(&PROD).await.unwrap();
    assert_eq!(said, "The cluster (Kubernetes v1.33.1) lets Strongroom deploy. 1 node matches.");
    let scopes: Vec<String> = login.calls().iter().filter_map(|call| call.field("scope")).collect();
    assert_eq!(scopes, ["https://management.azure.com/.default", &format!("{}/.default", api::AKS)]);
    console.check(&PROD).await.unwrap();
    assert_eq!(login.calls().len(), 2, "both tokens are kept");
    assert!(azure.receiver.calls().iter().any(|call| call.method == "POST"));
}

#[tokio::test]
async fn an_aks_cluster_with_local_accounts_accepts_azures_certificate() {
    let authority = Authority::new();
    let api = api::aks_local(&authority);
    let pem = authority.client("masterclient");
    let (certificate, key) = pem.split_at(pem.find("-----BEGIN PRIVATE").unwrap());
    let user = format!(
        "    client-certificate-data: {}\n    client-key-data: {}\n",
        STANDARD.encode(certificate),
        STANDARD.encode(key)
    );
    let (_azure, login, console) = azure(&api, &authority, &json!({}), &user);
    console.check(&PROD).await.unwrap();
    assert_eq!(login.calls().len(), 1, "no token for clusters is asked for");
}

#[tokio::test]
async fn each_reason_why_an_aks_cluster_is_unavailable_is_named() {
    let authority = Authority::new();
    let api = api::aks(&authority, B);
    let (azure, _login, console) = azure(&api, &authority, &entra_profile(B), KUBELOGIN);
    let tenant = console.refused(&PROD).await;
    assert!(tenant.contains(&format!("accepts principals of the tenant {B} only")), "{tenant}");
    let absent = console.refused(&[("cluster", &format!("{A}/shop/test"))]).await;
    assert!(absent.contains(&format!("There is no cluster test in shop of {A}")), "{absent}");
    azure.cluster(A, "shop", "idle", &json!({"powerState": {"code": "Stopped"}}));
    assert!(console.refused(&[("cluster", &format!("{A}/shop/idle"))]).await.contains("az aks start"));
    let at =
        format!("/subscriptions/{A}/resourceGroups/shop/providers/Microsoft.ContainerService/managedClusters/prod");
    azure.says(&format!("{at}/listClusterUserCredential"), Says::Denied);
    let denied = console.refused(&PROD).await;
    assert!(denied.contains("does not allow Microsoft.ContainerService/managedClusters/listClusterUserCredential"));
    assert!(denied.contains("Cluster User Role"), "{denied}");
    azure.says(&at, Says::Denied);
    let denied = console.refused(&PROD).await;
    assert!(denied.contains("does not allow Microsoft.ContainerService/managedClusters/read"), "{denied}");
}

#[tokio::test]
async fn clusters_of_all_subscriptions_are_listed_except_denied_ones() {
    let authority = Authority::new();
    let api = api::aks(&authority, TENANT);
    let (azure, _login, console) = azure(&api, &authority, &entra_profile(TENANT), KUBELOGIN);
    azure.cluster(A, "Shop", "batch", &json!({"apiServerAccessProfile": {"enablePrivateCluster": true}}));
    azure.says(&format!("/subscriptions/{B}/providers/Microsoft.ContainerService"), Says::Denied);
    let listed = console.list(&[]).await.unwrap();
    let expected =
        [format!("{A}/shop/batch Production 1.33.2 Private"), format!("{A}/shop/prod Production 1.33.2 Public")];
    assert_eq!(shown(&listed), expected);
    assert!(listed.missing.len() == 1 && listed.missing[0].starts_with("Test (bc968c1e"), "{listed:?}");
}

#[tokio::test]
async fn a_client_gets_a_token_for_an_aks_cluster_and_never_a_certificate() {
    let authority = Authority::new();
    let api = api::aks(&authority, TENANT);
    let (_azure, _login, console) = azure(&api, &authority, &entra_profile(TENANT), KUBELOGIN);
    let issued = console.issue("aks_token", &PROD).await.unwrap();
    assert!(enters(&issued).await && issued.left().is_some_and(|left| left > Duration::from_secs(30 * 60)));
    let user = "    token: sekret-token-of-a-local-account\n";
    let (_azure, _login, local) = azure(&api, &authority, &json!({}), user);
    let refused = local.issue("aks_token", &PROD).await.unwrap_err();
    assert!(refused.contains("az aks update --enable-aad") && !refused.contains("sekret"), "{refused}");
}
