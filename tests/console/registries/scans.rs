//! Scans of the real distribution registry, once for each way to sign in.

use strongroom::integrations::progress::{Progress, Step};
use strongroom::providers::egress::{Egress, Tls};
use strongroom::providers::oci_registry::{Login, Pages, Registry as Api};
use strongroom::providers::{ProviderError, Sent};
use tokio_util::sync::CancellationToken;

use strongroom::credentials::{api_token, certificate, webhook};

use super::{Scan, loopback};
use crate::support::peers::certificates::Authority;
use crate::support::peers::registry::{Auth, LAYER, Registry};

const PASSWORD: &str = "correct horse battery staple";

#[tokio::test]
async fn an_open_registry_is_scanned_without_a_credential() {
    let peer = Registry::start(Auth::None).await;
    let digest = peer.push_image("team/app", &["1.0", "1.1"]).await;
    let images = Scan::of(peer.url()).run().await.unwrap();
    assert_eq!(images.len(), 2);
    assert_eq!((images[0].repository.as_str(), images[0].tag.as_str()), ("team/app", "1.0"));
    assert_eq!(images[0].digest, digest);
    assert_eq!(images[0].platforms, ["linux/amd64"]);
    assert!(images[0].size_bytes > LAYER as i64 && images[0].size_bytes < LAYER as i64 + 500);
    assert_eq!(images[0].pushed_at, None);
    assert!(peer.authorizations().is_empty());
}

#[tokio::test]
async fn an_image_for_several_platforms_lists_them_and_sums_their_sizes() {
    let peer = Registry::start(Auth::None).await;
    let digest = peer.push_index("app", "1", &[("amd64", ""), ("arm64", "v8")]).await;
    let images = Scan::of(peer.url()).run().await.unwrap();
    assert_eq!(images[0].digest, digest);
    assert_eq!(images[0].platforms, ["linux/amd64", "linux/arm64/v8"]);
    assert!(images[0].size_bytes > 2 * LAYER as i64);
}

#[tokio::test]
async fn a_user_name_and_password_open_a_registry_with_basic_authentication() {
    let peer = Registry::start(Auth::Htpasswd { user: "robot", password: PASSWORD }).await;
    peer.push_image("team/app", &["1.0"]).await;
    assert_eq!(Scan::of(peer.url()).password("robot", PASSWORD).images().await, ["team/app:1.0"]);
    // robot:correct horse battery staple
    let expected = "Basic cm9ib3Q6Y29ycmVjdCBob3JzZSBiYXR0ZXJ5IHN0YXBsZQ==";
    assert!(peer.authorizations().iter().all(|header| header == expected));
    assert!(!peer.authorizations().is_empty());
}

#[tokio::test]
async fn after_an_edited_password_the_next_scan_sends_the_new_one() {
    let mut peer = Registry::start(Auth::Htpasswd { user: "robot", password: PASSWORD }).await;
    peer.push_image("app", &["1.0"]).await;
    Scan::of(peer.url()).password("robot", PASSWORD).run().await.unwrap();
    peer.set_password("other");
    let error = Scan::of(peer.url()).password("robot", PASSWORD).run().await.unwrap_err();
    assert_eq!((error.step, error.cause), (Step::SIGNING_IN, ProviderError::Unauthorized { sent: Sent::Password }));
    assert_eq!(Scan::of(peer.url()).password("robot", "other").images().await, ["app:1.0"]);
    // robot:other
    assert_eq!(peer.authorizations().last().unwrap(), "Basic cm9ib3Q6b3RoZXI=");
}

#[tokio::test]
async fn a_wrong_password_is_an_error_that_names_the_step_and_no_secret() {
    for auth in
        [Auth::Htpasswd { user: "robot", password: PASSWORD }, Auth::Token { user: "robot", password: PASSWORD }]
    {
        let peer = Registry::start(auth).await;
        let error = Scan::of(peer.url())
            .with("ca_certificate", peer.ca_certificate())
            .password("robot", "WRONG-SECRET")
            .run()
            .await
            .unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("Signing in failed: the registry refused the user name or password."), "{text}");
        assert!(!text.contains("WRONG-SECRET") && !format!("{error:?}").contains("WRONG-SECRET"));
    }
}

#[tokio::test]
async fn a_closed_registry_asks_for_a_credential_where_none_is_chosen() {
    for auth in
        [Auth::Htpasswd { user: "robot", password: PASSWORD }, Auth::Token { user: "robot", password: PASSWORD }]
    {
        let peer = Registry::start(auth).await;
        let error = Scan::of(peer.url()).with("ca_certificate", peer.ca_certificate()).run().await.unwrap_err();
        assert_eq!(error.to_string(), "Signing in failed: the registry asks for a credential. Choose one.");
    }
}

#[tokio::test]
async fn a_token_is_fetched_once_a_scope_and_the_password_goes_to_the_issuer_only() {
    let peer = Registry::start(Auth::Token { user: "robot", password: PASSWORD }).await;
    peer.push_image("team/app", &["1.0", "1.1", "1.2"]).await;
    peer.push_image("team/web", &["2.0"]).await;
    let scan = Scan::of(peer.url()).with("ca_certificate", peer.ca_certificate()).password("robot", PASSWORD);
    assert_eq!(scan.images().await, ["team/app:1.0", "team/app:1.1", "team/app:1.2", "team/web:2.0"]);
    assert_eq!(scan.sent_to.hosts(), [peer.issuer().address.to_string()]);
    // One to sign in, one for the catalogue, one for each repository.
    assert_eq!(peer.issuer().authorizations().len(), 4);
    assert!(peer.authorizations().iter().all(|header| header.starts_with("Bearer ")));
}

#[tokio::test]
async fn a_repository_that_is_closed_to_the_credential_is_a_gap_and_named() {
    let peer = Registry::start(Auth::Token { user: "robot", password: PASSWORD }).await;
    peer.push_image("team/app", &["1.0"]).await;
    peer.push_image("team/secret", &["1.0"]).await;
    peer.issuer().close("team/secret");
    let scan = Scan::of(peer.url()).with("ca_certificate", peer.ca_certificate()).password("robot", PASSWORD);
    let found = scan.whole().await.unwrap();
    assert_eq!(found.images.len(), 1);
    let [gap] = &found.gaps[..] else { panic!("{:?}", found.gaps) };
    assert_eq!((gap.step, gap.at.as_str()), (Step::LISTING_TAGS, "team/secret"));
    assert_eq!(gap.cause, ProviderError::Forbidden);
    let text = gap.to_string();
    assert!(text.starts_with("Listing the tags of team/secret failed: the registry does not allow this"), "{text}");
    let scan = Scan::of(peer.url())
        .with("ca_certificate", peer.ca_certificate())
        .password("robot", PASSWORD)
        .with("exclude_repositories", "team/secret");
    assert_eq!(scan.images().await, ["team/app:1.0"]);
}

#[tokio::test]
async fn an_access_token_is_sent_as_it_is() {
    let peer = Registry::start(Auth::Token { user: "robot", password: PASSWORD }).await;
    peer.push_image("app", &["1.0"]).await;
    let token = peer.issuer().token(&["registry:catalog:*", "repository:app:pull"]);
    let scan = Scan::of(peer.url()).credential(&api_token::KIND, &[("token", &token)]);
    assert_eq!(scan.images().await, ["app:1.0"]);
    assert!(peer.authorizations().iter().all(|header| *header == format!("Bearer {token}")));
    assert!(peer.issuer().authorizations().is_empty());

    let error = Scan::of(peer.url()).credential(&api_token::KIND, &[("token", "not.a.token")]).run().await;
    let error = error.unwrap_err();
    let realm = peer.issuer().address.to_string();
    assert_eq!((error.step, &error.cause), (Step::SIGNING_IN, &ProviderError::NeedsExchange { realm }));
    assert!(!error.to_string().contains("not.a.token"));
}

#[tokio::test]
async fn a_registry_with_a_private_authority_is_trusted_once_its_ca_certificate_is_given() {
    let peer = Registry::start(Auth::Tls).await;
    peer.push_image("app", &["1.0"]).await;
    let error = Scan::of(peer.url()).run().await.unwrap_err();
    assert!(matches!(error.cause, ProviderError::Certificate { .. }), "{error:?}");
    assert!(error.to_string().contains("CA certificate"));
    let other = Authority::new();
    let error = Scan::of(peer.url()).with("ca_certificate", &other.pem).run().await.unwrap_err();
    assert!(matches!(error.cause, ProviderError::Certificate { .. }), "{error:?}");
    let scan = Scan::of(peer.url()).with("ca_certificate", &peer.authority().pem);
    assert_eq!(scan.images().await, ["app:1.0"]);
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused_though_its_authority_is_trusted() {
    let peer = Registry::start(Auth::Tls).await;
    let elsewhere = peer.url().replace("127.0.0.1", "127.0.0.2");
    let error = Scan::of(elsewhere).with("ca_certificate", &peer.authority().pem).run().await.unwrap_err();
    // The peer listens on 127.0.0.1 only, so the other name must be one that leads there.
    assert!(matches!(error.cause, ProviderError::Unreachable { .. }), "{error:?}");
    let named = peer.url().replace("127.0.0.1", "localhost");
    let error = Scan::of(named).with("ca_certificate", &peer.authority().pem).run().await.unwrap_err();
    assert!(matches!(error.cause, ProviderError::Certificate { .. }), "{error:?}");
}

#[tokio::test]
async fn a_client_certificate_opens_a_registry_that_demands_one() {
    let peer = Registry::start(Auth::ClientCertificate).await;
    peer.push_image("app", &["1.0"]).await;
    let authority = peer.authority();
    let own = authority.client("scanner");
    let scan = Scan::of(peer.url())
        .credential(&certificate::KIND, &[("certificate", &own), ("ca_certificate", &authority.pem)]);
    assert_eq!(scan.images().await, ["app:1.0"]);

    let foreign = Authority::new().client("scanner");
    let scan = Scan::of(peer.url())
        .credential(&certificate::KIND, &[("certificate", &foreign)])
        .with("ca_certificate", &authority.pem);
    let error = scan.run().await.unwrap_err();
    assert_eq!(error.step, Step::SIGNING_IN);
    // Which of the two depends on whether the server's reason or the end of the connection is seen first.
    let refused = |cause: &ProviderError| {
        matches!(cause, ProviderError::ClientCertificate { .. } | ProviderError::Dropped { .. })
    };
    assert!(refused(&error.cause), "{error:?}");
    let none = Scan::of(peer.url()).with("ca_certificate", &authority.pem).run().await.unwrap_err();
    assert!(refused(&none.cause), "{none:?}");
}

#[tokio::test]
async fn a_broken_certificate_or_an_unfit_credential_is_said_before_anything_is_sent() {
    let peer = Registry::start(Auth::None).await;
    let broken =
        Scan::of(peer.url()).credential(&certificate::KIND, &[("certificate", "SECRET")]).run().await.unwrap_err();
    assert_eq!(broken.cause, ProviderError::BadCertificate);
    let unfit = Scan::of(peer.url()).credential(&webhook::KIND, &[("url", "SECRET")]).run().await.unwrap_err();
    assert_eq!(unfit.cause, ProviderError::WrongCredential);
    assert!(peer.seen().is_empty());
}

#[tokio::test]
async fn patterns_exclusions_and_the_cap_decide_what_is_kept() {
    let peer = Registry::start(Auth::None).await;
    peer.push_image("team/app", &["1.0", "1.1", "1.2", "1.10", "2.0-rc1", "latest", "dev"]).await;
    peer.push_image("team/web", &["1.0"]).await;
    peer.push_image("other", &["1.0"]).await;
    let scan = Scan::of(peer.url()).with("repository", "team/*").with("cap", "3");
    assert_eq!(scan.images().await, ["team/app:1.10", "team/app:2.0-rc1", "team/app:latest", "team/web:1.0"]);
    let scan = Scan::of(peer.url()).with("exclude_repositories", "team/web, other").with("tag", "1.*, dev");
    let scan = scan.with("exclude_tags", "*.1").with("cap", "0");
    assert_eq!(scan.images().await, ["team/app:1.0", "team/app:1.10", "team/app:1.2", "team/app:dev"]);
    assert_eq!(Scan::of(peer.url()).with("repository", "nothing*").images().await, Vec::<String>::new());
    // Five is the cap where none is given: dev and 1.0 are the oldest of seven.
    assert_eq!(Scan::of(peer.url()).with("repository", "team/a*").images().await.len(), 5);
}

#[tokio::test]
async fn named_repositories_are_scanned_without_the_catalogue() {
    let peer = Registry::start(Auth::None).await;
    peer.push_image("team/app", &["1.0"]).await;
    peer.push_image("web", &["1.0"]).await;
    let scan = Scan::of(peer.url()).with("repository", "web, team/app");
    assert_eq!(scan.images().await, ["team/app:1.0", "web:1.0"]);
    assert!(!peer.seen().iter().any(|seen| seen.line.contains("_catalog")));
    let error = Scan::of(peer.url()).with("repository", "no/such").run().await.unwrap_err();
    assert_eq!((error.step, error.at.as_str(), error.cause), (Step::LISTING_TAGS, "no/such", ProviderError::NotFound));
}

#[tokio::test]
async fn thousands_of_tags_are_scanned_and_their_one_image_is_read_once() {
    let peer = Registry::start(Auth::None).await;
    let tags: Vec<String> = (0..2000).map(|n| format!("1.{n}")).collect();
    peer.push_image("big", &tags.iter().map(String::as_str).collect::<Vec<_>>()).await;
    assert_eq!(Scan::of(peer.url()).with("cap", "0").images().await.len(), 2000);
    let blobs = peer.seen().iter().filter(|seen| seen.line.contains("/blobs/")).count();
    assert!(blobs <= 8, "{blobs} reads of one configuration by 8 tasks");
    let newest = Scan::of(peer.url()).with("cap", "2").images().await;
    assert_eq!(newest, ["big:1.1998", "big:1.1999"]);
}

#[tokio::test]
async fn a_catalogue_of_many_pages_is_read_to_its_end() {
    let peer = Registry::start(Auth::None).await;
    for number in 0..10 {
        peer.push_image(&format!("app-{number}"), &["1"]).await;
    }
    let client = loopback().client(Tls::default()).unwrap();
    let address = peer.url().parse().unwrap();
    let api = Api::new(client, &address, Login::Anonymous, CancellationToken::new()).pages_of(3);
    api.sign_in().await.unwrap();
    assert_eq!(api.repositories(Pages::All).await.unwrap().good.len(), 10);
    assert_eq!(peer.seen().iter().filter(|seen| seen.line.contains("_catalog")).count(), 4);
}

#[tokio::test]
async fn progress_is_told_from_signing_in_to_the_last_repository() {
    let peer = Registry::start(Auth::None).await;
    peer.push_image("a", &["1", "2"]).await;
    peer.push_image("b", &["1"]).await;
    let scan = Scan::of(peer.url());
    scan.run().await.unwrap();
    let told = scan.progress.lock().unwrap();
    let steps: Vec<&str> = told.iter().map(|progress| progress.step.as_ref()).collect();
    assert_eq!(steps[..3], [Step::SIGNING_IN, Step::LISTING_REPOSITORIES, Step::LISTING_TAGS].map(|step| step.label));
    let last =
        Progress { step: Step::READING_MANIFESTS.label.into(), done: 2, total: 2, items: 3, ..Progress::default() };
    assert_eq!(told.last(), Some(&last));
}

#[tokio::test]
async fn a_registry_inside_the_network_is_refused_until_the_operator_lists_it() {
    let peer = Registry::start(Auth::None).await;
    let error = Scan::of(peer.url()).egress(Egress::new(Vec::new())).run().await.unwrap_err();
    assert!(matches!(error.cause, ProviderError::RefusedByPolicy { .. }));
    assert!(error.to_string().contains("STRONGROOM_EGRESS_ALLOW"));
    assert!(peer.seen().is_empty());
}
