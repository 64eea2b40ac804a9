//! Several credentials an integration, each in its role: what holds of the one holds of all.

use diesel::pg::PgConnection;
use strongroom::models::events::Actor;
use strongroom::models::integrations::{self, NewIntegration};
use strongroom::models::trust::Doubt;
use strongroom::models::usages::{self, Usage};
use strongroom::models::{CredentialId, IntegrationId};

use super::{basic, row};
use crate::support::app::{TestApp, Visit};
use crate::support::sql;

const HOST: &str = "registry.example.com";

fn new<'a>(main: CredentialId, further: &'a [Usage]) -> NewIntegration<'a> {
    NewIntegration {
        family: "registry_scan",
        version: "docker_v2",
        name: "mirror",
        credential_id: Some(main),
        host: HOST,
        further,
        settings: "{}",
        every_hours: None,
    }
}

fn usage(role: &str, credential: CredentialId) -> Usage {
    Usage { role: role.to_owned(), credential, host: "cluster.example.com".to_owned() }
}

struct Story {
    app: TestApp,
    visit: Visit,
    main: CredentialId,
    pull: CredentialId,
    id: IntegrationId,
}

impl Story {
    fn begin() -> Self {
        let app = TestApp::start();
        let visit = app.administrator();
        let (main, pull) = (basic(&app, "robot", "robot", "secret-1"), basic(&app, "puller", "puller", "secret-2"));
        let further = [usage("pull_secret", pull), usage("another", main)];
        let create = |conn: &mut PgConnection| {
            integrations::create(conn, &app.services.vault, &Actor::command_line(), &new(main, &further))
        };
        let id = app.transaction(create);
        Self { app, visit, main, pull, id }
    }

    fn counted(&self, credential: CredentialId) -> i64 {
        sql::count(&self.app, &format!("credentials, generate_series(1, usage_count) WHERE id = '{credential}'"))
    }

    fn doubt(&self) -> Option<Doubt> {
        integrations::find(&mut self.app.connect(), &self.app.services.vault, self.id).expect("a row").doubt()
    }
}

#[actix_web::test]
async fn a_credential_in_any_role_is_a_usage_until_the_role_is_given_up() {
    let mut story = Story::begin();
    assert_eq!((story.counted(story.main), story.counted(story.pull)), (2, 1));
    assert_eq!(story.doubt(), None);
    let stored = row(&story.app, story.id);
    let roles: Vec<&str> = stored.further.iter().map(|usage| usage.role.as_str()).collect();
    assert_eq!((stored.credential_id, roles), (Some(story.main), vec!["another", "pull_secret"]));
    let page = format!("/credentials/{}", story.pull);
    let shown = story.visit.get(&page).await.texts("[aria-labelledby=usages] tbody th");
    assert_eq!(shown, ["mirrorcluster.example.com"], "with the host that gets this one");
    let refused = story.visit.post(&format!("{page}/delete"), &[]).await;
    assert!(refused.status == 409 && refused.text(".list li").contains("mirror"), "{}", refused.text("main"));
    let (mut conn, vault) = (story.app.connect(), story.app.services.vault.clone());
    assert_eq!(usages::of(&mut conn, &vault, story.pull, 10).expect("rows").len(), 1);
    let known = |conn: &mut PgConnection, host| {
        usages::known_destination(conn, &vault, story.pull, host, |_| true).expect("an answer")
    };
    assert!(known(&mut conn, "cluster.example.com") && !known(&mut conn, HOST));
    story.app.transaction(|conn| {
        integrations::update(conn, &vault, &Actor::command_line(), (story.id, 1), &new(story.main, &[]))
    });
    assert_eq!((story.counted(story.main), story.counted(story.pull), story.doubt()), (1, 0, None));
    assert_eq!(story.visit.post(&format!("{page}/delete"), &[("name", "puller")]).await.status, 303);
    story.app.transaction(|conn| integrations::delete(conn, &vault, &Actor::command_line(), story.id));
    assert_eq!(story.counted(story.main), 0);
}

#[actix_web::test]
async fn a_usage_that_is_changed_by_sql_puts_its_integration_in_doubt() {
    let story = Story::begin();
    let other = story.main;
    for change in [
        "UPDATE usages SET host = 'evil.example' WHERE role = 'main'".to_owned(),
        "UPDATE usages SET host = 'evil.example' WHERE role = 'pull_secret'".to_owned(),
        format!("UPDATE usages SET credential_id = '{other}' WHERE role = 'pull_secret'"),
        "UPDATE usages SET role = 'push_secret' WHERE role = 'pull_secret'".to_owned(),
        "DELETE FROM usages WHERE role = 'pull_secret'".to_owned(),
        "DELETE FROM usages WHERE role = 'main'".to_owned(),
        format!("INSERT INTO usages VALUES ('{}', 'third', '{other}', 'evil.example')", story.id),
    ] {
        sql::run(&story.app, "CREATE TABLE kept AS SELECT * FROM usages");
        sql::run(&story.app, &change);
        assert_eq!(story.doubt(), Some(Doubt::Tampered), "{change}");
        sql::run(&story.app, "DELETE FROM usages; INSERT INTO usages SELECT * FROM kept; DROP TABLE kept");
        assert_eq!(story.doubt(), None, "{change}");
    }
}
