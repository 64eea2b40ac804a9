//! What registries of the field hold besides plain images: read, or listed by what is known of it.

use crate::support::images::Scanned as Found;
use serde_json::{Value, json};
use sha2::{Digest, Sha512};

use super::Scan;
use crate::support::peers::receiver::Receiver;
use crate::support::peers::shelf::{IMAGE, INDEX, LAYER, Shelf, entry, sha256};

async fn scanned(shelf: Shelf) -> Found {
    let peer = Receiver::start(move |call| shelf.answer(call));
    Scan::of(peer.url()).whole().await.unwrap()
}

/// Repository and tag, platforms, and bytes.
fn told(found: &Found) -> Vec<(String, String, i64)> {
    let line = |image: &super::Image| {
        (format!("{}:{}", image.repository, image.tag), image.platforms.join(" "), image.size_bytes)
    };
    found.images.iter().map(line).collect()
}

fn with_platform(mut entry: Value, os: &str, architecture: &str) -> Value {
    entry["platform"] = json!({"os": os, "architecture": architecture});
    entry
}

/// What an image of the shelf weighs: its layer and its configuration.
const WEIGHT: i64 = 5 + 37;

#[tokio::test]
async fn field_r01_a_build_cache_is_listed_with_the_size_of_its_layers() {
    let mut shelf = Shelf::default().with("team/app", "1.0");
    let layers = [b"cache layer 1", b"cache layer 2"].map(|bytes| entry(LAYER, bytes));
    let config = entry("application/vnd.buildkit.cacheconfig.v0", b"{}");
    let cache = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [layers[0], layers[1], config]});
    shelf.put("team/app", "buildcache", INDEX, &cache);
    let found = scanned(shelf).await;
    assert_eq!(found.gaps, []);
    let lines = told(&found);
    assert_eq!(lines[1], ("team/app:buildcache".to_owned(), String::new(), 13 + 13 + 2));
    assert_eq!(lines[0], ("team/app:1.0".to_owned(), "linux/amd64".to_owned(), WEIGHT));
}

#[tokio::test]
async fn field_r03_an_old_manifest_of_schema_1_is_listed_beside_the_others() {
    let mut shelf = Shelf::default().with("legacy/tool", "2.0");
    let old = json!({"schemaVersion": 1, "name": "legacy/tool", "tag": "0.9", "architecture": "amd64",
        "fsLayers": [{"blobSum": sha256(b"x")}], "history": [{"v1Compatibility": "{\"id\":\"x\"}"}],
        "signatures": [{"header": {"alg": "ES256"}, "signature": "x", "protected": "x"}]});
    shelf.put("legacy/tool", "0.9", "application/vnd.docker.distribution.manifest.v1+prettyjws", &old);
    let found = scanned(shelf).await;
    assert_eq!(found.gaps, []);
    let lines = told(&found);
    assert_eq!(lines.iter().map(|line| line.0.as_str()).collect::<Vec<_>>(), ["legacy/tool:0.9", "legacy/tool:2.0"]);
    assert_eq!(found.images[0].digest, sha256(old.to_string().as_bytes()));
}

#[tokio::test]
async fn field_r09_a_signature_stored_as_an_artifact_is_listed() {
    let mut shelf = Shelf::default().with("team/app", "1.0");
    let media = "application/vnd.oci.artifact.manifest.v1+json";
    let signature = json!({"mediaType": media, "artifactType": "application/vnd.cncf.notary.signature",
        "blobs": [{"mediaType": "application/jose+json", "digest": sha256(b"y"), "size": 9}]});
    shelf.put("team/app", &sha256(b"z").replace(':', "-"), media, &signature);
    let found = scanned(shelf).await;
    assert_eq!((found.gaps.len(), found.images.len()), (0, 2));
    assert_eq!((found.images[1].size_bytes, found.images[1].platforms.len()), (9, 0));
}

#[tokio::test]
async fn field_r10_a_manifest_of_two_megabytes_is_read_and_one_of_five_is_a_gap() {
    let mut shelf = Shelf::default().with("team/app", "1.0");
    for (tag, mebibytes) in [("big", 2), ("huge", 5)] {
        let mut image = shelf.image("amd64");
        image["annotations"] = json!({"org.example.sbom": "x".repeat(mebibytes << 20)});
        shelf.put("team/app", tag, IMAGE, &image);
    }
    let found = scanned(shelf).await;
    assert_eq!(told(&found).iter().map(|line| line.0.as_str()).collect::<Vec<_>>(), ["team/app:1.0", "team/app:big"]);
    let [gap] = &found.gaps[..] else { panic!("{:?}", found.gaps) };
    assert_eq!(gap.at, "team/app:huge");
    assert!(gap.reason().contains("larger than the 4 MiB"), "{}", gap.reason());
}

#[tokio::test]
async fn field_r20_digests_among_the_tags_are_ignored_and_odd_names_are_named() {
    let mut shelf = Shelf::default().with("team/app", "1.0").with("team/app", "-ot-beta");
    shelf.list("team/app", &sha256(b"no tag"));
    shelf.list("team/app", "../../admin");
    let peer = Receiver::start(move |call| shelf.answer(call));
    let found = Scan::of(peer.url()).whole().await.unwrap();
    assert_eq!(found.images.iter().map(|image| image.tag.as_str()).collect::<Vec<_>>(), ["-ot-beta", "1.0"]);
    let [gap] = &found.gaps[..] else { panic!("{:?}", found.gaps) };
    assert!(gap.at == "team/app" && gap.reason().contains("“../../admin”"), "{gap}");
    assert!(!peer.calls().iter().any(|call| call.target.contains("admin")));
    let found = Scan::of(peer.url()).with("exclude_tags", "../*").whole().await.unwrap();
    assert_eq!(found.gaps, [], "what is excluded is no gap");
}

#[tokio::test]
async fn field_r00_an_index_inside_an_index_tells_platforms_and_sizes() {
    let mut shelf = Shelf::default();
    let images = ["amd64", "arm64"].map(|architecture| {
        let image = shelf.image(architecture);
        with_platform(shelf.keep("multi", IMAGE, &image), "linux", architecture)
    });
    let attestation = with_platform(entry(IMAGE, b"about an image"), "unknown", "unknown");
    let inner = json!({"schemaVersion": 2, "manifests": [images[0], images[1], attestation]});
    let inner = shelf.keep("multi", INDEX, &inner);
    shelf.put("multi", "nest", INDEX, &json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [inner]}));
    let found = scanned(shelf).await;
    assert_eq!(found.gaps, []);
    assert_eq!(told(&found), [("multi:nest".to_owned(), "linux/amd64 linux/arm64".to_owned(), 2 * WEIGHT)]);
}

#[tokio::test]
async fn an_index_tells_the_platforms_of_images_that_a_mirror_does_not_keep() {
    let mut shelf = Shelf::default();
    let image = shelf.image("amd64");
    let kept = with_platform(shelf.keep("mirror", IMAGE, &image), "linux", "amd64");
    let missing = with_platform(entry(IMAGE, b"elsewhere"), "linux", "s390x");
    shelf.put("mirror", "1", INDEX, &json!({"schemaVersion": 2, "manifests": [kept, missing]}));
    let found = scanned(shelf).await;
    assert_eq!(found.gaps, []);
    assert_eq!(told(&found), [("mirror:1".to_owned(), "linux/amd64 linux/s390x".to_owned(), WEIGHT)]);
}

#[tokio::test]
async fn an_index_of_hundreds_of_images_is_read() {
    let mut shelf = Shelf::default();
    let images: Vec<Value> = (0..300)
        .map(|number| {
            let mut image = shelf.image("amd64");
            image["annotations"] = json!({"number": number.to_string()});
            with_platform(shelf.keep("many", IMAGE, &image), "linux", &format!("a{number}"))
        })
        .collect();
    shelf.put("many", "1", INDEX, &json!({"schemaVersion": 2, "manifests": images}));
    let found = scanned(shelf).await;
    assert_eq!((found.gaps.len(), found.images[0].platforms.len()), (0, 300));
    assert_eq!(found.images[0].size_bytes, 300 * WEIGHT);
}

#[tokio::test]
async fn a_digest_of_sha512_is_the_images_digest_once_it_holds() {
    let shelf = Shelf::default().with("app", "1");
    let digest = |text: &[u8]| format!("sha512:{}", hex::encode(Sha512::digest(text)));
    for honest in [true, false] {
        let shelf = shelf.clone();
        let peer = Receiver::start(move |call| match shelf.answer(call) {
            said if !call.target.contains("/manifests/") => said,
            said => {
                let mut said = said;
                if let crate::support::peers::receiver::Said::Answer { headers, body, .. } = &mut said {
                    headers.retain(|(name, _)| *name != "Docker-Content-Digest");
                    headers.push(("Docker-Content-Digest", digest(if honest { body } else { b"other" })));
                }
                said
            }
        });
        match Scan::of(peer.url()).whole().await {
            Ok(found) => assert!(honest && found.images[0].digest.starts_with("sha512:"), "{found:?}"),
            Err(error) => assert!(!honest && error.at == "app:1", "{error}"),
        }
    }
}
