//! From what is wrong to the message at the peer: who is told, once, whatever fails on the way.

use std::collections::BTreeMap;

use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::{Connection, RunQueryDsl};
use serde_json::{Value, json};
use strongroom::credentials;
use strongroom::draft::Draft;
use strongroom::form::Values;
use strongroom::models::events::Actor;
use strongroom::models::integrations::{self, NewIntegration};
use strongroom::models::{self, CredentialId, DbError, IntegrationId, credentials as stored};
use strongroom::vault::Vault;

use crate::support::app::TestApp;
use crate::support::peers::receiver::{Receiver, Said};
use crate::support::sql::{count, run};
use crate::support::wait::until;

mod channels;
mod failures;
pub mod mail;
mod once;
mod outage;
mod replicas;
mod tags;

/// Saves a credential as a person would have.
fn credential(app: &TestApp, kind: &'static credentials::Kind, name: &str, values: &[(&str, &str)]) -> CredentialId {
    credential_on(&mut app.connect(), &app.services.vault, kind, name, values)
}

fn credential_on(
    conn: &mut PgConnection,
    vault: &Vault,
    kind: &'static credentials::Kind,
    name: &str,
    values: &[(&str, &str)],
) -> CredentialId {
    let values: Values = values.iter().copied().collect();
    let draft = Draft::new(kind, name.to_owned(), String::new(), &values).expect("a good credential");
    let create = |conn: &mut _| stored::create(conn, vault, &Actor::command_line(), &draft.row());
    models::transaction::<CredentialId, models::DbError>(conn, &create).expect("a credential")
}

/// An access key that is stored now, by whatever clock the database has.
pub fn new_access_key(conn: &mut PgConnection, vault: &Vault, name: &str) -> CredentialId {
    let values = [
        ("method", "access_key"),
        ("access_key_id", "AKIAIOSFODNN7EXAMPLE"),
        ("secret_access_key", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
    ];
    credential_on(conn, vault, &credentials::aws::KIND, name, &values)
}

/// An access key that was really stored so long ago: the database's clock is set back while it is.
pub fn access_key(app: &TestApp, name: &str, ago: &str) -> CredentialId {
    let values = Values::from_iter([
        ("method", "access_key"),
        ("access_key_id", "AKIAIOSFODNN7EXAMPLE"),
        ("secret_access_key", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
    ]);
    let draft =
        Draft::new(&credentials::aws::KIND, name.to_owned(), String::new(), &values).expect("a good credential");
    let mut conn = app.connect();
    conn.batch_execute(&format!(
        "CREATE SCHEMA IF NOT EXISTS past;
         CREATE OR REPLACE FUNCTION past.clock_timestamp() RETURNS timestamptz LANGUAGE sql
             AS $$ SELECT pg_catalog.clock_timestamp() - interval '{ago}' $$;
         SET search_path = past, public, pg_catalog"
    ))
    .expect("a clock that is set back");
    let create = |conn: &mut _| stored::create(conn, &app.services.vault, &Actor::command_line(), &draft.row());
    // Not the models' own transaction, which would not look into the past.
    conn.transaction::<CredentialId, DbError, _>(create).expect("a credential")
}

/// Many access keys of that age at once. Their rows are copies: what tells of them opens none.
fn access_keys(app: &TestApp, count: u32, days: &str) {
    run(
        app,
        &format!(
            "DO $$ BEGIN
                CREATE TEMP TABLE c AS SELECT * FROM credentials WHERE shipped;
                ALTER TABLE c DROP COLUMN search, DROP COLUMN aged_from;
                CREATE TEMP TABLE d AS SELECT c.* FROM c, generate_series(1, {count});
                UPDATE d SET shipped = false, ages = true, id = gen_random_uuid(), secret_set_at = now() - interval '{days}';
                UPDATE d SET name = 'key ' || id, name_key = 'key ' || id;
                EXECUTE (SELECT 'INSERT INTO credentials (' || string_agg(column_name, ', ' ORDER BY ordinal_position)
                    || ') SELECT ' || string_agg(column_name, ', ' ORDER BY ordinal_position) || ' FROM d'
                    FROM information_schema.columns WHERE table_name = 'd');
             END $$"
        ),
    );
}

const EVERYTHING: [(&str, &str); 10] = [
    ("on_stale", "on"),
    ("on_expiring", "on"),
    ("on_failed_test", "on"),
    ("on_failed_scan", "on"),
    ("on_old_runtime", "on"),
    ("on_old_cloud_key", "on"),
    ("on_drift", "on"),
    ("on_integrity", "on"),
    ("on_delivery", "on"),
    ("on_lockout", "on"),
];

/// A channel that tells about everything.
fn channel(
    app: &TestApp,
    version: &str,
    host: &str,
    credential: CredentialId,
    settings: &[(&str, &str)],
) -> IntegrationId {
    channel_on(&mut app.connect(), &app.services.vault, (version, host), credential, settings)
}

fn channel_on(
    conn: &mut PgConnection,
    vault: &Vault,
    (version, host): (&str, &str),
    credential: CredentialId,
    settings: &[(&str, &str)],
) -> IntegrationId {
    let settings: Values = settings.iter().copied().chain(EVERYTHING).collect();
    let settings = String::from_utf8(settings.to_json().to_vec()).unwrap();
    let new = NewIntegration {
        family: "alert_profile",
        version,
        name: version,
        credential_id: Some(credential),
        host,
        further: &[],
        settings: &settings,
        every_hours: None,
    };
    let create = |conn: &mut _| integrations::create(conn, vault, &Actor::command_line(), &new);
    models::transaction::<IntegrationId, models::DbError>(conn, &create).expect("a channel")
}

/// A Splunk that takes events: <https://docs.splunk.com/Documentation/Splunk/latest/Data/HECExamples>.
pub struct Splunk(Receiver);

impl Splunk {
    pub fn start() -> Self {
        Self(Receiver::start(|call| match call.header("authorization") {
            Some("Splunk 8f4a5e2c-splunk") => Said::json(200, &json!({"text": "Success", "code": 0})),
            _ => Said::json(403, &json!({"text": "Invalid token", "code": 4})),
        }))
    }

    pub fn add(&self, app: &TestApp) -> IntegrationId {
        let token = credential(app, &credentials::api_token::KIND, "HEC", &[("token", "8f4a5e2c-splunk")]);
        channel(app, "splunk", &self.0.url(), token, &[("url", &self.0.url()), ("source", "strongroom")])
    }

    pub fn add_on(&self, conn: &mut PgConnection, vault: &Vault) -> IntegrationId {
        let token = credential_on(conn, vault, &credentials::api_token::KIND, "HEC", &[("token", "8f4a5e2c-splunk")]);
        let url = self.0.url();
        channel_on(conn, vault, ("splunk", &url), token, &[("url", &url), ("source", "strongroom")])
    }

    /// The events of every call that was taken.
    pub fn events(&self) -> Vec<Value> {
        let bodies: Vec<String> =
            self.0.calls().iter().map(|call| String::from_utf8(call.body.clone()).unwrap()).collect();
        bodies.iter().flat_map(|body| body.lines().map(|line| serde_json::from_str(line).unwrap())).collect()
    }

    /// How often each title was told.
    pub fn titles(&self) -> BTreeMap<String, usize> {
        let mut titles = BTreeMap::new();
        for event in self.events() {
            *titles.entry(event["event"]["title"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        titles
    }
}

/// PagerDuty's Events API: <https://developer.pagerduty.com/docs/send-alert-event>.
struct PagerDuty(Receiver);

const ROUTING_KEY: &str = "0123456789abcdef0123456789abcdef";

impl PagerDuty {
    fn start() -> Self {
        Self(Receiver::start(|call| {
            let event = call.json();
            match event["routing_key"] == ROUTING_KEY && call.path() == "/v2/enqueue" {
                true => {
                    let said =
                        json!({"status": "success", "message": "Event processed", "dedup_key": event["dedup_key"]});
                    Said::json(202, &said)
                }
                false => Said::json(400, &json!({"status": "invalid event", "errors": ["Invalid routing key"]})),
            }
        }))
    }

    /// The setting that a console needs to find it.
    fn setting(&self) -> String {
        format!("--endpoints=pagerduty={}", self.0.url())
    }

    fn add(&self, app: &TestApp) -> IntegrationId {
        let key = credential(app, &credentials::api_token::KIND, "PagerDuty", &[("token", ROUTING_KEY)]);
        channel(app, "pagerduty", "events.pagerduty.com", key, &[])
    }

    /// Action and key of every event, in the order of their arrival.
    fn events(&self) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        self.0
            .calls()
            .iter()
            .map(|call| call.json())
            .map(|e| (text(&e["event_action"]), text(&e["dedup_key"])))
            .collect()
    }
}

/// Nothing is to be told and nothing to be sent.
async fn quiet(app: &TestApp) {
    until("everything is sent", || {
        let waiting = count(app, "notices WHERE digest_id IS NULL")
            + count(app, "deliveries WHERE state IN ('ready', 'sending')");
        (waiting == 0).then_some(())
    })
    .await;
}

/// Looks at the clock now, not in some seconds.
fn look_now(app: &TestApp) {
    app.services.wake.alerts.notify_one();
}
