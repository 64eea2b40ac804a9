//! The audit trail as people read it: sentences, filters, pages, the file.

use std::collections::BTreeSet;

use strongroom::accounts::Role;
use strongroom::models::events::{self, Action, Actor, NewEvent};

use crate::login::log_in;
use crate::support::app::{PASSWORD, TestApp};
use crate::support::sql;

fn record(app: &TestApp, actor: &str, name: &str) {
    record_action(app, actor, name, Action::CredentialEdited);
}

fn record_action(app: &TestApp, actor: &str, name: &str, action: Action) {
    let event = NewEvent {
        action,
        subject_kind: "credential",
        subject_id: Some(uuid::Uuid::from_u128(7)),
        subject_name: name,
        detail: "name".to_owned(),
    };
    let actor = Actor { name: actor.to_owned(), address: "10.0.0.1".to_owned() };
    let mut connection = app.connect();
    let write = |conn: &mut _| events::record(conn, &app.services.vault, &actor, &event);
    strongroom::models::transaction(&mut connection, &write).expect("an event");
}

#[actix_web::test]
async fn an_event_reads_as_a_sentence_and_links_to_what_it_is_about() {
    let app = TestApp::start();
    let mut admin = app.administrator();
    record(&app, "grace", "prod <b>");
    let page = admin.get("/audit").await;
    assert_eq!(page.texts("[data-what]")[0], "grace changed the credential prod <b>");
    assert_eq!(page.texts("[data-detail]")[0], "name");
    let links = page.attributes("tbody tr:first-child a", "href");
    assert_eq!(links, ["/credentials/00000000-0000-0000-0000-000000000007"]);
    assert!(page.texts("[data-what]").contains(&"command line added the user ada".to_owned()));
    assert!(page.attributes("tbody a", "href").iter().any(|href| href.starts_with("/users/")));
    // An auditor has no page of users to go to.
    let page = app.user("otto", Role::Auditor).get("/audit").await;
    assert!(!page.attributes("tbody a", "href").iter().any(|href| href.starts_with("/users/")));
}

#[actix_web::test]
async fn the_trail_is_filtered_by_who_what_when_and_about_what() {
    let app = TestApp::start();
    let mut admin = app.administrator();
    record(&app, "grace", "prod");
    log_in(&mut app.visitor(), "ada", "wrong").await;
    let all = admin.get("/audit").await.texts("tbody tr").len();
    assert!(all >= 4);
    for (query, rows) in [
        ("who=grace", 1),
        ("who=nobody", 0),
        ("who=GRACE", 1),
        ("who=gra", 1),
        ("who=+Gr+", 1),
        ("who=race", 0),
        ("who=%25", 0),
        ("what=login.failed", 1),
        ("what=credential.edited&who=grace", 1),
        ("subject=00000000-0000-0000-0000-000000000007", 1),
        ("from=2999-01-01", 0),
        ("to=2001-01-01", 0),
        ("from=2001-01-01&to=2999-01-01", all),
    ] {
        let page = admin.get(&format!("/audit?{query}")).await;
        assert_eq!((page.status, page.texts("tbody tr").len()), (200, rows), "{query}");
        assert_eq!(page.has(".empty"), rows == 0, "{query}");
    }
    let page = admin.get("/audit?what=login.failed").await;
    assert_eq!(page.attributes("#what option[selected]", "value"), ["login.failed"]);
    assert_eq!(page.texts("[data-what]"), ["Failed somebody failed to log in as ada"]);
    let today = admin.get("/audit").await.attributes("tbody time", "datetime")[0][..10].to_owned();
    assert_eq!(admin.get(&format!("/audit?from={today}&to={today}&who=grace")).await.texts("tbody tr").len(), 1);
}

#[actix_web::test]
async fn a_filter_that_cannot_be_read_is_named_and_shows_nothing() {
    let app = TestApp::start();
    let mut admin = app.administrator();
    record(&app, "grace", "prod");
    for (query, field, words) in [
        ("from=9999-99-99", "from", "“9999-99-99” isn't a date"),
        ("to=26.11.2026", "to", "isn't a date"),
        ("from=2026-11-26&to=2020-01-01", "to", "before the first"),
        ("what=credential.exploded", "what", "isn't in the list of events"),
        ("subject=nonsense", "subject", "isn't an ID"),
        ("before=nonsense", "before", "isn't a place in the trail"),
    ] {
        let page = admin.get(&format!("/audit?{query}")).await;
        assert_eq!((page.status, page.texts("tbody tr").len()), (400, 0), "{query}");
        let said = page.text(&format!("#{field}-error"));
        assert!(said.contains(words), "{query}: {said}");
        let file = admin.get(&format!("/audit.csv?{query}")).await;
        assert_eq!(file.status, 400, "{query}");
        assert!(file.text("main").contains(&said), "{query}: {}", file.text("main"));
    }
    assert!(admin.fragment("/audit?from=x").await.text("#results").contains("isn't a date"));
}

#[actix_web::test]
async fn a_whole_name_means_its_owner_and_the_beginning_of_names_all_of_them() {
    let app = TestApp::start();
    let mut admin = app.administrator();
    for name in ["grace", "gracie", "Graham"] {
        record(&app, name, "prod");
    }
    for (who, rows) in [("grace", 1), ("gra", 3), ("GRAC", 2), ("gracie", 1)] {
        let page = admin.get(&format!("/audit?who={who}")).await;
        assert_eq!(page.texts("tbody tr").len(), rows, "{who}");
        assert_eq!(admin.get(&format!("/audit.csv?who={who}")).await.body.lines().count(), rows + 1, "{who}");
    }
}

#[actix_web::test]
async fn pages_of_the_trail_neither_repeat_nor_leave_out_an_event() {
    let app = TestApp::start();
    let mut admin = app.administrator();
    for number in 0..120 {
        record(&app, "grace", &format!("credential {number}"));
    }
    // Many at the same moment, so that only lane and number tell them apart.
    sql::run(&app, "UPDATE events SET at = date_trunc('minute', at)");
    let (mut path, mut seen) = ("/audit?who=grace".to_owned(), Vec::new());
    loop {
        let page = admin.get(&path).await;
        seen.extend(page.texts("tbody td a"));
        match page.attributes("#next", "href").pop() {
            Some(next) => path = next,
            None => break,
        }
    }
    assert_eq!(seen.len(), 120);
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), 120);
    assert!(admin.get(&path).await.has("#newest"));
}

#[actix_web::test]
async fn the_file_holds_what_the_filter_shows_and_no_formula() {
    let app = TestApp::start();
    let mut admin = app.administrator();
    let names = ["=HYPERLINK(\"http://x\")", "+1", "-1", "@SUM", "a\"b,c\r\nd", "plain"];
    for name in names {
        record(&app, "grace", name);
    }
    let page = admin.get("/audit.csv?who=grace").await;
    assert_eq!((page.status, page.header("content-type")), (200, "text/csv; charset=utf-8"));
    assert_eq!(page.header("content-disposition"), "attachment; filename=\"strongroom-audit.csv\"");
    let mut reader = csv::Reader::from_reader(page.body.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().expect("RFC 4180");
    let found: BTreeSet<String> = rows.iter().map(|row| row[6].to_owned()).collect();
    let wanted = ["'=HYPERLINK(\"http://x\")", "'+1", "'-1", "'@SUM", "a\"b,c\r\nd", "plain"];
    assert_eq!(found, wanted.map(str::to_owned).into());
    assert!(rows.iter().all(|row| &row[1] == "grace" && &row[3] == "Credential changed"));
}

#[actix_web::test]
async fn a_long_file_is_whole() {
    let app = TestApp::start();
    let mut admin = app.administrator();
    sql::run(
        &app,
        "INSERT INTO events SELECT 0, 1000000 + n, now(), 'load', 'credential.opened', 'credential', NULL, 'c' || n, '', '',
         '\\x0000000000000000000000000000000000000000000000000000000000000000' FROM generate_series(1, 2000) n",
    );
    let page = admin.get("/audit.csv?who=load").await;
    assert_eq!(page.body.lines().count(), 2_001);
    assert_eq!(admin.get("/audit.csv?who=nobody").await.body.lines().count(), 1);
}

#[actix_web::test]
async fn a_fragment_of_the_trail_is_its_table_alone() {
    let app = TestApp::start();
    let page = app.administrator().fragment("/audit").await;
    assert!(page.has("#results table") && !page.has("h1"));
}

#[actix_web::test]
async fn who_logs_in_and_who_fails_to_is_in_the_trail() {
    let app = TestApp::start();
    app.add_user("ada", Role::Administrator);
    log_in(&mut app.visitor(), "ada", "wrong").await;
    log_in(&mut app.visitor(), "ada", PASSWORD).await;
    for action in ["login.failed", "login.succeeded"] {
        assert_eq!(sql::count(&app, &format!("events WHERE action = '{action}' AND subject_name = 'ada'")), 1);
    }
    assert!(
        strongroom::models::chain::verify(&mut app.connect(), &app.services.vault).expect("readable").broken.is_empty()
    );
}

#[test]
fn every_action_has_a_name_of_its_own_and_words() {
    let names: BTreeSet<&str> = Action::ALL.iter().map(|action| action.name()).collect();
    assert_eq!(names.len(), Action::ALL.len());
    for action in Action::ALL {
        let (noun, verb) = action.name().split_once('.').expect("noun.verb");
        assert!(!noun.is_empty() && verb.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{verb}");
        assert!(!action.label().contains(['.', '_']) && !action.verb().is_empty(), "{}", action.name());
        assert_eq!(Action::find(action.name()), Some(*action));
    }
}

fn use_of(app: &TestApp, actor: &str, name: &str, times: usize) {
    for _ in 0..times {
        record_action(app, actor, name, Action::CredentialOpened);
    }
}

#[actix_web::test]
async fn equal_events_are_one_line_that_opens_to_each_of_them() {
    let app = TestApp::start();
    let mut admin = app.administrator();
    for _ in 0..3 {
        use_of(&app, "Strongroom", "hook one", 1);
        use_of(&app, "Strongroom", "hook two", 1);
    }
    record(&app, "grace", "hook one");
    use_of(&app, "Strongroom", "hook one", 2);
    let page = admin.get("/audit?subject=00000000-0000-0000-0000-000000000007").await;
    assert_eq!(page.texts("[data-event]").len(), 4);
    assert_eq!(page.attributes("[data-again]", "data-again"), ["2", "3", "3"]);
    let each = page.attributes("[data-again]", "href").pop().expect("a link");
    assert_eq!(admin.get(&each).await.texts("[data-event]").len(), 8, "uses of this subject");
    assert!(admin.get("/audit.csv").await.body.lines().filter(|line| line.contains("hook two")).count() == 3);
}

#[actix_web::test]
async fn automatic_use_can_be_hidden_and_use_by_people_stays() {
    let app = TestApp::start();
    let mut admin = app.administrator();
    use_of(&app, "Strongroom", "prod", 600);
    use_of(&app, "grace", "prod", 1);
    record(&app, "grace", "prod");
    use_of(&app, "Strongroom", "prod", 600);
    let subject = "subject=00000000-0000-0000-0000-000000000007";
    let page = admin.get(&format!("/audit?{subject}&uses=hide")).await;
    assert_eq!(page.texts("[data-event]").len(), 2);
    assert!(page.has("#uses[checked]") && !page.has("#next"));
    // A page is made of so many events at most, and the next one goes on where it ends.
    let first = admin.get(&format!("/audit?{subject}")).await;
    assert_eq!(first.attributes("[data-again]", "data-again"), ["500"]);
    let next = admin.get(&first.attributes("#next", "href")[0]).await;
    assert_eq!(next.attributes("[data-again]", "data-again"), ["100", "398"]);
    assert_eq!(admin.get(&format!("/audit.csv?{subject}&uses=hide")).await.body.lines().count(), 3);
}

/// Scans and verifications were shown by their program codes, and could not be chosen.
#[actix_web::test]
async fn scans_and_verifications_have_words_and_can_be_chosen() {
    let app = TestApp::start();
    let mut admin = app.administrator();
    let actions = [Action::ScanFailed, Action::ScanSucceeded, Action::StoreVerified, Action::StoreVerificationStarted];
    for action in actions {
        record_action(&app, "grace", "ECR Search", action);
        let page = admin.get(&format!("/audit?what={}", action.name())).await;
        let line = page.text("tbody tr [data-what]");
        assert!(line.contains(action.verb()) && !line.contains(action.name()), "{line}");
        let chosen = page.texts("select[name=what] option[selected]");
        assert_eq!(chosen, [action.label()]);
        let file = admin.get(&format!("/audit.csv?what={}", action.name())).await;
        assert!(file.body.contains(action.label()));
    }
}
