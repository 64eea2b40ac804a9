//! The clients of the estate: programs that are set up, expiring, disabled, never used, or half done.

use chrono::{TimeDelta, Utc};
use strongroom::integrations::identities::{Aws, Identity, Oidc};
use strongroom::models::client_logins::{self, Method, NewLogin};
use strongroom::models::client_rules::{self, NewRule, Source};
use strongroom::models::clients::{self, NewClient};
use strongroom::models::{ClientId, CredentialId, client_uses};

use super::app::TestApp;
use super::estate::{TEAMS, actor};

const CLIENTS: usize = 60;
const PROGRAMS: [&str; 6] =
    ["billing-api", "nightly-report", "deploy-pipeline-of-the-storefront", "etl", "invoice-mailer", "terraform"];

/// Adds them, each with rules on some of the credentials.
pub fn fill(app: &TestApp, keys: &[CredentialId]) -> Vec<ClientId> {
    (0..CLIENTS).map(|number| client(app, number, keys)).collect()
}

fn identity(number: usize) -> (Method, String) {
    match number % 3 {
        0 => (
            Method::Aws,
            Identity::Aws(Aws {
                arn: format!("arn:aws:iam::12345678901{}:role/{}", number % 10, TEAMS[number % TEAMS.len()]),
                server_id: "strongroom.platform.example.com".to_owned(),
            })
            .to_json(),
        ),
        _ => {
            let conditions =
                [("repository_id", "123456789"), ("repository_owner_id", "9876543"), ("ref", "refs/heads/main")];
            let conditions = conditions.iter().map(|(claim, value)| ((*claim).to_owned(), (*value).to_owned()));
            let identity = Oidc {
                issuer: "https://token.actions.githubusercontent.com".to_owned(),
                audience: "strongroom".to_owned(),
                jwks: None,
                conditions: conditions.collect(),
            };
            (Method::Oidc, Identity::Oidc(identity).to_json())
        }
    }
}

fn client(app: &TestApp, number: usize, keys: &[CredentialId]) -> ClientId {
    let vault = &app.services.vault;
    let team = TEAMS[number % TEAMS.len()];
    let name = format!("{}-{}-{number:02}", team.replace(' ', "-"), PROGRAMS[number % PROGRAMS.len()]);
    let description = format!("Runs in the production cluster of the {team} team, one replica in each zone.");
    let days = [200, 12, -2, 60, 88][number % 5];
    app.transaction(|conn| {
        let networks = if number.is_multiple_of(2) { vec!["10.20.0.0/16".to_owned()] } else { Vec::new() };
        let new =
            NewClient { name: &name, description: &description, networks, token_minutes: 15, ..NewClient::default() };
        let id = clients::create(conn, vault, &actor(), &new)?;
        if number % 11 == 10 {
            return Ok(id);
        }
        let row = clients::find(conn, vault, id)?.trust()?;
        let expires_at = Some(Utc::now() + TimeDelta::days(days));
        let token = NewLogin {
            method: Method::Token,
            secret_hash: Some(vec![9; 32]),
            settings: "",
            credential: None,
            expires_at,
        };
        let login = client_logins::make(conn, vault, &actor(), &row, &token)?;
        let (method, settings) = identity(number);
        let other = NewLogin { method, secret_hash: None, settings: &settings, credential: None, expires_at: None };
        client_logins::make(conn, vault, &actor(), &row, &other)?;
        for (at, key) in keys.iter().cycle().skip(number).take(1 + number % 4).enumerate() {
            let name = format!("{}-{at}", ["deploy", "read-only.of.the-bucket_with_exports", "registry"][at % 3]);
            let form = if at == 2 { "value" } else { "aws_session" };
            let settings = r#"{"role":"arn:aws:iam::123456789012:role/deploy"}"#;
            let rule = NewRule { name: &name, source: Source::Credential(*key), form, settings };
            let rule = client_rules::make(conn, vault, &actor(), &row, &rule)?;
            if number % 4 != 3 {
                client_uses::note(conn, login, Some(rule), "10.20.3.17", 40 + at as i64)?;
            }
        }
        if number % 13 == 12 {
            clients::set_active(conn, vault, &actor(), id, false)?;
        }
        Ok(id)
    })
}
