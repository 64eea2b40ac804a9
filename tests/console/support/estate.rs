//! What an organisation has after a year: 300 credentials of all types, 0 to 212 days old, with owners and tags, 40
//! integrations, a third of which fail for different reasons, and 14 clusters with an agent. For tests of screens and for the README's pictures.

use strongroom::credentials;
use strongroom::draft::Draft;
use strongroom::form::{Control, Field, Values, check};
use strongroom::integrations::Spec;
use strongroom::models::events::Actor;
use strongroom::models::integrations::{self, NewIntegration};
use strongroom::models::{CredentialId, IntegrationId};

use super::app::TestApp;
use super::{estate_clients, estate_clusters, signed};
use crate::credentials::samples;

const CREDENTIALS: usize = 300;
pub const TEAMS: [&str; 8] =
    ["payments", "data platform", "web", "mobile", "search", "identity", "billing", "observability"];
const PLACES: [&str; 6] = [
    "production eu-central-1",
    "production us-east-1",
    "staging",
    "sandbox us-east-1",
    "development",
    "disaster recovery eu-west-1",
];
const OWNERS: [&str; 6] = ["ada", "grace", "Platform team", "linus", "", "Payments on-call"];
/// Type of a credential, and what it is for. Half of them are AWS keys and users of registries, as in real estates.
const PURPOSES: [(&str, &str); 16] = [
    ("aws", "ECR reader"),
    ("basic", "registry robot"),
    ("aws", "deploy key"),
    ("github_token", "package reader"),
    ("azure", "container registry reader"),
    ("aws", "Lambda inventory"),
    ("api_token", "PagerDuty on-call"),
    ("basic", "Jira robot"),
    ("gcp", "artifact reader"),
    ("aws", "billing export"),
    ("gitlab_token", "container scan"),
    ("webhook", "Slack channel"),
    ("kubeconfig", "cluster"),
    ("certificate", "registry client certificate"),
    ("ibm_cloud", "findings"),
    ("oci", "compartment reader"),
];
/// Version of an integration, name, and the field of its form that takes the address.
const INTEGRATIONS: [(&str, &str, &str); 10] = [
    ("docker_v2", "Harbor of", "registry"),
    ("ecr", "ECR of", "registry"),
    ("jfrog", "Artifactory of", "registry"),
    ("lambda", "Lambda functions of", ""),
    ("quay", "Quay of", "registry"),
    ("aws_account", "AWS account of", ""),
    ("docker_v2", "Nexus mirror of", "registry"),
    ("splunk", "Splunk of", "url"),
    ("nexus", "Nexus of", "registry"),
    ("servicenow", "ServiceNow of", "url"),
];
const FAULTS: [&str; 4] = [
    "Signing in failed: the registry refused the user name or the password. Rotate the credential.",
    "Listing repositories failed: the registry could not be reached within a minute. Check its address.",
    "Listing tags failed: the credential may not read team/api. Grant it the right to pull.",
    "Reading manifests failed: the registry returned an error (503). Try again later.",
];

/// Fills an empty console. Nothing of it is ever connected to: no scan is due.
pub fn fill(app: &TestApp) {
    let samples = samples::all("a-long-secret-of-the-estate");
    let credentials: Vec<(CredentialId, &str)> =
        (0..CREDENTIALS).map(|number| credential(app, &samples, number)).collect();
    let integrations: Vec<IntegrationId> = (0..40).map(|number| integration(app, number, &credentials)).collect();
    let kubeconfigs = credentials.iter().filter(|(_, kind)| *kind == "kubeconfig").map(|(id, _)| *id);
    estate_clusters::fill(app, &kubeconfigs.collect::<Vec<_>>());
    let keys = credentials.iter().filter(|(_, kind)| *kind == "aws").map(|(id, _)| *id);
    estate_clients::fill(app, &keys.take(4).collect::<Vec<_>>());
    signed::run(app, &(labels(&credentials) + &runs(&integrations)));
}

pub fn actor() -> Actor {
    Actor { name: "ada".to_owned(), address: "127.0.0.1".to_owned() }
}

/// (type, what its form takes)
type Sample = (&'static str, Vec<(&'static str, String)>);

fn credential(app: &TestApp, samples: &[Sample], number: usize) -> (CredentialId, &'static str) {
    let (slug, purpose) = PURPOSES[number % PURPOSES.len()];
    let (team, place) = (TEAMS[number % 8], PLACES[number / 8 % 6]);
    let name = match number % 3 {
        0 => format!("{team} {purpose}, {place} {number:03}"),
        1 => format!("{team}-{}-{number:03}", purpose.to_lowercase().replace(' ', "-")),
        _ => format!("{purpose} of {team} {number:03}"),
    };
    let sample = samples.iter().find(|(kind, _)| *kind == slug);
    let fields = sample.expect("a sample of the type").1.iter().map(|(field, value)| {
        let own = match *field {
            "access_key_id" => format!("AKIA{:016}", 1_000_000_007 * (number + 17)),
            "username" => format!("robot${}+push-{number}", team.replace(' ', "-")),
            _ => value.clone(),
        };
        (*field, own)
    });
    let (kind, posted) = (credentials::find(slug).expect("a type"), fields.collect::<Vec<_>>());
    let posted = Values::from_iter(posted.iter().map(|(field, value)| (*field, value.as_str())));
    let values = check(kind.fields, &posted, None).unwrap_or_else(|errors| panic!("{name}: {errors:?}"));
    let note = format!("Asked for by the {team} team.");
    let draft = Draft::new(kind, name, note, &values).unwrap_or_else(|errors| panic!("{slug}: {errors:?}"));
    let vault = &app.services.vault;
    let create = |conn: &mut _| strongroom::models::credentials::create(conn, vault, &actor(), &draft.row());
    (app.transaction(create), slug)
}

fn integration(app: &TestApp, number: usize, credentials: &[(CredentialId, &str)]) -> IntegrationId {
    let (version, of, address) = INTEGRATIONS[number % INTEGRATIONS.len()];
    let (spec, team) = (Spec::find(version).expect("a version"), TEAMS[number / 5]);
    let name = format!("{of} {team} {number:02}");
    let host = match version {
        "ecr" => format!("12345678901{}.dkr.ecr.eu-central-1.amazonaws.com", number % 10),
        _ => format!("{}-{number}.{}.example.com", version.replace('_', "-"), team.replace(' ', "-")),
    };
    let wanted = match version {
        "ecr" | "lambda" | "aws_account" => "aws",
        "splunk" => "api_token",
        _ => "basic",
    };
    let (url, mine) = (format!("https://{host}"), credentials.iter().filter(|(_, kind)| *kind == wanted));
    let mut own = vec![("account", "123456789012"), ("keys", "on")];
    own.extend(Some((address, url.as_str())).filter(|(field, _)| !field.is_empty()));
    let settings = values_of(spec, &own);
    let new = NewIntegration {
        family: spec.family().slug(),
        version,
        name: &name,
        // Every other one shares the first: a key that much depends on.
        credential_id: mine.map(|(id, _)| *id).nth(if number.is_multiple_of(2) { 0 } else { number / 4 }),
        host: &host,
        further: &[],
        settings: &settings,
        every_hours: None,
    };
    app.transaction(|conn| integrations::create(conn, &app.services.vault, &actor(), &new))
}

/// The settings of a form as it comes, with defaults and the first of each choice, and these values.
pub fn values_of(spec: &'static Spec, own: &[(&str, &str)]) -> String {
    let initial = spec.fields.iter().map(|field| (field.name, initial(field)));
    let posted = Values::from_iter(initial.chain(own.iter().copied()));
    let values = check(spec.fields, &posted, None).unwrap_or_else(|errors| panic!("{}: {errors:?}", spec.slug));
    String::from_utf8(values.to_json().to_vec()).expect("text")
}

fn initial(field: &'static Field) -> &'static str {
    match field.control {
        Control::Choice(options) if field.default.is_empty() => options[0].0,
        _ => field.default,
    }
}

/// Owners, tags, ages and ends of credentials.
fn labels(credentials: &[(CredentialId, &str)]) -> String {
    let label = |(number, (id, kind)): (usize, &(CredentialId, &str))| {
        let (age, owner, team) = (number * 37 % 213, OWNERS[number % 6], TEAMS[number % 8].replace(' ', "-"));
        let ends = match *kind {
            "github_token" | "gitlab_token" => format!("now() + interval '{} days'", number * 11 % 400),
            _ => "expires_at".to_owned(),
        };
        let used = if number.is_multiple_of(4) {
            "last_used_at".to_owned()
        } else {
            format!("now() - interval '{number} hours'")
        };
        format!(
            "UPDATE credentials SET owner = '{owner}', tags = ARRAY['{team}', '{}'],
                 secret_set_at = now() - interval '{age} days', created_at = now() - interval '{age} days',
                 last_used_at = {used}, expires_at = {ends} WHERE id = '{id}';",
            if number.is_multiple_of(3) { "production" } else { "internal" }
        )
    };
    credentials.iter().enumerate().map(label).collect()
}

/// A run of each: two of three have read everything.
fn runs(integrations: &[IntegrationId]) -> String {
    let run = |(number, id): (usize, &IntegrationId)| {
        let (state, error) = match number % 3 {
            0 => ("failed", format!("'{}'", FAULTS[number / 3 % FAULTS.len()])),
            _ => ("succeeded", "NULL".to_owned()),
        };
        format!(
            "INSERT INTO runs (id, integration_id, state, cause, requested_by, queued_at, started_at, ended_at, error, found)
             SELECT gen_random_uuid(), id, '{state}', 'schedule', 'Strongroom', now() - interval '{number} hours',
                 now() - interval '{number} hours', now() - interval '{number} hours', {error}, {} FROM integrations
             WHERE id = '{id}' AND family <> 'alert_profile';",
            number * 53
        )
    };
    // A channel that is off sends nothing to anybody.
    let off = |id| format!("UPDATE integrations SET active = false WHERE id = '{id}' AND family = 'alert_profile';");
    integrations.iter().enumerate().map(run).chain(integrations.iter().map(off)).collect()
}
