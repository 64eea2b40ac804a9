//! Who may call what: every route with every sort of visitor, against the table below. A route that is not in the table
//! fails, so that nobody adds one without deciding.

use strongroom::accounts::Role;
use strongroom::models::events::Actor;
use strongroom::models::users::{self, Change};
use strongroom::web::ROUTES;

use crate::support::app::{Page, TestApp, Visit};

/// The least role that a route takes; `None`: everybody, logged in or not.
pub const TABLE: &[(&str, &str, Option<Role>)] = &[
    ("get", "/", Some(Role::Auditor)),
    ("post", "/first-steps", Some(Role::Administrator)),
    ("post", "/sample-data", Some(Role::Administrator)),
    ("post", "/sample-data/remove", Some(Role::Administrator)),
    ("get", "/livez", None),
    ("get", "/readyz", None),
    ("get", "/setup", None),
    ("post", "/setup", None),
    ("get", "/login", None),
    ("post", "/login", None),
    ("get", "/login/code", None),
    ("post", "/login/code", None),
    ("post", "/logout", None),
    ("get", "/password", None),
    ("post", "/password", None),
    ("get", "/password/forgot", None),
    ("post", "/password/forgot", None),
    ("get", "/account", Some(Role::Auditor)),
    ("get", "/account/password", Some(Role::Auditor)),
    ("post", "/account/password", Some(Role::Auditor)),
    ("post", "/account/email", Some(Role::Auditor)),
    ("post", "/account/preferences", Some(Role::Auditor)),
    ("post", "/account/sessions/end-others", Some(Role::Auditor)),
    ("post", "/account/sessions/{id}/end", Some(Role::Auditor)),
    ("get", "/account/tokens/new", Some(Role::Auditor)),
    ("post", "/account/tokens", Some(Role::Auditor)),
    ("get", "/account/tokens/{id}/end", Some(Role::Auditor)),
    ("post", "/account/tokens/{id}/end", Some(Role::Auditor)),
    ("get", "/account/two-step", Some(Role::Auditor)),
    ("post", "/account/two-step", Some(Role::Auditor)),
    ("post", "/account/two-step/off", Some(Role::Auditor)),
    ("post", "/account/two-step/codes", Some(Role::Auditor)),
    ("get", "/account/confirm", Some(Role::Auditor)),
    ("post", "/account/confirm", Some(Role::Auditor)),
    ("get", "/users", Some(Role::Administrator)),
    ("get", "/users.csv", Some(Role::Administrator)),
    ("get", "/users/new", Some(Role::Administrator)),
    ("post", "/users/new", Some(Role::Administrator)),
    ("get", "/users/{id}", Some(Role::Administrator)),
    ("post", "/users/{id}/role", Some(Role::Administrator)),
    ("post", "/users/{id}/disabled", Some(Role::Administrator)),
    ("post", "/users/{id}/password", Some(Role::Administrator)),
    ("post", "/users/{id}/two-step", Some(Role::Administrator)),
    ("post", "/users/{id}/sessions/end", Some(Role::Administrator)),
    ("post", "/users/{id}/email", Some(Role::Administrator)),
    ("post", "/users/{id}/invitation", Some(Role::Administrator)),
    ("get", "/users/{id}/delete", Some(Role::Administrator)),
    ("post", "/users/{id}/delete", Some(Role::Administrator)),
    ("get", "/audit", Some(Role::Auditor)),
    ("get", "/audit.csv", Some(Role::Auditor)),
    ("get", "/alerts", Some(Role::Auditor)),
    ("get", "/alerts.csv", Some(Role::Auditor)),
    ("get", "/alerts/settings", Some(Role::Auditor)),
    ("post", "/alerts/settings", Some(Role::Administrator)),
    ("post", "/alerts/bulk", Some(Role::Operator)),
    ("get", "/alerts/{id}", Some(Role::Auditor)),
    ("post", "/alerts/{id}/acknowledge", Some(Role::Operator)),
    ("post", "/alerts/{id}/snooze", Some(Role::Operator)),
    ("post", "/deliveries/{id}/retry", Some(Role::Operator)),
    ("post", "/deliveries/{id}/drop", Some(Role::Operator)),
    ("post", "/integrations/{id}/undelivered", Some(Role::Operator)),
    ("get", "/credentials", Some(Role::Auditor)),
    ("get", "/credentials/new", Some(Role::Operator)),
    ("post", "/credentials", Some(Role::Operator)),
    ("get", "/credentials.csv", Some(Role::Auditor)),
    ("post", "/credentials/bulk", Some(Role::Operator)),
    ("post", "/credentials/test", Some(Role::Operator)),
    ("post", "/credentials/{id}/test", Some(Role::Operator)),
    ("get", "/credentials/{id}", Some(Role::Auditor)),
    ("get", "/credentials/{id}/usages", Some(Role::Auditor)),
    ("get", "/credentials/{id}/edit", Some(Role::Operator)),
    ("post", "/credentials/{id}/edit", Some(Role::Operator)),
    ("get", "/credentials/{id}/rotate", Some(Role::Operator)),
    ("post", "/credentials/{id}/rotate", Some(Role::Operator)),
    ("get", "/credentials/{id}/replace", Some(Role::Operator)),
    ("post", "/credentials/{id}/replace", Some(Role::Operator)),
    ("post", "/credentials/{id}/replace/undo", Some(Role::Operator)),
    ("post", "/credentials/{id}/limit", Some(Role::Operator)),
    ("get", "/credentials/{id}/delete", Some(Role::Operator)),
    ("post", "/credentials/{id}/delete", Some(Role::Operator)),
    ("get", "/cloud-keys", Some(Role::Auditor)),
    ("get", "/cloud-keys.csv", Some(Role::Auditor)),
    ("post", "/cloud-keys/{id}/snooze", Some(Role::Operator)),
    ("post", "/cloud-keys/snoozed/{id}/stop", Some(Role::Operator)),
    ("get", "/discovery", Some(Role::Auditor)),
    ("get", "/discovery.csv", Some(Role::Auditor)),
    ("get", "/clusters", Some(Role::Auditor)),
    ("get", "/clusters.csv", Some(Role::Auditor)),
    ("post", "/clusters/upgrade", Some(Role::Operator)),
    ("post", "/rollouts", Some(Role::Operator)),
    ("get", "/rollouts/{id}", Some(Role::Auditor)),
    ("post", "/rollouts/{id}/stop", Some(Role::Operator)),
    ("get", "/clients", Some(Role::Auditor)),
    ("post", "/clients", Some(Role::Operator)),
    ("get", "/clients.csv", Some(Role::Auditor)),
    ("get", "/clients/new", Some(Role::Operator)),
    ("get", "/clients/{id}", Some(Role::Auditor)),
    ("get", "/clients/{id}/edit", Some(Role::Operator)),
    ("post", "/clients/{id}/edit", Some(Role::Operator)),
    ("post", "/clients/{id}/activation", Some(Role::Operator)),
    ("get", "/clients/{id}/delete", Some(Role::Operator)),
    ("post", "/clients/{id}/delete", Some(Role::Operator)),
    ("get", "/clients/{id}/logins/new", Some(Role::Operator)),
    ("post", "/clients/{id}/logins/new", Some(Role::Operator)),
    ("get", "/clients/{id}/logins/{login}/rotate", Some(Role::Operator)),
    ("post", "/clients/{id}/logins/{login}/rotate", Some(Role::Operator)),
    ("get", "/clients/{id}/logins/{login}/end", Some(Role::Operator)),
    ("post", "/clients/{id}/logins/{login}/end", Some(Role::Operator)),
    ("get", "/clients/{id}/rules/new", Some(Role::Operator)),
    ("post", "/clients/{id}/rules/new", Some(Role::Operator)),
    ("get", "/clients/{id}/rules/{rule}/edit", Some(Role::Operator)),
    ("post", "/clients/{id}/rules/{rule}/edit", Some(Role::Operator)),
    ("post", "/clients/{id}/rules/{rule}/refresh", Some(Role::Operator)),
    ("get", "/clients/{id}/rules/{rule}/delete", Some(Role::Operator)),
    ("post", "/clients/{id}/rules/{rule}/delete", Some(Role::Operator)),
    ("get", "/credentials/import", Some(Role::Operator)),
    ("post", "/credentials/import", Some(Role::Operator)),
    ("get", "/search", Some(Role::Auditor)),
    ("get", "/help", Some(Role::Auditor)),
    ("get", "/help/{name}", Some(Role::Auditor)),
    ("get", "/help/credentials/{slug}", Some(Role::Auditor)),
    ("get", "/help/integrations/{slug}", Some(Role::Auditor)),
    ("post", "/views", Some(Role::Auditor)),
    ("post", "/views/{id}", Some(Role::Auditor)),
    ("post", "/views/{id}/delete", Some(Role::Auditor)),
    ("get", "/integrations", Some(Role::Auditor)),
    ("get", "/integrations.csv", Some(Role::Auditor)),
    ("post", "/integrations/bulk", Some(Role::Operator)),
    ("get", "/integrations/new", Some(Role::Operator)),
    ("post", "/integrations", Some(Role::Operator)),
    ("get", "/integrations/{id}", Some(Role::Auditor)),
    ("get", "/integrations/{id}/items.csv", Some(Role::Auditor)),
    ("get", "/integrations/{id}/images.csv", Some(Role::Auditor)),
    ("get", "/integrations/{id}/items.json", Some(Role::Auditor)),
    ("get", "/integrations/{id}/images.txt", Some(Role::Auditor)),
    ("get", "/integrations/{id}/gaps.csv", Some(Role::Auditor)),
    ("get", "/items/{id}", Some(Role::Auditor)),
    ("get", "/integrations/{id}/edit", Some(Role::Operator)),
    ("post", "/integrations/{id}/edit", Some(Role::Operator)),
    ("post", "/integrations/{id}/activation", Some(Role::Operator)),
    ("get", "/integrations/{id}/delete", Some(Role::Operator)),
    ("post", "/integrations/{id}/delete", Some(Role::Operator)),
    ("get", "/integrations/{id}/import", Some(Role::Administrator)),
    ("post", "/integrations/{id}/import", Some(Role::Administrator)),
    ("post", "/integrations/{id}/runs", Some(Role::Operator)),
    ("post", "/integrations/{id}/stop", Some(Role::Operator)),
    ("post", "/integrations/{id}/preview", Some(Role::Operator)),
    ("post", "/integrations/{id}/deploy", Some(Role::Operator)),
    ("get", "/integrations/{id}/undo", Some(Role::Operator)),
    ("post", "/integrations/{id}/undo", Some(Role::Operator)),
    ("get", "/integrations/{id}/secrets/new", Some(Role::Operator)),
    ("post", "/integrations/{id}/secrets/new", Some(Role::Operator)),
    ("get", "/integrations/{id}/secrets/{item}/edit", Some(Role::Operator)),
    ("post", "/integrations/{id}/secrets/{item}/edit", Some(Role::Operator)),
    ("get", "/integrations/{id}/secrets/{item}/delete", Some(Role::Operator)),
    ("post", "/integrations/{id}/secrets/{item}/delete", Some(Role::Operator)),
    ("get", "/integrations/{id}/removal", Some(Role::Operator)),
    ("post", "/integrations/{id}/removal", Some(Role::Operator)),
    ("post", "/integrations/{id}/test-alert", Some(Role::Operator)),
    ("post", "/integrations/{id}/webhook", Some(Role::Operator)),
    ("post", "/integrations/{id}/webhook/off", Some(Role::Operator)),
    ("post", "/hooks/{id}/{key}", None),
    ("get", "/integrations/{id}/recipients/new", Some(Role::Administrator)),
    ("post", "/integrations/{id}/recipients", Some(Role::Administrator)),
    ("post", "/recipients/{id}/remove", Some(Role::Administrator)),
    ("get", "/recipients/{id}/confirm/{key}", None),
    ("post", "/recipients/{id}/confirm/{key}", None),
    ("get", "/recipients/{id}/unsubscribe/{key}", None),
    ("post", "/recipients/{id}/unsubscribe/{key}", None),
];

#[test]
fn every_route_is_in_the_table_and_the_table_has_no_others() {
    let missing: Vec<_> = ROUTES.iter().filter(|(m, p)| !TABLE.iter().any(|(tm, tp, _)| (tm, tp) == (m, p))).collect();
    let gone: Vec<_> = TABLE.iter().filter(|(m, p, _)| !ROUTES.contains(&(m, p))).map(|(m, p, _)| (m, p)).collect();
    assert!(missing.is_empty(), "decide who may call these: {missing:#?}");
    assert!(gone.is_empty(), "these are no routes any more: {gone:#?}");
}

async fn call(visit: &mut Visit, method: &str, path: &str) -> Page {
    // An id that nothing has: whoever may call gets 404 and changes nothing.
    let nothing = "00000000-0000-4000-8000-000000000000";
    let path = ["{id}", "{login}", "{rule}"].iter().fold(path.to_owned(), |path, id| path.replace(id, nothing));
    match method {
        "get" => visit.get(&path).await,
        _ => visit.post(&path, &[("surplus", "1")]).await,
    }
}

fn turned_away(page: &Page) -> bool {
    matches!(page.status, 302 | 303) && page.location().starts_with("/login") && !page.location().starts_with("/login/")
}

#[actix_web::test]
async fn nobody_gets_further_than_their_role() {
    let app = TestApp::start();
    let disabled_id = app.add_user("gone", Role::Administrator);
    let mut roles = vec![
        (Some(Role::Auditor), app.user("otto", Role::Auditor)),
        (Some(Role::Operator), app.user("olga", Role::Operator)),
        (Some(Role::Administrator), app.user("ada", Role::Administrator)),
    ];
    let mut strangers = vec![("anonymous", app.visitor()), ("forged", app.visitor())];
    strangers[1].1.cookie = Some(format!("session={}", "0".repeat(64)));
    let mut disabled = app.session_of(disabled_id);
    let vault = app.services.vault.clone();
    users::change(&mut app.connect(), &vault, &Actor::command_line(), disabled_id, &Change::Disabled(true), None)
        .expect("disabled");
    strangers.push(("disabled", {
        disabled.headers.clear();
        disabled
    }));

    // With a password that somebody else has set, there is one page for everybody's role.
    let mut invited = app.invited("ivy", Role::Administrator);

    let mut wrong = Vec::new();
    for (method, path, least) in TABLE {
        if least.is_some() && *path != "/account/password" {
            let page = call(&mut invited, method, path).await;
            if page.location() != "/account/password" {
                wrong.push(format!("invited: {method} {path} gave {}", page.status));
            }
        }
        for (who, visit) in &mut strangers {
            let cookie = visit.cookie.clone();
            let page = call(visit, method, path).await;
            visit.cookie = cookie;
            let expected = match least {
                Some(_) => turned_away(&page),
                None => page.status != 403,
            };
            if !expected || (least.is_some() && page.body.len() > 1024) {
                wrong.push(format!("{who}: {method} {path} gave {}", page.status));
            }
        }
        for (role, visit) in &mut roles {
            if *path == "/logout" {
                continue;
            }
            let page = call(visit, method, path).await;
            let allowed = least.is_none_or(|least| role.is_some_and(|role| role >= least));
            let right = if allowed {
                page.status != 403 && page.status < 500 && (least.is_none() || !turned_away(&page))
            } else {
                page.status == 403
            };
            if !right {
                wrong.push(format!("{role:?}: {method} {path} gave {}", page.status));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
