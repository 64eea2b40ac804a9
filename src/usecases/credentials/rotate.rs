//! Rotating: a new secret alone, tried at its provider and on every usage before it is saved. It is saved by the edit of
//! `edit`, with its rules. What is typed goes only where the credential of these usages goes anyway.

use super::edit::{self, Edited};
use super::entered::Entered;
use super::trials::{Trials, Uses};
use crate::accounts::Role;
use crate::checkup;
use crate::draft::Draft;
use crate::form::{Errors, Field, Values, in_sentence};
use crate::integrations::context::Secret as Called;
use crate::models::credentials::Secret;
use crate::providers::probe::Finding;
use crate::services::Services;
use crate::usecases::{Confirmation, Principal, Refusal};

const NO_SECRET: Refusal = Refusal::Conflict("This credential holds no secret, so there is nothing to rotate.");
const TESTED: &str = "rotation/tested";

/// What the form was sent for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal<'a> {
    Test,
    /// Test, and save if all is well.
    Save,
    /// Save what was tested and named to fail: [`Rotated::Tried`] gave the proof.
    SaveAnyway(&'a str),
}

/// What came of it.
pub enum Rotated {
    Saved,
    /// Tested and not saved. The proof allows these values to be saved as they are, in the same session and over
    /// the same version.
    Tried {
        trials: Box<Trials>,
        proof: String,
    },
}

impl Edited {
    /// The fields that a new secret fills: secrets, and what comes with them. A [`Refusal::Conflict`] where it has none.
    pub fn rotated_fields(&self) -> Result<Vec<Field>, Refusal> {
        let stored = self.shown.stored();
        let fields = self.kind.fields.iter().filter(|field| field.active(self.kind.fields, &stored));
        let fields: Vec<Field> = fields.filter(|field| field.control.is_secret() || field.renewed).copied().collect();
        if fields.iter().any(|field| field.control.is_secret()) { Ok(fields) } else { Err(NO_SECRET) }
    }

    /// The whole form of the credential as it is saved, with a new secret.
    pub fn with_new_secret(&self, typed: &Values) -> Result<Values, Refusal> {
        let shown = self.shown.values.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let mut values = Values::from_iter(shown);
        values.set("name", &*self.row.name);
        values.set("description", &*self.row.note);
        for field in self.rotated_fields()? {
            values.set(field.name, typed.get(field.name));
        }
        Ok(values)
    }
}

/// A new secret that passed every check.
struct Fresh {
    entered: Entered,
    draft: Draft,
}

/// Tests a new secret over the version of a credential that the principal has seen, and saves it where that is asked for
/// and all is well. Saving asks for the password as an edit does, before anything is sent.
pub async fn rotate(
    services: &Services,
    principal: &Principal,
    (edited, seen): (&Edited, i64),
    typed: &Values,
    goal: Goal<'_>,
    confirmation: &Confirmation<'_>,
) -> Result<Rotated, Refusal> {
    principal.require(Role::Operator)?;
    if goal != Goal::Test {
        edit::confirm_change(services, principal, edited, confirmation).await?;
    }
    if edited.row.row_version != seen {
        return Err(Refusal::Overtaken);
    }
    let Fresh { entered, draft } = check(services, principal, edited, typed).await?;
    let id = edited.row.id;
    let proved = proof_parts(principal, edited, &entered);
    let proved: Vec<&[u8]> = proved.iter().map(Vec::as_slice).collect();
    if let Goal::SaveAnyway(proof) = goal
        && hex::decode(proof).is_ok_and(|mac| services.vault.check_mac(TESTED, &proved, &mac).is_ok())
    {
        edit::save(services, principal, edited, entered, Some((draft, Secret::Replaced))).await?;
        return Ok(Rotated::Saved);
    }
    services.checkups.take(principal.visitor().user_id, std::time::Instant::now())?;
    let secret = Called { kind: edited.kind, values: &entered.values, stored: None };
    let trials = Uses::of(services, id).await?.try_all(services, secret).await;
    if goal != Goal::Save || !trials.all_well() {
        let proof = hex::encode(services.vault.mac(TESTED, &proved));
        return Ok(Rotated::Tried { trials: Box::new(trials), proof });
    }
    edit::save(services, principal, edited, entered, Some((draft, Secret::Replaced))).await?;
    if let Some((found, _)) = &trials.test {
        record(services, principal, edited, found).await;
    }
    Ok(Rotated::Saved)
}

/// What the proof of a test is about.
fn proof_parts(principal: &Principal, edited: &Edited, entered: &Entered) -> Vec<Vec<u8>> {
    let (session, row) = (principal.visitor().session_id, &edited.row);
    vec![
        session.0.as_bytes().to_vec(),
        row.id.0.as_bytes().to_vec(),
        row.row_version.to_be_bytes().to_vec(),
        entered.values.to_json().to_vec(),
    ]
}

/// Checks what was typed, as an edit does; what is stored already is no new secret.
async fn check(services: &Services, principal: &Principal, edited: &Edited, typed: &Values) -> Result<Fresh, Refusal> {
    let fields = edited.rotated_fields()?;
    let secrets = || fields.iter().filter(|field| field.control.is_secret());
    let refused = |sentence: fn(&str) -> String| {
        let (name, label) = secrets().next().map_or(("", ""), |field| (field.name, field.label));
        Refusal::Invalid(Errors::one(name, sentence(&in_sentence(label))))
    };
    if secrets().all(|field| typed.get(field.name).trim().is_empty()) {
        return Err(refused(|label| format!("Enter the new {label}.")));
    }
    let values = edited.with_new_secret(typed)?;
    match edit::compare(services, principal, edited, &values, "rotation").await? {
        (entered, Some((draft, Secret::Replaced))) => Ok(Fresh { entered, draft }),
        _ => Err(refused(|label| format!("This {label} is the one that is stored already. Enter the new one."))),
    }
}

/// Writes down what the test of the new secret found. It is saved by now, so a failure to do so is no refusal.
async fn record(services: &Services, principal: &Principal, edited: &Edited, found: &Finding) {
    let (id, version) = (edited.row.id, edited.row.secret_version + 1);
    if let Err(error) = checkup::record(services, principal.actor(), id, version, found).await {
        tracing::warn!(credential = %id, %error, "the test of a new secret could not be recorded");
    }
}
