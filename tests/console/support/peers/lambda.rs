//! AWS Lambda in several regions, with account:ListRegions and the STS before it. Verifies every signature, pages, and
//! refuses in AWS's shapes: a missing right, a region that is switched off, an organization's policy, throttling.
//! <https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctions.html>,
//! <https://docs.aws.amazon.com/accounts/latest/reference/API_ListRegions.html>,
//! <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{Duration, Utc};
use serde_json::{Value, json};

use super::moto::ACCOUNT;
use super::receiver::{Call, Receiver, Said, UPSTREAM};
use super::sigv4::Signed;

pub const KEY: &str = "AKIAIOSFODNN7EXAMPLE";
pub const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
/// The keys that AssumeRole hands out.
pub const SESSION: (&str, &str, &str) = ("ASIAIOSFODNN7EXAMPLE", "session/secret+0", "session//token+canary==");
/// The value of an environment variable of every function. It must come out nowhere.
pub const ENVIRONMENT: &str = "environment-canary";
/// The role that the key may assume.
pub const ROLE: &str = "arn:aws:iam::123456789012:role/function-reader";

/// What a region says instead of its list.
#[derive(Clone)]
pub enum Says {
    /// The right is missing.
    Denied,
    /// A service control policy denies it.
    DeniedByOrganization,
    /// The region is switched off: AWS says that it does not know the key.
    Off,
    /// So many calls are answered by 429.
    Busy(u32),
    /// This answer, whatever is asked.
    Raw(Said),
}

/// What other services of the same account answer, by region and service; `None` where there is no such call.
pub type Further = dyn Fn(&Call, &str, &str) -> Option<Said> + Send + Sync;

#[derive(Default)]
struct Region {
    functions: Vec<Value>,
    says: Option<Says>,
}

#[derive(Default)]
struct World {
    regions: BTreeMap<String, Region>,
    /// account:ListRegions is denied.
    lists_no_regions: bool,
}

pub struct Lambda {
    pub receiver: Receiver,
    world: Arc<Mutex<World>>,
}

impl Lambda {
    /// Entries on a page: small, so that every list has several.
    pub const PAGE: usize = 2;

    pub fn start() -> Self {
        Self::beside(Box::new(|_, _, _| None))
    }

    /// With other services beside it, whose calls are signed as well.
    pub fn beside(further: Box<Further>) -> Self {
        let world: Arc<Mutex<World>> = Arc::default();
        let shared = Arc::clone(&world);
        let receiver = Receiver::start(move |call| {
            answer(call, &mut shared.lock().unwrap_or_else(PoisonError::into_inner), &further)
        });
        Self { receiver, world }
    }

    pub fn url(&self) -> String {
        self.receiver.url()
    }

    fn change<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        change(&mut self.world.lock().unwrap())
    }

    /// A region without functions, unless some are added.
    pub fn with_region(&self, name: &str) -> &Self {
        self.change(|world| world.regions.entry(name.to_owned()).or_default().says = None);
        self
    }

    /// Adds a function, with what differs from [`function`].
    pub fn holds(&self, region: &str, name: &str, changes: &Value) -> &Self {
        let mut made = function(region, name);
        for (member, value) in changes.as_object().expect("an object") {
            made[member] = value.clone();
        }
        self.change(|world| world.regions.entry(region.to_owned()).or_default().functions.push(made));
        self
    }

    pub fn drop(&self, region: &str, name: &str) {
        let kept = |function: &Value| function["FunctionName"] != name;
        self.change(|world| world.regions.get_mut(region).expect("a region").functions.retain(kept));
    }

    pub fn says(&self, region: &str, says: Says) -> &Self {
        self.change(|world| world.regions.entry(region.to_owned()).or_default().says = Some(says));
        self
    }

    pub fn lists_no_regions(&self) {
        self.change(|world| world.lists_no_regions = true);
    }

    /// The calls for a region's functions.
    pub fn asked(&self, region: &str) -> Vec<Call> {
        let of = |call: &Call| Signed::read(call).is_some_and(|by| by.region == region && by.service == "lambda");
        self.receiver.calls().into_iter().filter(of).collect()
    }
}

/// As ListFunctions describes one.
fn function(region: &str, name: &str) -> Value {
    json!({
        "FunctionName": name,
        "FunctionArn": format!("arn:aws:lambda:{region}:{ACCOUNT}:function:{name}"),
        "Runtime": "nodejs24.x",
        "Role": format!("arn:aws:iam::{ACCOUNT}:role/service-role/{name}"),
        "Handler": "index.handler",
        "CodeSize": 1_048_576,
        "Description": "",
        "Timeout": 3,
        "MemorySize": 128,
        "LastModified": "2026-03-01T12:00:00.000+0000",
        "CodeSha256": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        "Version": "$LATEST",
        "Environment": {"Variables": {"TOKEN": ENVIRONMENT}},
        "TracingConfig": {"Mode": "PassThrough"},
        "RevisionId": "5b2f8d4c-0000-0000-0000-000000000000",
        "PackageType": "Zip",
        "Architectures": ["x86_64"],
        "EphemeralStorage": {"Size": 512},
    })
}

fn answer(call: &Call, world: &mut World, further: &Further) -> Said {
    let Some(by) = Signed::read(call) else { return refused(403, "MissingAuthenticationTokenException", UPSTREAM) };
    let (secret, token) = match by.key.as_str() {
        KEY => (SECRET, None),
        key if key == SESSION.0 => (SESSION.1, Some(SESSION.2)),
        _ => return unknown_key(),
    };
    if !by.is_by(secret, call) || call.header("x-amz-security-token") != token {
        return refused(403, "InvalidSignatureException", "The request signature we calculated does not match");
    }
    match (call.method.as_str(), call.path(), by.service.as_str()) {
        ("POST", "/", "sts") => sts(call),
        ("POST", "/listRegions", "account") if by.region == "us-east-1" => list_regions(call, world),
        ("GET", "/2015-03-31/functions", "lambda") => list_functions(call, &by.region, world),
        (_, _, service) => {
            further(call, &by.region, service).unwrap_or_else(|| refused(404, "UnknownOperationException", UPSTREAM))
        }
    }
}

impl Says {
    /// Instead of what a service would answer to a call that needs this right; `None` where it is to answer.
    pub fn instead(says: &mut Option<Self>, action: &str) -> Option<Said> {
        let denied = |why: &str| {
            let message = format!("User is not authorized to perform: {action} on resource: *{why}");
            refused(403, "AccessDeniedException", &message)
        };
        match says.as_mut()? {
            Self::Busy(0) => {
                *says = None;
                None
            }
            Self::Busy(left) => {
                *left -= 1;
                Some(refused(429, "TooManyRequestsException", "Rate exceeded").with("Retry-After", "0"))
            }
            Self::Denied => Some(denied(", since no identity-based policy allows it")),
            Self::DeniedByOrganization => Some(denied(" with an explicit deny in a service control policy")),
            Self::Off => Some(unknown_key()),
            Self::Raw(said) => Some(said.clone()),
        }
    }
}

/// As AWS answers for a key that it does not know, and in a region that is switched off.
fn unknown_key() -> Said {
    refused(403, "UnrecognizedClientException", "The security token included in the request is invalid.")
}

pub fn refused(status: u16, code: &str, message: &str) -> Said {
    Said::json(status, &json!({"Type": "User", "Message": message})).with("x-amzn-ErrorType", code)
}

pub fn sts(call: &Call) -> Said {
    let text = |action: &str, inside: String| {
        let body = format!(
            "<{action}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{action}Result>{inside}</{action}Result>\
             </{action}Response>"
        );
        Said::Answer { status: 200, headers: vec![("Content-Type", "text/xml".into())], body: body.into_bytes() }
    };
    match call.field("Action").as_deref() {
        Some("AssumeRole") if call.field("RoleArn").as_deref() == Some(ROLE) => {
            let until = (Utc::now() + Duration::hours(1)).format("%Y-%m-%dT%H:%M:%SZ");
            let (key, secret, token) = SESSION;
            let keys = format!(
                "<Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>{secret}</SecretAccessKey>\
                 <SessionToken>{token}</SessionToken><Expiration>{until}</Expiration></Credentials>"
            );
            text("AssumeRole", keys)
        }
        Some("GetCallerIdentity") => {
            let arn = format!("arn:aws:iam::{ACCOUNT}:user/scanner");
            text("GetCallerIdentity", format!("<Arn>{arn}</Arn><UserId>AIDA</UserId><Account>{ACCOUNT}</Account>"))
        }
        _ => {
            let body = "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>no</Message></Error>\
                        </ErrorResponse>";
            Said::Answer { status: 403, headers: vec![("Content-Type", "text/xml".into())], body: body.into() }
        }
    }
}

fn list_regions(call: &Call, world: &World) -> Said {
    if world.lists_no_regions {
        let message = "User is not authorized to perform: account:ListRegions";
        return refused(403, "AccessDeniedException", message);
    }
    let asked = call.json();
    if asked["RegionOptStatusContains"] != json!(["ENABLED", "ENABLED_BY_DEFAULT"]) {
        return refused(400, "ValidationException", UPSTREAM);
    }
    let from: usize = asked["NextToken"].as_str().and_then(|token| token.parse().ok()).unwrap_or(0);
    let all: Vec<&String> = world.regions.keys().collect();
    let until = (from + Lambda::PAGE).min(all.len());
    let page: Vec<Value> =
        all[from..until].iter().map(|name| json!({"RegionName": name, "RegionOptStatus": "ENABLED"})).collect();
    let next = (until < all.len()).then(|| until.to_string());
    Said::json(200, &json!({"Regions": page, "NextToken": next}))
}

fn list_functions(call: &Call, region: &str, world: &mut World) -> Said {
    let Some(known) = world.regions.get_mut(region) else { return unknown_key() };
    if let Some(said) = Says::instead(&mut known.says, "lambda:ListFunctions") {
        return said;
    }
    if call.query("MaxItems").as_deref() != Some("50") {
        return refused(400, "InvalidParameterValueException", UPSTREAM);
    }
    let all_versions = call.query("FunctionVersion").as_deref() == Some("ALL");
    let listed: Vec<&Value> =
        known.functions.iter().filter(|function| all_versions || function["Version"] == "$LATEST").collect();
    // A marker with the letters that have to be encoded.
    let from = call.query("Marker").map_or(0, |marker| {
        marker.strip_prefix("m+/ =").and_then(|at| at.parse().ok()).expect("a marker comes back as it was given")
    });
    let until = (from + Lambda::PAGE).min(listed.len());
    let next = (until < listed.len()).then(|| format!("m+/ ={until}"));
    Said::json(200, &json!({"Functions": listed[from..until], "NextMarker": next}))
}
