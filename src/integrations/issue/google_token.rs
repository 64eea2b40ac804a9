//! An access token of a Google Cloud service account.

use super::form::{Form, Issued, Order, suits_all};
use crate::credentials::gcp::Payload;
use crate::form::Field;
use crate::integrations::context::Outside;
use crate::providers::Failure;
use crate::providers::gcp::{self, CLOUD_PLATFORM};

pub static FORM: Form = Form {
    slug: "google_token",
    label: "Google access token",
    help: "A token of the service account for its scopes, valid for an hour.",
    gives: "google_token",
    kinds: &["gcp"],
    fields: &[Field::text("scopes", "Scopes")
        .optional()
        .placeholder("https://www.googleapis.com/auth/devstorage.read_only")
        .help("Separate several by spaces. Leave blank for cloud-platform: everything that the account's roles allow.")
        .max(2048)
        .check(scopes)],
    suits: suits_all,
    issue: Some(|order| Box::pin(issue(order))),
};

/// <https://developers.google.com/identity/protocols/oauth2/scopes>
fn scopes(text: &str) -> Result<String, String> {
    const OTHERS: [&str; 1] = ["https://mail.google.com/"];
    let scopes: Vec<&str> = text.split([' ', ',']).filter(|scope| !scope.is_empty()).collect();
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
    let known = |scope: &&str| {
        let name = scope.strip_prefix("https://www.googleapis.com/auth/");
        name.is_some_and(|name| !name.is_empty() && name.chars().all(good)) || OTHERS.contains(scope)
    };
    match scopes.iter().all(known) {
        true => Ok(scopes.join(" ")),
        false => Err("Enter scopes such as https://www.googleapis.com/auth/devstorage.read_only.".to_owned()),
    }
}

async fn issue(order: &Order<'_>) -> Result<Issued, Failure> {
    let payload: Payload = order.payload()?;
    let scopes = match order.settings.get("scopes") {
        "" => CLOUD_PLATFORM,
        scopes => scopes,
    };
    let Outside { egress, endpoints, .. } = order.outside;
    let account = &payload.service_account;
    let token = gcp::token(account, scopes, egress, endpoints).await?;
    let more = [
        ("scopes", scopes),
        ("project_id", account.project_id.as_str()),
        ("service_account", account.client_email.as_str()),
    ];
    Ok(Issued::token(&token, more))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_those_of_google() {
        let read = "https://www.googleapis.com/auth/devstorage.read_only";
        assert_eq!(scopes(&format!("{read}, {CLOUD_PLATFORM}")), Ok(format!("{read} {CLOUD_PLATFORM}")));
        for bad in ["cloud-platform", "https://evil.example/auth/x", "https://www.googleapis.com/auth/"] {
            assert!(scopes(bad).is_err(), "{bad}");
        }
    }
}
