//! Registries of vendors from the form to the inventory: each has a form, and one is added, tested and scanned there.

use strongroom::credentials::{self, gitlab_token};
use strongroom::draft::Draft;
use strongroom::form::Values;
use strongroom::integrations::Family;
use strongroom::models::CredentialId;
use strongroom::models::credentials as stored;
use strongroom::models::events::Actor;

use super::{Form, ended};
use crate::support::app::TestApp;
use crate::support::peers::gitlab::{self, TOKEN};
use crate::support::peers::receiver::Receiver;

fn gitlab_credential(app: &TestApp) -> CredentialId {
    let values = Values::from_iter([("token", TOKEN)]);
    let draft =
        Draft::new(&gitlab_token::KIND, "GitLab reader".to_owned(), String::new(), &values).expect("a good one");
    app.transaction(|conn| stored::create(conn, &app.services.vault, &Actor::command_line(), &draft.row()))
}

#[actix_web::test]
async fn every_registry_has_a_form_that_says_which_credential_it_needs() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let registries = Family::RegistryScan.providers();
    assert_eq!(registries.len(), 16);
    for spec in registries {
        let page = visit.get(&format!("/integrations/new?version={}", spec.slug)).await;
        assert_eq!(page.texts("#version option[selected]"), [spec.label]);
        assert!(page.has("#repository") && page.has("#cap") && page.has("#credential"), "{}", spec.slug);
        let labels: Vec<&str> =
            spec.credential_kinds().iter().filter_map(|kind| Some(credentials::find(kind)?.label)).collect();
        assert_eq!(labels.len(), spec.credential_kinds().len(), "{}", spec.slug);
    }
}

#[actix_web::test]
async fn a_gitlab_registry_is_tested_on_its_form_added_and_scanned() {
    let peer = Receiver::start(gitlab::answer);
    let app = TestApp::start_with(&[&format!("--endpoints=gitlab={0},gitlab-registry={0}", peer.url())]);
    let credential = gitlab_credential(&app);
    let mut visit = app.administrator();
    let form = Form::new("GitLab", "registry.gitlab.com").with("version", "gitlab").with("credential", credential);
    let page = form.clone().with("try", "connection").post(&mut visit, "/integrations").await;
    assert!(page.text("main").contains("lists 1 repository on its first page"), "{}", page.text("main"));
    let id = form.with("cap", "1").add(&mut visit).await;
    let run = ended(&app, id).await;
    assert_eq!((run.state.word(), run.error, run.found), ("succeeded", None, 4));
    let page = visit.get(&format!("/integrations/{id}")).await;
    assert_eq!(page.texts("#results tbody tr th"), ["ada/lab", "team/app", "team/app/worker", "team/sub/tool"]);
    assert_eq!(page.texts("#results tbody td:nth-child(2)"), ["1.0"; 4], "the newest by date");
    assert!(!page.text("main").contains(TOKEN));
}
