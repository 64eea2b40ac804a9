//! The Test of an AWS credential: who is it, may it assume its role and those of its integrations, how old is its key.
//! Nothing is kept.

use std::sync::Arc;
use std::time::Duration;

use aws_smithy_types::DateTime;
use chrono::Utc;
use tokio::time::Instant;

use super::refusal::Refusal;
use super::roles::{self, Wanted, failed};
use super::session::Caller;
use super::{Access, Assume, Endpoints, Origin, Region, Session, policies};
use crate::form::Values;
use crate::providers::ProviderError;
use crate::providers::egress::Egress;
use crate::providers::probe::{Finding, LIMIT};

/// IAM's dates are an extra: a test does not wait long for them.
const EXTRA: Duration = Duration::from_secs(2);

/// Of the time of a test, this is kept for saying what was found.
const RESERVE: Duration = Duration::from_secs(1);

/// Tests the values of an AWS credential, and the roles that the integrations which use it name. Beside the values may
/// stand `role_arn` and `external_id`, for an access key too.
pub async fn probe(values: &Values, wanted: &[Wanted], egress: &Egress, endpoints: &Endpoints) -> Finding {
    let deadline = Instant::now() + (LIMIT - RESERVE);
    let whole = examine(values, wanted, deadline, egress, endpoints);
    tokio::time::timeout(LIMIT, whole)
        .await
        .unwrap_or_else(|_| failed(&ProviderError::Timeout { host: "AWS".to_owned() }))
}

async fn examine(
    values: &Values,
    wanted: &[Wanted],
    deadline: Instant,
    egress: &Egress,
    endpoints: &Endpoints,
) -> Finding {
    let access = match Access::read(values) {
        Ok(access) => access,
        Err(error) => return failed(&error),
    };
    let partition = access.role.as_ref().map_or("aws", |role| role.partition());
    let region = endpoints.region().unwrap_or_else(|| Region::first_of(partition));
    let endpoints = Arc::new(endpoints.clone());
    let session = match Session::open(&access.origin, &region, egress, &endpoints).await {
        Ok(session) => session,
        Err(error) => return failed(&error),
    };
    let caller = match session.caller().await {
        Ok(caller) => caller,
        Err(error) => return failed(&error),
    };
    let known = |finding: Finding| finding.fact("Account", caller.account.clone()).fact("ARN", caller.arn.clone());
    let role = access.role.as_ref().map(|role| Assume::new(role, values.get("external_id"), "test"));
    let (assumed, tried, dates) = tokio::join!(
        assumed(&session, role.as_ref()),
        roles::try_all(&session, wanted, deadline),
        dates(&session, &access.origin),
    );
    let finding = match assumed {
        Ok(None) => known(Finding::ok(works(&access.origin))),
        Ok(Some(own)) => {
            known(Finding::ok(format!("{} It may assume the role.", works(&access.origin)))).fact("Role", own.arn)
        }
        Err(error) => {
            let finding = known(failed(&error));
            match (&error, &role) {
                (ProviderError::Aws(refusal), Some(role)) => explained(finding, refusal, &caller, role),
                _ => finding,
            }
        }
    };
    let mut finding = tried.told(finding, &caller);
    finding.identity = Some(caller.arn);
    finding.dated(dates.0, dates.1)
}

fn works(origin: &Origin) -> &'static str {
    match origin {
        Origin::AccessKey { .. } => "The key is valid.",
        Origin::Environment => "The environment offers an IAM role, and AWS knows it.",
    }
}

/// Goes on into the role and asks who that is.
async fn assumed(session: &Session, role: Option<&Assume>) -> Result<Option<Caller>, ProviderError> {
    let Some(role) = role else { return Ok(None) };
    session.assume(role).await?.caller().await.map(Some)
}

/// The statements that may be missing, the likeliest first.
fn explained(mut finding: Finding, refusal: &Refusal, caller: &Caller, role: &Assume) -> Finding {
    let (own, trust) =
        (policies::may_assume(Some(&caller.arn), &[&role.role]), policies::trusts(Some(&caller.arn), role));
    let (remedy, snippets) = match refusal {
        Refusal::MayNotAssume { .. } => ("Add this statement to the policy of the key's user.", vec![own]),
        Refusal::NotTrusted { .. } => ("Add this statement to the trust policy of the role.", vec![trust]),
        Refusal::NotAssumed { .. } => (
            "Check that the role exists. Then check that both statements are there: the first is missing more often.",
            vec![own, trust],
        ),
        _ => return finding,
    };
    finding.remedy = remedy.to_owned();
    finding.snippets = snippets;
    finding
}

/// When an access key was made and last used, where its own permissions let it ask.
async fn dates(session: &Session, origin: &Origin) -> (Option<Moment>, Option<Moment>) {
    let Origin::AccessKey { id, .. } = origin else { return (None, None) };
    let iam = session.iam();
    let made = async {
        let keys = iam.list_access_keys().send().await.ok()?;
        let own = keys.access_key_metadata.into_iter().find(|key| key.access_key_id.as_ref() == Some(id))?;
        moment(own.create_date.as_ref()?)
    };
    let used = async {
        let answer = iam.get_access_key_last_used().access_key_id(id).send().await.ok()?;
        moment(answer.access_key_last_used?.last_used_date.as_ref()?)
    };
    let both = async { tokio::join!(made, used) };
    tokio::time::timeout(EXTRA, both).await.unwrap_or_default()
}

type Moment = chrono::DateTime<Utc>;

fn moment(at: &DateTime) -> Option<Moment> {
    Moment::from_timestamp(at.secs(), 0)
}
