//! The least policies that a credential and its integrations need, with the real names: those that lead into a role
//! follow from the roles that are named, the others are declared by each provider of `integrations`. Nothing is opened
//! for this.

use crate::credentials::aws::RoleArn;
use crate::draft::Shown;
use crate::form::Values;
use crate::integrations::{Spec, azure, google};
use crate::models::integrations::Integration;
use crate::models::trust::Trusted;
use crate::providers::aws::{Assume, policies};

/// Integrations that are looked at; more of them need the same.
pub const MOST_INTEGRATIONS: i64 = 50;

/// Captions and texts to copy.
pub struct Policies {
    pub list: Vec<(String, String)>,
    /// A test would put the real name of the caller into them.
    pub wants_test: bool,
}

/// `identity` is whose the key is by its own values, `caller` the same as a test was told; `integrations` are those of
/// the credential, as Strongroom saved them.
pub fn of(shown: &Shown, identity: &str, caller: Option<&str>, integrations: &[Trusted<Integration>]) -> Policies {
    let mut roles: Vec<Assume> = own_role(shown).into_iter().collect();
    let mut needs = Vec::new();
    for row in integrations {
        let Some(spec) = Spec::find(&row.version) else { continue };
        let settings = Values::from_json(row.settings.as_bytes()).unwrap_or_default();
        let granted = (spec.grants)(&settings, &row.name);
        roles.extend(granted.role.map(|wanted| wanted.assume));
        needs.extend(granted.policies);
    }
    let mut list = if roles.is_empty() { shown.policies.clone() } else { into_roles(caller, &roles) };
    list.extend(
        needs.into_iter().map(|(caption, text)| (filled(caption, shown, identity), filled(text, shown, identity))),
    );
    Policies { list: merged(list), wants_test: caller.is_none() && !roles.is_empty() }
}

/// Each policy once: of one holder with all its resources, and of several that need the very same with all their names.
fn merged(list: Vec<(String, String)>) -> Vec<(String, String)> {
    let mut merged: Vec<(String, String)> = Vec::new();
    for (caption, text) in list {
        let of_holder = merged.iter_mut().find_map(|(known, before)| {
            let both = if *known == caption { policies::merged(before, &text) } else { None };
            both.map(|both| (before, both))
        });
        if let Some((before, both)) = of_holder {
            *before = both;
        } else if !merged.contains(&(caption.clone(), text.clone())) {
            merged.push((caption, text));
        }
    }
    let mut joined: Vec<(String, String)> = Vec::new();
    for (caption, text) in merged {
        let same = joined.iter_mut().filter(|(_, known)| *known == text);
        let both = same.map(|(known, _)| (joined_captions(known, &caption), known)).find(|(both, _)| both.is_some());
        match both {
            Some((Some(both), known)) => *known = both,
            _ => joined.push((caption, text)),
        }
    }
    joined
}

/// `Trust policy of A: who may assume it` and the same of B: `Trust policy of A, B: who may assume it`.
fn joined_captions(one: &str, other: &str) -> Option<String> {
    let ((holder, what), (other, same)) = (one.split_once(": ")?, other.split_once(": ")?);
    let ((kind, _), (other_kind, name)) = (holder.split_once(" of ")?, other.split_once(" of ")?);
    (what == same && kind == other_kind).then(|| format!("{holder}, {name}: {what}"))
}

/// A text with what only the credential knows.
fn filled(text: String, shown: &Shown, identity: &str) -> String {
    let line = |of: &str| shown.lines.iter().find(|(label, _)| label == of).map(|(_, text)| text.as_str());
    // An identity that a machine has by itself has no ID that the credential knows.
    let client = Some(identity).filter(|identity| !identity.contains(' '));
    let known = [
        (azure::CLIENT, client),
        (azure::OWN_SUBSCRIPTION, line("Subscription")),
        (google::ACCOUNT, Some(identity)),
        (google::OWN_PROJECT, line("Project")),
    ];
    known.into_iter().fold(text, |text, (name, value)| match value {
        Some(value) if !value.is_empty() => text.replace(name, value),
        _ => text,
    })
}

/// The role that the credential itself goes on to.
fn own_role(shown: &Shown) -> Option<Assume> {
    let role = shown.values.get("role_arn").and_then(|arn| RoleArn::parse(arn).ok())?;
    Some(Assume::new(&role, "", ""))
}

/// One policy for the caller, and a trust policy for each role.
fn into_roles(caller: Option<&str>, roles: &[Assume]) -> Vec<(String, String)> {
    let mut arns: Vec<&str> = roles.iter().map(|assume| assume.role.as_str()).collect();
    arns.sort_unstable();
    arns.dedup();
    let mut list = vec![policies::may_assume(caller, &arns)];
    for role in roles {
        let trust = policies::trusts(caller, role);
        if !list.contains(&trust) {
            list.push(trust);
        }
    }
    list
}
