//! Before a run: integration and credential are loaded, both rows checked, and the secret opened, in one short
//! transaction in which the opening is audited. Whatever is not as Strongroom wrote it ends the run here.

use super::{Verdict, actor};
use crate::form::Values;
use crate::integrations::Spec;
use crate::integrations::spec::Scanner;
use crate::models::altered;
use crate::models::integrations::{self, Integration};
use crate::models::runs::{self, Run};
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
    pub scanner: &'static dyn Scanner,
    pub settings: Values,
    pub credential: Option<Opened>,
}

/// A run that ends before it begins.
pub struct Refusal {
    pub integration: Integration,
    pub verdict: Verdict,
}

/// Loads and checks everything, and opens the secret: one short transaction, in which the opening is audited.
pub fn prepare(
    conn: &mut Conn,
    vault: &Vault,
    run: &Run,
    integration: IntegrationId,
) -> Result<Result<Ready, Refusal>, DbError> {
    let integration = match integrations::find(conn, vault, integration)?.judged() {
        Ok(integration) => integration,
        Err((integration, doubt)) => {
            let verdict = refuse(conn, vault, &integration, doubt)?;
            return Ok(Err(Refusal { integration, verdict }));
        }
    };
    let verdict = match look(conn, vault, run, &integration)? {
        Ok((scanner, settings, credential)) => {
            return Ok(Ok(Ready { integration, scanner, settings, credential }));
        }
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

type Looked = (&'static dyn Scanner, Values, Option<Opened>);

fn look(
    conn: &mut Conn,
    vault: &Vault,
    run: &Run,
    integration: &Trusted<Integration>,
) -> Result<Result<Looked, Verdict>, DbError> {
    if run.worn_out() {
        let error = "The run was interrupted three times. Look at the log, then scan again.";
        return Ok(Err(Verdict::failed(super::RUNNING, error)));
    }
    // Who asked for the run is named in the audit trail.
    if runs::judge(vault, run).is_some() {
        let error = "Checking the integration failed: the record of this run is not what Strongroom saved. Scan again.";
        return Ok(Err(Verdict::failed(CHECKING, error)));
    }
    altered::settle(conn, integration)?;
    if !integration.active {
        return Ok(Err(Verdict::Stopped));
    }
    let spec = Spec::find(&integration.version);
    let (scanner, settings) = (spec.and_then(Spec::scanner), Values::from_json(integration.settings.as_bytes()));
    let (Some(spec), Some(scanner), Some(settings)) = (spec, scanner, settings) else {
        let error = "Checking the integration failed: this release of Strongroom does not know its version or settings. \
                     Edit the integration.";
        return Ok(Err(Verdict::failed(CHECKING, error)));
    };
    let Some(credential) = integration.credential_id else {
        if spec.needs_credential() {
            let error = "Checking the integration failed: it needs a credential. Choose one.";
            return Ok(Err(Verdict::failed(CHECKING, error)));
        }
        return Ok(Ok((scanner, settings, None)));
    };
    match open(conn, vault, run, integration, credential)? {
        Ok(opened) if spec.credential_kinds().contains(&opened.kind.slug) => Ok(Ok((scanner, settings, Some(opened)))),
        Ok(_) => {
            let sentence = ProviderError::WrongCredential.sentence("the registry");
            Ok(Err(Verdict::failed(OPENING, format!("Opening the credential failed: {sentence}"))))
        }
        Err(verdict) => Ok(Err(verdict)),
    }
}

/// Opens the credential for this run, and writes down who did so, for what, and where it goes.
fn open(
    conn: &mut Conn,
    vault: &Vault,
    run: &Run,
    integration: &Integration,
    id: CredentialId,
) -> Result<Result<Opened, Verdict>, DbError> {
    let why = format!("for {} to {}", integration.name, integration.host);
    match opening::open(conn, vault, &actor(vault, run), id, why)? {
        Ok(opened) => {
            runs::set_credential(conn, run.id, opened.id, opened.version)?;
            Ok(Ok(opened))
        }
        Err(closed) => {
            Ok(Err(Verdict::failed(OPENING, format!("Opening the credential failed: {}", closed.sentence()))))
        }
    }
}
