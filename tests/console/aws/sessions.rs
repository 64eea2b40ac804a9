//! Kept sessions: one call for many who ask, a new one after an edit or shortly before the end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use aws_smithy_async::time::TimeSource;
use strongroom::credentials::aws::RoleArn;
use strongroom::providers::ProviderError;
use strongroom::providers::aws::{Access, Assume, Region, Session, Sessions, Source};
use strongroom::providers::tokens::Stored;
use uuid::Uuid;

use super::{arn, at, key, loopback};
use crate::support::peers::moto::Moto;

async fn ask(
    sessions: &Sessions,
    credential: Uuid,
    version: i32,
    access: &Access,
    role: &str,
) -> Result<Session, ProviderError> {
    let assume = Some(Assume::new(&RoleArn::parse(role).unwrap(), "", "Prod registry"));
    let region = Region::parse("us-east-1").unwrap();
    sessions.get(Source { stored: Some(Stored { credential, secret_version: version }), access, region, assume }).await
}

fn assumed(moto: &Moto) -> usize {
    moto.actions().iter().filter(|action| *action == "AssumeRole").count()
}

async fn trusted(moto: &Moto) -> (Access, String) {
    let pair = moto.user("scanner").await;
    let role = moto.role("registry-reader", &arn("scanner")).await;
    moto.allow("scanner", "sts:AssumeRole", &role).await;
    (Access::read(&key(&pair)).unwrap(), role)
}

#[tokio::test]
async fn two_hundred_integrations_that_start_at_once_make_one_call() {
    let moto = Moto::start().await;
    let (access, role) = trusted(&moto).await;
    let (sessions, id) = (Sessions::new(loopback(), at(&moto.url())), Uuid::new_v4());
    let all = futures_util::future::join_all((0..200).map(|_| ask(&sessions, id, 1, &access, &role))).await;
    assert!(all.iter().all(Result::is_ok));
    assert_eq!(assumed(&moto), 1, "{:?}", moto.actions());
}

#[tokio::test]
async fn a_refusal_is_shared_by_those_who_waited_and_asked_anew_by_those_who_come_later() {
    let moto = Moto::start().await;
    let (access, role) = trusted(&moto).await;
    moto.trust("registry-reader", &arn("somebody-else")).await;
    let (sessions, id) = (Sessions::new(loopback(), at(&moto.url())), Uuid::new_v4());
    let all = futures_util::future::join_all((0..50).map(|_| ask(&sessions, id, 1, &access, &role))).await;
    assert!(all.iter().all(Result::is_err));
    assert_eq!(assumed(&moto), 1);
    moto.trust("registry-reader", &arn("scanner")).await;
    assert!(ask(&sessions, id, 1, &access, &role).await.is_ok());
}

#[tokio::test]
async fn an_edited_secret_opens_a_session_of_its_own_and_the_old_one_is_dropped() {
    let moto = Moto::start().await;
    let (access, role) = trusted(&moto).await;
    let (sessions, id) = (Sessions::new(loopback(), at(&moto.url())), Uuid::new_v4());
    ask(&sessions, id, 1, &access, &role).await.map(drop).unwrap();
    let rotated = moto.key("scanner").await;
    let edited = Access::read(&key(&rotated)).unwrap();
    ask(&sessions, id, 2, &edited, &role).await.map(drop).unwrap();
    assert_eq!((assumed(&moto), sessions.len()), (2, 1));
    let last = moto.seen().into_iter().rfind(|request| request.action == "AssumeRole").unwrap();
    assert!(last.authorization.contains(&rotated.0), "it is signed by the new key");
    sessions.forget(id);
    assert!(sessions.is_empty());
}

/// The machine's clock, moved on by so many seconds.
#[derive(Clone, Debug, Default)]
struct Moved(Arc<AtomicU64>);

impl TimeSource for Moved {
    fn now(&self) -> SystemTime {
        SystemTime::now() + Duration::from_secs(self.0.load(Ordering::SeqCst))
    }
}

#[tokio::test]
async fn a_session_is_renewed_five_minutes_before_it_ends() {
    let moto = Moto::start().await;
    let (access, role) = trusted(&moto).await;
    let clock = Moved::default();
    let (sessions, id) = (Sessions::new(loopback(), at(&moto.url())).by_clock(clock.clone()), Uuid::new_v4());
    ask(&sessions, id, 1, &access, &role).await.map(drop).unwrap();
    clock.0.store(3600 - 5 * 60 - 60, Ordering::SeqCst);
    ask(&sessions, id, 1, &access, &role).await.map(drop).unwrap();
    assert_eq!(assumed(&moto), 1);
    clock.0.store(3600 - 5 * 60 + 1, Ordering::SeqCst);
    ask(&sessions, id, 1, &access, &role).await.map(drop).unwrap();
    assert_eq!(assumed(&moto), 2);
}
