//! Owner and tags of an integration: entered, shown, audited, and under its row check.

use strongroom::models::integrations;
use strongroom::models::trust::Doubt;

use super::{Form, actions, basic, row};
use crate::support::app::TestApp;
use crate::support::sql;

const CLOSED: &str = "http://127.0.0.1:1";

#[actix_web::test]
async fn an_integration_has_an_owner_and_tags_that_change_nothing_else() {
    let app = TestApp::start();
    let robot = basic(&app, "robot", "robot", "secret");
    let mut visit = app.administrator();
    let form = Form::new("mirror", CLOSED).with("credential", robot).with("owner", "Platform").with("tags", "Prod, ci");
    let id = form.add(&mut visit).await;
    let before = row(&app, id);
    assert_eq!((before.owner.as_str(), before.tags.join("|")), ("Platform", "prod|ci".to_owned()));
    let page = visit.get(&format!("/integrations/{id}")).await;
    assert_eq!(page.texts("[data-owner]"), ["Platform"]);
    assert_eq!(page.texts("[data-tags] .tag"), ["prod", "ci"]);
    let edit = format!("/integrations/{id}/edit");
    let page = visit.get(&edit).await;
    assert_eq!(page.attributes("#owner", "value"), ["Platform"]);
    assert_eq!(page.attributes("#owner-list option", "value"), ["Platform"]);
    let version = page.attributes("input[name=row_version]", "value").remove(0);
    let edited = form.clone().with("owner", "Data").with("row_version", &version);
    assert_eq!(edited.post(&mut visit, &edit).await.status, 303);
    let after = row(&app, id);
    assert_eq!((after.owner.as_str(), after.row_version), ("Data", before.row_version + 1));
    assert_eq!((after.settings, after.next_run_at), (before.settings, before.next_run_at));
    let done = actions(&app, Some(id.0));
    assert!(done.contains(&"integration.labels_changed".to_owned()), "{done:?}");
    assert!(!done.contains(&"integration.edited".to_owned()), "{done:?}");
    // Who is overtaken is told so, also for these alone.
    let late = form.with("owner", "Growth").with("row_version", &version);
    assert_eq!(late.post(&mut visit, &edit).await.status, 409);
}

#[actix_web::test]
async fn owner_or_tags_of_an_integration_changed_in_the_database_are_tampering() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = Form::new("mirror", CLOSED).with("owner", "Platform").with("tags", "prod").add(&mut visit).await;
    let doubt = || integrations::find(&mut app.connect(), &app.services.vault, id).expect("the row").doubt();
    assert_eq!(doubt(), None);
    for attack in ["owner = 'mallory'", "tags = '{}'", "owner = '', tags = '{}'"] {
        sql::run(&app, &format!("UPDATE integrations SET {attack}"));
        assert_eq!(doubt(), Some(Doubt::Tampered), "{attack}");
        sql::run(&app, "UPDATE integrations SET owner = 'Platform', tags = '{prod}'");
        assert_eq!(doubt(), None);
    }
}
