//! *Replace everywhere*: tried first, moved in one piece, and moved back while nothing else changed.

use strongroom::models::events::Actor;
use strongroom::models::integrations::{self, Integration};
use strongroom::models::{CredentialId, IntegrationId};

use super::rotating::{channel, scan};
use super::{actions, add, add_of, row};
use crate::support::app::{PASSWORD, Page, TestApp, Visit};
use crate::support::peers::registry::{Auth, Registry};

const SECRET: &str = "first secret";

struct Story {
    app: TestApp,
    visit: Visit,
    old: CredentialId,
    new: CredentialId,
    usages: [IntegrationId; 2],
    _peers: [Registry; 2],
}

impl Story {
    /// Two scans with one robot, and another robot whose password is `password`.
    async fn begin(password: &str) -> Self {
        let app = TestApp::start();
        let mut visit = app.administrator();
        let old = add(&mut visit, "old robot").await;
        let new =
            add_of(&mut visit, &[("kind", "basic"), ("name", "new"), ("username", "robot"), ("password", password)])
                .await;
        let peers = [
            Registry::start(Auth::Htpasswd { user: "robot", password: SECRET }).await,
            Registry::start(Auth::Htpasswd { user: "robot", password: SECRET }).await,
        ];
        let usages = [scan(&app, "one", old, &peers[0].url()), scan(&app, "two", old, &peers[1].url())];
        Self { app, visit, old, new, usages, _peers: peers }
    }

    fn page(&self) -> String {
        format!("/credentials/{}/replace", self.old)
    }

    /// Posts the form as the page shows it, with these fields over it.
    async fn post(&mut self, fields: &[(&str, &str)]) -> Page {
        let (path, to) = (self.page(), self.new.to_string());
        let page = self.visit.get(&path).await;
        let (names, values) = (page.attributes("[type=checkbox]", "name"), page.attributes("[type=checkbox]", "value"));
        let mut all: Vec<(&str, &str)> =
            names.iter().map(String::as_str).zip(values.iter().map(String::as_str)).collect();
        all.push(("to", to.as_str()));
        all.retain(|(name, _)| fields.iter().all(|(other, _)| other != name));
        all.extend(fields.iter().filter(|(_, value)| !value.is_empty()));
        self.visit.post(&path, &all).await
    }

    /// The answer to the question whether the secret belongs to these hosts.
    async fn answer(&mut self) -> String {
        let page = self.post(&[("goal", "test")]).await;
        assert_eq!((page.status, page.has("#destination #password")), (422, true), "{}", page.text("main"));
        page.attributes("#send_to", "value").remove(0)
    }

    async fn answered(&mut self, fields: &[(&str, &str)]) -> Page {
        let yes = self.answer().await;
        self.post(&[&[("send_to", yes.as_str()), ("password", PASSWORD)], fields].concat()).await
    }

    fn integration(&self, at: usize) -> Integration {
        let id = self.usages[at];
        integrations::find(&mut self.app.connect(), &self.app.services.vault, id).expect("a row").into_shown()
    }

    fn used(&self) -> [Option<CredentialId>; 2] {
        [self.integration(0).credential_id, self.integration(1).credential_id]
    }

    async fn undo(&mut self, moved: &Page) -> Page {
        let (action, fields) =
            moved.forms().into_iter().find(|(action, _)| action.ends_with("/undo")).expect("a way back");
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.visit.post(&action, &fields).await
    }
}

#[actix_web::test]
async fn usages_move_to_another_credential_and_back_with_one_click() {
    let mut story = Story::begin(SECRET).await;
    let (old, new) = (story.old, story.new);
    let refusal = story.visit.get(&format!("/credentials/{old}/delete")).await;
    assert!(refusal.attributes("a", "href").contains(&story.page()), "the refused deletion leads there");
    // Though the password was given a moment ago: the secret would go to hosts that it has not been sent to.
    let page = story.post(&[("goal", "save")]).await;
    assert_eq!((page.status, story.used()), (422, [Some(old); 2]), "{}", page.text("main"));
    let before = story.integration(0);
    let moved = story.answered(&[("goal", "save")]).await;
    assert_eq!(moved.status, 200, "{}", moved.text("main"));
    assert_eq!(moved.texts("[data-moved] li").len(), 2, "{}", moved.text("main"));
    assert_eq!((story.used(), row(&story.app, new).usage_count), ([Some(new); 2], 2));
    let after = story.integration(0);
    assert_eq!((&after.settings, &after.host, after.active), (&before.settings, &before.host, true), "the rest stays");
    let trail = actions(&story.app, CredentialId(story.usages[0].0));
    assert_eq!(trail.iter().filter(|action| *action == "integration.edited").count(), 1, "{trail:?}");
    assert!(trail.contains(&"integration.destination_allowed".to_owned()));
    let back = story.undo(&moved).await;
    assert_eq!(
        (back.status, back.location()),
        (303, format!("/credentials/{old}#usages").as_str()),
        "{}",
        back.text("main")
    );
    assert_eq!(story.used(), [Some(old); 2]);
    assert_eq!(story.undo(&moved).await.status, 409, "once");
    assert_eq!(story.used(), [Some(old); 2]);
}

#[actix_web::test]
async fn a_credential_that_does_not_work_there_moves_only_after_that_was_named() {
    let mut story = Story::begin("another secret").await;
    let page = story.answered(&[("goal", "save")]).await;
    assert_eq!((page.status, page.attributes("[data-trial]", "data-trial")), (200, vec!["bad".to_owned(); 2]));
    assert!(page.text(".notice.is-warn").contains("one, two"), "{}", page.text("main"));
    assert_eq!(story.used(), [Some(story.old); 2]);
    let proof = page.attributes("[data-anyway]", "value").remove(0);
    let mut other = story.app.user("grace", strongroom::accounts::Role::Operator);
    std::mem::swap(&mut other, &mut story.visit);
    assert_eq!(story.post(&[("anyway", &proof)]).await.status, 422, "a proof is good in its session alone");
    std::mem::swap(&mut other, &mut story.visit);
    let page = story.post(&[("anyway", &proof)]).await;
    assert_eq!((page.status, story.used()), (200, [Some(story.new); 2]), "{}", page.text("main"));
}

#[actix_web::test]
async fn chosen_usages_move_and_the_others_stay() {
    let mut story = Story::begin(SECRET).await;
    let field = format!("usage.{}.main", story.usages[1]);
    let yes = story.post(&[("goal", "test"), (&field, "")]).await.attributes("#send_to", "value").remove(0);
    let fields = [("goal", "save"), (&field, ""), ("send_to", yes.as_str()), ("password", PASSWORD)];
    let page = story.post(&fields).await;
    assert_eq!((page.status, story.used()), (200, [Some(story.new), Some(story.old)]), "{}", page.text("main"));
    assert_eq!(story.post(&[("goal", "save"), (&field, "")]).await.status, 422, "none is chosen");
}

#[actix_web::test]
async fn one_usage_that_changed_meanwhile_keeps_all_in_their_place() {
    let mut story = Story::begin(SECRET).await;
    let field = format!("usage.{}.main", story.usages[1]);
    let seen = story.integration(1).row_version.to_string();
    let (app, id) = (&story.app, story.usages[1]);
    app.transaction(|conn| integrations::set_active(conn, &app.services.vault, &Actor::command_line(), id, false));
    let page = story.post(&[("goal", "save"), (&field, &seen)]).await;
    assert_eq!((page.status, page.has("[data-replace] .notice.is-warn")), (409, true), "{}", page.text("main"));
    assert_eq!(story.used(), [Some(story.old); 2]);
}

#[actix_web::test]
async fn a_move_is_not_undone_over_later_changes_and_says_which() {
    let mut story = Story::begin(SECRET).await;
    let moved = story.answered(&[("goal", "save")]).await;
    let (app, id) = (&story.app, story.usages[1]);
    app.transaction(|conn| integrations::set_active(conn, &app.services.vault, &Actor::command_line(), id, false));
    let page = story.undo(&moved).await;
    assert_eq!((page.status, page.texts("[data-changes] li").len()), (409, 1), "{}", page.text("main"));
    assert!(page.text("[data-changes] li").contains("two was changed by"));
    assert_eq!(story.used(), [Some(story.new); 2]);
    let forged = moved.body.replace(&story.old.to_string(), &story.new.to_string());
    assert_eq!(story.undo(&Page { body: forged, ..moved }).await.status, 409);
}

#[actix_web::test]
async fn only_credentials_that_fit_are_offered_and_taken() {
    let mut story = Story::begin(SECRET).await;
    let hook = [("kind", "webhook"), ("name", "hook"), ("url", "https://hooks.example.com/a")];
    let hook = add_of(&mut story.visit, &hook).await.to_string();
    let page = story.visit.get(&story.page()).await;
    assert_eq!(page.attributes("#to option:not([value=''])", "value"), [story.new.to_string()]);
    assert!(page.has("#to[data-searched]"));
    let page = story.post(&[("goal", "save"), ("to", &hook)]).await;
    assert_eq!((page.status, page.texts("tbody .field__error").len()), (422, 2), "{}", page.text("main"));
    let old = story.old.to_string();
    for to in [old.as_str(), "00000000-0000-7000-8000-000000000000", "x"] {
        let page = story.post(&[("goal", "save"), ("to", to)]).await;
        assert_eq!((page.status, page.has("#to-error")), (422, true), "{to}");
    }
    assert_eq!(story.used(), [Some(story.old); 2]);
}

#[actix_web::test]
async fn a_channel_moves_to_another_address_only_with_the_password() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let hook = |name, url| [("kind", "webhook"), ("name", name), ("url", url)];
    let old = add_of(&mut visit, &hook("old", "https://hooks.example.com/old")).await;
    let new = add_of(&mut visit, &hook("new", "https://hooks.example.com/new")).await.to_string();
    let id = channel(&app, old);
    app.give_password_long_ago();
    let (path, field) = (format!("/credentials/{old}/replace"), format!("usage.{id}.main"));
    let fields = [("to", new.as_str()), ("goal", "save"), (field.as_str(), "1")];
    let page = visit.post(&path, &fields).await;
    assert_eq!((page.status, page.has("#confirm #password")), (422, true), "{}", page.text("main"));
    let page = visit.post(&path, &[&fields[..], &[("password", PASSWORD)]].concat()).await;
    assert_eq!((page.status, page.has("[data-moved]")), (200, true), "{}", page.text("main"));
}
