//! Who may call what: every route of the console against the table below, for every kind of visitor. A route that is not
//! in the table fails; so does a line whose route is gone.

use std::collections::BTreeSet;

use reqwest::Method;
use strongroom::accounts::Role;
use strongroom::models::sessions;
use strongroom::web::{ROUTES, session};

use crate::support::app::{Page, TestApp};
use crate::support::sql;

/// `None`: open to everybody. Otherwise the least role.
const TABLE: &[(&str, &str, Option<Role>)] = &[
    ("get", "/", Some(Role::Auditor)),
    ("get", "/livez", None),
    ("get", "/readyz", None),
    ("get", "/setup", None),
    ("post", "/setup", None),
    ("get", "/login", None),
    ("post", "/login", None),
    ("get", "/login/code", None),
    ("post", "/login/code", None),
    ("post", "/logout", None),
    ("get", "/account", Some(Role::Auditor)),
    ("post", "/account/password", Some(Role::Auditor)),
    ("post", "/account/preferences", Some(Role::Auditor)),
    ("post", "/account/sessions/end-others", Some(Role::Auditor)),
    ("post", "/account/sessions/{id}/end", Some(Role::Auditor)),
    ("get", "/account/two-step", Some(Role::Auditor)),
    ("post", "/account/two-step", Some(Role::Auditor)),
    ("post", "/account/two-step/off", Some(Role::Auditor)),
    ("post", "/account/two-step/codes", Some(Role::Auditor)),
    ("get", "/account/confirm", Some(Role::Auditor)),
    ("post", "/account/confirm", Some(Role::Auditor)),
    ("get", "/users", Some(Role::Administrator)),
    ("get", "/users/new", Some(Role::Administrator)),
    ("post", "/users/new", Some(Role::Administrator)),
    ("get", "/users/{id}", Some(Role::Administrator)),
    ("post", "/users/{id}/role", Some(Role::Administrator)),
    ("post", "/users/{id}/disabled", Some(Role::Administrator)),
    ("post", "/users/{id}/password", Some(Role::Administrator)),
    ("post", "/users/{id}/two-step", Some(Role::Administrator)),
    ("post", "/users/{id}/sessions/end", Some(Role::Administrator)),
    ("get", "/audit", Some(Role::Auditor)),
    ("get", "/audit.csv", Some(Role::Auditor)),
    ("get", "/alerts", Some(Role::Auditor)),
];

#[test]
fn every_route_is_in_the_table_of_who_may_call_it() {
    let routes: BTreeSet<_> = ROUTES.iter().copied().collect();
    let table: BTreeSet<_> = TABLE.iter().map(|(method, path, _)| (*method, *path)).collect();
    assert_eq!(routes.difference(&table).collect::<Vec<_>>(), Vec::<&(&str, &str)>::new(), "not in the table");
    assert_eq!(table.difference(&routes).collect::<Vec<_>>(), Vec::<&(&str, &str)>::new(), "no such route");
}

/// A new session for each request, since some of them end it.
async fn ask(app: &TestApp, user: Option<uuid::Uuid>, method: &str, path: &str) -> Page {
    let mut visit = app.visitor();
    if let Some(user) = user {
        let token = session::new_token();
        let hash = session::hash(&token);
        sessions::create(&mut app.connect(), &hash, user, false, "127.0.0.1", "test").expect("a session");
        visit.cookie = Some(format!("session={token}"));
    }
    let method = Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method");
    let path = path.replace("{id}", "00000000-0000-0000-0000-000000000000");
    let request = visit.request(method, &path).header("sec-fetch-site", "same-origin");
    visit.send(request).await
}

#[actix_web::test]
async fn each_route_opens_to_its_roles_and_to_nobody_else() {
    let app = TestApp::start();
    let disabled = app.add_user("disabled", Role::Administrator);
    let users = Role::ALL.map(|role| (role, app.add_user(role.slug(), role)));
    let change = strongroom::models::users::Change::Disabled(true);
    let actor = strongroom::models::events::Actor::command_line();
    strongroom::models::users::change(&mut app.connect(), &app.app.vault, &actor, disabled, &change, None).unwrap();
    for (method, path, least) in TABLE {
        for (who, user) in [("anonymous", None), ("disabled", Some(disabled))] {
            let page = ask(&app, user, method, path).await;
            let sent_away = page.status == 302 && page.location().starts_with("/login");
            assert_eq!(sent_away, least.is_some(), "{method} {path} by {who}: {}", page.status);
            assert!(least.is_none() || page.body.is_empty(), "{method} {path} tells {who} something");
        }
        for (role, user) in users {
            let page = ask(&app, Some(user), method, path).await;
            let refused = least.is_some_and(|least| role < least);
            assert_eq!(page.status == 403, refused, "{method} {path} by {}: {}", role.slug(), page.status);
            assert!(!page.location().starts_with("/login?next"), "{method} {path} by {}", role.slug());
            assert!(page.status < 500, "{method} {path} by {}", role.slug());
        }
    }
    assert_eq!(sql::count(&app, "users"), 4);
}
