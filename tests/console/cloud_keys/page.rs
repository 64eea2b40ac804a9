//! The whole way in the console: an account is scanned, its keys are listed, found, exported and stored.

use strongroom::accounts::Role;
use strongroom::models::CredentialId;

use super::{ACCOUNT, NEVER, OFF, OLD, SECRET, YOUNG, account, add, days_since, ended, scan_again, store};
use crate::support::app::{Page, TestApp};
use crate::support::peers::iam::Key;
use crate::support::peers::moto::{ACCOUNT as MOTO_ACCOUNT, Moto};

pub(super) fn keys(page: &Page) -> Vec<String> {
    page.attributes("#results tbody tr", "data-key-id")
}

fn chips(page: &Page) -> Vec<String> {
    page.texts(".chips a")
}

#[actix_web::test]
async fn every_key_of_an_account_is_shown_with_who_holds_it_and_one_key_has_one_age() {
    let iam = account().await;
    let app = TestApp::start_with(&[&format!("--aws-endpoint-url={}", iam.url())]);
    let mut visit = app.administrator();
    let page = visit.get("/cloud-keys").await;
    assert!(page.text("#results").contains("No cloud account is scanned"), "{}", page.text("#results"));
    let form = visit.get(&page.attributes("#results a.button", "href").remove(0)).await;
    assert!(form.has("input[name=account]") && form.has("input[name=keys][checked]"));

    let credential = store(&mut visit, "ada, who left", OLD).await;
    let integration = add(&mut visit, ACCOUNT, credential).await;
    let (state, error) = ended(&app, integration, 1).await;
    assert_eq!(state, "succeeded", "{error:?}");

    let page = visit.get("/cloud-keys").await;
    assert_eq!(keys(&page), ["root key 1", OFF, OLD, NEVER, YOUNG], "the oldest first");
    assert_eq!(
        chips(&page),
        ["All 5", "Old 2", "Never used 1", "Unused for 90 days 2", "Not stored 3", "Without expiry 4"]
    );
    let row = page.text(&format!("tr[data-key-id={OLD}]"));
    let age = format!("{} days", days_since("2019-03-01T10:00:00Z"));
    assert!(row.starts_with("ada") && row.contains(&age) && row.contains("s3 in eu-central-1"), "{row}");
    assert!(row.contains("example-prod") && row.ends_with("ada, who left"), "{row}");
    let held = page.attributes(&format!("tr[data-key-id={OLD}] td[data-label='Stored here'] a"), "href");
    assert_eq!(held, [format!("/credentials/{credential}")]);
    assert!(page.text("tr[data-key-id='root key 1']").contains("Root user"));
    assert_eq!(page.text(&format!("tr[data-key-id={NEVER}] td[data-label='Last used']")), "never");

    // What is old and not stored is an alert about the account, closed by the scan that finds all stored or off.
    let alert = visit.get("/alerts?trigger=old_cloud_key").await;
    let said = alert.text("#results");
    assert!(said.contains("1 active key is older than 90 days, the oldest, of ci-deploy"), "{said}");
    let alert = visit.get(&alert.attributes("#results a.row-link", "href").remove(0)).await;
    assert!(alert.has("a[href='/cloud-keys?show=old']"));

    // Stored today, made in 2019: it is as old as AWS says, in every place.
    let page = visit.get(&format!("/credentials/{credential}")).await;
    let shown = page.text("[data-age]");
    assert!(shown.contains(&age) && page.text("h1").contains("Stale"), "{shown}");
    let table = visit.get("/credentials?state=stale").await;
    let days = age.replace(" days", " d");
    assert!(table.text("#results").contains(&days) && table.has(".age[title='stored today']"), "{}", table.body);
    let dashboard = visit.get("/").await.text("[data-need=stale] .need__amount");
    assert_eq!(dashboard, age);
    let chart = visit.get("/").await;
    let columns = |of: &str| chart.texts(&format!("{of} li strong")).join(" ");
    assert_eq!(columns("[data-stored]"), "0 0 0 0 0 0 0 0 0 1");
    assert_eq!(columns("[data-found]"), "1 0 0 1", "active keys that are not stored");

    store(&mut visit, "pipeline", NEVER).await;
    assert_eq!(scan_again(&app, &mut visit, integration, 2).await.0, "succeeded");
    assert!(!visit.get("/alerts?trigger=old_cloud_key").await.text("#results").contains("ci-deploy"));
}

#[actix_web::test]
async fn keys_are_filtered_searched_paged_and_exported() {
    let iam = account().await;
    let more = (0..60).map(|number| Key::new(&format!("AKIAROBOTROBOT{number:04}"), "2021-01-01T00:00:00Z"));
    iam.account().users.push(("robot".to_owned(), more.collect()));
    let app = TestApp::start_with(&[&format!("--aws-endpoint-url={}", iam.url())]);
    let mut visit = app.administrator();
    let credential = store(&mut visit, "scanner", YOUNG).await;
    let integration = add(&mut visit, ACCOUNT, credential).await;
    assert_eq!(ended(&app, integration, 1).await.0, "succeeded");
    // The same account once more: each key still counts once.
    let fields = [("name", "Again"), ("version", "aws_account"), ("account", ACCOUNT), ("keys", "on")];
    let id = credential.to_string();
    let again = visit.post("/integrations", &[&fields[..], &[("credential", &id), ("schedule", "off")]].concat()).await;
    assert_eq!(ended(&app, super::id_in(again.location()), 1).await.0, "succeeded");

    let page = visit.get("/cloud-keys").await;
    let counts = ["All 65", "Old 62", "Never used 61", "Unused for 90 days 62", "Not stored 63", "Without expiry 64"];
    assert_eq!(chips(&page), counts);
    let first = keys(&page);
    let next = page.attributes("a[rel=next]", "href").remove(0);
    let second = visit.get(&next).await;
    assert_eq!((first.len(), keys(&second).len()), (50, 15));
    assert_eq!(keys(&second).last().map(String::as_str), Some(YOUNG));
    let back = second.attributes("a[rel=prev]", "href").remove(0);
    assert_eq!(keys(&visit.get(&back).await), first);

    let unused = visit.get("/cloud-keys?show=unused").await;
    assert_eq!(keys(&unused)[0], NEVER, "the longest unused first: {:?}", keys(&unused));
    assert!(!keys(&unused).contains(&OFF.to_owned()), "what is off opens nothing");
    assert_eq!(keys(&visit.get("/cloud-keys?q=CI-DEP").await), [NEVER, YOUNG]);
    assert_eq!(keys(&visit.get(&format!("/cloud-keys?q={}", &YOUNG[4..12].to_lowercase())).await), [YOUNG]);
    assert_eq!(keys(&visit.get("/cloud-keys?show=never-used&q=ci-deploy").await), [NEVER]);
    assert!(visit.get("/cloud-keys?q=%25").await.text("#results").contains("Nothing found"));
    for bad in ["show=all", "after=1", "before=x.y", "after=1.2&before=1.2"] {
        assert_eq!(visit.get(&format!("/cloud-keys?{bad}")).await.status, 422, "{bad}");
    }

    let file = visit.get("/cloud-keys.csv?show=not-stored").await.body;
    let mut reader = csv::Reader::from_reader(file.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("a row")).collect();
    assert_eq!(rows.len(), 63);
    let old = rows.iter().find(|row| &row[3] == OLD).expect("the old key");
    let cells: Vec<&str> = old.iter().collect();
    assert_eq!(
        cells[..9],
        [
            "AWS",
            ACCOUNT,
            "example-prod",
            OLD,
            "ada",
            &format!("arn:aws:iam::{ACCOUNT}:user/ada"),
            "no",
            "active",
            "2019-03-01T10:00:00Z"
        ]
    );
    assert_eq!(cells[11..15], ["s3 in eu-central-1", "", "no", ""]);
}

#[actix_web::test]
async fn a_found_key_is_stored_with_what_is_known_and_a_changed_one_is_told() {
    let iam = account().await;
    let app = TestApp::start_with(&[&format!("--aws-endpoint-url={}", iam.url())]);
    let mut visit = app.administrator();
    let credential = store(&mut visit, "scanner", YOUNG).await;
    let integration = add(&mut visit, ACCOUNT, credential).await;
    assert_eq!(ended(&app, integration, 1).await.0, "succeeded");

    let page = visit.get("/cloud-keys?show=not-stored").await;
    assert_eq!(keys(&page), [OFF, OLD, NEVER]);
    assert!(!page.has(&format!("tr[data-key-id={OFF}] a[data-store]")), "it is switched off");
    let href = page.attributes(&format!("tr[data-key-id={OLD}] a[data-store]"), "href").remove(0);
    let form = visit.get(&href).await;
    assert_eq!(form.attributes("input[name=name]", "value"), ["ada"]);
    assert_eq!(form.attributes("input[name=access_key_id]", "value"), [OLD]);
    let fields = [("kind", "aws"), ("name", "ada"), ("method", "access_key"), ("access_key_id", OLD)];
    let saved = visit.post("/credentials", &[&fields[..], &[("secret_access_key", SECRET)]].concat()).await;
    assert_eq!(saved.status, 303);
    assert_eq!(keys(&visit.get("/cloud-keys?show=not-stored").await), [OFF, NEVER]);
    let stored = visit.get("/cloud-keys").await;
    assert_eq!(stored.text(&format!("tr[data-key-id={OLD}] td[data-label='Stored here']")), "ada");
    // What the scan has told of it holds from now on.
    let age = format!("{} d", days_since("2019-03-01T10:00:00Z"));
    let table = visit.get("/credentials?state=stale").await.text("#results");
    assert!(table.contains("ada") && table.contains(&age), "{table}");
    // Whoever may only look is offered nothing to store.
    assert!(!app.user("otto", Role::Auditor).get("/cloud-keys").await.has("a[data-store]"));

    iam.account().users[1].1[1].active = false;
    iam.account().users.retain(|(name, _)| name != "otto");
    assert_eq!(scan_again(&app, &mut visit, integration, 2).await.0, "succeeded");
    let page = visit.get(&format!("/integrations/{integration}")).await;
    let changes = page.texts("#changed li");
    let told = |word: &str, id: &str| changes.iter().any(|line| line.contains(word) && line.contains(id));
    assert!(changes.len() == 2 && told("Changed", NEVER) && told("Gone", OFF), "{changes:?}");
    assert!(page.text("#results").contains("Inactive") && page.text("#inventory small") == "4 items");
    assert_eq!(keys(&visit.get("/cloud-keys?show=never-used").await), [""; 0]);
}

#[actix_web::test]
async fn the_keys_of_a_real_iam_are_listed_with_the_least_rights() {
    let moto = Moto::start().await;
    let (id, secret) = moto.user("scanner").await;
    let (other, _) = moto.user("ci-deploy").await;
    for action in [
        "iam:ListUsers",
        "iam:ListAccessKeys",
        "iam:GetAccessKeyLastUsed",
        "iam:GetAccountSummary",
        "iam:ListAccountAliases",
    ] {
        moto.allow("scanner", action, "*").await;
    }
    let app = TestApp::start_with(&[&format!("--aws-endpoint-url={}", moto.url())]);
    let mut visit = app.administrator();
    let fields = [("kind", "aws"), ("name", "scanner key"), ("method", "access_key")];
    let fields = [&fields[..], &[("access_key_id", id.as_str()), ("secret_access_key", secret.as_str())]].concat();
    let page = visit.post("/credentials", &fields).await;
    let credential: CredentialId = super::id_in(page.location());
    let integration = add(&mut visit, MOTO_ACCOUNT, credential).await;
    let (state, error) = ended(&app, integration, 1).await;
    assert_eq!(state, "succeeded", "{error:?}");
    let page = visit.get("/cloud-keys").await;
    assert_eq!(page.text(&format!("tr[data-key-id={id}] td[data-label='Stored here']")), "scanner key");
    let row = page.text(&format!("tr[data-key-id={other}]"));
    assert!(row.starts_with("ci-deploy") && row.contains("never") && row.contains("Not stored"), "{row}");
    let page = visit.get(&format!("/credentials/{credential}")).await;
    let captions = page.texts("[aria-labelledby=policies] figcaption > span");
    assert!(captions.iter().any(|caption| caption.ends_with("may list the keys of all users")), "{captions:?}");
    let used: Vec<String> = moto.actions().into_iter().filter(|action| !action.starts_with("Get")).collect();
    assert!(used.iter().all(|action| action.starts_with("List")), "{used:?}");
}
