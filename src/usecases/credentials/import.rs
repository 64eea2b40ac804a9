//! Many credentials from one file of another tool: first what it holds is shown, then the chosen ones are added, each by
//! itself, so that one that is refused takes no other with it. Nothing of the file is kept.

use super::{create, entered};
use crate::accounts::Role;
use crate::credentials::Kind;
use crate::credentials::import::{self, Candidate, Contents, Skipped};
use crate::form::Errors;
use crate::models::{CredentialId, credential_list};
use crate::names;
use crate::pasted;
use crate::services::Services;
use crate::usecases::{Principal, Refusal, read};

/// A credential that the file holds.
pub struct Offer {
    pub kind: &'static Kind,
    pub name: String,
    pub place: String,
    /// What people know it by; never a secret.
    pub identity: String,
    pub state: State,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    New,
    /// A credential with this identity is stored: its name.
    Stored(String),
    /// Its values pass no checks: why.
    Refused(String),
}

pub struct Preview {
    pub what: &'static str,
    pub offers: Vec<Offer>,
    pub skipped: Vec<Skipped>,
}

/// What became of a chosen candidate.
pub struct Outcome {
    pub name: String,
    pub done: Result<CredentialId, String>,
}

/// What a file holds, and what of it is new. A name that is taken gets a number.
pub async fn preview(services: &Services, principal: &Principal, text: &str) -> Result<Preview, Refusal> {
    principal.require(Role::Operator)?;
    let contents = import::read(text).map_err(|sentence| Refusal::Invalid(Errors::one("text", sentence)))?;
    preview_of(services, contents).await
}

/// The same of what was taken apart already.
pub(in crate::usecases) async fn preview_of(services: &Services, contents: Contents) -> Result<Preview, Refusal> {
    let mut offers: Vec<Offer> = contents.candidates.into_iter().map(offer).collect();
    let keys: Vec<String> = offers.iter().map(|offer| names::key(&offer.name)).collect();
    let identities: Vec<String> = offers.iter().map(|offer| offer.identity.clone()).collect();
    let known = read(services, move |conn, _| credential_list::alike(conn, &keys, &identities)).await?;
    let mut taken: Vec<String> = known.iter().map(|known| known.name_key.clone()).collect();
    for offer in &mut offers {
        let same = |known: &&credential_list::Known| known.kind == offer.kind.slug && known.identity == offer.identity;
        if let (State::New, Some(known)) =
            (&offer.state, known.iter().find(same).filter(|_| !offer.identity.is_empty()))
        {
            offer.state = State::Stored(known.name.clone());
        }
        offer.name = free(&offer.name, &taken);
        taken.push(names::key(&offer.name));
    }
    Ok(Preview { what: contents.what, offers, skipped: contents.skipped })
}

/// A name that pages may show: a token that stands where a name belongs, such as the user name of a registry, is none.
fn showable(name: &str, kind: &Kind) -> String {
    if pasted::holds_secret(name) { kind.label.to_owned() } else { name.to_owned() }
}

fn offer(mut candidate: Candidate) -> Offer {
    candidate.name = showable(&candidate.name, candidate.kind);
    candidate.values.set("name", candidate.name.as_str());
    let checked = entered::check(candidate.kind, &candidate.values, None);
    let facts = checked.and_then(|entered| (candidate.kind.examine)(&entered.values));
    let (identity, state) = match facts {
        Ok(facts) => (facts.identity, State::New),
        Err(errors) => (String::new(), State::Refused(first(&errors))),
    };
    Offer { kind: candidate.kind, name: candidate.name, place: candidate.place, identity, state }
}

fn first(errors: &Errors) -> String {
    errors.iter().next().map(|(_, sentence)| sentence.to_owned()).unwrap_or_default()
}

fn free(name: &str, taken: &[String]) -> String {
    let numbered = (2..).map(|number| format!("{name} {number}"));
    let mut names = std::iter::once(name.to_owned()).chain(numbered);
    names.find(|name| !taken.contains(&names::key(name))).unwrap_or_default()
}

/// Adds those of the file's candidates that `chosen` gives a name, by their number.
pub async fn add(
    services: &Services,
    principal: &Principal,
    text: &str,
    chosen: impl Fn(usize) -> Option<String>,
) -> Result<Vec<Outcome>, Refusal> {
    principal.require(Role::Operator)?;
    let contents = import::read(text).map_err(|sentence| Refusal::Invalid(Errors::one("text", sentence)))?;
    add_of(services, principal, contents, chosen).await
}

/// The same of what was taken apart already.
pub(in crate::usecases) async fn add_of(
    services: &Services,
    principal: &Principal,
    contents: Contents,
    chosen: impl Fn(usize) -> Option<String>,
) -> Result<Vec<Outcome>, Refusal> {
    let mut outcomes = Vec::new();
    for (number, mut candidate) in contents.candidates.into_iter().enumerate() {
        let Some(name) = chosen(number) else { continue };
        candidate.values.set("name", name.as_str());
        let done = match create(services, principal, candidate.kind, &candidate.values).await {
            Ok(id) => Ok(id),
            Err(Refusal::Invalid(errors)) => Err(first(&errors)),
            Err(Refusal::Conflict(text) | Refusal::Unacceptable(text)) => Err(text.to_owned()),
            Err(refusal) => return Err(refusal),
        };
        outcomes.push(Outcome { name: showable(&name, candidate.kind), done });
    }
    Ok(outcomes)
}
