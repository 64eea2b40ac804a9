//! Shared by all integrations with AWS: the form's fields for a role, and the session of that role in a region. What is
//! done with the session is in the integration's own file.

use super::context::Context;
use crate::credentials::aws::RoleArn;
use crate::form::{Errors, Field, Values};
use crate::integrations::spec::Grants;
use crate::providers::ProviderError;
use crate::providers::aws::roles::Wanted;
use crate::providers::aws::{self, Access, Assume, HOUR, LONGEST, Refusal, Region, SHORTEST, Session, Source, role_of};

/// Its help differs.
pub const STS: Field = Field::checkbox("sts", "Use AWS STS");
/// A whole ARN. Its help differs.
pub const ROLE: Field = Field::text("role", "Role to assume").when("sts", &["on"]).max(640).check(whole_arn);
pub const EXTERNAL_ID: Field = Field::text("external_id", "External ID")
    .when("sts", &["on"])
    .optional()
    .help("Where the trust policy of the role asks for one.")
    .max(1224)
    .advanced()
    .check(aws::external_id);
pub const SESSION_MINUTES: Field =
    Field::number("session_minutes", "Session length in minutes", SHORTEST as u32, LONGEST as u32)
        .when("sts", &["on"])
        .optional()
        .default("60")
        .advanced()
        .help("An hour always works. More, up to 720, needs an access key and a role that allows it.");

fn whole_arn(text: &str) -> Result<String, String> {
    RoleArn::parse(text).map(|role| role.as_str().to_owned())
}

/// For a role of which the settings also tell the account: a whole ARN, or a name in that account.
pub fn arn_or_name(text: &str) -> Result<String, String> {
    let text = text.trim();
    role_of(text, "000000000000", &Region::first_of("aws")).map(|_| text.to_owned())
}

/// For a field that names one region.
pub fn region(text: &str) -> Result<String, String> {
    let region = Region::parse(text.trim()).map(|region| region.as_str().to_owned());
    region.ok_or_else(|| "Enter a region, such as eu-central-1.".to_owned())
}

/// Where an integration works, as far as its settings tell.
pub struct Place<'a> {
    pub region: &'a Region,
    /// Completes a role that is entered as a name.
    pub account: Option<&'a str>,
}

impl Place<'_> {
    /// The role that the settings name; `None` without STS.
    pub fn role(&self, settings: &Values) -> Option<Result<RoleArn, String>> {
        (settings.get("sts") == "on").then(|| match self.account {
            Some(account) => role_of(settings.get("role"), account, self.region),
            None => RoleArn::parse(settings.get("role")),
        })
    }

    /// The session of the credential: of the role that the settings name, else of the one of the credential, else of its
    /// own keys. Kept while it is good, so that asking again costs nothing.
    pub async fn sign_in(&self, cx: &Context<'_>) -> Result<Session, ProviderError> {
        let Some(secret) = cx.main() else { return Err(ProviderError::WrongCredential) };
        let access = Access::read(secret.values)?;
        let role = match self.role(cx.settings) {
            Some(role) => Some(role.map_err(|_| ProviderError::Aws(Refusal::BadRole))?),
            None => access.role.clone(),
        };
        // The credential may have become a role after the form was saved.
        let most = if access.origin.is_access_key() { LONGEST } else { HOUR };
        let assume = role.map(|role| {
            let assume = assume(&role, cx.settings, cx.name);
            let minutes = assume.minutes.min(most);
            assume.lasting(minutes)
        });
        let region = self.region.clone();
        cx.outside.aws.get(Source { stored: secret.stored, access: &access, region, assume }).await
    }

    /// The role that has to be assumed for it, and one policy, which `may` names: `may read the registry`.
    pub fn grants(&self, settings: &Values, name: &str, may: &str, policy: String) -> Grants {
        let role = self.role(settings).and_then(Result::ok);
        let whose = role.as_ref().map_or("the credential's user or role", RoleArn::as_str);
        let policies = vec![(format!("Policy of {whose}: {may}"), policy)];
        let wanted = |role: &RoleArn| Wanted {
            used_by: name.to_owned(),
            assume: assume(role, settings, name),
            region: self.region.clone(),
        };
        Grants { role: role.as_ref().map(wanted), policies }
    }
}

fn minutes(settings: &Values) -> u16 {
    settings.get("session_minutes").parse().unwrap_or(HOUR)
}

fn assume(role: &RoleArn, settings: &Values, name: &str) -> Assume {
    Assume::new(role, settings.get("external_id"), name).lasting(minutes(settings))
}

/// Whether a session may last as long as the settings say, with that credential.
pub fn suits(settings: &Values, _kind: &str, credential: &Values) -> Result<(), Errors> {
    if credential.get("method") == "iam_role" && minutes(settings) > HOUR {
        let sentence = "From one role into another, AWS gives sessions of an hour at most. Enter 60 or less, or \
                        choose an access key.";
        return Err(Errors::one("session_minutes", sentence));
    }
    Ok(())
}
