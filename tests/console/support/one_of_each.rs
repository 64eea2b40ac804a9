//! A console with one of everything that an address may name, for tests that walk along all routes; and whether a walk
//! has left its mark on the database.

use std::collections::BTreeMap;

use diesel::sql_types::Text;
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use strongroom::credentials::basic;
use strongroom::draft::Draft;
use strongroom::form::Values;
use strongroom::integrations::deployments::syncs::{Item, set_items};
use strongroom::models::client_logins::{self, Method, NewLogin};
use strongroom::models::client_rules::{self, NewRule, Source};
use strongroom::models::clients::{self, NewClient};
use strongroom::models::events::Actor;
use strongroom::models::integrations::{self, NewIntegration};
use strongroom::models::rollouts::{self, RolloutState};
use strongroom::models::usages::Usage;
use strongroom::models::{
    AlertId, ClientId, ClientLoginId, ClientRuleId, CredentialId, DeliveryId, IntegrationId, ItemId, RolloutId, UserId,
    credentials, recipients,
};
use uuid::Uuid;

use super::app::TestApp;
use super::sql;

/// Words of everything that is there: whoever may not look must not read them.
pub const NAME: &str = "Quixotic";

pub struct OneOfEach {
    credential: CredentialId,
    /// One that sessions can be issued from.
    pub aws: CredentialId,
    client: ClientId,
    login: ClientLoginId,
    rule: ClientRuleId,
    integration: IntegrationId,
    item: ItemId,
    sync: IntegrationId,
    rollout: RolloutId,
    alert: AlertId,
    delivery: DeliveryId,
    user: UserId,
    recipient: recipients::Recipient,
    confirm: String,
    unsubscribe: String,
}

impl OneOfEach {
    /// Nothing of it gives the jobs of the console anything to do.
    pub fn in_console(app: &TestApp) -> Self {
        let (vault, actor) = (&app.services.vault, Actor::command_line());
        let values = Values::from_iter([("username", "robot"), ("password", "secret")]);
        let draft = Draft::new(&basic::KIND, NAME.to_owned(), String::new(), &values).expect("a good credential");
        let credential = app.transaction(|conn| credentials::create(conn, vault, &actor, &draft.row()));
        let profile = NewIntegration {
            family: "alert_profile",
            version: "email",
            name: NAME,
            credential_id: None,
            host: "127.0.0.1:1",
            further: &[],
            settings: r#"{"host":"127.0.0.1","port":"1","tls":"none","from":"a@example.com","from_name":"Strongroom"}"#,
            every_hours: None,
        };
        let integration = app.transaction(|conn| integrations::create(conn, vault, &actor, &profile));
        let recipient = app.transaction(|conn| {
            let address = format!("{NAME}@example.com");
            let id = recipients::create(conn, vault, &actor, integration, &address, "on_stale")?;
            sql_query("UPDATE deliveries SET state = 'parked', ended_at = now(), error = 'refused'").execute(conn)?;
            Ok(recipients::find(conn, vault, id)?.into_shown())
        });
        let (alert, user) = (AlertId::fresh(), app.add_user(NAME, strongroom::accounts::Role::Auditor));
        let raised = format!(
            "INSERT INTO alerts (id, trigger, subject_kind, subject_id, subject_name, stage)
             VALUES ('{alert}', 'lockout', 'user', '{user}', '{NAME}', 3);
             INSERT INTO notices (id, alert_id, number, event, words, digest_id)
             VALUES (gen_random_uuid(), '{alert}', 1, 'raised', '', gen_random_uuid())"
        );
        sql::run(app, &raised);
        let item = ItemId::fresh();
        let found = format!(
            "INSERT INTO items (id, integration_id, place, name, fingerprint, facts)
             VALUES ('{item}', '{integration}', '{NAME}', '{NAME}', '', '{{}}')"
        );
        sql::run(app, &found);
        let rollout = app.transaction(|conn| {
            let id = rollouts::begin(conn, vault, &actor, (NAME, 1), &[integration])?;
            rollouts::end(conn, vault, &actor, (id, NAME), RolloutState::Finished).map(|_| id)
        });
        let (aws, sync) = (aws(app), sync(app, credential));
        let (client, login, rule) = client(app, aws);
        let (confirm, unsubscribe) = (recipient.confirm_key(vault), recipient.unsubscribe_key(vault));
        let delivery = row(app, "SELECT id::text AS text FROM deliveries").parse().expect("an id");
        Self {
            credential,
            aws,
            client,
            login,
            rule,
            integration,
            item,
            sync,
            rollout,
            alert,
            delivery,
            user,
            recipient,
            confirm,
            unsubscribe,
        }
    }

    /// The address of a route, with what it names.
    pub fn path(&self, route: &str) -> String {
        let id = match route.split('/').nth(1).unwrap_or_default() {
            "credentials" => self.credential.0,
            "integrations" if route.contains("/secrets/") => self.sync.0,
            "integrations" => self.integration.0,
            "items" => self.item.0,
            "clients" => self.client.0,
            "rollouts" => self.rollout.0,
            "alerts" => self.alert.0,
            "deliveries" => self.delivery.0,
            "users" => self.user.0,
            "recipients" => self.recipient.id.0,
            // Sessions of one's own: each visitor has others.
            _ => Uuid::nil(),
        };
        let key = if route.contains("/confirm/") { &self.confirm } else { &self.unsubscribe };
        let slug = if route.contains("/integrations/") { "docker_v2" } else { "aws" };
        let route = route.replace("{login}", &self.login.to_string()).replace("{rule}", &self.rule.to_string());
        let route = route.replace("{item}", SYNC_ITEM);
        let route = route.replace("{id}", &id.to_string()).replace("{key}", key);
        route.replace("{slug}", slug).replace("{name}", "states")
    }
}

/// The item of the sync.
const SYNC_ITEM: &str = "0123456789ab";

/// A sync with one Secret. Nothing was applied.
fn sync(app: &TestApp, credential: CredentialId) -> IntegrationId {
    let (vault, actor, mut settings) = (&app.services.vault, Actor::command_line(), Values::default());
    let namespaces = vec![NAME.to_lowercase()];
    let item = Item { id: SYNC_ITEM.into(), secret: "db".into(), kind: "Opaque".into(), namespaces, ..Item::default() };
    set_items(&mut settings, std::slice::from_ref(&item));
    let settings = String::from_utf8_lossy(&settings.to_json()).into_owned();
    let sync = NewIntegration {
        family: "secret_sync",
        version: "sync_kubernetes",
        name: &format!("{NAME} sync"),
        credential_id: Some(credential),
        host: "the address in the credential",
        further: &[Usage { role: item.role(), credential, host: item.end("127.0.0.1:1") }],
        settings: &settings,
        every_hours: None,
    };
    app.transaction(|conn| integrations::create(conn, vault, &actor, &sync))
}

fn aws(app: &TestApp) -> CredentialId {
    let (vault, actor) = (&app.services.vault, Actor::command_line());
    let values = Values::from_iter([
        ("method", "access_key"),
        ("access_key_id", "AKIAIOSFODNN7EXAMPLE"),
        ("secret_access_key", "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEYxx"),
    ]);
    let name = format!("{NAME} key");
    let draft = Draft::new(&strongroom::credentials::aws::KIND, name, String::new(), &values).expect("a good key");
    app.transaction(|conn| credentials::create(conn, vault, &actor, &draft.row()))
}

/// A client with a token and a rule.
fn client(app: &TestApp, credential: CredentialId) -> (ClientId, ClientLoginId, ClientRuleId) {
    let (vault, actor) = (&app.services.vault, Actor::command_line());
    app.transaction(|conn| {
        let new = NewClient { name: NAME, token_minutes: 15, ..NewClient::default() };
        let id = clients::create(conn, vault, &actor, &new)?;
        let row = clients::find(conn, vault, id)?.trust()?;
        let (hash, settings) = (Some(vec![7; 32]), "");
        let login = NewLogin { method: Method::Token, secret_hash: hash, settings, credential: None, expires_at: None };
        let login = client_logins::make(conn, vault, &actor, &row, &login)?;
        let rule =
            NewRule { name: "deploy", source: Source::Credential(credential), form: "aws_session", settings: "{}" };
        Ok((id, login, client_rules::make(conn, vault, &actor, &row, &rule)?))
    })
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    text: String,
}

fn row(app: &TestApp, query: &str) -> String {
    sql_query(query).get_result::<Row>(&mut app.connect()).expect(query).text
}

/// Of each table what changes with every write to it, be it one that writes what was there. When a session was last
/// seen and that a replica lives are no business of a visitor's.
pub fn marks(app: &TestApp) -> BTreeMap<String, String> {
    // A job folds the counts, whatever else happens.
    let tables = "SELECT relname::text AS text FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
            AND relname NOT IN ('replicas', 'credential_counts', 'integration_counts')";
    let tables: Vec<Row> = sql_query(tables).load(&mut app.connect()).expect("the tables");
    let mark = |Row { text: table }: Row| {
        let mark = match table.as_str() {
            "sessions" => "(to_jsonb(t) - 'last_seen_at')::text",
            _ => "t.ctid || ' ' || t.xmin",
        };
        let query = format!("SELECT coalesce(string_agg({mark}, ',' ORDER BY {mark}), '') AS text FROM {table} t");
        let mark = row(app, &query);
        (table, mark)
    };
    tables.into_iter().map(mark).collect()
}

/// Tables whose marks differ.
pub fn changed(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Vec<String> {
    after.iter().filter(|(table, mark)| before.get(*table) != Some(*mark)).map(|(table, _)| table.clone()).collect()
}
