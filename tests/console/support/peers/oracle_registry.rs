//! Oracle's Artifacts API with signed requests, and the registry of a region with the token that they get.
//! <https://docs.oracle.com/en-us/iaas/api/#/en/registry/20160918/>

use std::sync::OnceLock;

use rcgen::{KeyPair, PKCS_RSA_SHA256};
use serde_json::{Value, json};
use strongroom::credentials::pem::RsaKey;

use super::clouds;
use super::receiver::{Call, Said, UPSTREAM};
use super::shelf::{self, Shelf};
use super::vendor::{basic, registry_error, token_for_scope, v2};

pub const USER: &str = "ocid1.user.oc1..aaaaaaaa65vwl75tewwm32rgqvm6i34unq";
pub const TENANCY: &str = "ocid1.tenancy.oc1..aaaaaaaaba3pv6wkcr4jqae5f44n2b2m2yt2j6rx32uzr4h25vqstifsfdsq";
pub const COMPARTMENT: &str = "ocid1.compartment.oc1..aaaaaaaashop";
/// One that the user may not see.
pub const CLOSED: &str = "ocid1.compartment.oc1..aaaaaaaaclosed";
pub const NAMESPACE: &str = "axy0123456bc";
const TOKEN: &str = "eyJ0b2tlbiI6Im9yYWNsZSJ9";

/// Compartment, repository, tag, day of the year 2026 on which the tag was set. The higher version is the older one;
/// `latest` is another name of 1.0, which the list of images does not tell.
const TAGS: [(&str, &str, &str, u32); 4] = [
    (TENANCY, "lab", "1.0", 305),
    (COMPARTMENT, "shop/app", "9.9", 1),
    (COMPARTMENT, "shop/app", "1.0", 305),
    (COMPARTMENT, "shop/app", "latest", 306),
];

/// PEM of the key that the peer knows, the same within a run.
pub fn key() -> &'static str {
    static KEY: OnceLock<String> = OnceLock::new();
    KEY.get_or_init(new_key)
}

pub fn new_key() -> String {
    KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap().serialize_pem()
}

pub fn public(pem: &str) -> Vec<u8> {
    RsaKey::parse(pem).unwrap().public_der().unwrap()
}

/// As Oracle's console shows it.
pub fn fingerprint(pem: &str) -> String {
    use md5::{Digest, Md5};
    let bytes: Vec<String> = Md5::digest(public(pem)).iter().map(|byte| format!("{byte:02x}")).collect();
    bytes.join(":")
}

pub fn shelf() -> Shelf {
    let mut shelf = Shelf::default();
    for (_, repository, tag, _) in TAGS {
        let mut image = shelf.image(if tag == "9.9" { "arm64" } else { "amd64" });
        image["annotations"] = json!({"of": repository, "tag": if tag == "latest" { "1.0" } else { tag }});
        shelf.put(&format!("{NAMESPACE}/{repository}"), tag, shelf::IMAGE, &image);
    }
    shelf
}

pub fn answer(call: &Call) -> Said {
    rules(call).unwrap_or_else(|refusal| refusal)
}

fn refused(status: u16, code: &str) -> Said {
    Said::json(status, &json!({"code": code, "message": UPSTREAM})).with("opc-request-id", "A1/B2/C3")
}

fn rules(call: &Call) -> Result<Said, Said> {
    if call.path().starts_with("/v2/") {
        return v2(call, "/20180419/docker/token", &shelf());
    }
    // The same address exchanges a user name and a password, as docker sends them.
    let password = basic(call);
    if call.path() == "/20180419/docker/token" && password.is_some() {
        let known = password == Some(("BEARER_TOKEN".to_owned(), TOKEN.to_owned()));
        return if known { Ok(token_for_scope(call)) } else { Err(registry_error(401, "UNAUTHORIZED")) };
    }
    let id = format!("{TENANCY}/{USER}/{}", fingerprint(key()));
    if !clouds::is_signed(call, &id, &public(key())) {
        return Err(refused(401, "NotAuthenticated"));
    }
    match call.path().strip_prefix("/20160918/container/") {
        None if call.path() == "/20180419/docker/token" => {
            Ok(Said::json(200, &json!({"token": TOKEN, "access_token": TOKEN, "expires_in": 3600})))
        }
        Some("repositories") => repositories(call),
        Some("images") => images(call),
        Some(path) => {
            let id = path.strip_prefix("images/").ok_or_else(|| refused(404, "NotAuthorizedOrNotFound"))?;
            let image = TAGS.iter().find(|(_, name, tag, _)| image_id(name, tag) == id);
            Ok(Said::json(200, &whole(image.ok_or_else(|| refused(404, "NotAuthorizedOrNotFound"))?)))
        }
        None => Err(refused(404, "NotAuthorizedOrNotFound")),
    }
}

/// One entry a page; the next by a token in a header.
fn page(call: &Call, entries: &[Value]) -> Said {
    assert_eq!(call.query("limit").as_deref(), Some("1000"));
    let at: usize = call.query("page").map_or(0, |token| token.trim_start_matches("p+/=").parse().unwrap());
    let said = Said::json(200, &json!({"items": entries.get(at).into_iter().collect::<Vec<_>>()}));
    let said = said.with("opc-request-id", "A1/B2/C3");
    if at + 1 < entries.len() { said.with("opc-next-page", format!("p+/={}", at + 1)) } else { said }
}

fn repositories(call: &Call) -> Result<Said, Said> {
    let compartment = call.query("compartmentId").unwrap_or_default();
    let all = call.query("compartmentIdInSubtree").as_deref() == Some("true");
    if compartment == CLOSED {
        return Err(refused(404, "NotAuthorizedOrNotFound"));
    }
    if all && compartment != TENANCY {
        return Err(refused(400, "InvalidParameter"));
    }
    let wanted = call.query("displayName");
    let mut found: Vec<(&str, &str)> = TAGS.iter().map(|(within, name, ..)| (*within, *name)).collect();
    found.dedup();
    found.retain(|(within, name)| (all || *within == compartment) && wanted.as_ref().is_none_or(|one| one == name));
    let entry = |(within, name): &(&str, &str)| {
        json!({"id": format!("ocid1.containerrepo.oc1.eu-frankfurt-1.0.{}", name.replace('/', "-")),
            "compartmentId": within, "displayName": name, "namespace": NAMESPACE, "imageCount": 2, "isPublic": false,
            "layerCount": 1, "layersSizeInBytes": 5, "lifecycleState": "AVAILABLE", "billableSizeInGBs": 1,
            "timeCreated": "2026-01-01T10:00:00.123Z"})
    };
    Ok(page(call, &found.iter().map(entry).collect::<Vec<_>>()))
}

fn images(call: &Call) -> Result<Said, Said> {
    let (within, of) =
        (call.query("compartmentId").unwrap_or_default(), call.query("repositoryId").unwrap_or_default());
    if call.query("isVersioned").as_deref() != Some("true") {
        return Err(refused(400, "InvalidParameter"));
    }
    let mine = |(compartment, name, ..): &&(&str, &str, &str, u32)| {
        *compartment == within && of.ends_with(&format!(".{}", name.replace('/', "-")))
    };
    // The image of latest is that of 1.0, and its newest tag alone is told.
    let has_newer = |name: &str, tag: &str| tag == "1.0" && name == "shop/app";
    let mut found: Vec<_> = TAGS.iter().filter(mine).filter(|(_, name, tag, _)| !has_newer(name, tag)).collect();
    found.reverse();
    let entry = |(compartment, name, tag, _): &&(&str, &str, &str, u32)| {
        json!({"id": image_id(name, tag), "compartmentId": compartment, "repositoryName": name, "version": tag,
            "repositoryId": of, "digest": digest(name, tag), "displayName": format!("{name}:{tag}"),
            "lifecycleState": "AVAILABLE", "timeCreated": date(if *tag == "latest" { 305 } else { set_on(name, tag) })})
    };
    Ok(page(call, &found.iter().map(entry).collect::<Vec<_>>()))
}

fn image_id(repository: &str, tag: &str) -> String {
    format!("ocid1.containerimage.oc1.eu-frankfurt-1.0.{}-{}", repository.replace('/', "-"), tag.replace('.', "-"))
}

fn set_on(repository: &str, tag: &str) -> u32 {
    TAGS.iter().find(|(_, name, other, _)| (*name, *other) == (repository, tag)).expect("one of them").3
}

fn date(day: u32) -> String {
    chrono::NaiveDate::from_yo_opt(2026, day).unwrap().format("%Y-%m-%dT10:00:00.000Z").to_string()
}

fn whole((compartment, name, tag, _): &(&str, &str, &str, u32)) -> Value {
    let same = |(_, other, other_tag, _): &&(&str, &str, &str, u32)| {
        other == name && digest(other, other_tag) == digest(name, tag)
    };
    let versions: Vec<Value> = TAGS
        .iter()
        .filter(same)
        .map(|(_, _, tag, day)| json!({"version": tag, "createdBy": USER, "timeCreated": date(*day)}))
        .collect();
    json!({"id": image_id(name, tag), "compartmentId": compartment, "repositoryName": name, "version": tag,
        "versions": versions, "digest": digest(name, tag), "layers": [], "layersSizeInBytes": 5000,
        "manifestSizeInBytes": 500, "pullCount": 0, "lifecycleState": "AVAILABLE", "timeCreated": date(305)})
}

pub fn digest(repository: &str, tag: &str) -> String {
    shelf().digest(&format!("{NAMESPACE}/{repository}"), tag).expect("it is on the shelf")
}
