//! What the fuzz targets of tests/fuzz start from: the forms as people fill them in, and what they had better not type.
//! With STRONGROOM_TEST_SEEDS they are written below that directory, one folder a target.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use strongroom::credentials::{KINDS, find};
use strongroom::form::Control;
use strongroom::integrations::Family;

use crate::bad_forms::values::hostile;
use crate::credentials::samples;

/// As in tests/fuzz/src/lib.rs.
const BETWEEN: &str = "\u{1f}";
const CANARY: &str = "CANARY-5f2c";

const CHALLENGES: [&str; 4] = [
    "Bearer realm=\"https://auth.example.com/token\",service=\"registry\",scope=\"repository:a/b:pull,push\"",
    "Basic realm=\"Registry, \\\"quoted\\\"\", Bearer realm=https://auth.example.com",
    "Negotiate, Digest qop=\"auth, auth-int\"",
    "Bearer realm=\"",
];
const LINKS: [&str; 4] = [
    "</v2/_catalog?last=b&n=2>; rel=\"next\"",
    "<https://registry.example.com/v2/x/tags/list?n=1>; rel=next, </first>; rel=first",
    "</\\\\@evil.example/>; rel=\"next\"",
    "<http://169.254.169.254/>; rel=\"next\"",
];
const PAUSES: [&str; 4] = ["3", "Wed, 21 Oct 2026 07:28:00 GMT", "-1", "99999999999999999999"];

fn manifests() -> Vec<String> {
    let digest = format!("sha256:{}", "a".repeat(64));
    let config = "application/vnd.oci.image.config.v1+json";
    let image = serde_json::json!({"config": {"mediaType": config, "digest": digest, "size": 7},
        "layers": [{"digest": digest, "size": 100}]});
    let child = serde_json::json!({"digest": digest, "size": 1, "platform": {"os": "linux", "architecture": "arm64"}});
    let both = serde_json::json!({"manifests": [child], "config": {"digest": "x", "size": u64::MAX}});
    vec![image.to_string(), serde_json::json!({"manifests": [child]}).to_string(), both.to_string()]
}

/// Inputs by target.
fn seeds() -> BTreeMap<&'static str, Vec<Vec<u8>>> {
    let mut seeds: BTreeMap<&str, Vec<Vec<u8>>> = BTreeMap::new();
    for (slug, sample) in samples::all(CANARY) {
        let kind = find(slug).expect("a type");
        let value =
            |name: &str| sample.iter().find(|(other, _)| *other == name).map_or("", |(_, value)| value.as_str());
        let text: Vec<&str> = kind.fields.iter().map(|field| value(field.name)).collect();
        seeds.entry(kind.slug).or_default().push(text.join(BETWEEN).into_bytes());
    }
    let providers: Vec<_> = Family::ALL.iter().flat_map(|family| family.providers()).collect();
    for (number, spec) in providers.iter().enumerate() {
        let fields = spec.fields.iter().map(|field| match field.control {
            Control::Choice(options) => options[0].0,
            _ if field.name.contains("url") || field.name == "registry" => "https://registry.example.com/path",
            _ => "team/*, other-1.2",
        });
        let text = fields.collect::<Vec<_>>().join(BETWEEN);
        seeds.entry("settings").or_default().push([&[number as u8], text.as_bytes()].concat());
    }
    let lines = CHALLENGES.iter().zip(LINKS).zip(PAUSES);
    let headers = lines.map(|((challenge, link), pause)| format!("{challenge}\n{link}\n{pause}\n{}", PAUSES[1]));
    seeds.insert("headers", headers.map(String::into_bytes).collect());
    seeds.insert("manifest", manifests().into_iter().map(String::into_bytes).collect());
    let patterns = ["*", "team/*,app\u{1f}*-old\u{1f}latest,v1.10,1.9-rc1,1.10.0", "a*b*c*\u{1f}\u{1f}x,,y"];
    seeds.insert("patterns", patterns.map(|text| text.as_bytes().to_vec()).into());
    let decoded = |text: String| -> String {
        form_urlencoded::parse(text.as_bytes()).map(|(name, _)| name.into_owned()).collect()
    };
    let bad: Vec<Vec<u8>> =
        hostile().into_iter().filter(|text| text.len() < 20_000).map(|text| decoded(text).into_bytes()).collect();
    seeds.values_mut().for_each(|inputs| inputs.extend(bad.iter().cloned()));
    seeds
}

fn targets() -> Vec<String> {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/targets");
    let files = std::fs::read_dir(place).expect("the targets").flatten();
    let mut names: Vec<String> = files.filter_map(|file| Some(file.path().file_stem()?.to_str()?.to_owned())).collect();
    names.sort();
    names
}

#[test]
fn every_fuzz_target_has_seeds_and_every_document_a_target() {
    let (seeds, targets) = (seeds(), targets());
    assert!(targets.iter().all(|target| seeds.contains_key(target.as_str())), "{targets:?}");
    for kind in KINDS {
        let document = |control: Control| matches!(control, Control::Document | Control::SecretDocument);
        let pasted = kind.fields.iter().any(|field| document(field.control));
        let only_certificates = ["github_token", "gitlab_token", "ibm_cloud"].contains(&kind.slug);
        assert!(!pasted || only_certificates || targets.iter().any(|target| target == kind.slug), "{}", kind.slug);
    }
    let Some(place) = std::env::var_os("STRONGROOM_TEST_SEEDS").map(PathBuf::from) else { return };
    for target in targets {
        let folder = place.join(&target);
        std::fs::create_dir_all(&folder).expect("a folder");
        for (number, input) in seeds[target.as_str()].iter().enumerate() {
            std::fs::write(folder.join(format!("seed-{number}")), input).expect("written");
        }
    }
}
