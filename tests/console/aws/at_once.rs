//! Many integrations of one credential at one moment, as after a night in which the console was off.

use std::sync::Arc;

use strongroom::credentials::aws::KIND;
use strongroom::form::{self, Values};
use strongroom::integrations::registries::{Job, version};
use strongroom::providers::aws::Sessions;
use strongroom::providers::oci_registry::SentTo;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{arn, at, key, loopback};
use crate::support::peers::moto::{ACCOUNT, Moto};

#[tokio::test]
async fn two_hundred_integrations_on_one_credential_assume_its_role_once() {
    let moto = Moto::start().await;
    let pair = moto.user("scanner").await;
    let role = moto.role("registry-reader", &arn("scanner")).await;
    moto.allow("scanner", "sts:AssumeRole", &role).await;
    // The role may do nothing, so that each scan ends with its first call after the session.
    moto.arrange("iam", "DeleteRolePolicy", &[("RoleName", "registry-reader"), ("PolicyName", "read")]).await;
    let (sessions, values, egress) = (Sessions::new(loopback(), at(&moto.url())), key(&pair), loopback());
    let (credential, registry) = (Uuid::new_v4(), format!("{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com"));
    let posted = [("registry", registry.as_str()), ("sts", "on"), ("role", &role)];
    let version = version("ecr").expect("it is listed");
    let settings: Values = form::check(version.fields(), &Values::from_iter(posted), None).expect("good settings");
    let names: Vec<String> = (0..200).map(|number| format!("registry {number}")).collect();
    let scans = names.iter().map(|name| {
        version.scan(Job {
            settings: &settings,
            credential: Some((&KIND, &values)),
            egress: &egress,
            name,
            stored: Some((credential, 1)),
            aws: &sessions,
            progress: Arc::new(|_| {}),
            stop: CancellationToken::new(),
            sent_to: SentTo::default(),
        })
    });
    let ended = futures_util::future::join_all(scans).await;
    assert!(ended.iter().all(|scan| scan.as_ref().is_err_and(|error| error.to_string().contains("ecr:"))), "{ended:?}");
    let actions = moto.actions();
    assert_eq!(actions.iter().filter(|action| *action == "AssumeRole").count(), 1, "{actions:?}");
}
