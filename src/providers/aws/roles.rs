//! The roles that integrations name, tried with the credential that they use: side by side, within the time of one
//! Test. What lacks is told by the statement that has to be added, with the real ARNs in it. Which integrations name
//! which roles is known in `integrations`.

use futures_util::future::join_all;
use tokio::time::{Instant, timeout_at};

use super::session::Caller;
use super::{Assume, Refusal, Region, Session, policies};
use crate::providers::probe::{Finding, RoleFound, Verdict};
use crate::providers::{ProviderError, calls};

/// Most roles that one test tries.
pub const MOST: usize = 20;

/// A role that an integration names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The integration's name.
    pub used_by: String,
    /// Whose STS is asked.
    pub region: Region,
    pub assume: Assume,
}

/// One role, with everybody who names it in the same way: AWS is asked once.
struct Shared<'a> {
    first: &'a Wanted,
    used_by: Vec<String>,
}

fn shared(wanted: &[Wanted]) -> Vec<Shared<'_>> {
    let mut roles: Vec<Shared> = Vec::new();
    for one in wanted {
        // The name of the session does not decide.
        let what = |one: &Wanted| (one.region.clone(), Assume { session_name: String::new(), ..one.assume.clone() });
        match roles.iter_mut().find(|role| what(role.first) == what(one)) {
            Some(role) => role.used_by.push(one.used_by.clone()),
            None => roles.push(Shared { first: one, used_by: vec![one.used_by.clone()] }),
        }
    }
    roles
}

/// What AWS said of each role.
pub(super) struct Tried<'a> {
    roles: Vec<(Shared<'a>, Result<(), ProviderError>)>,
    /// How many roles there are in all.
    named: usize,
}

/// Tries up to [`MOST`] roles. Those that AWS has not answered for by the deadline count as unanswered.
pub(super) async fn try_all<'a>(session: &Session, wanted: &'a [Wanted], deadline: Instant) -> Tried<'a> {
    let mut roles = shared(wanted);
    let named = roles.len();
    roles.truncate(MOST);
    let calls = roles.iter().map(|role| async {
        let there = session.at(&role.first.region);
        let answer = timeout_at(deadline, there.assume(&role.first.assume)).await;
        answer.unwrap_or_else(|_| Err(ProviderError::Timeout { host: "AWS".to_owned() })).map(drop)
    });
    let answers = join_all(calls).await;
    Tried { roles: roles.into_iter().zip(answers).collect(), named }
}

impl Tried<'_> {
    /// Adds the rows of the roles and, where one lacks something, what to do about it.
    pub fn told(&self, mut finding: Finding, caller: &Caller) -> Finding {
        if self.roles.is_empty() {
            return finding;
        }
        finding.roles = self.roles.iter().map(row).collect();
        let refused: Vec<&ProviderError> = self.roles.iter().filter_map(|(_, answer)| answer.as_ref().err()).collect();
        if finding.verdict == Verdict::Ok {
            match refused[..] {
                [] => finding.sentence = format!("{} {}", finding.sentence, self.all_work()),
                [only] if self.roles.len() == 1 => finding = failed(only).with_facts_of(finding),
                _ => {
                    finding.verdict = worst(&finding.roles);
                    let (few, all) = (refused.len(), self.roles.len());
                    finding.sentence = format!(
                        "AWS knows the credential, but {few} of the {all} roles that its integrations name cannot be \
                         assumed with it."
                    );
                    finding.remedy = "The table says what AWS answered for each role.".to_owned();
                }
            }
        }
        if self.named > self.roles.len() {
            let (tried, named) = (self.roles.len(), self.named);
            finding.sentence = format!("{} Only the first {tried} of {named} roles were tried.", finding.sentence);
        }
        let statements = self.statements(caller);
        if let Some(remedy) = remedy(&statements, self.is_sure()) {
            finding.remedy = remedy.to_owned();
        }
        finding.snippets.extend(statements);
        finding
    }

    fn all_work(&self) -> String {
        match self.roles.len() {
            1 => "The role that its integrations name may be assumed.".to_owned(),
            several => format!("All {several} roles that its integrations name may be assumed."),
        }
    }

    /// Whether AWS told for each role which of the two policies lacks something.
    fn is_sure(&self) -> bool {
        !self.roles.iter().any(|(_, answer)| matches!(answer, Err(ProviderError::Aws(Refusal::NotAssumed { .. }))))
    }

    /// One policy for the caller, and one trust policy for each role that may lack it.
    fn statements(&self, caller: &Caller) -> Vec<(String, String)> {
        let refused = |wanted: fn(&Refusal) -> bool| {
            let roles = self
                .roles
                .iter()
                .filter(move |(_, answer)| matches!(answer, Err(ProviderError::Aws(refusal)) if wanted(refusal)));
            roles.map(|(role, _)| &role.first.assume)
        };
        let lacking = |refusal: &Refusal| matches!(refusal, Refusal::MayNotAssume { .. } | Refusal::NotAssumed { .. });
        let untrusting = |refusal: &Refusal| matches!(refusal, Refusal::NotTrusted { .. } | Refusal::NotAssumed { .. });
        let mut own: Vec<&str> = refused(lacking).map(|assume| assume.role.as_str()).collect();
        own.sort_unstable();
        own.dedup();
        let mut statements = Vec::new();
        if !own.is_empty() {
            statements.push(policies::may_assume(Some(&caller.arn), &own));
        }
        for assume in refused(untrusting) {
            let trust = policies::trusts(Some(&caller.arn), assume);
            if !statements.contains(&trust) {
                statements.push(trust);
            }
        }
        statements
    }
}

fn row((role, answer): &(Shared, Result<(), ProviderError>)) -> RoleFound {
    let (verdict, sentence) = match answer {
        Ok(()) => (Verdict::Ok, String::new()),
        Err(error) => {
            let found = failed(error);
            (found.verdict, found.sentence)
        }
    };
    RoleFound { used_by: role.used_by.clone(), role: role.first.assume.role.clone(), verdict, sentence }
}

/// The finding of a call that failed.
pub(super) fn failed(error: &ProviderError) -> Finding {
    let mut finding = calls::finding(error, "AWS");
    if *error == ProviderError::Aws(Refusal::NoRole) {
        finding.verdict = Verdict::NotHere;
    }
    finding
}

/// The first that somebody has to look at; else that AWS was busy.
fn worst(roles: &[RoleFound]) -> Verdict {
    let verdicts = || roles.iter().map(|role| role.verdict).filter(|verdict| *verdict != Verdict::Ok);
    verdicts().find(|verdict| verdict.is_failure()).or_else(|| verdicts().next()).unwrap_or(Verdict::Ok)
}

fn remedy(statements: &[(String, String)], sure: bool) -> Option<&'static str> {
    match (statements.len(), sure) {
        (0, _) => None,
        (1, true) => Some("Add the statement below to the policy that it is for."),
        (_, true) => Some("Add the statements below, each to the policy that it is for."),
        (_, false) => Some(
            "AWS doesn't say which of the two policies lacks its statement. Check that the \
             role exists, then that both are there: the caller's own is missing more often.",
        ),
    }
}
