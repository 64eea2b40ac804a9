//! Logging in and out, sessions, the throttle.

use strongroom::accounts::Role;

use crate::support::app::{PASSWORD, TestApp};

#[actix_web::test]
async fn a_right_password_opens_the_dashboard_and_a_wrong_one_says_so() {
    let app = TestApp::start();
    app.add_user("ada", Role::Administrator);
    let mut visit = app.visitor();
    let page = visit.get("/").await;
    assert_eq!((page.status, page.location()), (302, "/login"));
    let page = visit.post("/login", &[("username", "ada"), ("password", "wrong"), ("next", "/")]).await;
    assert_eq!(page.status, 422);
    assert_eq!(page.text("[role=alert]"), "That user name and password do not match.");
    let page = visit.post("/login", &[("username", " ADA "), ("password", PASSWORD), ("next", "/")]).await;
    assert_eq!((page.status, page.location()), (303, "/"));
    assert_eq!(visit.get("/").await.text("h1"), "Dashboard");
    let page = visit.post("/logout", &[]).await;
    assert_eq!((page.status, page.location()), (303, "/login"));
    assert_eq!(visit.get("/").await.status, 302);
}
