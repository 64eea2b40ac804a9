//! The search of the table: what it finds, in which order, in a small table and in a large one.

use strongroom::models::CredentialId;

use super::table::{names, walk};
use super::{add, execute, version};
use crate::support::app::TestApp;

/// Rows beside one credential, as many as the table is to have.
fn fill(app: &TestApp, id: CredentialId, names: &str, rows: usize) {
    let columns = "kind, note, identity, facts, ages, created_by, edited_by, row_mac";
    execute(
        app,
        &format!(
            "INSERT INTO credentials (id, name, name_key, {columns})
             SELECT gen_random_uuid(), {names}, {names}, {columns}
             FROM credentials, generate_series(1, {rows}) n WHERE id = '{id}'"
        ),
    );
}

/// From now on the table counts as large, whatever is in it.
fn make_large(app: &TestApp) {
    execute(app, "UPDATE pg_class SET reltuples = 1000000 WHERE oid = 'credentials'::regclass");
}

#[actix_web::test]
async fn a_search_finds_a_name_by_any_part_of_it_and_by_its_identifying_value() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    for name in ["Team 55 – production", "nonprod", "Größe der Prod"] {
        add(&mut visit, name).await;
    }
    for (search, found) in [
        ("prod", vec!["Größe der Prod", "nonprod", "Team 55 – production"]),
        ("55 – prod", vec!["Team 55 – production"]),
        ("öß", vec!["Größe der Prod"]),
        ("n", vec!["IAM Role", "nonprod", "Team 55 – production"]),
        ("robo", vec!["Größe der Prod", "nonprod", "Team 55 – production"]),
        ("bot", vec!["Größe der Prod", "nonprod", "Team 55 – production"]),
        ("prod%20robot", vec!["Größe der Prod", "nonprod", "Team 55 – production"]),
        ("%20%20team%2055%20", vec!["Team 55 – production"]),
    ] {
        let page = visit.get(&format!("/credentials?q={search}")).await;
        assert_eq!(names(&page), found, "{search}");
        assert!(!page.has("#within"), "{search}: everything was looked at");
        assert_eq!(page.attributes("thead th", "aria-sort"), ["ascending"], "{search}");
    }
}

#[actix_web::test]
async fn a_renamed_or_deleted_credential_is_found_by_what_it_is_now() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = add(&mut visit, "billing robot").await;
    make_large(&app);
    assert_eq!(names(&visit.get("/credentials?q=bill").await), ["billing robot"]);
    let version = version(&mut visit, id).await;
    let fields =
        [("name", "payroll"), ("username", "robot"), ("password", ""), ("description", ""), ("row_version", &version)];
    assert_eq!(visit.post(&format!("/credentials/{id}/edit"), &fields).await.status, 303);
    assert!(names(&visit.get("/credentials?q=bill").await).is_empty());
    assert_eq!(names(&visit.get("/credentials?q=payr").await), ["payroll"]);
    execute(&app, &format!("DELETE FROM credentials WHERE id = '{id}'"));
    let left: i64 = crate::support::sql::count(&app, &format!("credential_words WHERE credential_id = '{id}'"));
    assert_eq!(left, 0);
}

#[actix_web::test]
async fn in_a_large_table_a_search_shows_the_beginnings_of_words_and_offers_the_rest() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    for name in ["production", "my prod", "nonprod"] {
        add(&mut visit, name).await;
    }
    make_large(&app);
    let page = visit.get("/credentials?q=Prod").await;
    assert_eq!(names(&page), ["my prod", "production"]);
    let rest = page.attributes("#within", "href");
    let page = visit.get(&rest[0]).await;
    assert_eq!(names(&page), ["my prod", "nonprod", "production"]);
    assert!(!page.has("#within"));
    // Where no word begins with it, nobody has to ask.
    assert_eq!(names(&visit.get("/credentials?q=onprod").await), ["nonprod"]);
    assert_eq!(names(&visit.get("/credentials?q=np").await), ["nonprod"]);
    let page = visit.get("/credentials?q=prodigy").await;
    assert_eq!(page.text(".empty h2"), "Nothing found");
}

#[actix_web::test]
async fn what_many_credentials_match_is_paged_and_each_is_shown_once() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = add(&mut visit, "one").await;
    // "key" begins two words of each.
    fill(&app, id, "'key ' || n || ' of key team ' || n % 7", 530);
    for large in [false, true] {
        if large {
            make_large(&app);
        }
        for search in
            ["key", "tea", "of+key", "key&kind=basic", "key&state=unused", "key&sort=age", "key&sort=name&dir=desc"]
        {
            let (forth, back) = walk(&mut visit, &format!("/credentials?q={search}")).await;
            assert_eq!(forth, back, "{search}");
            let distinct: std::collections::BTreeSet<&String> = forth.iter().collect();
            assert_eq!((forth.len(), distinct.len()), (530, 530), "{search}");
        }
        assert!(names(&visit.get("/credentials?q=key&kind=aws").await).is_empty());
    }
    let page = visit.get("/credentials?q=key").await;
    assert!(page.attributes("thead th", "aria-sort").is_empty(), "no column sorts it");
    assert_eq!(page.text("caption"), "Credentials, sorted by what follows the text");
    assert_eq!(page.text(".pager span"), "1–50 of 530 (532 in all)");
    // A text that is typed after turning a page finds its own order again.
    let next = visit.get(&page.attributes("#next", "href")[0]).await;
    assert_eq!(next.text(".pager span"), "51–100 of 530 (532 in all)");
    assert!(!next.has("#sort option[selected]"));
}

#[actix_web::test]
async fn every_word_is_found_anywhere_and_in_any_order() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let add = async |visit: &mut crate::support::app::Visit, name: &str, more: &[(&str, &str)]| {
        let fields = [("kind", "basic"), ("name", name), ("username", "AKIA7"), ("password", "p")];
        super::add_of(visit, &[&fields[..], more].concat()).await
    };
    let billing = [("owner", "Platform team"), ("tags", "prod, eu west"), ("description", "Pays the invoices")];
    add(&mut visit, "Billing deploy key, sandbox us-east-1", &billing).await;
    let other = add(&mut visit, "Observability registry", &[("description", "for the platform team")]).await;
    for large in [false, true] {
        if large {
            make_large(&app);
            fill(&app, other, "'filler platform ' || n", 600);
        }
        for (search, found) in [
            ("deploy sandbox", vec!["Billing deploy key, sandbox us-east-1"]),
            ("sandbox deploy", vec!["Billing deploy key, sandbox us-east-1"]),
            ("obs reg", vec!["Observability registry"]),
            ("invoices", vec!["Billing deploy key, sandbox us-east-1"]),
            ("east platform", vec!["Billing deploy key, sandbox us-east-1"]),
            ("us-east-1 prod", vec!["Billing deploy key, sandbox us-east-1"]),
            ("akia7 billing WEST", vec!["Billing deploy key, sandbox us-east-1"]),
            ("illing loy", vec!["Billing deploy key, sandbox us-east-1"]),
            ("platform ervab", vec!["Observability registry"]),
            ("billing observability", vec![]),
        ] {
            let page = visit.get(&format!("/credentials?q={}", search.replace(' ', "+"))).await;
            assert_eq!(names(&page), found, "{search}, large: {large}");
        }
    }
}

#[actix_web::test]
async fn a_search_may_be_longer_than_what_the_index_keeps() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let long = "the very long name of a credential that goes on beyond any sixty characters";
    for end in ["one", "two"] {
        add(&mut visit, &format!("{long} {end}")).await;
    }
    make_large(&app);
    let page = visit.get(&format!("/credentials?q={}", format!("{long} tw").replace(' ', "+"))).await;
    assert_eq!(names(&page), [format!("{long} two")]);
    assert_eq!(names(&visit.get(&format!("/credentials?q={}", long.replace(' ', "+"))).await).len(), 2);
}
