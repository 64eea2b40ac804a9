//! AWS Lambda: the functions of a region. Their environment variables come with every answer, in the clear: no struct
//! here has a member for them, and the bytes of an answer are wiped once it is read.
//! <https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctions.html>

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use zeroize::Zeroize;

use super::lists::is_plain;
use super::{Call, Region, Service, SignedCalls};
use crate::providers::ProviderError::{self, BadAnswer};
use crate::providers::egress::Answer;
use crate::providers::oci_registry::{Lenient, Pages};

/// The right that [`functions`] needs. It knows no resources.
pub const LIST_FUNCTIONS: &str = "lambda:ListFunctions";

static LAMBDA: Service = Service::regional("lambda", "LAMBDA");

/// Entries on a page, the most that Lambda gives; and the bounds of one region.
const PAGE: &str = "50";
const MAX_PAGES: usize = 4_000;
const MAX_FUNCTIONS: usize = 200_000;
/// Longest marker that is sent back, in bytes.
const MAX_MARKER: usize = 8_192;
/// A function has at most five layers.
const MAX_LAYERS: usize = 16;

/// A function as Lambda lists it, or a version of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    pub name: String,
    /// A number; `$LATEST` is what has not been published.
    pub version: String,
    /// `nodejs24.x`; `None` for a container image.
    pub runtime: Option<String>,
    /// `Zip` or `Image`.
    pub package_type: String,
    /// In bytes; 0 for a container image.
    pub code_size: i64,
    pub modified: Option<DateTime<Utc>>,
    /// ARN of the role that it runs with.
    pub role: String,
    /// `x86_64`, `arm64`
    pub architectures: Vec<String>,
    /// ARNs of the layers' versions.
    pub layers: Vec<String>,
    /// SHA-256 of the code, as Lambda writes it.
    pub code_sha256: String,
}

/// What a region's list holds, as far as it could be read.
#[derive(Debug, Default)]
pub struct Listing {
    pub functions: Vec<Function>,
    /// Entries that could not be read.
    pub unreadable: Vec<Unreadable>,
    /// Why pages are missing at the end, if they are.
    pub rest: Option<ProviderError>,
}

/// An entry that is not described as a function is, or longer than it can be.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Unreadable {
    /// Both blank where not even they could be read.
    pub name: String,
    pub version: String,
}

impl Unreadable {
    pub fn is_named(&self) -> bool {
        !self.name.is_empty()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Page<L> {
    functions: Vec<L>,
    next_marker: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Listed {
    function_name: String,
    version: String,
    runtime: Option<String>,
    package_type: Option<String>,
    code_size: i64,
    last_modified: String,
    role: String,
    architectures: Option<Vec<String>>,
    layers: Option<Vec<Layer>>,
    code_sha256: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Layer {
    arn: String,
}

/// The functions of a region, `all_versions` or the latest of each. Pages after the first may be missing.
pub async fn functions(
    calls: &SignedCalls,
    region: &Region,
    all_versions: bool,
    pages: Pages,
) -> Result<Listing, ProviderError> {
    let (mut found, mut markers) = (Listing::default(), HashSet::new());
    let mut next = None::<String>;
    for number in 0..MAX_PAGES {
        let (listed, marker) = match page(calls, region, all_versions, next.as_deref()).await {
            Ok(page) => page,
            Err(cause) if number == 0 => return Err(cause),
            Err(cause) => return Ok(Listing { rest: Some(cause), ..found }),
        };
        listed.into_iter().for_each(|entry| found.add(entry));
        let Some(marker) = marker.filter(|marker| !marker.is_empty() && pages == Pages::All) else { return Ok(found) };
        if found.functions.len() >= MAX_FUNCTIONS {
            break;
        }
        // Pages that lead in a circle have no end.
        if marker.len() > MAX_MARKER || !markers.insert(marker.clone()) {
            return Ok(Listing { rest: Some(BadAnswer), ..found });
        }
        next = Some(marker);
    }
    Ok(Listing { rest: Some(ProviderError::TooLarge), ..found })
}

async fn page(
    calls: &SignedCalls,
    region: &Region,
    all_versions: bool,
    marker: Option<&str>,
) -> Result<(Vec<Lenient<Listed>>, Option<String>), ProviderError> {
    let mut query = vec![("MaxItems", PAGE)];
    query.extend(all_versions.then_some(("FunctionVersion", "ALL")));
    query.extend(marker.map(|marker| ("Marker", marker)));
    let call = Call::get(&LAMBDA, LIST_FUNCTIONS, "/2015-03-31/functions", &query);
    let mut answer = calls.ask(region, &call).await?;
    let page = read(&answer);
    answer.body.zeroize();
    page
}

/// Entry by entry only where one cannot be read, since that takes much longer.
fn read(answer: &Answer) -> Result<(Vec<Lenient<Listed>>, Option<String>), ProviderError> {
    if let Ok(Page { functions, next_marker }) = answer.json::<Page<Listed>>() {
        return Ok((functions.into_iter().map(Lenient::Read).collect(), next_marker));
    }
    answer.json::<Page<Lenient<Listed>>>().map(|page| (page.functions, page.next_marker))
}

impl Listing {
    fn add(&mut self, entry: Lenient<Listed>) {
        match entry {
            Lenient::Read(listed) if listed.is_good() => self.functions.push(listed.into()),
            Lenient::Read(listed) if listed.is_named() => {
                self.unreadable.push(Unreadable { name: listed.function_name, version: listed.version });
            }
            Lenient::Read(_) | Lenient::Odd(_) => self.unreadable.push(Unreadable::default()),
        }
    }
}

impl Listed {
    /// Whether its name and version can be those of a function.
    fn is_named(&self) -> bool {
        let name = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let number = (1..=20).contains(&self.version.len()) && self.version.bytes().all(|b| b.is_ascii_digit());
        (1..=140).contains(&self.function_name.len())
            && self.function_name.chars().all(name)
            && (number || ["$LATEST", "$LATEST.PUBLISHED"].contains(&&*self.version))
    }

    /// Whether its hash can be one, too, and the rest is of a size that can be shown.
    fn is_good(&self) -> bool {
        let hash = |c: char| c.is_ascii_alphanumeric() || "+/=".contains(c);
        let layers = self.layers.as_deref().unwrap_or_default();
        let architectures = self.architectures.as_deref().unwrap_or_default();
        let mut short = [&self.runtime, &self.package_type].into_iter().flatten().chain(architectures);
        self.is_named()
            && (1..=128).contains(&self.code_sha256.len())
            && self.code_sha256.chars().all(hash)
            && short.all(|text| is_plain(text, 64))
            && is_plain(&self.role, 640)
            && layers.len() <= MAX_LAYERS
            && layers.iter().all(|layer| is_plain(&layer.arn, 640))
            && architectures.len() <= MAX_LAYERS
    }
}

impl From<Listed> for Function {
    fn from(listed: Listed) -> Self {
        Self {
            name: listed.function_name,
            version: listed.version,
            runtime: listed.runtime.filter(|runtime| !runtime.is_empty()),
            package_type: listed.package_type.unwrap_or_else(|| "Zip".to_owned()),
            code_size: listed.code_size.max(0),
            modified: moment(&listed.last_modified),
            role: listed.role,
            architectures: listed.architectures.unwrap_or_default(),
            layers: listed.layers.unwrap_or_default().into_iter().map(|layer| layer.arn).collect(),
            code_sha256: listed.code_sha256,
        }
    }
}

/// `2026-03-01T12:00:00.000+0000`, which lacks RFC 3339's colon.
fn moment(text: &str) -> Option<DateTime<Utc>> {
    let at = DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z").or_else(|_| DateTime::parse_from_rfc3339(text));
    at.ok().map(|at| at.to_utc())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn listed(changes: &Value) -> Listing {
        let mut function = json!({"FunctionName": "pay-in", "Version": "$LATEST", "Runtime": "nodejs24.x",
            "PackageType": "Zip", "CodeSize": 12, "LastModified": "2026-03-01T12:00:00.123+0000",
            "Role": "arn:aws:iam::123456789012:role/pay", "Architectures": ["arm64"], "CodeSha256": "abc+/=",
            "Layers": [{"Arn": "arn:aws:lambda:eu-central-1:123456789012:layer:a:1", "CodeSize": 1}],
            "Environment": {"Variables": {"TOKEN": "environment-canary"}}});
        for (name, value) in changes.as_object().unwrap() {
            function[name] = value.clone();
        }
        let mut listing = Listing::default();
        listing.add(serde_json::from_value(function).unwrap());
        listing
    }

    #[test]
    fn a_function_is_read_without_its_environment() {
        let listing = listed(&json!({}));
        let [function] = &listing.functions[..] else { panic!("{listing:?}") };
        assert_eq!(function.modified.map(|at| at.to_rfc3339()).as_deref(), Some("2026-03-01T12:00:00.123+00:00"));
        assert_eq!((function.code_size, function.layers.len()), (12, 1));
        assert!(!format!("{function:?}").contains("environment-canary"));
        let image = listed(&json!({"Runtime": null, "PackageType": "Image", "Architectures": null, "Layers": null}));
        assert_eq!((image.functions[0].runtime.as_deref(), image.functions[0].package_type.as_str()), (None, "Image"));
        let odd_date = listed(&json!({"LastModified": "yesterday"}));
        assert_eq!(odd_date.functions[0].modified, None);
    }

    #[test]
    fn a_function_that_cannot_be_one_costs_itself_alone() {
        for odd in [
            json!({"FunctionName": "a b"}),
            json!({"FunctionName": "x".repeat(141)}),
            json!({"Version": "one"}),
            json!({"Version": ""}),
            json!({"CodeSha256": ""}),
            json!({"CodeSha256": "x".repeat(129)}),
            json!({"Runtime": "node\u{7}"}),
            json!({"Role": "r".repeat(641)}),
            json!({"Architectures": vec!["arm64"; 17]}),
            json!({"CodeSize": "many"}),
            json!({"Layers": 5}),
        ] {
            let listing = listed(&odd);
            assert_eq!((listing.functions.len(), listing.unreadable.len()), (0, 1), "{odd}");
        }
    }

    #[test]
    fn dates_of_lambda_lack_a_colon_and_those_of_others_have_one() {
        for good in ["2026-03-01T12:00:00.000+0000", "2026-03-01T12:00:00+0000", "2026-03-01T13:00:00.000+01:00"] {
            assert_eq!(moment(good).map(|at| at.timestamp()), Some(1_772_366_400), "{good}");
        }
        assert_eq!(moment("2026-03-01"), None);
    }
}
