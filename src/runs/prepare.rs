//! Before a run: integration and credential are loaded, both rows checked, and the secret opened, in one short
//! transaction in which the opening is audited. Whatever is not as Strongroom wrote it ends the run here.

use super::deploy::{self, Order};
use super::{Verdict, actor};
use crate::form::Values;
use crate::integrations::Spec;
use crate::integrations::context::MAIN;
use crate::integrations::spec::{Does, Scanner, Use};
use crate::models::altered;
use crate::models::integrations::{self, Integration};
use crate::models::runs::{self, Run, RunAction};
use crate::models::trust::{Doubt, Trusted};
use crate::models::{Conn, CredentialId, DbError, IntegrationId};
use crate::opening::{self, Opened};
use crate::providers::ProviderError;
use crate::vault::Vault;

const CHECKING: &str = "Checking the integration";
const OPENING: &str = "Opening the credential";

/// What a run works with.
pub struct Ready {
    pub integration: Trusted<Integration>,
    pub work: Work,
    pub settings: Values,
    /// The opened credentials, each with its role; the main one first.
    pub opened: Vec<(String, Opened)>,
}

/// The work of a run.
pub enum Work {
    Scan(&'static dyn Scanner),
    Deploy(Order),
}

impl Work {
    /// The values that it passes on beside those of credentials.
    pub fn passed_on(&self) -> impl Iterator<Item = &Values> {
        let order = match self {
            Self::Deploy(order) => Some(order),
            Self::Scan(_) => None,
        };
        order.into_iter().flat_map(Order::passed_on)
    }
}

/// A run that ends before it begins.
pub struct Refusal {
    pub integration: Integration,
    pub verdict: Verdict,
}

/// Loads and checks everything, and opens the secret; `releases`: this console releases stored values. One short transaction, in which the opening is audited.
pub fn prepare(
    conn: &mut Conn,
    vault: &Vault,
    run: &Run,
    (integration, releases): (IntegrationId, bool),
) -> Result<Result<Ready, Refusal>, DbError> {
    let integration = match integrations::find(conn, vault, integration)?.judged() {
        Ok(integration) => integration,
        Err((integration, doubt)) => {
            let verdict = refuse(conn, vault, &integration, doubt)?;
            return Ok(Err(Refusal { integration, verdict }));
        }
    };
    let verdict = match look(conn, vault, run, (&integration, releases))? {
        Ok((work, settings, opened)) => return Ok(Ok(Ready { integration, work, settings, opened })),
        Err(verdict) => verdict,
    };
    Ok(Err(Refusal { integration: (*integration).clone(), verdict }))
}

/// What was put back or changed outside Strongroom gets no secret.
fn refuse(conn: &mut Conn, vault: &Vault, integration: &Integration, doubt: Doubt) -> Result<Verdict, DbError> {
    if doubt.is_tampering() {
        altered::refuse(conn, vault, integration, doubt)?;
    }
    let error = format!("Checking the integration failed: {}, so nothing was sent.", doubt.words());
    Ok(Verdict::failed(CHECKING, error))
}

/// Opened credentials, each with its role.
type OpenedAll = Vec<(String, Opened)>;
type Looked = (Work, Values, OpenedAll);

fn look(
    conn: &mut Conn,
    vault: &Vault,
    run: &Run,
    (integration, releases): (&Trusted<Integration>, bool),
) -> Result<Result<Looked, Verdict>, DbError> {
    if run.worn_out() {
        let error = "The run was interrupted three times. Look at the log, then start it again.";
        return Ok(Err(Verdict::failed(super::RUNNING, error)));
    }
    // Who asked for the run is named in the audit trail.
    if runs::judge(vault, run).is_some() {
        let error = "Checking the integration failed: the record of this run is not what Strongroom saved. \
                     Start it again.";
        return Ok(Err(Verdict::failed(CHECKING, error)));
    }
    altered::settle(conn, integration)?;
    if !integration.active {
        return Ok(Err(Verdict::Stopped));
    }
    let (spec, settings) = (Spec::find(&integration.version), Values::from_json(integration.settings.as_bytes()));
    let (Some(spec), Some(settings)) = (spec, settings) else { return Ok(Err(unknown())) };
    let settings = match &spec.does {
        Does::Deploy(_) | Does::Sync(_) => deploy::settings(conn, vault, run, (integration.id, settings))?,
        _ => settings,
    };
    let opened = match open_all(conn, vault, run, integration, spec)? {
        Ok(opened) => opened,
        Err(verdict) => return Ok(Err(verdict)),
    };
    let work = match (&spec.does, run.action) {
        (Does::Scan(scanner), RunAction::Scan | RunAction::ScanPlaces) => Work::Scan(*scanner),
        (Does::Store(store), RunAction::Scan | RunAction::ScanPlaces) => Work::Scan(*store),
        (Does::Deploy(way) | Does::Sync(way), RunAction::Deploy | RunAction::Observe | RunAction::Remove) => {
            let about = deploy::About { spec, integration, settings: &settings, opened: &opened, releases };
            match deploy::prepare(conn, vault, run, *way, &about)? {
                Ok(order) => Work::Deploy(order),
                Err(why) => {
                    return Ok(Err(Verdict::failed(CHECKING, format!("Checking the integration failed: {why}"))));
                }
            }
        }
        _ => return Ok(Err(unknown())),
    };
    Ok(Ok((work, settings, opened)))
}

fn unknown() -> Verdict {
    let error = "Checking the integration failed: this release of Strongroom does not know its version or settings. Edit \
                 the integration.";
    Verdict::failed(CHECKING, error)
}

/// Opens the credentials of every role, the main one first.
fn open_all(
    conn: &mut Conn,
    vault: &Vault,
    run: &Run,
    integration: &Integration,
    spec: &'static Spec,
) -> Result<Result<OpenedAll, Verdict>, DbError> {
    let mut opened = Vec::new();
    match (integration.credential_id, spec.main()) {
        (Some(id), Some(used)) => match open(conn, vault, run, integration, (used, id, &integration.host))? {
            Ok(credential) => opened.push((MAIN.to_owned(), credential)),
            Err(verdict) => return Ok(Err(verdict)),
        },
        _ if spec.needs_credential() => {
            let error = "Checking the integration failed: it needs a credential. Choose one.";
            return Ok(Err(Verdict::failed(CHECKING, error)));
        }
        _ => {}
    }
    // Nothing is handed on to a cluster that is left.
    for usage in integration.further.iter().filter(|_| run.action != RunAction::Remove) {
        let Some(used) = spec.use_of(&usage.role) else { return Ok(Err(unknown())) };
        match open(conn, vault, run, integration, (used, usage.credential, &usage.host))? {
            Ok(credential) => opened.push((usage.role.clone(), credential)),
            Err(verdict) => return Ok(Err(verdict)),
        }
    }
    Ok(Ok(opened))
}

/// Opens the credential of a role for this run. The audit trail records who opened it, for what, and where it goes.
fn open(
    conn: &mut Conn,
    vault: &Vault,
    run: &Run,
    integration: &Integration,
    (used, id, host): (&Use, CredentialId, &str),
) -> Result<Result<Opened, Verdict>, DbError> {
    let why = format!("for {} to {host}", integration.name);
    let opened = match opening::open(conn, vault, &actor(vault, run), id, why)? {
        Ok(opened) => opened,
        Err(closed) => {
            let error = format!("Opening the credential failed: {}", closed.sentence());
            return Ok(Err(Verdict::failed(OPENING, error)));
        }
    };
    if used.role == MAIN {
        runs::set_credential(conn, run.id, opened.id, opened.version)?;
    }
    if !used.takes(opened.kind.slug) {
        let sentence = ProviderError::WrongCredential.sentence("the service");
        return Ok(Err(Verdict::failed(OPENING, format!("Opening the credential failed: {sentence}"))));
    }
    Ok(Ok(opened))
}
