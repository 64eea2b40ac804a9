//! A scan of Amazon ECR, as `runs` would start it: with a key that may only assume a role, and with the role of the
//! environment.

use strongroom::credentials::{Kind, aws::KIND};
use strongroom::form::{self, Values};
use strongroom::integrations::Spec;
use strongroom::integrations::context::{Context, Outside, Secret};
use strongroom::integrations::scan::Gap;
use strongroom::providers::aws::{Endpoints, Sessions};
use strongroom::providers::egress::Egress;
use strongroom::providers::tokens::Stored;
use uuid::Uuid;

use super::{arn, at, hasty, key, loopback};
use crate::support::images::{Image, Scanned};
use crate::support::outside::World;
use crate::support::peers::moto::{ACCOUNT, Moto, inside};
use crate::support::peers::scripted::{Reply, Scripted};

pub(super) struct Scan {
    settings: Vec<(&'static str, String)>,
    credential: (&'static Kind, Values),
    stored: (Uuid, i32),
    sessions: Sessions,
    egress: Egress,
}

impl Scan {
    pub(super) fn new(values: Values, endpoints: Endpoints) -> Self {
        let registry = format!("{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com");
        Self {
            settings: vec![("registry", registry)],
            credential: (&KIND, values),
            stored: (Uuid::new_v4(), 1),
            sessions: Sessions::new(loopback(), endpoints),
            egress: loopback(),
        }
    }

    /// Gives up sooner than the product.
    pub(super) fn hasty(self) -> Self {
        Self { sessions: Sessions::new(hasty(), self.sessions.endpoints().clone()), egress: hasty(), ..self }
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.settings.push((name, value.to_owned()));
        self
    }

    pub(super) async fn run(&self) -> Result<Vec<Image>, Gap> {
        Ok(self.whole().await?.images)
    }

    pub(super) async fn whole(&self) -> Result<Scanned, Gap> {
        let spec = Spec::find("ecr").unwrap();
        let posted = self.settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let settings = form::check(spec.fields, &posted, None).expect("the settings are good");
        let (credential, secret_version) = self.stored;
        let stored = Some(Stored { credential, secret_version });
        let secret = Secret { kind: self.credential.0, values: &self.credential.1, stored };
        let world = World::new(self.egress.clone(), Default::default());
        let outside = Outside { aws: &self.sessions, ..world.outside() };
        let cx = Context::new(outside, &settings, "Prod registry", Some(secret));
        spec.scanner().unwrap().scan(&cx).await.map(Scanned::from)
    }
}

fn names(images: &[Image]) -> Vec<String> {
    images.iter().map(|image| format!("{}:{}", image.repository, image.tag)).collect()
}

async fn filled() -> Moto {
    let moto = Moto::start().await;
    for repository in ["team/app", "team/web", "other"] {
        moto.repository(repository).await;
        for tag in ["1.0", "1.1"] {
            moto.image(repository, tag).await;
        }
    }
    moto
}

#[tokio::test]
async fn a_key_that_may_only_assume_a_role_scans_the_registry() {
    let moto = filled().await;
    let pair = moto.user("scanner").await;
    let role = moto.role("registry-reader", &arn("scanner")).await;
    moto.allow("scanner", "sts:AssumeRole", &role).await;

    let without = Scan::new(key(&pair), at(&moto.url())).run().await.unwrap_err().to_string();
    assert!(without.starts_with("Signing in failed") && without.contains("ecr:GetAuthorizationToken"), "{without}");

    let mut scan = Scan::new(key(&pair), at(&moto.url())).with("sts", "on").with("role", "registry-reader");
    scan = scan.with("repository", "team/*").with("exclude_tags", "1.0");
    let images = scan.run().await.unwrap();
    assert_eq!(names(&images), ["team/app:1.1", "team/web:1.1"]);
    assert!(images.iter().all(|image| image.pushed_at.is_some() && image.digest.starts_with("sha256:")));
    assert!(images.iter().all(|image| image.size_bytes > 0));

    // The key is replaced on the credential's page: the next scan uses the new one.
    let rotated = moto.key("scanner").await;
    scan.credential.1 = key(&rotated);
    scan.stored.1 = 2;
    scan.run().await.unwrap();
    let last = moto.seen().into_iter().rfind(|request| request.action == "AssumeRole").unwrap();
    assert!(last.authorization.contains(&rotated.0));
    assert_eq!(scan.sessions.len(), 1, "the session of the old key is gone");
}

#[tokio::test]
async fn a_session_lasts_as_long_as_the_integration_says_but_an_hour_from_one_role_into_another() {
    let moto = filled().await;
    let pair = moto.user("scanner").await;
    let role = moto.role("registry-reader", "*").await;
    moto.allow("scanner", "sts:AssumeRole", &role).await;
    let asked = || {
        let seen = moto.seen();
        let calls = seen.iter().filter(|request| request.action == "AssumeRole");
        calls.map(|request| request.parameter("DurationSeconds").to_owned()).collect::<Vec<_>>()
    };
    let mut scan = Scan::new(key(&pair), at(&moto.url())).with("sts", "on").with("role", &role);
    scan.run().await.unwrap();
    scan.settings.push(("session_minutes", "720".to_owned()));
    scan.run().await.unwrap();
    scan.run().await.unwrap();
    assert_eq!(asked(), ["3600", "43200"], "one call for each length");

    let peer = task(&moto, &role).await;
    let endpoints = Endpoints::new([
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("{}/credentials", peer.url())),
        ("AWS_ENDPOINT_URL", moto.url()),
    ]);
    let scan = Scan::new(Values::from_iter([("method", "iam_role")]), endpoints).with("sts", "on");
    // The form refuses this; the credential may have changed since.
    let _ = scan.with("role", &role).with("session_minutes", "720").run().await;
    assert_eq!(asked()[2..], ["3600"]);
}

#[tokio::test]
async fn a_role_that_does_not_exist_is_named_with_what_to_check() {
    let moto = filled().await;
    let pair = moto.user("scanner").await;
    // AWS answers as if the permission lacked; where it is there, moto breaks.
    let scan = Scan::new(key(&pair), at(&moto.url())).with("sts", "on").with("role", "no-such-role");
    let error = scan.run().await.unwrap_err().to_string();
    let role = format!("arn:aws:iam::{ACCOUNT}:role/no-such-role");
    assert!(error.starts_with("Signing in failed") && error.contains(&role), "{error}");
    assert!(error.contains("Check that the role exists"), "{error}");
}

#[tokio::test]
async fn a_role_that_does_not_trust_the_key_ends_the_scan_with_its_name() {
    let moto = filled().await;
    let pair = moto.user("scanner").await;
    let role = moto.role("registry-reader", &arn("somebody-else")).await;
    moto.allow("scanner", "sts:AssumeRole", &role).await;
    let scan = Scan::new(key(&pair), at(&moto.url())).with("sts", "on").with("role", &role);
    let error = scan.run().await.unwrap_err().to_string();
    assert!(error.starts_with("Signing in failed") && error.contains(&role), "{error}");
}

/// A container endpoint that gives the keys of a role.
async fn task(moto: &Moto, role: &str) -> Scripted {
    let taken = moto.arrange("sts", "AssumeRole", &[("RoleArn", role), ("RoleSessionName", "task")]).await;
    let body = serde_json::json!({"AccessKeyId": inside(&taken, "AccessKeyId"), "Token": inside(&taken, "SessionToken"),
        "SecretAccessKey": inside(&taken, "SecretAccessKey"), "Expiration": "2999-01-01T00:00:00Z"});
    Scripted::start(move |_| Reply::json(&body)).await
}

#[tokio::test]
async fn the_role_of_the_environment_scans_the_registry() {
    let moto = filled().await;
    let role = moto.role("console", "*").await;
    let peer = task(&moto, &role).await;
    let endpoints = Endpoints::new([
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("{}/credentials", peer.url())),
        ("AWS_ENDPOINT_URL", moto.url()),
    ]);
    let scan = Scan::new(Values::from_iter([("method", "iam_role")]), endpoints);
    assert_eq!(scan.run().await.unwrap().len(), 6);
    scan.run().await.unwrap();
    assert_eq!(peer.seen().len(), 1, "the role's keys are kept");
}

#[tokio::test]
async fn a_cap_keeps_the_newest_and_an_unknown_repository_is_named() {
    let moto = filled().await;
    let pair = moto.user("scanner").await;
    moto.allow("scanner", "ecr:*", "*").await;
    let scan = Scan::new(key(&pair), at(&moto.url())).with("cap", "1");
    assert_eq!(names(&scan.run().await.unwrap()), ["other:1.1", "team/app:1.1", "team/web:1.1"]);
    let scan = Scan::new(key(&pair), at(&moto.url())).with("repository", "team/none");
    let error = scan.run().await.unwrap_err().to_string();
    assert!(error.starts_with("Listing the tags of team/none failed"), "{error}");
}
