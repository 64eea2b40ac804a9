//! Many integrations of one credential at one moment, as after a night in which the console was off.

use strongroom::credentials::aws::KIND;
use strongroom::form::{self, Values};
use strongroom::integrations::Spec;
use strongroom::integrations::context::{Context, Secret};
use strongroom::providers::aws::Sessions;
use strongroom::providers::tokens::Stored;
use uuid::Uuid;

use super::{arn, at, key, loopback};
use crate::support::outside::World;
use crate::support::peers::moto::{ACCOUNT, Moto};

#[tokio::test]
async fn two_hundred_integrations_on_one_credential_assume_its_role_once() {
    let moto = Moto::start().await;
    let pair = moto.user("scanner").await;
    let role = moto.role("registry-reader", &arn("scanner")).await;
    moto.allow("scanner", "sts:AssumeRole", &role).await;
    // The role may do nothing, so that each scan ends with its first call after the session.
    moto.arrange("iam", "DeleteRolePolicy", &[("RoleName", "registry-reader"), ("PolicyName", "read")]).await;
    let (sessions, values) = (Sessions::new(loopback(), at(&moto.url())), key(&pair));
    let (credential, registry) = (Uuid::new_v4(), format!("{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com"));
    let posted = [("registry", registry.as_str()), ("sts", "on"), ("role", &role)];
    let spec = Spec::find("ecr").expect("it is listed");
    let settings: Values = form::check(spec.fields, &Values::from_iter(posted), None).expect("good settings");
    let names: Vec<String> = (0..200).map(|number| format!("registry {number}")).collect();
    let world = World { aws: sessions, ..World::new(loopback(), Default::default()) };
    let stored = Some(Stored { credential, secret_version: 1 });
    let secret = Secret { kind: &KIND, values: &values, stored };
    let contexts: Vec<Context> =
        names.iter().map(|name| Context::new(world.outside(), &settings, name, Some(secret))).collect();
    let scans = contexts.iter().map(|cx| spec.scanner().unwrap().scan(cx));
    let ended = futures_util::future::join_all(scans).await;
    assert!(ended.iter().all(|scan| scan.as_ref().is_err_and(|error| error.to_string().contains("ecr:"))), "{ended:?}");
    let actions = moto.actions();
    assert_eq!(actions.iter().filter(|action| *action == "AssumeRole").count(), 1, "{actions:?}");
}
