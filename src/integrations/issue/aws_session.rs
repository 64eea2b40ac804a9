//! Temporary AWS credentials: of a role, or of the access key's own user. The access key itself never leaves.

use secrecy::ExposeSecret;

use super::form::{Form, Issued, Order};
use super::role::{self, EXTERNAL_ID, MINUTES, ROLE, failed};
use crate::credentials::aws::RoleArn;
use crate::form::{Errors, Field, Values};
use crate::integrations::aws;
use crate::providers::aws::{HOUR, LONGEST, Region, SHORTEST, Session};
use crate::providers::probe::{Finding, Verdict};
use crate::providers::{Failure, ProviderError};

pub static FORM: Form = Form {
    slug: "aws_session",
    label: "AWS session",
    help: "Temporary credentials: access key ID, secret access key and session token.",
    gives: "aws_session",
    kinds: &["aws"],
    fields: &[
        ROLE.help(
            "The full ARN of the role to assume. Leave blank for a session of the access key's own user, which can't \
             call IAM.",
        ),
        EXTERNAL_ID,
        Field::text("region", "Region")
            .optional()
            .placeholder("eu-central-1")
            .max(32)
            .check(aws::region)
            .help("The program's default region. STS is called there, too."),
        Field::number(MINUTES, "Session length in minutes", SHORTEST as u32, LONGEST as u32)
            .optional()
            .default("60")
            .help("60 always works. More, up to 720, needs an access key and a role that allows it."),
    ],
    suits,
    issue: Some(|order| Box::pin(issue(order))),
};

fn suits(settings: &Values, credential: &Values) -> Result<(), Errors> {
    role::suits(settings, credential)?;
    role::in_partition(settings, Region::parse(settings.get("region")).as_ref())?;
    let has_role = !settings.get("role").is_empty() || !credential.get("role_arn").is_empty();
    if credential.get("method") == "iam_role" && !has_role {
        return Err(Errors::one("role", "Enter a role: the session of this server's own role is not handed out."));
    }
    Ok(())
}

async fn issue(order: &Order<'_>) -> Result<Issued, Failure> {
    let settings = order.settings;
    let named = RoleArn::parse(settings.get("role")).or_else(|_| RoleArn::parse(order.secret.values.get("role_arn")));
    let partition = named.as_ref().map_or("aws", RoleArn::partition);
    let region = Region::parse(settings.get("region")).unwrap_or_else(|| Region::first_of(partition));
    // The credential may have changed since the rule was made.
    if named.is_err() && order.secret.values.get("method") != "access_key" {
        return Err(own_role());
    }
    let session = role::session(order, &region).await?;
    let session = if named.is_ok() { session } else { temporary(&session, settings).await? };
    let keys = session.temporary_keys().await.ok_or_else(|| failed(ProviderError::BadAnswer))?;
    let fields = [
        ("access_key_id", keys.id.as_str()),
        ("secret_access_key", keys.secret.expose_secret()),
        ("session_token", keys.token.expose_secret()),
        ("region", settings.get("region")),
    ];
    Ok(Issued::new(fields, Some(keys.ends_at)))
}

async fn temporary(session: &Session, settings: &Values) -> Result<Session, Failure> {
    let minutes = settings.get(MINUTES).parse().unwrap_or(HOUR).clamp(SHORTEST, LONGEST);
    session.temporary(minutes).await.map_err(failed)
}

fn own_role() -> Failure {
    let sentence = "The session of this server's own role is not handed out.";
    Finding::new(Verdict::RefusedByPolicy, sentence, "Enter a role in the client's rule.").into()
}
