//! The help inside the product: a page for every type and provider, links that resolve, a search, and the way to it from
//! every form.

use std::collections::{BTreeMap, BTreeSet};

use strongroom::accounts::Role;
use strongroom::credentials::KINDS;
use strongroom::integrations::Family;

use crate::support::app::{TestApp, Visit};

/// Addresses of all pages on the index.
async fn index(visit: &mut Visit) -> Vec<String> {
    visit.get("/help").await.attributes("a[data-topic]", "href")
}

#[actix_web::test]
async fn every_type_and_provider_has_a_page_that_an_auditor_reads() {
    let app = TestApp::start();
    let mut visit = app.user("aude", Role::Auditor);
    let pages = index(&mut visit).await;
    let kinds = KINDS.iter().map(|kind| format!("/help/credentials/{}", kind.slug));
    let specs = Family::ALL.iter().flat_map(|family| family.providers());
    let specs = specs.map(|spec| format!("/help/integrations/{}", spec.slug));
    for path in kinds.chain(specs) {
        assert!(pages.contains(&path), "{path} is not on the index");
        let page = visit.get(&path).await;
        for part in ["does", "rights", "faults"] {
            assert!(page.status == 200 && page.has(&format!("[data-section={part}]")), "{path} has no {part}");
        }
        assert!(page.body.len() < 61 * 1024, "{path} has {} bytes", page.body.len());
        assert!(!page.has("main a[href^='/credentials/new'], main a[href^='/integrations/new']"), "{path}");
    }
    for path in ["/help/nothing", "/help/credentials/nothing", "/help/integrations/nothing"] {
        assert_eq!(visit.get(path).await.status, 404, "{path}");
    }
}

#[actix_web::test]
async fn every_link_of_the_help_leads_to_a_page_and_a_heading() {
    let app = TestApp::start();
    for mut visit in [app.user("aude", Role::Auditor), app.administrator()] {
        let mut known: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut wrong = Vec::new();
        for path in index(&mut visit).await {
            for href in visit.get(&path).await.attributes("main a", "href") {
                let (page, anchor) = href.split_once('#').unwrap_or((&href, ""));
                let page = if page.is_empty() { &path } else { page };
                if !page.starts_with('/') {
                    continue;
                }
                if !known.contains_key(page) {
                    let answer = visit.get(page).await;
                    let ids = if answer.status == 200 { answer.attributes("[id]", "id") } else { Vec::new() };
                    known.insert(page.to_owned(), ids.into_iter().collect());
                }
                let ids = &known[page];
                if ids.is_empty() || !(anchor.is_empty() || ids.contains(anchor)) {
                    wrong.push(format!("{path}: {href}"));
                }
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}

#[actix_web::test]
async fn every_form_links_to_its_page_of_the_help() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let kinds = KINDS.iter().map(|kind| ("credentials", "kind", kind.slug));
    let specs = Family::ALL.iter().flat_map(|family| family.providers());
    for (noun, field, slug) in kinds.chain(specs.map(|spec| ("integrations", "version", spec.slug))) {
        let page = visit.get(&format!("/{noun}/new?{field}={slug}")).await;
        assert_eq!(page.attributes("a[data-help]", "href"), [format!("/help/{noun}/{slug}")]);
    }
    let fields = [("kind", "basic"), ("name", "robot"), ("username", "robot"), ("password", "a secret")];
    let credential = visit.post("/credentials", &fields).await.location().to_owned();
    let form = [("name", "m"), ("version", "docker_v2"), ("registry", "http://127.0.0.1:1"), ("schedule", "off")];
    let integration = visit.post("/integrations", &form).await.location().to_owned();
    let forms = ["rotate", "replace", "edit"].map(|word| format!("{credential}/{word}"));
    let others = ["/alerts/settings", "/credentials/import", "/account/two-step"].map(str::to_owned);
    for path in forms.into_iter().chain(others).chain([format!("{integration}/edit")]) {
        let hrefs = visit.get(&path).await.attributes("a[data-help]", "href");
        assert!(hrefs.len() == 1 && hrefs[0].starts_with("/help/"), "{path}: {hrefs:?}");
    }
}

#[actix_web::test]
async fn the_help_shows_the_least_rights_that_the_provider_declares() {
    let app = TestApp::start();
    let mut visit = app.user("aude", Role::Auditor);
    for (slug, right) in [
        ("ecr", "ecr:DescribeRepositories"),
        ("lambda", "lambda:ListFunctions"),
        ("security_hub", "securityhub:BatchImportFindings"),
        ("google_cloud", "iam.serviceAccountKeys.list"),
        ("oracle_cloud", "Allow group"),
    ] {
        let page = visit.get(&format!("/help/integrations/{slug}")).await;
        let policies = page.texts("[data-section=rights] pre").join(" ");
        assert!(policies.contains(right), "{slug}: {policies}");
    }
}

#[actix_web::test]
async fn a_word_of_an_error_finds_its_page_in_help_and_palette() {
    let app = TestApp::start();
    let mut visit = app.user("aude", Role::Auditor);
    let page = visit.get("/help?q=BatchImportFindings").await;
    assert!(page.attributes("[data-topic] a", "href").contains(&"/help/integrations/security_hub".to_owned()));
    assert!(visit.get("/help?q=no-such-word-anywhere").await.has("[data-nothing]"));
    let palette = visit.fragment("/search?q=key+ring").await;
    assert!(palette.attributes("a[data-hit]", "href").contains(&"/help/key-ring".to_owned()), "{}", palette.body);
    assert!(visit.get("/help").await.text("[data-version]").contains(env!("CARGO_PKG_VERSION")));
}
