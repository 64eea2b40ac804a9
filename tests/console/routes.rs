//! Every route, at addresses that name something: what reading must not do, what a form must not hold, and what
//! somebody without a session gets to see.

use reqwest::Method;
use strongroom::web::ROUTES;

use crate::access::TABLE;
use crate::support::app::{Page, TestApp, Visit};
use crate::support::one_of_each::{NAME, OneOfEach, changed, marks};

/// Asks for an address in each way there is, twice; what it answered.
async fn read(visit: &mut Visit, path: &str) -> Vec<u16> {
    let mut statuses = Vec::new();
    for _ in 0..2 {
        statuses.push(visit.get(path).await.status);
        statuses.push(visit.fragment(path).await.status);
        let head = visit.request(Method::HEAD, path);
        statuses.push(visit.send(head).await.status);
    }
    statuses
}

#[actix_web::test]
async fn no_get_writes_anything_however_it_is_asked() {
    let app = TestApp::start();
    let link = app.setup_link.clone().expect("a link for the first user");
    let (before, statuses) = (marks(&app), read(&mut app.visitor(), &link[url::Position::BeforePath..]).await);
    assert_eq!((statuses, changed(&before, &marks(&app))), (vec![200; 6], Vec::new()));

    let things = OneOfEach::in_console(&app);
    let mut visit = app.administrator();
    let (mut before, mut wrong) = (marks(&app), Vec::new());
    for (_, route) in ROUTES.iter().filter(|(method, _)| *method == "get") {
        let statuses = read(&mut visit, &things.path(route)).await;
        // The set-up has gone with the first user, and each user's tokens are their own.
        let none_there = ["/setup", "/account/tokens/{id}/end"].contains(route);
        if statuses.iter().any(|status| *status >= 400) && !none_there {
            wrong.push(format!("{route}: answers {statuses:?}"));
        }
        let after = marks(&app);
        let changed = changed(&before, &after);
        if !changed.is_empty() {
            wrong.push(format!("{route}: writes {changed:?}"));
        }
        before = after;
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

async fn post(visit: &mut Visit, path: &str, body: String) -> Page {
    let request = visit.request(Method::POST, path).header("sec-fetch-site", "same-origin");
    let request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
    visit.send(request).await
}

#[actix_web::test]
async fn a_form_with_a_field_too_many_or_one_twice_is_refused_by_every_route_and_changes_nothing() {
    let app = TestApp::start();
    let things = OneOfEach::in_console(&app);
    let mut visit = app.administrator();
    let (mut before, mut wrong) = (marks(&app), Vec::new());
    // A registry's message is no form.
    let forms = ROUTES.iter().filter(|(method, route)| *method == "post" && !route.starts_with("/hooks/"));
    for (_, route) in forms {
        let path = things.path(route);
        for (body, why) in [
            ("surplus=1", "does not belong to it"),
            ("row_mac=00&kek_id=1", "does not belong to it"),
            ("name=a&name=b", "came twice"),
            ("surplus=1&surplus=1", "came twice"),
        ] {
            let cookie = visit.cookie.clone();
            // A credential's form depends on its type.
            let kind = if route.starts_with("/credentials") && !route.contains("{id}") { "kind=basic&" } else { "" };
            let page = post(&mut visit, &path, format!("{kind}{body}")).await;
            visit.cookie = cookie;
            // Else it may have been refused for what it lacks.
            if page.status != 422 || !page.body.contains(why) {
                wrong.push(format!("{route}: answers {} to {body}: {:?}", page.status, page.texts("main p, h1")));
            }
        }
        let after = marks(&app);
        let changed = changed(&before, &after);
        if !changed.is_empty() {
            wrong.push(format!("{route}: writes {changed:?}"));
        }
        before = after;
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[actix_web::test]
async fn a_fragment_without_a_session_is_401_and_names_nothing() {
    let app = TestApp::start();
    let things = OneOfEach::in_console(&app);
    let mut wrong = Vec::new();
    for (method, route, _) in TABLE.iter().filter(|(_, _, least)| least.is_some()) {
        let mut visit = app.visitor();
        visit.headers.push(("hx-request", "true".to_owned()));
        let path = things.path(route);
        let page = match *method {
            "get" => visit.get(&path).await,
            _ => visit.post(&path, &[]).await,
        };
        let sent = page.header("hx-redirect").is_empty();
        if page.status != 401 || !sent || page.body.len() >= 1024 || page.body.contains(NAME) {
            wrong.push(format!("{method} {route}: {} of {} bytes", page.status, page.body.len()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
