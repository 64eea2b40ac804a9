//! Binding of stored secrets to destinations: before an integration sends one to a host that nobody sends it to yet,
//! the principal proves again who they are; when integrations are edited they also say that they mean it. A
//! credential that is written into a cluster needs an administrator, who confirms each such change. Nothing is sent
//! anywhere to find out.

use super::draft::Draft;
use crate::accounts::Role;
use crate::credentials::kubeconfig::{SERVER, address};
use crate::draft::Shown;
use crate::form::{Errors, Values, in_sentence};
use crate::integrations::Spec;
use crate::integrations::ca_certificate;
use crate::integrations::deployments::syncs::{self, NOWHERE};
use crate::integrations::spec::Host;
use crate::models::credentials::Credential;
use crate::models::events::{self, Action, NewEvent};
use crate::models::integrations::Integration;
use crate::models::trust::{Seen, Trusted};
use crate::models::usages::Usage;
use crate::models::{Conn, CredentialId, DbError, IntegrationId, credentials, usages};
use crate::services::Services;
use crate::usecases::confirmation::check_password;
use crate::usecases::{Confirmation, Principal, Question, Refusal, Unconfirmed, write};
use crate::vault::Vault;

const ADMINISTRATORS: &str =
    "Only an administrator can choose a credential that is written into a cluster, or change where it is written.";
const LOGIN: &str = "Only an administrator can choose another credential for a sync that writes secrets.";

/// A stored secret and the host that would get to know it.
#[derive(Clone, Debug)]
pub struct Destination {
    credential: CredentialId,
    credential_name: String,
    host: String,
    /// The integration that is edited, if one is.
    integration: Option<IntegrationId>,
    /// Role and label of a credential that is written to the destination, where others can read it.
    handed_on: Option<(&'static str, &'static str)>,
}

/// Where the secrets of a draft go.
#[derive(Debug, Default)]
pub struct Found {
    /// The destinations to which a credential has not been sent before.
    pub destinations: Vec<Destination>,
    /// The usages other than the main one.
    pub further: Vec<Usage>,
}

/// Checks the chosen credentials, and finds the new destinations of their secrets. `edited` is the row as saved.
pub fn find(
    conn: &mut Conn,
    vault: &Vault,
    draft: &Draft,
    edited: Option<&Integration>,
) -> Result<Result<Found, Errors>, DbError> {
    let Some(id) = draft.credential else { return Ok(Ok(Found::default())) };
    let Some(main) = trusted(conn, vault, id)? else { return Ok(Err(not_listed(draft))) };
    let mut found = Found::default();
    match judge(&main, draft, edited, |same| usages::known_destination(conn, vault, id, &draft.host, same))? {
        Ok(destination) => found.destinations.extend(destination),
        Err(errors) => return Ok(Err(errors)),
    }
    for (role, id) in &draft.others {
        let leads_to = leads_to(draft.provider, &main, &draft.host);
        let draft = draft.of_role(role, *id, draft.end(role, &leads_to));
        let Some(row) = trusted(conn, vault, *id)? else { return Ok(Err(not_listed(&draft))) };
        match judge(&row, &draft, edited, |_| Ok(false))? {
            Ok(destination) => found.destinations.extend(destination),
            Err(errors) => return Ok(Err(errors)),
        }
        found.further.push(Usage { role: (*role).to_owned(), credential: *id, host: draft.host });
    }
    // Where the items of a sync go was confirmed with each of them. If it is elsewhere now, a run refuses. The same
    // name of a cluster is another cluster to another login, so that takes all confirmations back.
    if let Some(row) = edited.filter(|_| draft.provider.is_sync()) {
        found.further = row.further.to_vec();
        if !draft.signs_in_as(row) {
            found.further.iter_mut().for_each(|usage| NOWHERE.clone_into(&mut usage.host));
        }
    }
    Ok(Ok(found))
}

/// The cluster that a main credential leads to. `host` where the settings name it.
pub(super) fn leads_to(spec: &Spec, main: &Credential, host: &str) -> String {
    let server = Shown::read(&main.facts).lines.into_iter().find(|(label, _)| label == SERVER);
    match (&spec.host, server) {
        (Host::OfCredential, Some((_, server))) => address(&server),
        (Host::OfCredential, None) => main.identity.clone(),
        _ => host.to_owned(),
    }
}

fn trusted(conn: &mut Conn, vault: &Vault, id: CredentialId) -> Result<Option<Trusted<Credential>>, DbError> {
    match credentials::find(conn, vault, id).and_then(Seen::trust) {
        Ok(row) => Ok(Some(row)),
        Err(DbError::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

fn not_listed(draft: &Draft) -> Errors {
    let field =
        draft.provider.used_as(draft.role()).filter(|_| draft.hands_on()).map_or("credential", |used| used.role);
    Errors::one(field, "Choose one from the list.")
}

/// The same for a credential at hand; `is_known` says whether an integration for which the test holds sends its secret to
/// the host of the draft.
pub fn judge(
    row: &Credential,
    draft: &Draft,
    edited: Option<&Integration>,
    is_known: impl FnOnce(&dyn Fn(&Integration) -> bool) -> Result<bool, DbError>,
) -> Result<Result<Option<Destination>, Errors>, DbError> {
    let id = row.id;
    if !draft.kinds().contains(&row.kind.as_str()) {
        return Ok(Err(not_listed(draft)));
    }
    if let Err(errors) = draft.suits(&row.kind, &row.facts) {
        return Ok(Err(errors));
    }
    let integration = edited.map(|edited| edited.id);
    if draft.hands_on() {
        let same = |usage: &Usage| (&*usage.role, usage.credential, &*usage.host) == (draft.role(), id, &*draft.host);
        let is_saved = edited.is_some_and(|edited| draft.signs_in_as(edited) && edited.further.iter().any(same));
        let handed_on = draft.provider.used_as(draft.role()).map(|used| (used.role, used.label));
        let (host, credential_name) = (draft.host.clone(), row.name.clone());
        let destination = Destination { credential: id, credential_name, host, integration, handed_on };
        return Ok(Ok(Some(destination).filter(|_| !is_saved)));
    }
    let authority = authority(draft.settings());
    let vouched = |row: &Integration| self::authority(&row.settings) == authority;
    let to_host = edited.filter(|edited| edited.credential_id == Some(id) && edited.host == draft.host);
    if to_host.is_some_and(vouched)
        || !draft.provider.chooses_host()
        || is_known(&|row| Some(row.id) != integration && vouched(row))?
    {
        return Ok(Ok(None));
    }
    let host = match to_host {
        Some(_) => format!("{} under another CA certificate", draft.host),
        None => draft.host.clone(),
    };
    Ok(Ok(Some(Destination { credential: id, credential_name: row.name.clone(), host, integration, handed_on: None })))
}

/// The private CA that vouches for the host.
fn authority(settings: &str) -> String {
    ca_certificate::authority(&Values::from_json(settings.as_bytes()).unwrap_or_default())
}

impl Destination {
    fn value(&self) -> String {
        format!("{} {}", self.credential, self.host)
    }

    /// The trail's line for either answer.
    fn event<'a>(&self, action: Action, name: &'a str) -> NewEvent<'a> {
        let role = self.handed_on.map(|(_, label)| format!(" as {}", in_sentence(label))).unwrap_or_default();
        let (subject_id, detail) =
            (self.integration.map(|id| id.0), format!("{} to {}{role}", self.credential_name, self.host));
        NewEvent { action, subject_kind: "integration", subject_id, subject_name: name, detail }
    }

    /// The trail's line once it is allowed, for the integration of that name. `id` where it was just added.
    pub fn allowed<'a>(&self, id: Option<IntegrationId>, name: &'a str) -> NewEvent<'a> {
        let event = self.event(Action::IntegrationDestinationAllowed, name);
        NewEvent { subject_id: id.map(|id| id.0).or(event.subject_id), ..event }
    }
}

/// Stops operators from choosing a credential that is written into a cluster; the error is at its field.
pub fn check_role(principal: &Principal, destinations: &[Destination]) -> Result<(), Errors> {
    match destinations.iter().find_map(|one| one.handed_on) {
        Some((role, _)) if principal.require(Role::Administrator).is_err() => Err(Errors::one(role, ADMINISTRATORS)),
        _ => Ok(()),
    }
}

/// Whether values are written into the cluster that the main credential of an integration leads to.
pub(in crate::usecases) fn leads(row: &Integration) -> bool {
    let is_sync = || Spec::find(&row.version).is_some_and(Spec::is_sync);
    let items =
        || Values::from_json(row.settings.as_bytes()).is_some_and(|settings| !syncs::items(&settings).is_empty());
    !row.further.is_empty() || (is_sync() && items())
}

/// Stops operators from choosing another main credential of a sync that has items; the error is at its field.
pub(super) fn check_login(principal: &Principal, draft: &Draft, row: &Integration) -> Result<(), Errors> {
    let redirects = draft.provider.is_sync() && leads(row) && !draft.signs_in_as(row);
    match redirects && principal.require(Role::Administrator).is_err() {
        true => Err(Errors::one("credential", LOGIN)),
        false => Ok(()),
    }
}

/// Stops operators from changing the main credential, or its secret, if that would redirect the other credentials.
pub(in crate::usecases) fn check_leader<'a>(
    principal: &Principal,
    credential: CredentialId,
    rows: impl IntoIterator<Item = &'a Integration>,
) -> Result<(), Refusal> {
    let is_led = |row: &Integration| row.credential_id == Some(credential) && leads(row);
    if rows.into_iter().any(is_led) && principal.require(Role::Administrator).is_err() {
        return Err(Refusal::Conflict(
            "A deployment or a Secret Sync writes secrets into the cluster that this credential leads to, so only an \
             administrator can change it.",
        ));
    }
    Ok(())
}

/// What was answered to a [`Question`], and the password that came with it.
pub struct Answer<'a> {
    /// The destination that the secret is said to belong to.
    pub send_to: Option<&'a str>,
    pub confirmation: Confirmation<'a>,
}

/// Passes by a password given lately for a new integration, else by the answer to the [`Question`], which is one for all
/// the destinations of a secret. A refusal is audited for each, beside whose name the destination stands.
pub(in crate::usecases) async fn confirm_all(
    services: &Services,
    principal: &Principal,
    destinations: &[(&Destination, &str)],
    answer: &Answer<'_>,
) -> Result<(), Refusal> {
    let handed_on = destinations.iter().find(|(one, _)| one.handed_on.is_some());
    let Some((first, _)) = handed_on.or(destinations.first()) else { return Ok(()) };
    if handed_on.is_some() && principal.require(Role::Administrator).is_err() {
        return Err(Refusal::Conflict(ADMINISTRATORS));
    }
    let editing = first.integration.is_some() || handed_on.is_some();
    let (visitor, confirmation) = (principal.visitor(), &answer.confirmation);
    if visitor.may_redirect() || (!editing && visitor.confirmed_lately()) {
        return Ok(());
    }
    let value = value(services, destinations);
    let asked = answer.send_to.is_some() || confirmation.password.is_some();
    let meant = !editing || answer.send_to == Some(&*value);
    let password = match confirmation.password {
        Some(password) if meant && !password.is_empty() => check_password(services, visitor, confirmation).await,
        _ => Err(Refusal::Unconfirmed(Unconfirmed {
            error: asked.then(|| "Enter your password.".to_owned()),
            seconds: None,
        })),
    };
    let Err(Refusal::Unconfirmed(Unconfirmed { error, seconds })) = password else { return password };
    let refused: Vec<(Destination, String)> =
        destinations.iter().map(|(one, name)| ((*one).clone(), (*name).to_owned())).collect();
    let record = move |conn: &mut Conn, vault: &Vault, actor: &_| {
        let mut events = refused.iter().map(|(one, name)| one.event(Action::IntegrationDestinationRefused, name));
        events.try_for_each(|event| events::record(conn, vault, actor, &event))
    };
    write(services, principal, record).await?;
    Err(Refusal::Destination(Box::new(Question {
        host: hosts(destinations),
        credential: names(destinations),
        handed_on: handed_on.is_some(),
        value: editing.then_some(value),
        checked: editing && meant,
        checkbox_error: (asked && !meant).then(|| "Tick it if the secret belongs there.".to_owned()),
        password_error: error,
        seconds,
    })))
}

/// What must be answered: good for these destinations and no others.
fn value(services: &Services, destinations: &[(&Destination, &str)]) -> String {
    let mut values: Vec<String> = destinations.iter().map(|(one, _)| one.value()).collect();
    values.sort_unstable();
    values.dedup();
    match &values[..] {
        [only] => only.clone(),
        several => {
            let several: Vec<&[u8]> = several.iter().map(String::as_bytes).collect();
            hex::encode(services.vault.mac("destinations", &several))
        }
    }
}

/// The names of the credentials, each once: `harbor robot and agent token`
fn names(destinations: &[(&Destination, &str)]) -> String {
    let mut names: Vec<&str> = destinations.iter().map(|(one, _)| one.credential_name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    names.join(" and ")
}

/// Each host once.
fn hosts(destinations: &[(&Destination, &str)]) -> String {
    let mut hosts: Vec<&str> = destinations.iter().map(|(one, _)| one.host.as_str()).collect();
    hosts.sort_unstable();
    hosts.dedup();
    hosts.join(", ")
}
