//! Makes a store with everything in it, for the tests of the release after this one: by the pages of the binary where
//! there is a page, by the models where there is none. `STRONGROOM_TEST_STORE=FILE` keeps it as a dump.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use serde_json::json;
use strongroom::accounts::Role;
use strongroom::integrations::Family;
use strongroom::models::events::Actor;
use strongroom::models::integrations::{self, NewIntegration};
use strongroom::models::{recipients, runs, transaction};
use uuid::Uuid;

use super::write_ring;
use crate::credentials::samples;
use crate::support::app::Visit;
use crate::support::binary::Strongroom;
use crate::support::peers::receiver::{Receiver, Said};
use crate::support::peers::shelf::Shelf;
use crate::support::process::{PATIENCE, wait_for};
use crate::support::signed;
use crate::support::sql::count_on;

/// Tables that a store in use leaves empty.
const EMPTY: [&str; 17] = [
    "account_letters",
    "api_tokens",
    "client_logins",
    "client_rules",
    "client_uses",
    "clients",
    "deployments",
    "exported_events",
    "replicas",
    "rollout_steps",
    "rollouts",
    "sample_rows",
    "setup_links",
    "snoozed_keys",
    "spent_tokens",
    "sync_entries",
    "views",
];

/// A registry whose first scan is whole, whose second finds a new image, a changed one and one gone, and whose later
/// ones leave a gap.
fn registry(part: Arc<AtomicUsize>) -> Receiver {
    let first = Shelf::default().with("team/app", "1").with("team/app", "2").with("team/web", "1");
    let mut later = Shelf::default().with("team/app", "1").with("team/app", "3");
    let changed = later.image("arm64");
    later.put("team/app", "1", crate::support::peers::shelf::IMAGE, &changed);
    let later = later.with("team/api", "1");
    Receiver::start(move |call| match (part.load(Ordering::SeqCst), call.path()) {
        (2, path) if path.starts_with("/v2/team/api/") => Said::json(403, &json!({})),
        (0, _) => first.answer(call),
        _ => later.answer(call),
    })
}

struct Maker {
    strongroom: Strongroom,
    ada: Visit,
}

impl Maker {
    fn conn(&self) -> PgConnection {
        self.strongroom.connect()
    }

    async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Uuid {
        let page = self.ada.post(path, fields).await;
        assert_eq!(page.status, 303, "{path} {fields:?}: {:?}", page.texts(".error-summary, [role=alert]"));
        page.location().rsplit('/').next().and_then(|id| id.split('?').next()?.parse().ok()).unwrap_or_default()
    }

    /// One of each type and subtype; returns the one with a user name and a password.
    async fn credentials(&mut self) -> Uuid {
        let mut basic = None;
        for (number, (kind, values)) in samples::all("not-a-secret-0123456789abcdefghijkl").into_iter().enumerate() {
            let name = format!("{kind} {number}");
            let mut fields = vec![("kind", kind), ("name", name.as_str())];
            fields.extend(values.iter().map(|(name, value)| (*name, value.as_str())));
            let id = self.post("/credentials", &fields).await;
            if kind == "basic" {
                basic.get_or_insert(id);
            }
        }
        let basic = basic.expect("one with a password");
        let edit = [("row_version", "1"), ("name", "robot"), ("username", "robot"), ("password", "second secret")];
        let labels = [("owner", "Platform"), ("tags", "prod, billing")];
        self.post(&format!("/credentials/{basic}/edit"), &[&edit[..], &labels].concat()).await;
        basic
    }

    async fn ended(&self, runs: i64) {
        let ended = async || count_on(&mut self.conn(), "runs WHERE ended_at IS NOT NULL") == runs;
        wait_for("the scans end", PATIENCE, ended).await;
    }

    async fn scans(&mut self, basic: Uuid) {
        let part = Arc::new(AtomicUsize::new(0));
        let peer = registry(Arc::clone(&part));
        let (url, basic) = (peer.url(), basic.to_string());
        let form = [("name", "mirror"), ("version", "docker_v2"), ("registry", &url), ("credential", &basic)];
        let id = self.post("/integrations", &[&form[..], &[("schedule", "24")]].concat()).await;
        self.ended(1).await;
        for now in [1, 2] {
            part.store(now, Ordering::SeqCst);
            self.post(&format!("/integrations/{id}/runs"), &[]).await;
            self.ended(now as i64 + 1).await;
        }
        assert_eq!(self.ada.post(&format!("/integrations/{id}/webhook"), &[]).await.status, 200);
        let closed = [("name", "away"), ("version", "docker_v2"), ("registry", "http://127.0.0.1:1")];
        let id = self.post("/integrations", &[&closed[..], &[("schedule", "off")]].concat()).await;
        self.ended(4).await;
        for failed in 5..7 {
            self.post(&format!("/integrations/{id}/runs"), &[]).await;
            self.ended(failed).await;
        }
    }

    /// One integration of each provider that uses a credential of each kind that it takes, and one without, if it may.
    fn of_each_provider(&self) {
        let (mut conn, vault, actor) = (self.conn(), self.strongroom.vault(), Actor::command_line());
        let kinds = strongroom::models::credentials::page(&mut conn, &vault, Uuid::nil(), 100).expect("rows");
        for spec in Family::ALL.iter().flat_map(|family| family.providers()) {
            let used =
                kinds.iter().map(|row| row.shown()).filter(|row| spec.credential_kinds().contains(&row.kind.as_str()));
            let none = (!spec.needs_credential()).then_some(None);
            for (number, credential) in used.map(|row| Some(row.id)).chain(none).enumerate() {
                let new = NewIntegration {
                    family: spec.family().slug(),
                    version: spec.slug,
                    name: &format!("{} {number}", spec.slug),
                    credential_id: credential,
                    host: "127.0.0.1:1",
                    further: &[],
                    settings: "{}",
                    every_hours: None,
                };
                transaction(&mut conn, &|conn| integrations::create(conn, &vault, &actor, &new))
                    .expect("an integration");
            }
        }
    }

    async fn alerts(&mut self) {
        let settings =
            [("row_version", "0"), ("failed_scans", "2"), ("ahead", "on"), ("remind", "on"), ("days_azure", "45")];
        self.post("/alerts/settings", &settings).await;
        let (mut conn, vault, actor) = (self.conn(), self.strongroom.vault(), Actor::command_line());
        let profile = NewIntegration {
            family: "alert_profile",
            version: "email",
            name: "On call",
            credential_id: None,
            host: "127.0.0.1:1",
            further: &[],
            settings: r#"{"host":"127.0.0.1","port":"1","tls":"none","from":"a@example.com","from_name":"Strongroom","on_stale":"on","on_failed_scan":"on"}"#,
            every_hours: None,
        };
        let profile =
            transaction(&mut conn, &|conn| integrations::create(conn, &vault, &actor, &profile)).expect("a profile");
        for address in ["ops@example.com", "dev@example.com"] {
            let invite = |conn: &mut PgConnection| {
                recipients::create(conn, &vault, &actor, profile, address, "stale,failed_scan")
            };
            transaction(&mut conn, &invite).expect("a recipient");
        }
        signed::run_at(
            &mut conn,
            &vault,
            "UPDATE recipients SET confirmed_at = now() WHERE address = 'ops@example.com';
             UPDATE credentials SET secret_set_at = now() - interval '200 days' WHERE kind = 'azure'",
        );
    }
}

/// Brings about what the clock does, and leaves a run in the queue.
async fn finish(maker: &mut Maker) {
    let serving = maker.strongroom.try_serve(&["--egress-allow=127.0.0.0/8"]).expect("the console starts");
    let raised =
        async || count_on(&mut maker.conn(), "delivery_lines") > 0 && count_on(&mut maker.conn(), "channels") > 0;
    wait_for("alerts are told", PATIENCE, raised).await;
    serving.stop();
    let (mut conn, vault) = (maker.conn(), maker.strongroom.vault());
    conn.batch_execute(
        "INSERT INTO provider_facts (credential_id, secret_version, made_at, identity)
             SELECT id, secret_version, secret_set_at, 'robot' FROM credentials WHERE name = 'robot';
         INSERT INTO first_steps (step, done_by) VALUES ('key_ring', 'ada');
         INSERT INTO login_failures (name_key, network, address) VALUES ('ada', '192.0.2.0/24', '192.0.2.1')",
    )
    .expect("what only a provider and a stranger bring about");
    let mirror = integrations::page(&mut conn, &vault, Uuid::nil(), 100).expect("rows");
    let mirror = mirror.iter().find(|row| row.shown().name == "mirror").expect("a scan").shown().id;
    transaction(&mut conn, &|conn| runs::queue(conn, &vault, mirror, "asked", "ada")).expect("queued");
}

#[actix_web::test]
async fn a_store_with_everything_in_it_is_made() {
    let strongroom = Strongroom::empty();
    write_ring(&strongroom);
    let serving = strongroom.try_serve(&["--egress-allow=127.0.0.0/8"]).expect("the console starts");
    let mut ada = strongroom.visit("ada", Role::Administrator);
    ada.url.clone_from(&serving.url);
    for (name, role) in [("otto", Role::Operator), ("olga", Role::Auditor)] {
        strongroom.visit(name, role);
    }
    let mut maker = Maker { strongroom, ada };
    let basic = maker.credentials().await;
    maker.alerts().await;
    maker.scans(basic).await;
    serving.stop();
    maker.of_each_provider();
    finish(&mut maker).await;
    let mut conn = maker.conn();
    let tables = tables(&mut conn);
    let empty: Vec<&String> = tables.iter().filter(|table| count_on(&mut conn, table) == 0).collect();
    assert!(empty.iter().all(|table| EMPTY.contains(&table.as_str())), "nothing in {empty:?}");
    if let Some(file) = std::env::var_os("STRONGROOM_TEST_STORE") {
        std::fs::write(file, dump(&maker.strongroom)).expect("the dump");
    }
}

fn tables(conn: &mut PgConnection) -> Vec<String> {
    use diesel::RunQueryDsl;
    #[derive(diesel::QueryableByName)]
    struct Table {
        #[diesel(sql_type = diesel::sql_types::Text)]
        name: String,
    }
    let query = "SELECT relname::text AS name FROM pg_class
                 WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY 1";
    let found: Vec<Table> = diesel::sql_query(query).load(conn).expect("the catalogue");
    found.into_iter().map(|table| table.name).collect()
}

fn dump(strongroom: &Strongroom) -> String {
    let url = strongroom.url.as_ref().expect("a database");
    let arguments = ["--inserts", "--no-owner", "--no-privileges", "--exclude-table-data=replicas"];
    let output = Command::new("pg_dump").args(arguments).arg(url).output().expect("pg_dump runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let kept = text.lines().filter(|line| !line.starts_with('\\') && !line.starts_with("--"));
    kept.collect::<Vec<_>>().join("\n")
}
