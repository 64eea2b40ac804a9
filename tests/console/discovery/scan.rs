//! What a scan of an account finds in its regions, and what it says of a region that it cannot read.

use serde_json::json;
use strongroom::form::Values;
use strongroom::integrations::Spec;
use strongroom::integrations::cloud::key::Sort;

use super::{Work, facts, names};
use crate::support::peers::estate::Estate;
use crate::support::peers::lambda::{ROLE, Says};
use crate::support::peers::moto::ACCOUNT;

fn estate() -> Estate {
    let estate = Estate::start();
    estate.repositories("eu-central-1", &["team/a", "team/b", "team/c"]).repositories("us-east-1", &["web"]);
    estate.eks("eu-central-1", "prod", &json!({})).eks("eu-central-1", "dev", &json!({"status": "CREATING"}));
    estate.eks("eu-central-1", "test", &json!({})).ecs("us-east-1", "batch").with_region("ap-south-1");
    estate.lambda.holds("eu-central-1", "pay", &json!({})).holds("eu-central-1", "mail", &json!({}));
    estate.lambda.holds("eu-central-1", "pay-out", &json!({}));
    estate
}

#[tokio::test]
async fn registries_functions_and_clusters_of_all_regions_are_found() {
    let estate = estate();
    let scan = Work::at(&estate.url()).scan().await.unwrap();
    assert_eq!(scan.gaps, []);
    let expected = [
        "ecr/eu-central-1",
        "ecr/us-east-1",
        "ecs/us-east-1/batch",
        "eks/eu-central-1/dev",
        "eks/eu-central-1/prod",
        "eks/eu-central-1/test",
        "lambda/eu-central-1",
    ];
    assert_eq!(names(&scan), expected);
    assert!(scan.items.iter().all(|item| item.place == ACCOUNT));
    let registry = facts(&scan, "ecr/eu-central-1");
    let host = format!("{ACCOUNT}.dkr.ecr.eu-central-1.amazonaws.com");
    assert_eq!((registry.sort, registry.number, registry.address.as_str()), (Sort::Registry, Some(3), host.as_str()));
    assert_eq!((registry.service.as_str(), registry.scope), ("Amazon ECR", format!("registry/{host}")));
    let functions = facts(&scan, "lambda/eu-central-1");
    assert_eq!((functions.number, functions.scope), (Some(3), format!("functions/aws/{ACCOUNT}/eu-central-1")));
    let cluster = facts(&scan, "eks/eu-central-1/prod");
    assert_eq!(
        (cluster.version.as_str(), cluster.state.as_str(), cluster.access.as_str()),
        ("1.33", "ACTIVE", "Public")
    );
    assert!(cluster.address.ends_with("eu-central-1.eks.amazonaws.com") && cluster.scope.is_empty());
    assert_eq!(cluster.made.map(|at| at.timestamp()), Some(1_772_366_400));
    assert_eq!(facts(&scan, "ecs/us-east-1/batch").title, "batch");
    assert!(scan.covers.is_empty(), "a cloud scan lists what others scan");
}

#[tokio::test]
async fn a_role_is_assumed_and_the_form_of_a_scan_has_it_whole() {
    let estate = estate();
    let work = Work::at(&estate.url()).with("sts", "on").with("role", "function-reader").with("regions", "us-east-1");
    let scan = work.scan().await.unwrap();
    assert_eq!(names(&scan), ["ecr/us-east-1", "ecs/us-east-1/batch"], "only the region that was named");
    assert_eq!(estate.asked("us-east-1", "account"), 0, "nobody asks for the others");
    let add = facts(&scan, "ecr/us-east-1").add;
    assert!(add.contains(&("role".to_owned(), ROLE.to_owned())), "{add:?}");
}

#[tokio::test]
async fn a_region_that_cannot_be_read_is_a_gap_with_its_own_way_out() {
    let estate = estate();
    estate.says("us-east-1", "ecr:DescribeRepositories", Says::Denied);
    estate.says("eu-central-1", "ecr:DescribeRepositories", Says::DeniedByOrganization);
    estate.says("ap-south-1", "ecs:ListClusters", Says::Off);
    estate.says("eu-central-1", "eks:DescribeCluster", Says::Denied);
    let scan = Work::at(&estate.url()).scan().await.unwrap();
    assert_eq!(names(&scan), ["ecs/us-east-1/batch", "lambda/eu-central-1"]);
    let told: Vec<String> = scan.gaps.iter().map(ToString::to_string).collect();
    let said = |words: &[&str]| told.iter().any(|told| words.iter().all(|word| told.contains(word)));
    assert!(said(&["Listing the repositories of us-east-1", "does not allow ecr:DescribeRepositories"]), "{told:?}");
    assert!(
        said(&["repositories of eu-central-1", "service control policy of the AWS organization denies"]),
        "{told:?}"
    );
    assert!(said(&["Listing the clusters of ap-south-1", "is not switched on for this account"]), "{told:?}");
    assert!(said(&["Reading the cluster of prod in eu-central-1", "eks:DescribeCluster"]), "{told:?}");
    let hidden = |name: &str| scan.gaps.iter().any(|gap| gap.hides.may_be(ACCOUNT, name));
    assert!(hidden("ecr/us-east-1") && hidden("ecs/ap-south-1/x") && hidden("eks/eu-central-1/prod"));
    assert!(!hidden("ecs/us-east-1/gone") && !hidden("lambda/us-east-1") && !hidden("AKIAKEYKEYKEYKEYKEY1"));
}

#[tokio::test]
async fn regions_that_cannot_be_listed_are_told_once_with_the_other_way() {
    let estate = estate();
    estate.lambda.lists_no_regions();
    let error = Work::at(&estate.url()).scan().await.unwrap_err().to_string();
    assert!(error.starts_with("Listing the regions failed") && error.contains("account:ListRegions"), "{error}");
    assert!(error.ends_with("Or enter the regions under Regions."), "once: {error}");
    let scan = Work::at(&estate.url()).with("regions", "us-east-1").scan().await.unwrap();
    assert_eq!((scan.items.len(), scan.gaps.len()), (2, 0));
}

#[tokio::test]
async fn an_account_without_anything_is_no_failure_beside_a_gap() {
    let estate = Estate::start();
    estate.with_region("eu-central-1").says("us-east-1", "ecr:DescribeRepositories", Says::Denied);
    let scan = Work::at(&estate.url()).scan().await.unwrap();
    assert_eq!((scan.items.len(), scan.gaps.len()), (0, 1));
}

#[tokio::test]
async fn a_busy_service_is_asked_again_and_a_deleted_cluster_is_no_gap() {
    let estate = estate();
    estate.says("us-east-1", "ecr:DescribeRepositories", Says::Busy(2));
    let gone = json!({"message": "No cluster found"});
    let gone = crate::support::peers::receiver::Said::json(404, &gone);
    estate.says("eu-central-1", "eks:DescribeCluster", Says::Raw(gone));
    let scan = Work::at(&estate.url()).scan().await.unwrap();
    assert_eq!((scan.gaps.len(), facts(&scan, "ecr/us-east-1").number), (0, Some(1)));
    assert!(!names(&scan).contains(&"eks/eu-central-1/prod"));
}

#[tokio::test]
async fn a_test_of_the_connection_reads_one_page_and_names_missing_rights() {
    let estate = estate();
    let told = Work::at(&estate.url()).check().await.unwrap();
    let expected = "Amazon ECR lists 1 repository on the first page of us-east-1. AWS Lambda lists 0 functions on the first \
                    page of us-east-1. Amazon EKS lists 0 clusters and Amazon ECS 1 on the first page of us-east-1.";
    assert_eq!(told, expected);
    assert_eq!(estate.asked("eu-central-1", "ecr"), 0);
    estate.says("us-east-1", "ecr:DescribeRepositories", Says::Denied);
    estate.lambda.lists_no_regions();
    let told = Work::at(&estate.url()).check().await.unwrap_err();
    assert!(told.contains("does not allow account:ListRegions, ecr:DescribeRepositories"), "{told}");
}

#[tokio::test]
async fn each_part_has_the_least_rights_of_its_own() {
    let spec = Spec::find("aws_account").unwrap();
    let parts = [("account", ACCOUNT), ("partition", "aws"), ("registries", "on"), ("clusters", "on")];
    let settings = Values::from_iter(parts);
    let grants = (spec.grants)(&settings, "Estate");
    let [(registries, first), (clusters, second)] = &grants.policies[..] else { panic!("{:?}", grants.policies) };
    assert!(registries.ends_with("may list the repositories of all regions"), "{registries}");
    assert!(clusters.ends_with("may list the clusters of all regions"), "{clusters}");
    assert!(first.contains("account:ListRegions") && first.contains("ecr:DescribeRepositories"));
    assert!(!first.contains("eks:") && second.contains("eks:DescribeCluster") && second.contains("ecs:ListClusters"));
    let named = Values::from_iter(parts.into_iter().chain([("regions", "eu-central-1")]));
    let grants = (spec.grants)(&named, "Estate");
    assert!(grants.policies.iter().all(|(_, text)| !text.contains("account:ListRegions")));
    let other = Values::from_iter(parts.into_iter().chain([("regions", "cn-north-1")]));
    assert!((spec.suits)(&other, "aws", &Values::default()).is_err());
}
