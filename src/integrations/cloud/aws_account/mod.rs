//! An AWS account: the form, and how a scan signs in. What it looks for are the [`PARTS`].

use futures_util::future::BoxFuture;

use crate::form::{Errors, Field, Values};
use crate::integrations::aws::{self, Place};
use crate::integrations::context::Context;
use crate::integrations::family::Family;
use crate::integrations::patterns::is_below;
use crate::integrations::progress::Step;
use crate::integrations::scan::{Gap, Scan};
use crate::integrations::spec::{Does, Grants, Host, Scanner, Selects, Spec, Use};
use crate::providers::aws::SignedCalls;
use crate::providers::aws::policies::{Statement, document};
use crate::providers::aws::regions::LIST_REGIONS;
use crate::providers::aws::service::IAM;
use crate::providers::{Failure, ProviderError};

mod clusters;
mod functions;
mod keys;
mod part;
mod regional;
mod registries;
mod rights;

use part::{Part, Visit, region};

pub static AWS_ACCOUNT: Spec = Spec {
    slug: "aws_account",
    label: "AWS account",
    fields: FIELDS,
    uses: &[Use::main(&["aws"])],
    host: Host::Vendor(|settings| Some(IAM.endpoint(&region(settings)).host)),
    suits,
    grants,
    check: Some(|cx| Box::pin(async { Ok(Some(check(cx).await?)) })),
    does: Does::Scan(&Account),
};

static FIELDS: &[Field] = &[
    Field::text("account", "Account ID")
        .placeholder("123456789012")
        .help("The twelve digits of the account, as the AWS console shows them at the top right.")
        .max(14)
        .check(account),
    Field::choice(
        "partition",
        "Partition",
        &[
            ("aws", "AWS"),
            ("aws-cn", "AWS China"),
            ("aws-us-gov", "AWS GovCloud (US)"),
            ("aws-eusc", "AWS European Sovereign Cloud"),
        ],
    ),
    Field::checkbox("keys", "Access keys of all users")
        .default("on")
        .help("Lists every long-term key of the account with its age and last use, stored here or not."),
    Field::checkbox("registries", "Container registries")
        .default("on")
        .help("Finds the registries of Amazon ECR, and shows which of them aren't scanned."),
    Field::checkbox("functions", "Functions")
        .default("on")
        .help("Finds the regions with functions of AWS Lambda, and shows which of them aren't scanned."),
    Field::checkbox("clusters", "Clusters").default("on").help("Finds the clusters of Amazon EKS and Amazon ECS."),
    Field::text("regions", "Regions")
        .optional()
        .placeholder("eu-central-1, us-east-1")
        .help("Where to look for registries, functions and clusters. Leave blank for all enabled regions.")
        .max(1024)
        .check(aws::region_names)
        .summary(aws::all_regions_if_blank),
    aws::STS.help("Assume a role that can read the account."),
    aws::ROLE
        .placeholder("account-reader")
        .help("A role's whole ARN, or its name in the account. It wins over a role of the credential.")
        .check(aws::arn_or_name),
    aws::EXTERNAL_ID,
    aws::SESSION_MINUTES,
];

static PARTS: &[Part] = &[keys::KEYS, registries::REGISTRIES, functions::FUNCTIONS, clusters::CLUSTERS];

fn account(text: &str) -> Result<String, String> {
    // As consoles show it: 1234-5678-9012.
    let digits: String = text.trim().chars().filter(|c| *c != '-').collect();
    let good = digits.len() == 12 && digits.bytes().all(|b| b.is_ascii_digit());
    if good { Ok(digits) } else { Err("Enter the twelve digits of the account: 123456789012.".to_owned()) }
}

fn chosen(settings: &Values) -> impl Iterator<Item = &'static Part> {
    PARTS.iter().filter(|part| settings.get(part.field) == "on")
}

fn suits(settings: &Values, kind: &str, credential: &Values) -> Result<(), Errors> {
    if chosen(settings).next().is_none() {
        return Err(Errors::one(PARTS[0].field, "Choose what the scan looks for."));
    }
    let regions = aws::regions(settings.get("regions")).unwrap_or_default();
    if regions.iter().any(|one| one.partition() != region(settings).partition()) {
        return Err(Errors::one("regions", "These regions are of another partition."));
    }
    aws::suits(settings, kind, credential)
}

fn grants(settings: &Values, name: &str) -> Grants {
    let region = region(settings);
    let place = Place { region: &region, account: Some(settings.get("account")) };
    // Nobody asks for all regions where some are named.
    let named = !settings.get("regions").is_empty();
    let policy = |rights: &[&'static str]| {
        let rights: Vec<&str> = rights.iter().copied().filter(|right| !named || *right != LIST_REGIONS).collect();
        document(&[Statement::allow(&rights, &["*"])])
    };
    let mut grants = Grants::default();
    for part in chosen(settings) {
        let further = part.further;
        for (may, rights) in [(part.may, part.rights)].into_iter().chain(further) {
            let granted = place.grants(settings, name, may, policy(rights));
            grants.role = granted.role;
            grants.policies.extend(granted.policies);
        }
    }
    grants
}

async fn sign_in<'a>(cx: &'a Context<'a>) -> Result<Visit<'a>, Gap> {
    let failed = |cause: ProviderError| {
        let because = cause.sentence("AWS");
        Gap::new(Step::SIGNING_IN, "", cause, because)
    };
    let (region, account) = (region(cx.settings), cx.settings.get("account").to_owned());
    let place = Place { region: &region, account: Some(&account) };
    let session = place.sign_in(cx).await.map_err(failed)?;
    let caller = session.caller().await.map_err(failed)?;
    if caller.account != account {
        let because = format!(
            "the credential is one of account {}, not of {account}. Use AWS STS with a role of account {account}, or enter \
             the account of the credential.",
            caller.account
        );
        return Err(Gap::new(Step::SIGNING_IN, "", ProviderError::WrongCredential, because));
    }
    let report = cx.report.clone();
    let calls = SignedCalls::new(session, cx.outside.egress).map_err(failed)?;
    Ok(Visit::new(cx, calls.told_to(Box::new(move |until| report.pause(until))), account))
}

/// Signs in and reads a page of each part; nothing is changed.
async fn check(cx: &Context<'_>) -> Result<String, Failure> {
    let visit = sign_in(cx).await?;
    let mut sentences = Vec::new();
    for part in chosen(cx.settings) {
        sentences.push((part.check)(&visit).await?);
    }
    Ok(sentences.join(" "))
}

/// The scan of all parts that are switched on.
struct Account;

impl Scanner for Account {
    fn family(&self) -> Family {
        Family::CloudScan
    }

    fn scan<'a>(&'a self, cx: &'a Context<'a>) -> BoxFuture<'a, Result<Scan, Gap>> {
        Box::pin(async {
            let stopped = || {
                let because = ProviderError::Stopped.sentence("AWS");
                Err(Gap::new(Step::SIGNING_IN, "", ProviderError::Stopped, because))
            };
            cx.stop.run_until_cancelled(read(cx)).await.unwrap_or_else(stopped)
        })
    }

    /// What a part that is switched off had found is gone.
    fn selects(&self, settings: &Values) -> Selects {
        let on = |field: &str| settings.get(field) == "on";
        let clusters = on(clusters::CLUSTERS.field);
        let parts = [
            (part::ECR, on(registries::REGISTRIES.field)),
            (part::LAMBDA, on(functions::FUNCTIONS.field)),
            (part::EKS, clusters),
            (part::ECS, clusters),
        ];
        let keys = on(keys::KEYS.field);
        Box::new(move |_, name| {
            let part = parts.iter().find(|(path, _)| is_below(name, path));
            part.map_or(keys, |(_, on)| *on)
        })
    }
}

async fn read(cx: &Context<'_>) -> Result<Scan, Gap> {
    cx.report.step(Step::SIGNING_IN);
    let mut visit = sign_in(cx).await?;
    if cx.settings.get(keys::KEYS.field) == "on" {
        visit.alias = keys::alias(&visit).await;
    }
    let mut scan = Scan::default();
    for part in chosen(cx.settings) {
        scan.add((part.read)(&visit).await?);
    }
    scan.finished(visit.empty.into_inner())
}
