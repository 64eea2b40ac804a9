//! Amazon EKS.

use serde_json::json;
use strongroom::providers::aws;

use super::*;
use crate::support::peers::estate::Estate;
use crate::support::peers::lambda::{KEY, ROLE, SECRET, SESSION, Says};
use crate::support::peers::managed_clusters as api;

const KEYS: api::Keys = (KEY, SECRET, "");
const PROD: [(&str, &str); 2] = [("region", "eu-central-1"), ("cluster", "prod")];

fn console(estate: &Estate) -> Console {
    let url = estate.url();
    let aws = aws::Endpoints::new([("AWS_ENDPOINT_URL", url.as_str()), ("AWS_EC2_METADATA_DISABLED", "true")]);
    let values = [("method", "access_key"), ("access_key_id", KEY), ("secret_access_key", SECRET)];
    Console::new("eks", "aws", &values, Endpoints::default().with_aws(aws))
}

/// An account with the cluster `prod`, whose API server knows these keys.
fn prod(keys: api::Keys, changes: &serde_json::Value) -> (Estate, Receiver) {
    let authority = Authority::new();
    let api = api::eks(&authority, "eu-central-1", "prod", keys);
    let mut described = json!({"endpoint": api.url(), "certificateAuthority": {"data": in_base64(&authority)}});
    described.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    let estate = Estate::start();
    estate.eks("eu-central-1", "prod", &described);
    (estate, api)
}

#[tokio::test]
async fn an_eks_cluster_accepts_a_key_and_its_token_is_cached() {
    let (estate, api) = prod(KEYS, &json!({}));
    let console = console(&estate);
    let said = console.check(&PROD).await.unwrap();
    assert_eq!(said, "The cluster (Kubernetes v1.33.1) lets Strongroom deploy. 1 node matches.");
    console.check(&PROD).await.unwrap();
    assert_eq!(bearers(&api).len(), 1, "one token for two visits");
}

#[tokio::test]
async fn an_eks_cluster_accepts_the_session_of_a_role() {
    let (estate, _api) = prod(SESSION, &json!({}));
    let role = [&PROD[..], &[("sts", "on"), ("role", ROLE)]].concat();
    assert!(console(&estate).check(&role).await.is_ok());
    let by_key = console(&estate).refused(&PROD).await;
    assert!(by_key.contains("does not know arn:aws:iam::123456789012:user/scanner"), "{by_key}");
}

#[tokio::test]
async fn for_a_key_unknown_to_an_eks_cluster_the_fix_is_shown() {
    let other = ("AKIAOTHER", "another", "");
    let (estate, _api) = prod(other, &json!({}));
    let said = console(&estate).refused(&PROD).await;
    assert!(said.contains("it has no access entry for it") && said.contains("aws eks create-access-entry"), "{said}");
    assert!(said.contains("--principal-arn arn:aws:iam::123456789012:user/scanner"), "{said}");
    let (estate, _api) = prod(other, &json!({"accessConfig": {"authenticationMode": "CONFIG_MAP"}}));
    let said = console(&estate).refused(&PROD).await;
    assert!(said.contains("aws-auth") && said.contains("- userarn: arn:aws:iam::123456789012:user/scanner"), "{said}");
    assert!(!said.contains("create-access-entry"), "{said}");
}

#[tokio::test]
async fn an_eks_token_is_refused_by_another_cluster() {
    let authority = Authority::new();
    let api = api::eks(&authority, "eu-central-1", "other", KEYS);
    let estate = Estate::start();
    let described = json!({"endpoint": api.url(), "certificateAuthority": {"data": in_base64(&authority)}});
    estate.eks("eu-central-1", "prod", &described);
    assert!(console(&estate).refused(&PROD).await.contains("no access entry"));
}

#[tokio::test]
async fn each_reason_why_an_eks_cluster_is_unavailable_is_named() {
    let (estate, api) = prod(KEYS, &json!({"status": "CREATING"}));
    let console = console(&estate);
    assert!(console.refused(&PROD).await.contains("is not running: EKS calls it CREATING"));
    let absent = console.refused(&[("region", "eu-central-1"), ("cluster", "test")]).await;
    assert!(absent.contains("There is no cluster test in eu-central-1"), "{absent}");
    estate.says("eu-central-1", "eks:DescribeCluster", Says::Denied);
    let denied = console.refused(&PROD).await;
    assert!(denied.contains("eks:DescribeCluster"), "{denied}");
    assert!(api.calls().is_empty());
}

#[tokio::test]
async fn the_eks_clusters_of_a_region_are_listed() {
    let (estate, _api) = prod(KEYS, &json!({}));
    let private = json!({"resourcesVpcConfig": {"endpointPublicAccess": false, "endpointPrivateAccess": true}});
    estate.eks("eu-central-1", "batch", &private).eks("eu-central-1", "test", &json!({"version": "1.32"}));
    estate.eks("us-east-1", "elsewhere", &json!({}));
    let listed = console(&estate).list(&[("region", "eu-central-1")]).await.unwrap();
    let expected =
        ["batch eu-central-1 1.33 Private", "prod eu-central-1 1.33 Public", "test eu-central-1 1.32 Public"];
    assert_eq!((shown(&listed), listed.missing.len()), (expected.map(str::to_owned).to_vec(), 0));
    let nowhere = console(&estate).list(&[("region", "")]).await.unwrap_err();
    assert!(nowhere.contains("Enter a region"), "{nowhere}");
    estate.says("eu-central-1", "eks:ListClusters", Says::Denied);
    let denied = console(&estate).list(&PROD).await.unwrap_err();
    assert!(denied.contains("eks:ListClusters"), "{denied}");
}

#[tokio::test]
async fn a_client_gets_a_token_for_an_eks_cluster_and_no_key() {
    let (estate, api) = prod(SESSION, &json!({}));
    let console = console(&estate);
    let issued = console.issue("eks_token", &[&PROD[..], &[("role", ROLE)]].concat()).await.unwrap();
    assert_eq!(issued.fields.get("server"), api.url());
    assert!(enters(&issued).await && !issued.fields.get("token").contains(SECRET));
    assert!(issued.left().is_some_and(|left| left > Duration::from_secs(13 * 60)));
    let absent = console.issue("eks_token", &[("region", "eu-central-1"), ("cluster", "test")]).await.unwrap_err();
    assert!(absent.contains("There is no cluster test"), "{absent}");
}
