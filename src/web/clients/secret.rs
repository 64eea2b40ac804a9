//! A secret that was made, shown this once, with the lines to use it by.

use actix_web::HttpResponse;
use askama::Template;

use super::page_of;
use crate::models::client_logins::Method;
use crate::models::{self, ClientId, DbError, client_rules};
use crate::services::Services;
use crate::usecases::clients::logins::Made;
use crate::web::error::Error;
use crate::web::integrations::shown;
use crate::web::page::{self, Shell, When};

#[derive(Template)]
#[template(path = "clients/secret.html")]
struct Secret {
    shell: Shell,
    client: ClientId,
    made: Made,
    secret: String,
    /// The ID that goes with a secret; blank for a token.
    role_id: String,
    ends: Option<When>,
    /// The console's address.
    console: String,
    /// The name of a rule, or what stands for one.
    rule: String,
    is_value: bool,
}

impl Secret {
    /// Of the rule: `sessions` or `values`.
    fn place(&self) -> &'static str {
        if self.is_value { "values" } else { "sessions" }
    }

    fn curl(&self) -> String {
        let Self { console, secret, role_id: id, rule, .. } = self;
        let place = self.place();
        match id.is_empty() {
            true => {
                format!("curl -H 'Authorization: Bearer {secret}' \\\n  {console}/machine/v1/{place}/{rule}")
            }
            false => format!(
                "curl {console}/machine/v1/login \\\n  --json '{{\"method\":\"app_role\",\"id\":\"{id}\",\"secret\":\"{secret}\"}}'"
            ),
        }
    }

    fn client_lines(&self) -> String {
        let Self { console, secret, rule, .. } = self;
        format!(
            "export STRONGROOM_URL={console}\nexport STRONGROOM_TOKEN={secret}\nstrongroom-client exec {rule} -- COMMAND"
        )
    }

    fn vault(&self) -> String {
        let Self { console, secret, role_id: id, rule, .. } = self;
        match id.is_empty() {
            true => format!("export VAULT_ADDR={console}\nexport VAULT_TOKEN={secret}\nvault kv get secret/{rule}"),
            false => format!(
                "export VAULT_ADDR={console}\nexport VAULT_TOKEN=$(vault write -field=token auth/approle/login \\\n  \
                 role_id={id} secret_id={secret})\nvault kv get secret/{rule}"
            ),
        }
    }
}

/// An identity has nothing to show.
pub async fn answer(services: &Services, shell: Shell, client: ClientId, made: Made) -> Result<HttpResponse, Error> {
    let Some(secret) = made.secret.as_ref().map(|secret| secret.to_string()) else {
        return Ok(page::see_other(&page_of(client), "client-login-added"));
    };
    let vault = services.vault.clone();
    let read = move |conn: &mut _| {
        let rules = client_rules::of(conn, &vault, client)?;
        Ok::<_, DbError>((rules, models::clock(conn)?))
    };
    let (rules, now) = services.db.run(read).await?;
    let rule = rules.first().map(|rule| rule.shown().clone());
    page::html(&Secret {
        shell,
        client,
        secret,
        role_id: if made.method == Method::AppRole { made.id.to_string() } else { String::new() },
        ends: made.expires_at.map(|at| shown::until(at, now)),
        console: services.public_url.as_str().trim_end_matches('/').to_owned(),
        is_value: rule.as_ref().is_some_and(|rule| rule.is_lasting()),
        rule: rule.map_or_else(|| "RULE".to_owned(), |rule| rule.name),
        made,
    })
}
