//! A scan of an AWS account, as `runs` would start it.

use strongroom::credentials::aws::KIND;
use strongroom::form::{self, Values};
use strongroom::integrations::Spec;
use strongroom::integrations::cloud::key::Facts;
use strongroom::integrations::context::{Context, Outside, Secret};
use strongroom::integrations::scan::{Gap, Scan};
use strongroom::providers::aws::{Endpoints, Sessions};
use strongroom::providers::egress::Egress;

use super::{ACCOUNT, NEVER, OFF, OLD, SECRET, YOUNG, account};
use crate::support::outside::World;
use crate::support::peers::iam::Iam;

struct Work {
    settings: Values,
    credential: Values,
    sessions: Sessions,
    world: World,
}

impl Work {
    fn at(iam: &Iam) -> Self {
        let egress = Egress::new(vec!["127.0.0.0/8".parse().unwrap()]);
        let endpoints = Endpoints::new([("AWS_ENDPOINT_URL", iam.url().as_str())]);
        let posted = Values::from_iter([("account", "2109-8765-4321"), ("partition", "aws"), ("keys", "on")]);
        let fields = Spec::find("aws_account").unwrap().fields;
        Self {
            settings: form::check(fields, &posted, None).expect("the settings are good"),
            credential: Values::from_iter([
                ("method", "access_key"),
                ("access_key_id", "AKIASCANNERSCANNER01"),
                ("secret_access_key", SECRET),
            ]),
            sessions: Sessions::new(egress.clone(), endpoints),
            world: World::new(egress, Default::default()),
        }
    }

    fn context(&self) -> Context<'_> {
        let secret = Secret { kind: &KIND, values: &self.credential, stored: None };
        let outside = Outside { aws: &self.sessions, ..self.world.outside() };
        Context::new(outside, &self.settings, "Production", Some(secret))
    }

    async fn scan(&self) -> Result<Scan, Gap> {
        Spec::find("aws_account").unwrap().scanner().unwrap().scan(&self.context()).await
    }

    async fn check(&self) -> Result<String, String> {
        let check = Spec::find("aws_account").unwrap().check.unwrap();
        check(&self.context()).await.map(Option::unwrap_or_default).map_err(|failure| failure.to_string())
    }
}

fn facts(scan: &Scan, id: &str) -> Facts {
    let item = scan.items.iter().find(|item| item.name == id).unwrap_or_else(|| panic!("{id} in {scan:?}"));
    serde_json::from_str(&item.facts).unwrap()
}

#[tokio::test]
async fn every_key_of_an_account_is_found_with_owner_dates_and_last_use() {
    let iam = account().await;
    let scan = Work::at(&iam).scan().await.unwrap();
    assert_eq!(scan.gaps, []);
    let names: Vec<&str> = scan.items.iter().map(|item| item.name.as_str()).collect();
    assert_eq!(names, [NEVER, OFF, OLD, YOUNG, "root key 1"]);
    assert!(scan.items.iter().all(|item| item.place == ACCOUNT));
    let old = facts(&scan, OLD);
    assert_eq!((old.owner.as_str(), old.account.as_str(), old.kind.as_str()), ("ada", "example-prod", "aws"));
    assert_eq!(old.arn, format!("arn:aws:iam::{ACCOUNT}:user/ada"));
    assert_eq!(old.made.map(|at| at.timestamp()), Some(1_551_434_400));
    assert!(old.active && !old.never && old.used.is_some() && old.used_for() == "s3 in eu-central-1");
    assert!(facts(&scan, NEVER).never && !facts(&scan, OFF).active);
    let root = facts(&scan, "root key 1");
    assert!(root.root && root.made.is_none() && !root.never, "{root:?}");
    assert!(iam.peer.busiest() <= 8, "{}", iam.peer.busiest());
    assert!(
        iam.actions().iter().all(|action| action.starts_with("Get")
            || action.starts_with("List")
            || action == "GenerateCredentialReport")
    );
}

#[tokio::test]
async fn a_user_that_cannot_be_read_is_a_gap_and_the_rest_is_kept() {
    let iam = account().await;
    iam.account().denied.push("iam:ListAccessKeys ada".to_owned());
    let scan = Work::at(&iam).scan().await.unwrap();
    assert_eq!(scan.items.len(), 4);
    let [gap] = scan.gaps.as_slice() else { panic!("{:?}", scan.gaps) };
    let told = gap.to_string();
    assert!(told.starts_with("Reading the keys of ada failed") && told.contains("iam:ListAccessKeys"), "{told}");
    assert!(gap.hides.may_be(ACCOUNT, OLD) && !gap.hides.may_be("123456789012", OLD));

    iam.account().denied = vec!["iam:GetAccessKeyLastUsed".to_owned()];
    let scan = Work::at(&iam).scan().await.unwrap();
    assert_eq!((scan.items.len(), scan.gaps.len()), (5, 1), "said once: {:?}", scan.gaps);
    assert!(!facts(&scan, NEVER).never, "nobody knows");

    iam.account().denied = vec!["iam:GetAccountSummary".to_owned(), "iam:ListAccountAliases".to_owned()];
    let scan = Work::at(&iam).scan().await.unwrap();
    assert_eq!((scan.items.len(), scan.gaps.len()), (4, 1));
    assert!(scan.gaps[0].to_string().starts_with("Reading the keys of the root user failed"), "{:?}", scan.gaps);
    assert!(["root key 1", "root key 2"].iter().all(|name| scan.gaps[0].hides.may_be(ACCOUNT, name)));
}

#[tokio::test]
async fn a_credential_that_may_not_list_users_or_is_of_another_account_is_told_so() {
    let iam = account().await;
    iam.account().root_keys = 0;
    iam.account().denied.push("iam:ListUsers".to_owned());
    let error = Work::at(&iam).scan().await.unwrap_err().to_string();
    assert!(error.starts_with("Listing the users failed") && error.contains("iam:ListUsers"), "{error}");
    iam.account().id = "123456789012";
    let error = Work::at(&iam).scan().await.unwrap_err().to_string();
    assert!(error.contains("is one of account 123456789012, not of 210987654321"), "{error}");
}

#[tokio::test]
async fn a_test_of_the_connection_names_every_right_that_is_missing() {
    let iam = account().await;
    let work = Work::at(&iam);
    let told = work.check().await.unwrap();
    let expected = "AWS let Strongroom into account 210987654321 (example-prod) and lists 4 users on its first page. The \
                    root user has an access key.";
    assert_eq!(told, expected);
    iam.account().denied =
        ["iam:GetAccessKeyLastUsed", "iam:GetAccountSummary", "iam:ListAccountAliases"].map(str::to_owned).to_vec();
    let told = work.check().await.unwrap_err();
    assert!(
        told.contains("does not allow iam:ListAccountAliases, iam:GetAccountSummary, iam:GetAccessKeyLastUsed"),
        "{told}"
    );
    assert!(told.contains("Add those actions to the policy"), "{told}");
}

#[tokio::test]
async fn a_scan_that_looks_for_nothing_cannot_be_saved() {
    let spec = Spec::find("aws_account").unwrap();
    let none = Values::from_iter([("account", ACCOUNT), ("partition", "aws")]);
    assert!((spec.suits)(&none, "aws", &Values::default()).is_err());
    let chosen = Values::from_iter([
        ("account", ACCOUNT),
        ("partition", "aws-cn"),
        ("keys", "on"),
        ("sts", "on"),
        ("role", "r"),
    ]);
    assert!((spec.suits)(&chosen, "aws", &Values::default()).is_ok());
    assert_eq!(spec.host(&chosen).as_deref(), Some("iam.cn-north-1.amazonaws.com.cn"));
    let grants = (spec.grants)(&chosen, "Production");
    let captions: Vec<&str> = grants.policies.iter().map(|(caption, _)| caption.as_str()).collect();
    let role = format!("arn:aws-cn:iam::{ACCOUNT}:role/r");
    assert_eq!(captions[0], format!("Policy of {role}: may list the keys of all users"));
    assert!(grants.policies[0].1.contains("iam:GetAccessKeyLastUsed") && captions.len() == 2);
    assert!(grants.policies.iter().all(|(_, text)| !text.contains("Create") && !text.contains("Update")));
}
