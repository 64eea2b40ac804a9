//! Amazon ECR Public: its API in us-east-1 with every signature verified, and public.ecr.aws, whose blobs are kept on
//! another host. <https://docs.aws.amazon.com/AmazonECRPublic/latest/APIReference/Welcome.html>,
//! <https://docs.aws.amazon.com/AmazonECR/latest/public/public-registry-auth.html>

use serde_json::{Value, json};

use super::lambda;
use super::moto::ACCOUNT;
use super::receiver::{Call, Said, UPSTREAM};
use super::shelf::{self, Shelf};
use super::sigv4::Signed;
use super::vendor::{bearer, host, registry_error};

pub use super::lambda::{KEY, ROLE, SECRET};

/// May list, and gets no token.
pub const LISTER: (&str, &str) = ("AKIAI44QH8DHBEXAMPLE", "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY");
pub const ALIAS: &str = "a1b2c3d4";
/// base64 of AWS:password
const TOKEN: &str = "QVdTOnBhc3N3b3Jk";

/// Repository, tag, seconds of the push. The higher version is the older one; `latest` was moved later.
const TAGS: [(&str, &str, f64); 4] = [
    ("lab", "1.0", 1_793_527_200.0),
    ("team/app", "9.9", 1_767_261_600.0),
    ("team/app", "1.0", 1_793_527_200.5),
    ("team/app", "latest", 1_793_527_200.5),
];

pub fn shelf() -> Shelf {
    let mut shelf = Shelf::default();
    for (repository, tag, _) in TAGS {
        let image = shelf.image(if tag == "9.9" { "arm64" } else { "amd64" });
        let mut manifest = image.clone();
        manifest["annotations"] = json!({"of": repository, "tag": if tag == "latest" { "1.0" } else { tag }});
        shelf.put(&format!("{ALIAS}/{repository}"), tag, shelf::IMAGE, &manifest);
    }
    shelf
}

pub fn answer(call: &Call) -> Said {
    match call.path() {
        "/" => api(call).unwrap_or_else(|refusal| refusal),
        path if path.starts_with("/v2/") => data(call),
        path => stored(call, path),
    }
}

fn refused(status: u16, code: &str, message: &str) -> Said {
    Said::json(status, &json!({"__type": code, "message": message}))
}

fn api(call: &Call) -> Result<Said, Said> {
    let by = Signed::read(call).ok_or_else(|| refused(400, "MissingAuthenticationTokenException", UPSTREAM))?;
    let known = [
        (KEY, SECRET, None),
        (LISTER.0, LISTER.1, None),
        (lambda::SESSION.0, lambda::SESSION.1, Some(lambda::SESSION.2)),
    ];
    let (_, secret, token) = known.into_iter().find(|(key, ..)| by.key == *key).ok_or_else(|| {
        refused(400, "UnrecognizedClientException", "The security token included in the request is invalid.")
    })?;
    if !by.is_by(secret, call) || call.header("x-amz-security-token") != token {
        return Err(refused(400, "InvalidSignatureException", "The request signature we calculated does not match"));
    }
    if by.service == "sts" {
        return Ok(lambda::sts(call));
    }
    if (by.service.as_str(), by.region.as_str()) != ("ecr-public", "us-east-1") {
        return Err(refused(400, "InvalidSignatureException", "Credential should be scoped to a valid region."));
    }
    let target = call.header("x-amz-target").and_then(|target| target.strip_prefix("SpencerFrontendService."));
    let body = call.json();
    match target.unwrap_or_default() {
        "DescribeRegistries" => Ok(Said::json(
            200,
            &json!({"registries": [{"registryId": ACCOUNT, "verified": false,
            "registryArn": format!("arn:aws:ecr-public::{ACCOUNT}:registry/{ACCOUNT}"),
            "registryUri": format!("public.ecr.aws/{ALIAS}"),
            "aliases": [{"name": ALIAS, "status": "ACTIVE", "primaryRegistryAlias": true,
                "defaultRegistryAlias": true}]}]}),
        )),
        "GetAuthorizationToken" if by.key == LISTER.0 => Err(refused(
            400,
            "AccessDeniedException",
            "User is not authorized to perform: ecr-public:GetAuthorizationToken on resource: *",
        )),
        "GetAuthorizationToken" => Ok(Said::json(
            200,
            &json!({"authorizationData": {"authorizationToken": TOKEN, "expiresAt": 1_893_456_000.5}}),
        )),
        "DescribeRepositories" => {
            let mut names: Vec<&str> = TAGS.iter().map(|(name, ..)| *name).collect();
            names.dedup();
            let entry = |name: &&str| {
                json!({"repositoryName": name, "registryId": ACCOUNT, "createdAt": 1.5,
                "repositoryUri": format!("public.ecr.aws/{ALIAS}/{name}"),
                "repositoryArn": format!("arn:aws:ecr-public::{ACCOUNT}:repository/{name}")})
            };
            Ok(page(&body, "repositories", &names.iter().map(entry).collect::<Vec<_>>()))
        }
        "DescribeImageTags" => image_tags(&body),
        _ => Err(refused(400, "UnknownOperationException", UPSTREAM)),
    }
}

fn image_tags(body: &Value) -> Result<Said, Said> {
    let tags: Vec<Value> = TAGS.iter().filter(|(name, ..)| body["repositoryName"] == *name).map(image_tag).collect();
    if tags.is_empty() {
        return Err(refused(400, "RepositoryNotFoundException", UPSTREAM));
    }
    Ok(page(body, "imageTagDetails", &tags))
}

fn image_tag((repository, tag, pushed): &(&str, &str, f64)) -> Value {
    json!({"imageTag": tag, "createdAt": pushed, "imageDetail": {"imageDigest": digest(repository, tag),
        "imageSizeInBytes": 5000, "imagePushedAt": pushed, "imageManifestMediaType": shelf::IMAGE,
        "artifactMediaType": "application/vnd.docker.container.image.v1+json"}})
}

/// One entry a page; the next by a token with letters that a query would have to encode.
fn page(body: &Value, name: &str, entries: &[Value]) -> Said {
    assert_eq!(body["maxResults"], 1000);
    let at: usize = body["nextToken"].as_str().map_or(0, |token| token.trim_start_matches("t+/=").parse().unwrap());
    let mut page = json!({name: [entries[at]]});
    if at + 1 < entries.len() {
        page["nextToken"] = json!(format!("t+/={}", at + 1));
    }
    Said::json(200, &page)
}

fn data(call: &Call) -> Said {
    if bearer(call) != Some(TOKEN) {
        let asked = format!("Bearer realm=\"{}/token/\",service=\"public.ecr.aws\",scope=\"aws\"", host(call));
        return registry_error(401, "UNAUTHORIZED").with("Www-Authenticate", asked);
    }
    match call.path().rsplit_once("/blobs/") {
        Some((_, digest)) => {
            let there = format!("{}/layers/{digest}?Signature=1", host(call));
            Said::json(307, &json!({})).with("Location", there)
        }
        None => shelf().answer(call),
    }
}

/// The bucket behind the registry, which refuses a second kind of authentication as S3 does.
fn stored(call: &Call, path: &str) -> Said {
    let digest = path.strip_prefix("/layers/").unwrap_or_default();
    match (call.header("authorization"), call.query("Signature").as_deref()) {
        (None, Some("1")) => shelf().blob(digest),
        _ => Said::html(400),
    }
}

pub fn digest(repository: &str, tag: &str) -> String {
    shelf().digest(&format!("{ALIAS}/{repository}"), tag).expect("it is on the shelf")
}
