//! The logins and rules of a client, as its pages list them.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::row;
use crate::integrations::identities::Identity;
use crate::integrations::issue::Form;
use crate::models::client_logins::{self, ClientLogin};
use crate::models::client_rules::{self, ClientRule, Source};
use crate::models::client_usages::{self, StoreNamed};
use crate::models::client_uses::{self, ClientUse};
use crate::models::clients::{self, Client};
use crate::models::credential_choices::{self, Named};
use crate::models::trust::Seen;
use crate::models::{self, ClientId, ClientLoginId, ClientRuleId, CredentialId, DbError};
use crate::services::Services;
use crate::web::error::Error;
use crate::web::numbers::counted;
use crate::web::page::{When, when};

/// A last use.
pub struct Use {
    pub at: When,
    pub address: String,
    /// `12 uses`
    pub count: String,
}

pub struct Login {
    pub id: ClientLoginId,
    pub label: &'static str,
    pub tail: String,
    /// What an identity must be: (label, value).
    pub lines: Vec<(&'static str, String)>,
    /// The kubeconfig of a TokenReview: its id and name.
    pub kubeconfig: Option<(CredentialId, String)>,
    pub has_secret: bool,
    pub made: When,
    pub made_by: String,
    pub ends: Option<(When, &'static str)>,
    pub is_over: bool,
    pub used: Option<Use>,
    /// The row is not what Strongroom saved.
    pub is_refused: bool,
}

pub struct Rule {
    pub id: ClientRuleId,
    pub name: String,
    /// As the form is called.
    pub form: String,
    /// What leaves by it stays valid.
    pub is_lasting: bool,
    pub is_stored_value: bool,
    /// The page and the name of the credential or store that it gives from.
    pub from: (String, String),
    /// Slug of its type or provider, for its mark.
    pub kind: String,
    /// Whether its value can be asked for anew.
    pub can_refresh: bool,
    /// What the form's settings say: `Role to assume: arn:…`.
    pub settings: Vec<(&'static str, String)>,
    pub allowed_by: Option<String>,
    pub used: Option<Use>,
    pub is_refused: bool,
}

/// A client with everything that belongs to it, as it was read.
pub struct Read {
    pub client: Seen<Client>,
    logins: Vec<Seen<ClientLogin>>,
    rules: Vec<Seen<ClientRule>>,
    uses: Vec<ClientUse>,
    names: HashMap<CredentialId, Named>,
    stores: Vec<StoreNamed>,
    pub now: DateTime<Utc>,
}

pub async fn read(services: &Services, id: ClientId) -> Result<Read, Error> {
    let vault = services.vault.clone();
    let read = move |conn: &mut _| {
        let client = clients::find(conn, &vault, id)?;
        let logins = client_logins::of(conn, &vault, id)?;
        let rules = client_rules::of(conn, &vault, id)?;
        let kubeconfigs = logins.iter().filter_map(|login| login.shown().credential_id);
        let named = rules.iter().filter_map(|rule| rule.shown().credential_id);
        let names = credential_choices::named(conn, &named.chain(kubeconfigs).collect::<Vec<_>>())?;
        let stores = client_usages::stores_of(conn, id)?;
        let (uses, now) = (client_uses::of(conn, id)?, models::clock(conn)?);
        Ok::<_, DbError>(Read { client, logins, rules, uses, names, stores, now })
    };
    Ok(services.db.run(read).await?)
}

impl Read {
    /// Ids of everything that the audit trail knows of it.
    pub fn subjects(&self) -> Vec<uuid::Uuid> {
        let logins = self.logins.iter().map(|login| login.shown().id.0);
        let rules = self.rules.iter().map(|rule| rule.shown().id.0);
        std::iter::once(self.client.shown().id.0).chain(logins).chain(rules).collect()
    }

    pub fn logins(&self) -> Vec<Login> {
        self.logins.iter().map(|login| self.login(login)).collect()
    }

    pub fn rules(&self) -> Vec<Rule> {
        self.rules.iter().map(|rule| self.rule(rule)).collect()
    }

    /// When it last fetched anything.
    pub fn used(&self) -> Option<When> {
        self.uses.iter().map(|one| one.used_at).max().map(|at| when(at, self.now))
    }

    /// Where it last came from.
    pub fn address(&self) -> Option<&str> {
        self.uses.iter().max_by_key(|one| one.used_at).map(|one| one.address.as_str())
    }

    fn last(&self, of: impl Fn(&ClientUse) -> bool, noun: &str) -> Option<Use> {
        let count: i64 = self.uses.iter().filter(|one| of(one)).map(|one| one.uses).sum();
        let last = self.uses.iter().filter(|one| of(one)).max_by_key(|one| one.used_at)?;
        Some(Use { at: when(last.used_at, self.now), address: last.address.clone(), count: counted(count, noun) })
    }

    fn login(&self, seen: &Seen<ClientLogin>) -> Login {
        let row = seen.shown();
        Login {
            id: row.id,
            label: row.method.label(),
            tail: row.tail(),
            lines: Identity::from_json(&row.settings).map(|identity| identity.lines()).unwrap_or_default(),
            kubeconfig: row.credential_id.map(|id| (id, self.name(id).name)),
            has_secret: row.method.has_secret(),
            made: when(row.made_at, self.now),
            made_by: row.made_by.clone(),
            ends: row.expires_at.map(|at| row::ends(at, self.now)),
            is_over: row.is_over(self.now),
            used: self.last(|one| one.login_id == row.id, "use"),
            is_refused: seen.doubt().is_some(),
        }
    }

    fn name(&self, id: CredentialId) -> Named {
        self.names.get(&id).cloned().unwrap_or_default()
    }

    /// Page and name of what a rule gives from, and the slug for its mark.
    fn source(&self, row: &ClientRule) -> ((String, String), String) {
        match row.source() {
            Some(Source::Credential(id)) => {
                let named = self.name(id);
                ((format!("/credentials/{id}"), named.name), named.kind)
            }
            Some(Source::Store(id)) => {
                let named = self.stores.iter().find(|one| one.id == id).cloned().unwrap_or_default();
                ((format!("/integrations/{id}"), named.name), named.version)
            }
            None => Default::default(),
        }
    }

    fn rule(&self, seen: &Seen<ClientRule>) -> Rule {
        let row = seen.shown();
        let (form, (from, kind)) = (Form::find(&row.form), self.source(row));
        let settings = crate::form::Values::from_json(row.settings.as_bytes()).unwrap_or_default();
        let line = |field: &crate::form::Field| Some((field.label, (field.summary)(settings.get(field.name))?));
        Rule {
            id: row.id,
            name: row.name.clone(),
            form: form.map_or_else(|| row.form.clone(), |form| form.label.to_owned()),
            is_lasting: row.is_lasting(),
            is_stored_value: row.releases_value(),
            from,
            kind,
            can_refresh: row.store_id.is_some(),
            settings: form.map(|form| form.fields.iter().filter_map(line).collect()).unwrap_or_default(),
            allowed_by: row.allowed_by.clone(),
            used: self.last(|one| one.rule_id == Some(row.id), "use"),
            is_refused: seen.doubt().is_some(),
        }
    }
}
