//! What no vendor's registry may do to a scan, whoever made it: lead the credential to another host, list without
//! end, or answer with something else than was asked for. Each is a failure or a gap with its name.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use strongroom::integrations::scan::Gap;
use strongroom::providers::ProviderError;

use super::Scan;
use crate::support::peers::receiver::{Call, Receiver, Said, UPSTREAM};
use crate::support::peers::{
    docker_hub, ecr_public, ghcr, gitlab, google_artifacts, ibm_registry, jfrog, nexus, openshift, oracle_registry,
    quay,
};

/// A vendor's registry: its honest answers, whether a call only signs in, and a scan of it.
struct Vendor {
    name: &'static str,
    answer: fn(&Call) -> Said,
    signs_in: fn(&Call) -> bool,
    /// Its lists name the address of their next page.
    links: bool,
    scan: fn(&Receiver) -> Scan,
}

const VENDORS: [Vendor; 11] = [
    Vendor {
        name: "GitLab",
        answer: gitlab::answer,
        signs_in: |call| call.path() == "/jwt/auth" || call.path() == "/v2/",
        links: true,
        scan: |peer| super::gitlab::by_token(peer, gitlab::TOKEN),
    },
    Vendor {
        name: "GitHub",
        answer: ghcr::answer,
        signs_in: |call| ["/token", "/v2/", "/user"].contains(&call.path()),
        links: true,
        scan: |peer| super::ghcr::by_token(peer, ghcr::TOKEN).with("repository", "acme/*"),
    },
    Vendor {
        name: "Google",
        answer: google_artifacts::answer,
        signs_in: |call| call.path() == "/token",
        links: false,
        scan: |peer| super::google::by_key(peer, "europe-west3-docker.pkg.dev", "organization"),
    },
    Vendor {
        name: "IBM",
        answer: ibm_registry::answer,
        signs_in: |call| ["/identity/token", "/oauth/token", "/v2/"].contains(&call.path()),
        links: true,
        scan: |peer| super::ibm::by_key(peer, ibm_registry::ACCOUNT, ibm_registry::API_KEY),
    },
    Vendor {
        name: "Quay",
        answer: quay::answer,
        signs_in: |call| ["/v2/auth", "/v2/"].contains(&call.path()),
        links: false,
        scan: |peer| super::quay::by_token(peer, quay::TOKEN),
    },
    Vendor {
        name: "Docker Hub",
        answer: docker_hub::answer,
        signs_in: |call| call.path() == "/v2/auth/token",
        links: true,
        scan: |peer| super::docker_hub::anonymous(peer).with("repository", "acme/*"),
    },
    Vendor {
        name: "Artifactory",
        answer: jfrog::answer,
        signs_in: |call| call.path().ends_with("/api/repositories") || call.path().ends_with("/v2/"),
        links: true,
        scan: |peer| super::jfrog::by_user(peer, jfrog::USER.1),
    },
    Vendor {
        name: "Nexus",
        answer: nexus::answer,
        signs_in: |call| call.path().ends_with("/v1/repositories") || call.path().ends_with("/v2/"),
        links: false,
        scan: |peer| super::nexus::by_user(peer, nexus::USER.1),
    },
    Vendor {
        name: "OpenShift",
        answer: openshift::answer,
        signs_in: |call| call.path() == "/apis/image.openshift.io/v1",
        links: false,
        scan: |peer| super::openshift::by_token(peer, openshift::TOKEN),
    },
    Vendor {
        name: "Amazon ECR Public",
        answer: ecr_public::answer,
        signs_in: |call| {
            let target = call.header("x-amz-target").unwrap_or_default();
            target.ends_with(".DescribeRegistries") || target.ends_with(".GetAuthorizationToken")
        },
        links: false,
        scan: |peer| super::ecr_public::by_key(peer, ecr_public::KEY, ecr_public::SECRET),
    },
    Vendor {
        name: "Oracle",
        answer: oracle_registry::answer,
        signs_in: |call| ["/20180419/docker/token", "/v2/"].contains(&call.path()),
        links: false,
        scan: |peer| super::oracle::by_key(peer, oracle_registry::key()),
    },
];

/// A scan of the vendor whose registry alters each answer that is no sign-in.
async fn scan(vendor: &Vendor, malice: impl Fn(&Call, Said) -> Said + Send + Sync + 'static) -> Vec<Gap> {
    let (answer, signs_in) = (vendor.answer, vendor.signs_in);
    let peer = Receiver::start(move |call| {
        let honest = answer(call);
        if signs_in(call) || !matches!(honest, Said::Answer { status: 200, .. }) {
            honest
        } else {
            malice(call, honest)
        }
    });
    let work = (vendor.scan)(&peer);
    let ended = tokio::time::timeout(Duration::from_secs(60), work.whole()).await.expect(vendor.name);
    let failures = match ended {
        Ok(found) => found.gaps,
        Err(error) => vec![error],
    };
    for failure in &failures {
        assert!(!failure.to_string().contains(UPSTREAM), "{}: {failure}", vendor.name);
    }
    failures
}

/// The honest answer with its links led elsewhere.
fn leading_to(host: &str, call: &Call, honest: Said) -> Said {
    let Said::Answer { status, mut headers, body } = honest else { return honest };
    headers.retain(|(name, _)| *name != "Link");
    headers.push(("Link", format!("<{host}{}>; rel=\"next\"", call.target)));
    let own = format!("http://{}", call.header("host").unwrap());
    let body = String::from_utf8_lossy(&body).replace(&own, host).into_bytes();
    Said::Answer { status, headers, body }
}

#[tokio::test]
async fn no_vendors_registry_leads_the_credential_to_another_host() {
    for vendor in VENDORS {
        let sink = Receiver::start(|_| Said::json(200, &json!([])));
        // Another name of this machine is another host.
        let host = sink.url().replace("127.0.0.1", "127.0.0.2");
        let failures = scan(&vendor, move |call, honest| leading_to(&host, call, honest)).await;
        assert!(sink.calls().is_empty(), "{}", vendor.name);
        let redirected = |error: &Gap| matches!(error.cause, ProviderError::Redirected { .. });
        assert_eq!(failures.iter().any(redirected), vendor.links, "{}: {failures:?}", vendor.name);
    }
}

/// The honest answer to a list with whatever leads to the next page leading to the first one.
fn going_round(call: &Call, honest: Said) -> Said {
    let Said::Answer { status, mut headers, body } = honest else { return honest };
    if call.path().contains("/manifests/") || call.path().contains("/blobs/") {
        return Said::Answer { status, headers, body };
    }
    headers.retain(|(name, _)| !["Link", "opc-next-page"].contains(name));
    headers.push(("Link", format!("<{}>; rel=\"next\"", call.target)));
    headers.push(("opc-next-page", "p+/=0".to_owned()));
    let mut body: Value = serde_json::from_slice(&body).unwrap();
    if let Some(members) = body.as_object_mut() {
        let round = json!({"next": call.target, "nextPageToken": "t+/=0", "next_page": "gAAAA=0", "nextToken": "t+/=0",
            "continuationToken": "gAAAA=0", "page": 0, "has_additional": true,
            "metadata": {"continue": "gAAAA=0"}});
        members.extend(round.as_object().unwrap().clone());
    }
    Said::Answer { status, headers, body: body.to_string().into_bytes() }
}

#[tokio::test]
async fn a_list_of_a_vendors_registry_that_leads_back_into_itself_ends() {
    for vendor in VENDORS {
        let failures = scan(&vendor, going_round).await;
        assert!(failures.iter().any(|error| error.cause == ProviderError::BadAnswer), "{}", vendor.name);
    }
}

#[tokio::test]
async fn a_list_of_a_vendors_registry_without_end_is_cut_off_and_called_that() {
    for vendor in VENDORS.iter().filter(|vendor| ["Google", "Docker Hub"].contains(&vendor.name)) {
        let answer = vendor.answer;
        let pages = AtomicU32::new(0);
        let peer = Receiver::start(move |call| {
            if !call.path().ends_with("/apps/dockerImages") && !call.path().ends_with("/app/tags") {
                return answer(call);
            }
            let next = pages.fetch_add(1, Ordering::SeqCst);
            let target = format!("{}?page_size=100&page={next}", call.path());
            Said::json(
                200,
                &json!({"dockerImages": [], "nextPageToken": next.to_string(), "results": [], "next": target}),
            )
        });
        let found = (vendor.scan)(&peer).whole().await;
        let gaps = found.map_or_else(|error| vec![error], |found| found.gaps);
        assert!(gaps.iter().any(|gap| gap.cause == ProviderError::TooLarge), "{}: {gaps:?}", vendor.name);
    }
}

#[tokio::test]
async fn an_entry_that_cannot_be_read_costs_itself_alone() {
    const LISTS: [&str; 8] =
        ["repositories", "projects", "dockerImages", "items", "results", "tags", "files", "imageTagDetails"];
    for vendor in VENDORS {
        let peer = Receiver::start(move |call| {
            let honest = (vendor.answer)(call);
            let in_path = |part: &str| call.path().contains(part);
            let spared = (vendor.signs_in)(call) || in_path("/manifests/") || in_path("/blobs/");
            let Said::Answer { status: 200, headers, body } = honest.clone() else { return honest };
            let Ok(mut body) = serde_json::from_slice::<Value>(&body) else { return honest };
            if spared {
                return honest;
            }
            if let Some(entries) = body.as_array_mut() {
                entries.push(json!(7));
            }
            for name in LISTS {
                if let Some(Value::Array(entries)) = body.get_mut(name) {
                    entries.push(json!(7));
                }
            }
            Said::Answer { status: 200, headers, body: body.to_string().into_bytes() }
        });
        let found = (vendor.scan)(&peer).whole().await.unwrap_or_else(|error| panic!("{}: {error}", vendor.name));
        let honest = Receiver::start(vendor.answer);
        assert_eq!(found.images, (vendor.scan)(&honest).whole().await.unwrap().images, "{}", vendor.name);
        assert!(found.gaps.iter().any(|gap| gap.cause == ProviderError::BadAnswer), "{}", vendor.name);
    }
}

#[tokio::test]
async fn answers_of_another_kind_are_named_whichever_vendor_gives_them() {
    let oddities = [
        Said::html(200),
        Said::json(200, &json!([[], 7, {"name": 7, "path": null}])),
        Said::json(200, &json!(null)),
        Said::json(200, &json!({"unexpected": [1, null, {}]})),
    ];
    for vendor in VENDORS {
        for (number, oddity) in oddities.iter().enumerate() {
            let oddity = oddity.clone();
            let failures = scan(&vendor, move |_, _| oddity.clone()).await;
            // Google leaves out the members of an empty list.
            let may_be_empty = vendor.name == "Google" && number == 3;
            assert!(!failures.is_empty() || may_be_empty, "{}: nothing was named", vendor.name);
        }
    }
}

#[tokio::test]
async fn names_that_no_vendor_can_have_become_no_path() {
    for vendor in VENDORS {
        let failures = scan(&vendor, |_, honest| {
            let Said::Answer { status, headers, body } = honest else { return honest };
            let body = String::from_utf8_lossy(&body).replace("1.0", "../../x").replace("/app", "/../../app?#");
            Said::Answer { status, headers, body: body.into_bytes() }
        })
        .await;
        let odd = |error: &Gap| matches!(error.cause, ProviderError::OddName { .. } | ProviderError::BadAnswer);
        assert!(failures.iter().any(odd), "{}: {failures:?}", vendor.name);
    }
}
