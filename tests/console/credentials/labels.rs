//! Owner and tags of a credential: entered, shown, audited, and under its row check.

use strongroom::models::labels::{self, Of};
use strongroom::models::trust::Doubt;

use super::{actions, add, add_of, doubt, edit, execute, row, version};
use crate::support::app::TestApp;

const BASIC: [(&str, &str); 4] =
    [("kind", "basic"), ("name", "robot"), ("username", "robot"), ("password", "first secret")];

#[actix_web::test]
async fn a_credential_has_an_owner_and_tags_from_its_form_on() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let fields = [&BASIC[..], &[("owner", " Platform "), ("tags", "Prod, billing,PROD ,")]].concat();
    let id = add_of(&mut visit, &fields).await;
    let saved = row(&app, id);
    assert_eq!((saved.owner.as_str(), saved.tags.join("|")), ("Platform", "prod|billing".to_owned()));
    assert_eq!(doubt(&app, id), None);
    let page = visit.get(&format!("/credentials/{id}")).await;
    assert_eq!(page.texts("[data-owner]"), ["Platform"]);
    assert_eq!(page.texts("[data-tags] .tag"), ["prod", "billing"]);
    let form = visit.get(&format!("/credentials/{id}/edit")).await;
    assert_eq!(form.attributes("#owner", "value"), ["Platform"]);
    assert_eq!(form.attributes("#tags", "value"), ["prod, billing"]);
    assert_eq!(form.attributes("#owner-list option", "value"), ["Platform"], "owners in use are suggested");
    let new = visit.get("/credentials/new?kind=aws").await;
    assert_eq!(new.attributes("#owner-list option", "value"), ["Platform"]);
}

#[actix_web::test]
async fn owner_and_tags_alone_are_no_rotation_and_need_no_secret() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = add(&mut visit, "robot").await;
    let before = row(&app, id);
    let same = [("name", "robot"), ("description", ""), ("username", "robot"), ("password", "")];
    let fields = [&same[..], &[("owner", "Data"), ("tags", "ci")]].concat();
    assert_eq!(edit(&mut visit, id, &fields).await.status, 303);
    let after = row(&app, id);
    assert_eq!((after.owner.as_str(), &after.tags[..]), ("Data", &["ci".to_owned()][..]));
    assert_eq!((after.secret_version, after.secret_set_at), (before.secret_version, before.secret_set_at));
    assert_eq!(after.row_version, before.row_version + 1);
    assert_eq!(actions(&app, id), ["credential.created", "credential.labels_changed"]);
    let audit = visit.get("/audit").await;
    assert!(audit.body.contains("owner Data instead of none; tags ci instead of none"));
    // Together with another field it is one save, and a form without the fields leaves them.
    let fields = [("name", "renamed"), ("username", "robot"), ("password", ""), ("tags", "ci, prod")];
    assert_eq!(edit(&mut visit, id, &fields).await.status, 303);
    let after = row(&app, id);
    assert_eq!((after.name.as_str(), after.owner.as_str(), after.tags.len()), ("renamed", "Data", 2));
    let last = ["credential.edited", "credential.labels_changed"];
    assert_eq!(actions(&app, id)[2..], last);
    // Emptied, they are gone.
    let fields = [("name", "renamed"), ("username", "robot"), ("password", ""), ("tags", ""), ("owner", "")];
    assert_eq!(edit(&mut visit, id, &fields).await.status, 303);
    assert!(row(&app, id).owner.is_empty() && row(&app, id).tags.is_empty());
    assert_eq!(doubt(&app, id), None);
}

#[actix_web::test]
async fn owner_or_tags_changed_in_the_database_are_tampering() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = add(&mut visit, "robot").await;
    for attack in ["owner = 'mallory'", "tags = '{prod}'", "owner = '', tags = '{\"\"}'"] {
        execute(&app, &format!("UPDATE credentials SET {attack} WHERE id = '{id}'"));
        assert_eq!(doubt(&app, id), Some(Doubt::Tampered), "{attack}");
        execute(&app, &format!("UPDATE credentials SET owner = '', tags = '{{}}' WHERE id = '{id}'"));
        assert_eq!(doubt(&app, id), None);
    }
    let fields = [("name", "robot"), ("username", "robot"), ("password", ""), ("owner", "Data"), ("tags", "prod")];
    assert_eq!(edit(&mut visit, id, &fields).await.status, 303);
    for attack in ["owner = ''", "tags = '{}'", "owner = '', tags = '{}'", "owner = 'prod', tags = '{Data}'"] {
        execute(&app, &format!("UPDATE credentials SET {attack} WHERE id = '{id}'"));
        assert_eq!(doubt(&app, id), Some(Doubt::Tampered), "{attack}");
        execute(&app, &format!("UPDATE credentials SET owner = 'Data', tags = '{{prod}}' WHERE id = '{id}'"));
        assert_eq!(doubt(&app, id), None);
    }
}

#[actix_web::test]
async fn tags_that_do_not_fit_come_back_with_all_that_was_typed() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let many = "a,b,c,d,e,f,g,h,i,j,k";
    let fields = [&BASIC[..], &[("owner", "Platform"), ("tags", many)]].concat();
    let page = visit.post("/credentials", &fields).await;
    assert_eq!(page.status, 422);
    assert!(page.has("#tags-error") && page.has(".error-summary a[href='#tags']"));
    assert_eq!(page.attributes("#tags", "value"), [many]);
    assert_eq!(page.attributes("#owner", "value"), ["Platform"]);
    let secret = "ghp_0123456789abcdefghijABCDEFGHIJ012345";
    let page = visit.post("/credentials", &[&BASIC[..], &[("tags", secret)]].concat()).await;
    assert_eq!(page.status, 422);
    assert!(page.has("#tags-error") && !page.body.contains(secret), "a secret is no tag");
}

#[actix_web::test]
async fn who_comes_second_sees_both_owners_and_loses_nothing() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = add(&mut visit, "robot").await;
    let seen = version(&mut visit, id).await;
    let fields = |owner| [("name", "robot"), ("username", "robot"), ("password", ""), ("owner", owner)];
    assert_eq!(edit(&mut visit, id, &fields("Data")).await.status, 303);
    let mine = [&fields("Growth")[..], &[("row_version", seen.as_str())]].concat();
    let page = visit.post(&format!("/credentials/{id}/edit"), &mine).await;
    assert_eq!(page.status, 409);
    assert!(page.texts(".is-changed dt").contains(&"Owner".to_owned()));
    assert_eq!(page.texts("textarea[name=owner]"), ["Growth"]);
    assert_eq!(row(&app, id).owner, "Data");
}

#[actix_web::test]
async fn the_tags_in_use_are_known_without_reading_every_row() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = add_of(&mut visit, &[&BASIC[..], &[("tags", "prod, ci")]].concat()).await;
    let mut other = BASIC;
    other[1] = ("name", "other");
    add_of(&mut visit, &[&other[..], &[("tags", "prod, eu west"), ("owner", "Data")]].concat()).await;
    let tags = || labels::tags_of(&mut app.connect(), Of::Credentials).expect("tags");
    assert_eq!(tags(), ["ci", "eu west", "prod"]);
    let fields = [("name", "robot"), ("username", "robot"), ("password", ""), ("tags", "prod"), ("owner", "Platform")];
    assert_eq!(edit(&mut visit, id, &fields).await.status, 303);
    assert_eq!(tags(), ["eu west", "prod"]);
    assert_eq!(labels::owners(&mut app.connect()).expect("owners"), ["Data", "Platform"]);
    execute(&app, &format!("DELETE FROM credentials WHERE id <> '{id}'"));
    assert_eq!(tags(), ["prod"]);
}
