//! The token for an EKS cluster, compared with the one that botocore signs.

use std::sync::Arc;

use secrecy::ExposeSecret;
use strongroom::credentials::aws::RoleArn;
use strongroom::providers::aws::{Access, Assume, Endpoints as AwsEndpoints, Region, Session, eks_login};

use super::*;
use crate::support::peers::lambda::{KEY, Lambda, ROLE, SECRET, SESSION};
use crate::support::peers::managed_clusters::{is_by, parameter, presigned};

fn access(id: &str, secret: &str) -> Access {
    let values = [("method", "access_key"), ("access_key_id", id), ("secret_access_key", secret)];
    Access::read(&values.into_iter().collect()).unwrap()
}

fn now() -> i64 {
    chrono::Utc::now().timestamp()
}

#[tokio::test]
async fn an_eks_token_equals_the_one_that_botocore_signs() {
    let endpoints = Arc::new(AwsEndpoints::default());
    for name in ["eu-central-1", "cn-north-1", "us-gov-west-1"] {
        let region = Region::parse(name).unwrap();
        let session = Session::open(&access(KEY, SECRET).origin, &region, &loopback(), &endpoints).await.unwrap();
        let token = eks_login::token(&session, &region, "prod_1").await.unwrap();
        assert_eq!(token.lifetime, Duration::from_secs(14 * 60));
        let token = token.secret.expose_secret();
        let url = presigned(token).unwrap();
        assert_eq!(parameter(&url, "X-Amz-Expires").as_deref(), Some("60"));
        assert_eq!(parameter(&url, "X-Amz-SignedHeaders").as_deref(), Some("host;x-k8s-aws-id"));
        assert!(!token.contains('=') && url.scheme() == "https", "{token}");
        let keys = (KEY, SECRET, "");
        assert!(is_by(token, name, "prod_1", keys, now()), "{url}");
        assert!(!is_by(token, name, "prod_2", keys, now()), "it is for one cluster");
        assert!(!is_by(token, name, "prod_1", (KEY, "another", ""), now()), "it is by one identity");
        assert!(!is_by(token, name, "prod_1", keys, now() + 900), "it ends");
    }
}

#[tokio::test]
async fn a_role_signs_with_the_keys_of_its_session() {
    let aws = Lambda::start();
    let url = aws.url();
    let endpoints = Arc::new(AwsEndpoints::new([("AWS_ENDPOINT_URL", url.as_str())]));
    let region = Region::parse("eu-central-1").unwrap();
    let session = Session::open(&access(KEY, SECRET).origin, &region, &loopback(), &endpoints).await.unwrap();
    let session = session.assume(&Assume::new(&RoleArn::parse(ROLE).unwrap(), "", "prod")).await.unwrap();
    let token = eks_login::token(&session, &region, "prod").await.unwrap();
    let token = token.secret.expose_secret();
    assert!(is_by(token, "eu-central-1", "prod", SESSION, now()), "{:?}", presigned(token));
    assert_eq!(presigned(token).unwrap().host_str(), Some("sts.eu-central-1.amazonaws.com"), "whatever moved STS");
}
