//! The table of clients, and the form that adds and edits one.

use strongroom::accounts::Role;

use super::{add, add_token, key, let_fetch};
use crate::support::app::TestApp;
use crate::support::sql;

#[actix_web::test]
async fn the_first_client_is_asked_for_and_then_listed_as_not_set_up() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let empty = visit.get("/clients").await;
    assert!(empty.has(".empty a[href='/clients/new']") && !empty.has("#filter"));
    let id = add(&mut visit, "billing-api").await;
    let page = visit.get("/clients").await;
    assert_eq!(page.texts("[data-client] th"), ["billing-api"]);
    assert_eq!(page.attributes("[data-client] th a", "href"), [format!("/clients/{id}")]);
    assert_eq!(page.text("[data-client] .state"), "Not set up");
    assert_eq!(page.text("[data-client] td[data-label=Rules]"), "none yet");
}

#[actix_web::test]
async fn clients_are_searched_filtered_sorted_and_exported() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let key = key(&mut visit, "prod").await;
    for name in ["billing-api", "nightly-report", "shop"] {
        let id = add(&mut visit, name).await;
        if name != "shop" {
            add_token(&mut visit, id).await;
            assert_eq!(let_fetch(&mut visit, id, key, "deploy").await.status, 303);
        }
    }
    sql::run(
        &app,
        "UPDATE clients SET last_used_at = now() - interval '2 hours' WHERE name = 'billing-api';
         UPDATE client_logins SET expires_at = now() + interval '5 days'
         WHERE client_id = (SELECT id FROM clients WHERE name = 'nightly-report')",
    );
    let names = async |visit: &mut crate::support::app::Visit, path: &str| {
        let page = visit.get(path).await;
        assert_eq!(page.status, 200, "{path}");
        page.texts("[data-client] th")
    };
    assert_eq!(names(&mut visit, "/clients?q=report").await, ["nightly-report"]);
    assert_eq!(names(&mut visit, "/clients?state=ending").await, ["nightly-report"]);
    assert_eq!(names(&mut visit, "/clients?state=unused").await, ["nightly-report", "shop"]);
    assert_eq!(names(&mut visit, "/clients?method=token").await, ["billing-api", "nightly-report"]);
    assert_eq!(names(&mut visit, "/clients?state=disabled").await, [""; 0]);
    assert_eq!(names(&mut visit, "/clients?sort=name&dir=desc").await[0], "shop");
    assert_eq!(names(&mut visit, "/clients?sort=used&dir=desc").await[0], "billing-api");
    assert_eq!(names(&mut visit, "/clients?sort=ends").await[0], "nightly-report");
    for bad in ["state=x", "sort=x", "dir=x", "method=x", "after=x"] {
        assert_eq!(visit.get(&format!("/clients?{bad}")).await.status, 422, "{bad}");
    }
    let csv = visit.get("/clients.csv?q=billing").await.body;
    assert!(csv.lines().count() == 2 && csv.contains("billing-api"), "{csv}");
}

#[actix_web::test]
async fn a_long_list_is_turned_forwards_and_back_in_every_order() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let first = add(&mut visit, "client").await;
    let columns =
        "name, name_key, description, active, networks, token_minutes, bound_to_address, created_at, created_by,
        edited_at, edited_by, row_version, row_mac";
    sql::run(
        &app,
        &format!(
            "INSERT INTO clients (id, {columns}) SELECT gen_random_uuid(), name || n, name_key || n, description, active,
                networks, token_minutes, bound_to_address, created_at + n * interval '1 minute', created_by, edited_at,
                edited_by, row_version, row_mac
             FROM clients, generate_series(100, 219) n WHERE id = '{first}'"
        ),
    );
    for sort in ["name", "rules", "used", "ends", "created"] {
        for dir in ["", "desc"] {
            let mut path = format!("/clients?sort={sort}&dir={dir}");
            let mut seen = Vec::new();
            for _ in 0..3 {
                let page = visit.get(&path).await;
                assert_eq!(page.status, 200, "{path}");
                seen.extend(page.texts("[data-client] th"));
                path = page.attributes("#next", "href").pop().unwrap_or_default();
            }
            let all: std::collections::BTreeSet<_> = seen.iter().collect();
            assert_eq!((all.len(), seen.len(), path.as_str()), (121, 121, ""), "{sort} {dir}");
        }
    }
    let second = visit.get("/clients").await.attributes("#next", "href").remove(0);
    let back = visit.get(&second).await.attributes("#previous", "href").remove(0);
    assert_eq!(visit.get(&back).await.texts("[data-client] th").len(), 50);
}

#[actix_web::test]
async fn a_client_is_edited_with_the_password_and_keeps_what_was_typed() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = add(&mut visit, "billing-api").await;
    let form = format!("/clients/{id}/edit");
    let fields = [
        ("row_version", "1"),
        ("name", "billing"),
        ("networks", "10.1.2.3/16\n192.0.2.7"),
        ("token_minutes", "30"),
        ("bound_to_address", "on"),
    ];
    app.give_password_long_ago();
    let asked = visit.post(&form, &fields).await;
    assert_eq!(asked.status, 422);
    assert!(asked.has("#confirm input[type=password]"));
    assert!(asked.text("#networks").contains("10.1.2.3/16"));
    let fields = [&fields[..], &[("password", crate::support::app::PASSWORD)]].concat();
    let saved = visit.post(&form, &fields).await;
    assert_eq!(saved.status, 303, "{:?}", saved.texts("[role=alert]"));
    let page = visit.get(&format!("/clients/{id}")).await;
    assert!(page.text(".facts").contains("10.1.0.0/16, 192.0.2.7/32"), "{}", page.text(".facts"));
    assert!(page.text(".facts").contains("30 minutes, bound to the address"));
    // Saved over a version that is gone.
    assert_eq!(visit.post(&form, &fields).await.status, 409);
}

#[actix_web::test]
async fn wrong_ranges_and_taken_names_come_back_with_the_form() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    add(&mut visit, "Billing").await;
    for (field, value) in [
        ("networks", "10.0.0.0/33"),
        ("networks", "0.0.0.0/0"),
        ("networks", "example.com"),
        ("name", "BILLING"),
        ("token_minutes", "4"),
        ("token_minutes", "61"),
    ] {
        let mut fields = vec![("name", "shop"), ("token_minutes", "15")];
        fields.retain(|(name, _)| *name != field);
        fields.push((field, value));
        let page = visit.post("/clients", &fields).await;
        assert_eq!(page.status, 422, "{field} {value}");
        assert!(page.has(&format!("#{field}-error")), "{field} {value}");
    }
}

#[actix_web::test]
async fn auditors_read_clients_and_are_offered_nothing_else() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = add(&mut visit, "billing-api").await;
    add_token(&mut visit, id).await;
    let mut otto = app.user("otto", Role::Auditor);
    for path in ["/clients".to_owned(), format!("/clients/{id}")] {
        let page = otto.get(&path).await;
        assert_eq!(page.status, 200);
        assert!(!page.has("main form[method=post]") && !page.has("main a[href$='/new']"), "{path}");
    }
}

#[actix_web::test]
async fn a_client_that_was_tampered_with_says_so_and_is_given_nothing() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = add(&mut visit, "billing-api").await;
    sql::run(&app, &format!("UPDATE clients SET networks = '{{0.0.0.0/1}}' WHERE id = '{id}'"));
    let page = visit.get(&format!("/clients/{id}")).await;
    assert!(page.has("[data-doubt]") && !page.has("a[href$='/logins/new']"));
    let made = visit.post(&format!("/clients/{id}/logins/new"), &[("method", "token"), ("expires", "90")]).await;
    assert!(made.status >= 400, "{}", made.status);
    assert_eq!(sql::count(&app, "client_logins"), 0);
}
