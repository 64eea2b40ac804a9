//! How `exec` delivers what a rule gives, against the real console and a real store: as the rule says, for whom it says,
//! and what happens when the value changes or cannot be read.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::json;
use strongroom::models::IntegrationId;

use super::super::store;
use super::user::{Beside, User, did, text_of, until};
use crate::support::app::{TestApp, Visit};
use crate::support::clients::Client;
use crate::support::peers::openbao::OpenBao;

/// Nobody's number: a user that has nothing on this machine.
const OTHER: u32 = 54_321;

struct Place {
    bao: OpenBao,
    ada: Visit,
    app: TestApp,
    store: IntegrationId,
    user: User,
    token: String,
}

impl Place {
    /// With a rule `db` on an entry of a real store.
    async fn with(settings: &[(&str, &str)]) -> Self {
        let bao = OpenBao::start().await;
        bao.holds("team/db", json!({"password": "first"})).await;
        let app = TestApp::start();
        let mut ada = app.administrator();
        let id = store(&mut ada, "Team Vault", &bao).await;
        let client = Client::new(&app, "shop");
        client.entry("db", id, "secret/team/db", settings);
        let token = client.token();
        Self { bao, ada, store: id, user: User::new(), token, app }
    }

    fn client(&self, arguments: &[&str]) -> Command {
        let mut command = self.user.bare(&[&["--no-agent", "--patience", "2"], arguments].concat());
        command.env("STRONGROOM_URL", &self.app.url).env("STRONGROOM_TOKEN", &self.token);
        command.env("STRONGROOM_ALLOW_FOLDER", "/dev/shm");
        command
    }

    async fn refresh(&mut self) {
        let client = crate::support::sql::texts(&self.app, "SELECT id::text AS text FROM clients").remove(0);
        let rule = crate::support::sql::texts(&self.app, "SELECT id::text AS text FROM client_rules").remove(0);
        let page = self.ada.post(&format!("/clients/{client}/rules/{rule}/refresh"), &[]).await;
        assert_eq!(page.status, 303);
    }
}

/// A folder in memory that nobody else has, and which is not there yet.
fn folder(name: &str) -> String {
    format!("/dev/shm/strongroom-test-{name}-{}/secrets", std::process::id())
}

#[actix_web::test]
async fn a_file_is_where_the_rule_wants_it_and_for_its_owner_alone() {
    let folder = folder("owner");
    let owner = format!("{OTHER}:{OTHER}");
    let keys = [("keys", "password = DB_PASSWORD"), ("deliver", "files"), ("folder", &*folder), ("owner", &owner)];
    let place = Place::with(&keys).await;
    // Whoever runs the tests as root reads everything; the owner and somebody else are asked by their numbers.
    let script = format!(
        "stat -c '%a %u' {folder}/DB_PASSWORD; cat \"$DB_PASSWORD_FILE\" | wc -c; env | grep -c first; \
         setpriv --reuid {OTHER} --regid {OTHER} --clear-groups cat {folder}/DB_PASSWORD; echo; \
         setpriv --reuid 65534 --regid 65534 --clear-groups cat {folder}/DB_PASSWORD 2>/dev/null || echo refused"
    );
    let out = did(&mut place.client(&["exec", "db", "--", "sh", "-c", &script])).well();
    assert_eq!(out.lines().collect::<Vec<_>>(), ["400 54321", "5", "0", "first", "refused"]);
    assert!(
        !Path::new(&folder).exists() && !Path::new(&folder).parent().unwrap().exists(),
        "it is gone with the program"
    );
}

#[actix_web::test]
async fn a_folder_on_a_disk_is_refused() {
    let on_disk = format!("{}/secrets", env!("CARGO_MANIFEST_DIR"));
    let place = Place::with(&[("deliver", "files"), ("folder", &on_disk)]).await;
    let exec = |more: &[&str]| did(&mut place.client(&[&["exec", "db"], more, &["--", "true"]].concat()));
    exec(&[]).badly("--allow-folder");
    exec(&["--allow-folder", &on_disk]).badly("not in memory");
    assert!(!Path::new(&on_disk).exists());
}

#[actix_web::test]
async fn a_file_that_is_not_ours_is_neither_replaced_nor_deleted() {
    let folder = folder("foreign");
    let place = Place::with(&[("deliver", "files"), ("folder", &folder)]).await;
    fs::create_dir_all(&folder).unwrap();
    let run = || did(&mut place.client(&["exec", "db", "--", "cat", &format!("{folder}/db_password")]));
    let foreign = format!("{folder}/db_password");
    fs::write(&foreign, "of somebody else").unwrap();
    run().badly("did not write");
    assert_eq!(fs::read_to_string(&foreign).unwrap(), "of somebody else");
    fs::remove_file(&foreign).unwrap();
    std::os::unix::fs::symlink("/etc/hostname", &foreign).unwrap();
    run().badly("did not write");
    fs::remove_file(&foreign).unwrap();
    assert_eq!(run().well(), "first");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
    run().badly("others can write");
    fs::remove_dir_all(Path::new(&folder).parent().unwrap()).unwrap();
}

#[actix_web::test]
async fn a_changed_value_reaches_a_running_program_by_signal_and_file() {
    let folder = folder("signal");
    let keys =
        [("deliver", "files"), ("folder", &*folder), ("refresh", "0"), ("on_change", "signal"), ("signal", "USR1")];
    let mut place = Place::with(&keys).await;
    let script = format!("trap 'cat {folder}/db_password > heard' USR1; echo > ready; while :; do sleep 0.05; done");
    let command = &mut place.client(&["exec", "db", "--", "bash", "-c", &script]);
    let mut client = Beside(command.stdout(Stdio::null()).spawn().unwrap());
    text_of(&place.user.path("ready"));
    place.bao.holds("team/db", json!({"password": "second"})).await;
    place.refresh().await;
    let heard = place.user.path("heard");
    let told = tokio::task::spawn_blocking(move || {
        until("the signal", || fs::read_to_string(&heard).ok().filter(|heard| !heard.is_empty()))
    });
    assert_eq!(told.await.unwrap(), "second");
    assert_eq!(fs::metadata(format!("{folder}/db_password")).unwrap().mode() & 0o777, 0o400);
    let _ = client.0.kill();
    fs::remove_dir_all(Path::new(&folder).parent().unwrap()).unwrap();
}

#[actix_web::test]
async fn a_changed_value_restarts_a_program_that_has_it_as_a_variable() {
    let settings = [("deliver", "environment"), ("refresh", "0"), ("on_change", "restart")];
    let mut place = Place::with(&settings).await;
    let script = "echo $DB_PASSWORD >> started; while :; do sleep 0.05; done";
    let mut client = Beside(place.client(&["exec", "db", "--", "sh", "-c", script]).spawn().unwrap());
    let started = place.user.path("started");
    let lines = move |number: usize| {
        let started = started.clone();
        tokio::task::spawn_blocking(move || {
            let enough = |text: &String| text.lines().count() == number;
            until("a start", || fs::read_to_string(&started).ok().filter(enough))
        })
    };
    assert_eq!(lines(1).await.unwrap(), "first\n");
    place.bao.holds("team/db", json!({"password": "second"})).await;
    place.refresh().await;
    assert_eq!(lines(2).await.unwrap(), "first\nsecond\n");
    let _ = client.0.kill();
}

#[actix_web::test]
async fn a_program_waits_for_an_entry_or_fails_as_the_rule_says() {
    let place = Place::with(&[]).await;
    let client = Client::new(&place.app, "late");
    client.entry("fails", place.store, "secret/late", &[("keep_seconds", "0")]);
    client.entry("waits", place.store, "secret/late", &[("keep_seconds", "0"), ("outage", "wait")]);
    let place = Place { token: client.token(), ..place };
    did(&mut place.client(&["exec", "fails", "--", "true"])).badly("secret/late");
    let command = &mut place.client(&["exec", "waits", "--", "sh", "-c", "echo $WAITS_PASSWORD > got"]);
    let errors = fs::File::create(place.user.path("errors")).unwrap();
    let mut waiting = Beside(command.stderr(errors).spawn().unwrap());
    let (errors, got) = (place.user.path("errors"), place.user.path("got"));
    let waits = move || fs::read_to_string(&errors).ok().filter(|text| text.contains("waiting for waits"));
    tokio::task::spawn_blocking(move || until("it waits", waits)).await.unwrap();
    place.bao.holds("late", json!({"password": "at last"})).await;
    let value = tokio::task::spawn_blocking(move || text_of(&got)).await.unwrap();
    assert_eq!(value.trim(), "at last");
    assert!(waiting.0.wait().unwrap().success());
}
