//! Replacing a credential in the integrations that use it by another one: tried first, moved in one transaction with
//! one event each, and moved back as long as nothing else changed (`moving`). What the form of each integration would
//! ask for is asked here for all of them at once.

use std::time::Instant;

use super::rotate::Goal;
use super::trials::{OnUsage, Trials};
use crate::accounts::Role;
use crate::connection_test::usages as tests;
use crate::credentials as kinds;
use crate::form::{Errors, Values};
use crate::integrations::deployments::syncs::ROLE;
use crate::integrations::{Family, Spec};
use crate::models::credentials::{self, Credential};
use crate::models::events;
use crate::models::integration_list::{self, Line};
use crate::models::integrations::Integration;
use crate::models::trust::{Seen, Trusted};
use crate::models::{Conn, CredentialId, DbError, IntegrationId, usages};
use crate::opening::{self, Closed, Opened};
use crate::services::Services;
use crate::usecases::integrations::destination::{self, Answer, Destination};
use crate::usecases::integrations::draft::Draft;
use crate::usecases::integrations::{for_accounts, passed_on};
use crate::usecases::{Principal, Refusal, confirm, read, write};
use crate::vault::Vault;

mod moving;

pub use moving::{Undone, undo};

/// Most usages that one replacement moves.
pub const MOST: i64 = 500;
const TESTED: &str = "replacement/tested";

/// A usage as a page showed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    pub integration: IntegrationId,
    pub role: String,
    /// Of the integration's row.
    pub row_version: i64,
}

impl Chosen {
    /// The name of its field on the form.
    pub fn field(&self) -> String {
        field(self.integration, &self.role)
    }
}

/// The name of a usage's field on the form.
pub fn field(integration: IntegrationId, role: &str) -> String {
    format!("usage.{integration}.{role}")
}

/// What the form asks for.
pub struct Replacement<'a> {
    pub from: CredentialId,
    pub to: CredentialId,
    pub chosen: &'a [Chosen],
    pub goal: Goal<'a>,
    pub answer: Answer<'a>,
}

/// What came of it.
pub enum Replaced {
    Moved(Moved),
    /// Tested and not moved. The proof allows these usages to be moved as they are, in the same session.
    Tried {
        trials: Trials,
        proof: String,
    },
}

/// Usages that were moved, with what moves them back.
pub struct Moved {
    pub to: Credential,
    pub lines: Vec<Line>,
    /// As they are now.
    pub now: Vec<Chosen>,
    pub proof: String,
}

/// A usage that is to be moved.
struct Move {
    chosen: Chosen,
    row: Integration,
    line: Line,
    destination: Option<Destination>,
}

/// What a replacement is about, as it was read and checked.
struct Plan {
    from: Credential,
    to: Credential,
    moves: Vec<Move>,
}

/// Moves the chosen usages to another credential, or only tries what would come of it. A destination that is new to the
/// secret, a channel that would send with another one, or a store of which something passes on an entry, is confirmed
/// as it is on the form of the integration.
pub async fn replace(services: &Services, principal: &Principal, asked: &Replacement<'_>) -> Result<Replaced, Refusal> {
    principal.require(Role::Operator)?;
    let plan = plan(services, asked).await?;
    let proved = Proof::new(principal, (plan.from.id, plan.to.id), plan.to.row_version, asked.chosen);
    for_accounts::check_usages(principal, plan.moves.iter().map(|one| &one.row))?;
    let ids = plan.moves.iter().map(|one| one.row.id).collect();
    let is_passed_on = passed_on::check_moves(services, principal, ids).await?;
    if asked.goal != Goal::Test && (is_passed_on || plan.moves.iter().any(Move::redirects_alerts)) {
        confirm(services, principal.visitor(), &asked.answer.confirmation).await?;
    }
    if let Goal::SaveAnyway(proof) = asked.goal
        && proved.holds(services, TESTED, proof)
    {
        return moving::all(services, principal, plan).await.map(Replaced::Moved);
    }
    let destinations = plan.moves.iter().filter_map(|one| Some((one.destination.as_ref()?, one.row.name.as_str())));
    let destinations: Vec<(&Destination, &str)> = destinations.collect();
    destination::confirm_all(services, principal, &destinations, &asked.answer).await?;
    services.checkups.take(principal.visitor().user_id, Instant::now())?;
    let trials = tried(services, principal, &plan).await?;
    if asked.goal == Goal::Save && trials.all_well() {
        return moving::all(services, principal, plan).await.map(Replaced::Moved);
    }
    Ok(Replaced::Tried { trials, proof: proved.write(services, TESTED) })
}

impl Move {
    fn redirects_alerts(&self) -> bool {
        self.row.family == Family::AlertProfile.slug()
    }
}

/// What a proof is about, in parts.
struct Proof(Vec<Vec<u8>>);

impl Proof {
    fn new(
        principal: &Principal,
        (from, to): (CredentialId, CredentialId),
        row_version: i64,
        chosen: &[Chosen],
    ) -> Self {
        let ids = [principal.visitor().session_id.0, from.0, to.0].map(|id| id.as_bytes().to_vec());
        let mut usages: Vec<String> = chosen.iter().map(|one| format!("{} {}", one.field(), one.row_version)).collect();
        usages.sort_unstable();
        let rest = [row_version.to_be_bytes().to_vec(), usages.join("\n").into_bytes()];
        Self(ids.into_iter().chain(rest).collect())
    }

    fn parts(&self) -> Vec<&[u8]> {
        self.0.iter().map(Vec::as_slice).collect()
    }

    fn write(&self, services: &Services, label: &str) -> String {
        hex::encode(services.vault.mac(label, &self.parts()))
    }

    fn holds(&self, services: &Services, label: &str, proof: &str) -> bool {
        hex::decode(proof).is_ok_and(|mac| services.vault.check_mac(label, &self.parts(), &mac).is_ok())
    }
}

/// Everything that a replacement is judged by.
struct Read {
    from: Credential,
    to: Trusted<Credential>,
    lines: Vec<Line>,
    rows: Vec<Trusted<Integration>>,
    /// The integrations that use the other credential already.
    known: Vec<Trusted<Integration>>,
}

/// Reads everything and checks that each usage is as the page showed it and takes the other credential.
async fn plan(services: &Services, asked: &Replacement<'_>) -> Result<Plan, Refusal> {
    let (from, to) = (asked.from, asked.to);
    let refused = |sentence: &str| Refusal::Invalid(Errors::one("to", sentence));
    if from == to {
        return Err(refused("Choose another credential than this one."));
    }
    if asked.chosen.is_empty() {
        return Err(refused("Choose at least one usage."));
    }
    let load = move |conn: &mut Conn, vault: &Vault| {
        let source = credentials::find(conn, vault, from)?.into_shown();
        let target = match credentials::find(conn, vault, to).and_then(Seen::trust) {
            Err(DbError::NotFound) => return Ok(None),
            found => found?,
        };
        let lines = integration_list::usages(conn, from, MOST)?;
        let rows = usages::of(conn, vault, from, MOST)?;
        let known = usages::of(conn, vault, to, i64::MAX)?;
        Ok(Some(Read { from: source, to: target, lines, rows, known }))
    };
    let read =
        read(services, load).await?.ok_or_else(|| refused("This credential has been deleted. Choose another."))?;
    let (mut moves, mut errors) = (Vec::new(), Errors::default());
    for chosen in asked.chosen {
        let line = read.lines.iter().find(|line| line.id == chosen.integration && line.role == chosen.role);
        let row = read.rows.iter().find(|row| row.id == chosen.integration && row.row_version == chosen.row_version);
        let (Some(line), Some(row)) = (line, row) else { return Err(Refusal::Overtaken) };
        match destination(&read, row, &chosen.role) {
            Ok(destination) => {
                moves.push(Move { chosen: chosen.clone(), row: (**row).clone(), line: line.clone(), destination });
            }
            Err(why) => errors.add(chosen.field(), why),
        }
    }
    let Read { from, to, .. } = read;
    if errors.is_empty() { Ok(Plan { from, to: (*to).clone(), moves }) } else { Err(Refusal::Invalid(errors)) }
}

/// Where the other credential's secret would go that it has not been sent to. The error says why the usage does not take
/// it.
fn destination(read: &Read, row: &Integration, role: &str) -> Result<Option<Destination>, String> {
    if role == usages::MAIN && destination::leads(row) {
        return Err("It writes secrets into its cluster. Edit it and confirm where they go.".to_owned());
    }
    if role.starts_with(ROLE) {
        return Err("Its stored value leaves for a cluster. Edit the Secret in its sync, and confirm that.".to_owned());
    }
    let unknown = || "It doesn't accept another credential in this release of Strongroom.".to_owned();
    let draft = Draft::with_credential(row, role, read.to.id).ok_or_else(unknown)?;
    if !draft.kinds().contains(&read.to.kind.as_str()) {
        let labels: Vec<&str> = draft.kinds().iter().filter_map(|slug| Some(kinds::find(slug)?.label)).collect();
        return Err(format!("It accepts {} only.", labels.join(" or ")));
    }
    let is_known = |same: &dyn Fn(&Integration) -> bool| {
        Ok(read.known.iter().any(|other| other.uses(read.to.id, Some(&draft.host)) && same(other)))
    };
    match destination::judge(&read.to, &draft, Some(row), is_known) {
        Ok(Ok(destination)) => Ok(destination),
        Ok(Err(errors)) => Err(errors.iter().next().map_or_else(unknown, |(_, why)| why.to_owned())),
        Err(error) => Err(error.to_string()),
    }
}

/// Whether an integration takes a credential of that kind and these values in that role.
pub fn fits(row: &Integration, role: &str, kind: &str, values: &Values) -> bool {
    let Some(spec) = Spec::find(&row.version) else { return false };
    let settings = Values::from_json(row.settings.as_bytes()).unwrap_or_default();
    spec.used_as(role).is_some_and(|used| used.kinds.contains(&kind)) && (spec.suits)(&settings, kind, values).is_ok()
}

/// Opens the other credential, and tries it on every usage.
async fn tried(services: &Services, principal: &Principal, plan: &Plan) -> Result<Trials, Refusal> {
    let (at, why) = ((plan.to.id, Some(plan.to.row_version)), format!("for a test in place of {}", plan.from.name));
    let allowed: Vec<(Destination, String)> =
        plan.moves.iter().filter_map(|one| Some((one.destination.clone()?, one.row.name.clone()))).collect();
    let open = move |conn: &mut Conn, vault: &Vault, actor: &_| {
        for (destination, name) in &allowed {
            events::record(conn, vault, actor, &destination.allowed(None, name))?;
        }
        opening::open_at(conn, vault, actor, at, why.clone())
    };
    let opened: Opened = match write(services, principal, open).await? {
        Ok(opened) => opened,
        Err(Closed::Stale) => return Err(Refusal::Overtaken),
        Err(closed) => return Err(DbError::from(closed).into()),
    };
    let begun = Instant::now();
    let usages = plan.moves.iter().map(|one| tests::Usage { row: &one.row, role: &one.chosen.role });
    let found = tests::on_each(services, &usages.collect::<Vec<_>>(), opened.secret()).await;
    let on = |(one, tried): (&Move, _)| OnUsage { line: one.line.clone(), via: via(&one.row), tried };
    let usages = plan.moves.iter().zip(found).map(on).collect();
    Ok(Trials { test: None, usages, rest: 0, took: begun.elapsed() })
}

fn via(row: &Integration) -> Option<String> {
    Spec::find(&row.version)?.role(&Values::from_json(row.settings.as_bytes())?)
}
