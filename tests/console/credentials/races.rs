//! Many visitors at one moment: attaching against deleting, edits of one version, writers of one trail.

use std::collections::BTreeSet;

use futures_util::future::{join, join_all};
use strongroom::accounts::Role;
use strongroom::models::{CredentialId, IntegrationId, chain, integrations};

use super::{actions, add, integrate, row, stored, version};
use crate::support::app::{PASSWORD, Page, TestApp, Visit};
use crate::support::scale::{R10_ROUNDS, report};
use crate::support::sql;

const REGISTRY: &str = "http://127.0.0.1:1";

/// Lets the other side start earlier by so many requests, since who is quicker must not always win.
async fn linger(visit: &mut Visit, requests: usize) {
    for _ in 0..requests {
        visit.get("/readyz").await;
    }
}

/// Points a standing integration at a credential, with all that its form asks for.
async fn attach(visit: &mut Visit, app: &TestApp, integration: IntegrationId, credential: CredentialId) -> Page {
    let row =
        integrations::find(&mut app.connect(), &app.services.vault, integration).expect("the integration").into_shown();
    let (version, credential) = (row.row_version.to_string(), credential.to_string());
    let send_to = format!("{credential} {REGISTRY}");
    let fields = [
        ("name", "standing"),
        ("version", "docker_v2"),
        ("registry", REGISTRY),
        ("schedule", "off"),
        ("credential", credential.as_str()),
        ("row_version", version.as_str()),
        ("send_to", send_to.as_str()),
        ("password", PASSWORD),
    ];
    visit.post(&format!("/integrations/{integration}/edit"), &fields).await
}

/// Adds an integration of the credential.
async fn create(visit: &mut Visit, name: &str, credential: CredentialId) -> Page {
    let credential = credential.to_string();
    let fields = [
        ("name", name),
        ("version", "docker_v2"),
        ("registry", REGISTRY),
        ("schedule", "off"),
        ("credential", credential.as_str()),
    ];
    visit.post("/integrations", &fields).await
}

#[actix_web::test]
async fn a_credential_that_is_attached_and_deleted_at_once_is_either_attached_or_deleted() {
    let app = TestApp::start();
    let (mut ada, mut olga) = (app.administrator(), app.user("olga", Role::Operator));
    let used = add(&mut ada, "used").await;
    let standing = integrate(&app, "standing", used);
    let (mut attached, mut deleted) = (0, 0);
    let rounds = R10_ROUNDS.now();
    for round in 0..rounds {
        let name = format!("robot {round}");
        let credential = add(&mut ada, &name).await;
        let (attaching, deleting) = join(
            async {
                linger(&mut ada, round % 7).await;
                match round % 2 {
                    0 => attach(&mut ada, &app, standing, credential).await,
                    _ => create(&mut ada, &name, credential).await,
                }
            },
            async {
                linger(&mut olga, round / 7 % 14).await;
                olga.post(&format!("/credentials/{credential}/delete"), &[("name", &name)]).await
            },
        )
        .await;
        match (attaching.status, deleting.status) {
            (303, 409) => {
                attached += 1;
                let usage = deleting.texts(".list li").remove(0);
                assert!(usage.contains(if round % 2 == 0 { "standing" } else { &name }), "round {round}: {usage}");
                assert_eq!(row(&app, credential).usage_count, 1, "round {round}");
            }
            (422, 303) => {
                deleted += 1;
                let why = attaching.text("#credential-error");
                assert!(why.contains("has been deleted") || why.contains("Choose one from the list"), "{round}: {why}");
            }
            other => panic!("round {round}: {other:?} {} {}", attaching.body, deleting.body),
        }
    }
    assert!(attached > 0 && deleted > 0, "one side was always first: {attached} attached, {deleted} deleted");
    report("R10", &[("attach/delete races", &rounds), ("attached", &attached), ("deleted", &deleted)]);
    let dangling = "usages u WHERE NOT EXISTS (SELECT FROM credentials c WHERE c.id = u.credential_id)";
    assert_eq!(sql::count(&app, dangling), 0);
    let miscounted = "credentials c
        WHERE usage_count <> (SELECT count(*) FROM usages u WHERE u.credential_id = c.id)";
    assert_eq!(sql::count(&app, miscounted), 0);
    assert_eq!(sql::count(&app, "events WHERE action = 'credential.deleted'"), deleted);
    assert_eq!(sql::count(&app, "events WHERE action = 'credential.delete_refused'"), attached);
}

#[actix_web::test]
async fn of_a_hundred_edits_of_one_version_one_is_saved_and_the_others_lose_nothing() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = add(&mut visit, "robot").await;
    // Without and with another secret, which is opened to compare.
    for changes_secret in [false, true] {
        let before = row(&app, id);
        let edited = actions(&app, id).iter().filter(|action| *action == "credential.edited").count();
        let version = version(&mut visit, id).await;
        let tabs = (0..100).map(|tab| {
            let (mut visit, version) = (visit.clone(), version.clone());
            async move {
                let (note, secret) = (format!("from tab {tab}"), format!("secret of tab {tab}"));
                let fields = [
                    ("row_version", version.as_str()),
                    ("name", "robot"),
                    ("description", &note),
                    ("username", "robot"),
                    ("password", if changes_secret { &secret } else { "" }),
                ];
                (tab, visit.post(&format!("/credentials/{id}/edit"), &fields).await)
            }
        });
        let answers = join_all(tabs).await;
        let (saved, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|(_, page)| page.status == 303);
        assert_eq!(saved.len(), 1, "{:?}", answers.iter().map(|(_, page)| page.status).collect::<Vec<_>>());
        let winner = saved[0].0;
        for (tab, page) in refused {
            assert_eq!(page.status, 409, "{}", page.body);
            let sides = page.texts(".compare section");
            assert!(sides[0].contains(&format!("from tab {winner}")) && sides[1].contains(&format!("from tab {tab}")));
            assert!(!page.body.contains("secret of tab"));
        }
        let after = row(&app, id);
        assert_eq!((after.row_version, after.note), (before.row_version + 1, format!("from tab {winner}")));
        let secret = if changes_secret { format!("secret of tab {winner}") } else { "first secret".to_owned() };
        assert_eq!(stored(&app, id).get("password"), secret);
        assert_eq!(after.secret_version, before.secret_version + i32::from(changes_secret));
        let now_edited = actions(&app, id).iter().filter(|action| *action == "credential.edited").count();
        assert_eq!(now_edited, edited + 1);
    }
}

#[actix_web::test]
async fn fifty_writers_at_once_leave_a_trail_without_gaps() {
    const EACH: usize = 4;
    let app = TestApp::start();
    let visit = app.administrator();
    let writers = (0..50).map(|writer| {
        let mut visit = visit.clone();
        async move {
            let mut ids = Vec::new();
            for number in 0..EACH {
                ids.push(add(&mut visit, &format!("robot {writer}-{number}")).await);
            }
            ids
        }
    });
    let ids: BTreeSet<CredentialId> = join_all(writers).await.into_iter().flatten().collect();
    assert_eq!(ids.len(), 50 * EACH);
    for id in ids {
        assert_eq!(actions(&app, id), ["credential.created"]);
    }
    let mut conn = app.connect();
    let walk = chain::verify(&mut conn, &app.services.vault).expect("read");
    assert_eq!(walk.broken, []);
    assert_eq!(walk.count as i64, sql::count(&app, "events"));
    let gaps = "(SELECT lane FROM events GROUP BY lane HAVING min(seq) <> 1 OR max(seq) <> count(*)) AS gaps";
    assert_eq!(sql::count(&app, gaps), 0);
    assert!(walk.heads.iter().filter(|head| head.seq > 0).count() > 1, "all wrote into one lane");
}
