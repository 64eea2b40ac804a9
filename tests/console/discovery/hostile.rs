//! Answers that AWS would not give: each costs its own list, and nothing else.

use serde_json::{Value, json};
use strongroom::providers::ProviderError;

use super::{Work, names};
use crate::support::peers::estate::Estate;
use crate::support::peers::lambda::Says;
use crate::support::peers::receiver::{Said, UPSTREAM};

const LISTS: [(&str, &str); 3] = [
    ("ecr:DescribeRepositories", "repositories"),
    ("eks:ListClusters", "clusters"),
    ("ecs:ListClusters", "clusterArns"),
];

/// A region with something of everything, and another one that misbehaves.
fn estate(action: &str, said: Said) -> Estate {
    let estate = Estate::start();
    estate.repositories("eu-central-1", &["app"]).eks("eu-central-1", "prod", &json!({})).ecs("eu-central-1", "batch");
    estate.says("us-east-1", action, Says::Raw(said));
    estate
}

const REST: [&str; 3] = ["ecr/eu-central-1", "ecs/eu-central-1/batch", "eks/eu-central-1/prod"];

/// What the one gap of such a scan is caused by.
async fn cause(estate: &Estate) -> ProviderError {
    let scan = Work::at(&estate.url()).scan().await.unwrap();
    assert_eq!(names(&scan), REST, "the rest is kept");
    let [gap] = &scan.gaps[..] else { panic!("{:?}", scan.gaps) };
    assert!(gap.at == "us-east-1" && !gap.to_string().contains(UPSTREAM), "{gap}");
    gap.cause.clone()
}

#[tokio::test]
async fn pages_in_a_circle_and_tokens_too_long_to_send_end() {
    for (action, member) in LISTS {
        let round = estate(action, Said::json(200, &json!({ member: [], "nextToken": "round and round" })));
        assert_eq!(cause(&round).await, ProviderError::BadAnswer, "{action}");
        let service = action.split(':').next().unwrap();
        assert!(round.asked("us-east-1", service) <= 3, "a circle is noticed");
        let long = estate(action, Said::json(200, &json!({ member: [], "nextToken": "t".repeat(10_000) })));
        assert_eq!(cause(&long).await, ProviderError::BadAnswer, "{action}");
    }
}

#[tokio::test]
async fn answers_that_are_no_lists_are_not_taken_for_empty_ones() {
    for (action, member) in LISTS {
        for odd in
            [json!({}), json!({ member: "none" }), json!({ member: null }), json!([]), json!({ member: [7, null] })]
        {
            assert_eq!(cause(&estate(action, Said::json(200, &odd))).await, ProviderError::BadAnswer, "{action} {odd}");
        }
        assert_eq!(cause(&estate(action, Said::html(200))).await, ProviderError::BadAnswer);
        assert_eq!(cause(&estate(action, Said::Endless)).await, ProviderError::TooLarge);
        assert!(matches!(cause(&estate(action, Said::Half)).await, ProviderError::Broken { .. }));
    }
}

#[tokio::test]
async fn a_silent_service_costs_its_region_in_time() {
    let silent = estate("eks:ListClusters", Said::Silent);
    assert!(matches!(cause(&silent).await, ProviderError::Timeout { .. }));
}

#[tokio::test]
async fn an_entry_that_cannot_be_one_is_left_out_and_told() {
    let estate = Estate::start();
    let odd = json!({"repositories": [{"repositoryName": "app"}, {"repositoryName": 7}, null, "x"]});
    estate.says("us-east-1", "ecr:DescribeRepositories", Says::Raw(Said::json(200, &odd)));
    let odd = json!({"clusters": ["good", "../../iam", "<script>", "x".repeat(300), 7]});
    estate.says("us-east-1", "eks:ListClusters", Says::Raw(Said::json(200, &odd)));
    estate.eks(
        "us-east-1",
        "good",
        &json!({"version": null, "endpoint": "x".repeat(2_000), "resourcesVpcConfig": null}),
    );
    let scan = Work::at(&estate.url()).scan().await.unwrap();
    assert_eq!(names(&scan), ["ecr/us-east-1", "eks/us-east-1/good"]);
    assert_eq!(scan.gaps.len(), 2);
    let asked = estate.lambda.receiver.calls();
    assert!(asked.iter().all(|call| !call.path().contains("iam")), "no name leads elsewhere");
    let facts: Value = serde_json::from_str(&scan.items[1].facts).unwrap();
    assert_eq!((&facts["version"], &facts["address"], &facts["access"]), (&"".into(), &"".into(), &"".into()));
}

#[tokio::test]
async fn a_cluster_that_is_described_in_another_way_is_a_gap_of_its_own() {
    for odd in [json!({"cluster": []}), json!({}), json!({"cluster": {"createdAt": "yesterday"}})] {
        let estate = Estate::start();
        estate.eks("us-east-1", "prod", &json!({})).ecs("us-east-1", "batch");
        estate.says("us-east-1", "eks:DescribeCluster", Says::Raw(Said::json(200, &odd)));
        let scan = Work::at(&estate.url()).scan().await.unwrap();
        assert_eq!(names(&scan), ["ecs/us-east-1/batch"]);
        assert_eq!(scan.gaps.iter().map(|gap| gap.at.as_str()).collect::<Vec<_>>(), ["prod in us-east-1"], "{odd}");
    }
}
