//! From when on a secret counts as old: by the settings, by type, by credential, to the second and by the database's
//! clock.

use diesel::prelude::*;
use strongroom::accounts::Role;
use strongroom::models::CredentialId;
use strongroom::models::due_alerts::{self, Limit, Rules};

use super::{add, age, alert, decide, key, titles};
use crate::support::app::{TestApp, Visit};
use crate::support::sql;

async fn robot(visit: &mut Visit, name: &str) -> CredentialId {
    add(visit, &[("kind", "basic"), ("name", name), ("username", "robot"), ("password", "first secret")]).await
}

async fn limit(visit: &mut Visit, id: CredentialId, days: &str) -> u16 {
    visit.post(&format!("/credentials/{id}/limit"), &[("days", days)]).await.status
}

async fn settings(visit: &mut Visit, changes: &[(&str, &str)]) {
    let version = visit.get("/alerts/settings").await.attributes("input[name=row_version]", "value").remove(0);
    let fields = [&[("row_version", version.as_str()), ("failed_scans", "3")][..], changes].concat();
    let page = visit.post("/alerts/settings", &fields).await;
    assert_eq!(page.status, 303, "{:?}", page.texts(".error-summary"));
}

#[derive(QueryableByName)]
struct Stage {
    #[diesel(sql_type = diesel::sql_types::Text)]
    name: String,
    #[diesel(sql_type = diesel::sql_types::SmallInt)]
    stage: i16,
}

#[actix_web::test]
async fn a_key_is_old_only_when_it_is_strictly_older_than_the_limit() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let ages =
        [("a second short", "89 days 23:59:59"), ("on the dot", "90 days"), ("a second over", "90 days 00:00:01")];
    let mut ids = Vec::new();
    for (name, interval) in ages {
        ids.push((key(&mut visit, name).await, interval));
    }
    let aws = Limit { kind: "aws".to_owned(), days: 90, by_nature: true };
    let rules = Rules { limits: vec![aws], ahead: false, remind: true };
    // In one transaction the clock stands still.
    let mut stages = loop {
        let found = app.transaction(|conn| {
            for (id, interval) in &ids {
                let set =
                    format!("UPDATE credentials SET secret_set_at = now() - interval '{interval}' WHERE id = '{id}'");
                diesel::sql_query(set).execute(conn)?;
            }
            if due_alerts::turn(conn, &rules)?.is_none() {
                return Ok(None);
            }
            let open = "SELECT subject_name AS name, stage FROM alerts WHERE closed_at IS NULL";
            Ok(Some(diesel::sql_query(open).load::<Stage>(conn)?))
        });
        if let Some(found) = found {
            break found;
        }
    };
    stages.retain(|found| found.stage >= 3);
    assert_eq!(stages.into_iter().map(|found| found.name).collect::<Vec<_>>(), ["a second over"]);
}

#[actix_web::test]
async fn the_limit_of_all_access_keys_is_the_operators_until_somebody_sets_another() {
    let app = TestApp::start_with(&["--stale-days=120"]);
    let mut visit = app.administrator();
    let id = key(&mut visit, "prod-ci").await;
    age(&app, id, "100 days");
    decide(&app).await;
    assert_eq!(titles(&visit.get("/alerts").await), Vec::<String>::new());
    assert_eq!(visit.get("/alerts/settings").await.attributes("#stale_days", "placeholder"), ["120"]);

    settings(&mut visit, &[("stale_days", "60")]).await;
    decide(&app).await;
    assert_eq!(
        titles(&visit.get("/alerts").await),
        ["The access key of “prod-ci” is 100 days old; its limit is 60 days."]
    );
    let page = visit.get("/credentials?state=stale").await;
    assert_eq!(page.texts("tbody th a"), ["prod-ci"]);
    assert!(page.has(".age.is-bad") && page.texts("tbody .state").contains(&"Rotate".to_owned()));
    assert!(visit.get("/").await.text(".distribution .is-limit em").contains("60"));
}

#[actix_web::test]
async fn a_type_has_a_limit_of_its_own_and_others_never_age() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let (old, aws) = (robot(&mut visit, "robot").await, key(&mut visit, "prod-ci").await);
    age(&app, old, "400 days");
    age(&app, aws, "100 days");
    decide(&app).await;
    assert_eq!((alert(&app, old), alert(&app, aws).is_some()), (None, true));
    assert!(!visit.get(&format!("/credentials/{old}")).await.has(".gauge.is-bad"));

    settings(&mut visit, &[("days_basic", "180"), ("days_aws", "0")]).await;
    decide(&app).await;
    assert_eq!(
        titles(&visit.get("/alerts").await),
        ["The password of “robot” is 400 days old; its limit is 180 days."]
    );
    assert_eq!(visit.get("/credentials?state=stale").await.texts("tbody th a"), ["robot"]);
    assert!(visit.get(&format!("/credentials/{old}")).await.has(".gauge.is-bad"));
    let closed = titles(&visit.get("/alerts?state=closed").await);
    assert_eq!(closed, ["Old access key of “prod-ci”: closed, since its limit was changed."]);
    let page = visit.get("/").await;
    let attention = page.text("section[aria-labelledby=attention]");
    assert!(attention.contains("robot") && !attention.contains("prod-ci"), "{attention}");
}

#[actix_web::test]
async fn a_credentials_own_limit_goes_before_that_of_its_type() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let (robot, aws) = (robot(&mut visit, "robot").await, key(&mut visit, "prod-ci").await);
    age(&app, robot, "31 days");
    age(&app, aws, "100 days");
    assert_eq!(limit(&mut visit, robot, "30").await, 303);
    assert_eq!(limit(&mut visit, aws, "0").await, 303);
    decide(&app).await;
    assert_eq!(titles(&visit.get("/alerts").await), ["The password of “robot” is 31 days old; its limit is 30 days."]);
    let page = visit.get(&format!("/credentials/{robot}")).await;
    assert_eq!(page.attributes("#days", "value"), ["30"]);
    assert!(page.has(".gauge.is-bad") && page.texts("h1 .badge").contains(&"Stale".to_owned()));
    assert_eq!(page.texts("[data-limit=own]"), ["30 days"]);
    assert!(page.text(".timeline").contains("Age limit changed by ada"));
    assert_eq!(visit.get("/credentials?state=stale&sort=age").await.texts("tbody th a"), ["robot"]);
    assert!(!visit.get(&format!("/credentials/{aws}")).await.has(".gauge.is-bad"));

    assert_eq!(limit(&mut visit, robot, "").await, 303);
    decide(&app).await;
    assert_eq!(alert(&app, robot), None);
    assert_eq!(sql::count(&app, "events WHERE action = 'credential.limit_changed'"), 3);
}

#[actix_web::test]
async fn a_limit_is_checked_and_only_for_those_who_may_edit() {
    let app = TestApp::start();
    let mut visit = app.user("olga", Role::Operator);
    let id = robot(&mut visit, "robot").await;
    for bad in ["-1", "3651", "1.5", "ninety"] {
        let page = visit.post(&format!("/credentials/{id}/limit"), &[("days", bad)]).await;
        assert_eq!(page.status, 422);
        assert!(page.text("#days-error").contains("from 0 to 3650"));
        assert_eq!(page.attributes("#days", "value"), [bad]);
    }
    let mut auditor = app.user("otto", Role::Auditor);
    assert_eq!(limit(&mut auditor, id, "30").await, 403);
    let page = auditor.get(&format!("/credentials/{id}")).await;
    assert!(!page.has("#days") && page.text("[data-limit=default]").starts_with("never"));
    let shipped = visit.get("/credentials").await.attributes("tbody th a", "href").remove(0);
    assert!(!visit.get(&shipped).await.has("#days"));
    assert_eq!(visit.post(&format!("{shipped}/limit"), &[("days", "5")]).await.status, 409);
}
