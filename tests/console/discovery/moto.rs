//! The same against moto, which nobody wrote for this: enforcing for ECR and ECS, open for Lambda and EKS, of which it
//! refuses right signatures.

use serde_json::json;

use super::{Work, facts, names};
use crate::support::peers::moto::{ACCOUNT, Moto};

#[tokio::test]
async fn what_moto_has_is_found_in_its_regions() {
    let moto = Moto::start().await;
    moto.repository("team/app").await;
    moto.repository("team/web").await;
    moto.function("pay", "environment-canary").await;
    moto.make("ecs", "/", "AmazonEC2ContainerServiceV20141113.CreateCluster", &json!({"clusterName": "batch"})).await;
    let network = json!({"subnetIds": ["subnet-1", "subnet-2"]});
    let cluster =
        json!({"name": "prod", "roleArn": format!("arn:aws:iam::{ACCOUNT}:role/pay"), "resourcesVpcConfig": network});
    moto.make("eks", "/clusters", "", &cluster).await;
    let work = Work::at(&moto.url()).with("regions", "us-east-1, eu-west-1");
    let scan = work.scan().await.unwrap();
    assert_eq!(scan.gaps, []);
    assert_eq!(names(&scan), ["ecr/us-east-1", "ecs/us-east-1/batch", "eks/us-east-1/prod", "lambda/us-east-1"]);
    assert_eq!(facts(&scan, "ecr/us-east-1").number, Some(2));
    assert_eq!(facts(&scan, "lambda/us-east-1").number, Some(1));
    let cluster = facts(&scan, "eks/us-east-1/prod");
    assert!(cluster.state == "ACTIVE" && !cluster.version.is_empty() && cluster.made.is_some(), "{cluster:?}");
    assert_eq!(facts(&scan, "ecs/us-east-1/batch").state, "ACTIVE");
    assert!(scan.items.iter().all(|item| !item.facts.contains("environment-canary")));
}

#[tokio::test]
async fn the_least_rights_are_enough_and_a_missing_one_is_named() {
    let moto = Moto::start().await;
    moto.repository("team/app").await;
    let key = moto.user("scanner").await;
    let work = Work::at(&moto.url()).with("regions", "us-east-1").with("functions", "").with("clusters", "").by(&key);
    let told = work.scan().await.unwrap_err().to_string();
    assert!(told.contains("does not allow ecr:DescribeRepositories"), "{told}");
    moto.allow("scanner", "ecr:DescribeRepositories", "*").await;
    let scan = work.scan().await.unwrap();
    assert_eq!((names(&scan), scan.gaps.len()), (vec!["ecr/us-east-1"], 0));
    assert!(work.check().await.unwrap().contains("lists 1 repository"));
}
