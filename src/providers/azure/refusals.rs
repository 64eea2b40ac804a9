//! What Microsoft Entra ID and Azure's metadata service mean when they refuse, by their numbers; their texts are
//! dropped. <https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes>

use serde::Deserialize;

use super::WHO;
use crate::providers::Failure;
use crate::providers::egress::Answer;
use crate::providers::probe::{Finding, Verdict};
use crate::providers::{calls, clock};

#[derive(Deserialize)]
struct Refusal {
    error: String,
    #[serde(default)]
    error_codes: Vec<u32>,
}

/// Code, verdict, sentence, remedy.
type Meaning = (u32, Verdict, &'static str, &'static str);

const MEANINGS: [Meaning; 12] = [
    (
        7_000_215,
        Verdict::BadKey,
        "The client secret is wrong.",
        "Create a new secret for the app registration, and paste its value, not its ID.",
    ),
    (
        7_000_222,
        Verdict::Expired,
        "The client secret has expired.",
        "Create a new secret for the app registration and store the new service key.",
    ),
    (
        700_016,
        Verdict::BadKey,
        "The tenant does not know this client ID.",
        "Check the client ID, and that the app registration is in this tenant.",
    ),
    (
        7_000_229,
        Verdict::Denied,
        "The app has no service principal in this tenant.",
        "Create one with: az ad sp create --id, followed by the client ID.",
    ),
    (
        90_002,
        Verdict::BadKey,
        "There is no such tenant in this Azure cloud.",
        "Check the tenant ID. If the tenant is in Azure Government or Azure China, and this is a service key, run az ad sp \
         create-for-rbac again with --json-auth: only that output names the cloud. With a certificate, choose the \
         cloud.",
    ),
    (900_023, Verdict::BadKey, "The tenant ID is not valid.", "Copy the tenant ID from Microsoft Entra ID, Overview."),
    (
        700_027,
        Verdict::NotTrusted,
        "The app registration does not know this certificate.",
        "Upload the certificate, without its key, under Certificates & secrets of the app registration.",
    ),
    (
        700_024,
        Verdict::BadKey,
        "The time in the signed assertion is outside of what Microsoft Entra ID accepts.",
        "Set the clock of the machine that Strongroom runs on: let it follow a time server (NTP).",
    ),
    (
        1_000_502,
        Verdict::Expired,
        "The certificate is outside of its dates of validity.",
        "Create a new certificate, add it to the app registration, and store it here.",
    ),
    (
        7_000_112,
        Verdict::Denied,
        "The app is disabled in this tenant.",
        "Have an administrator of the tenant enable sign-in for it under Enterprise applications.",
    ),
    (
        53_003,
        Verdict::Denied,
        "A Conditional Access policy of the tenant blocks this sign-in.",
        "Have the policy leave this service principal out, or add this machine's address to its trusted locations.",
    ),
    (
        500_011,
        Verdict::Denied,
        "The tenant does not know the resource that the token is for.",
        "Check that the tenant belongs to the Azure cloud that the service key names.",
    ),
];

/// What it refuses, for the help.
pub fn known_refusals() -> Vec<Failure> {
    let meanings = MEANINGS.iter();
    let known = meanings.map(|(_, verdict, sentence, remedy)| Finding::new(*verdict, *sentence, *remedy).into());
    let of_machine = |named| explain_identity(Answer::made_up(400, ""), named);
    known.chain([of_machine(true), of_machine(false), not_in_azure()]).collect()
}

pub(super) fn explain(answer: Answer) -> Failure {
    if !matches!(answer.status, 400 | 401 | 403 | 404) {
        return calls::unexplained(answer, WHO);
    }
    let skew = clock::skew(&answer);
    let Ok(refusal) = answer.json::<Refusal>() else {
        return calls::failed(&crate::providers::ProviderError::BadAnswer, WHO);
    };
    let known = MEANINGS.iter().find(|(code, ..)| refusal.error_codes.contains(code));
    let (verdict, sentence, remedy) = match (known, refusal.error.as_str()) {
        (Some((_, verdict, sentence, remedy)), _) => (*verdict, *sentence, *remedy),
        (None, "invalid_client") => (
            Verdict::BadKey,
            "Microsoft Entra ID refused the secret or certificate of this client.",
            "Check that it belongs to this client ID. If in doubt, create a new one.",
        ),
        (None, "unauthorized_client") => (
            Verdict::Denied,
            "Microsoft Entra ID does not let this client ask for a token.",
            "Check the client ID and the tenant ID, and that the app is enabled in this tenant.",
        ),
        (None, _) => (
            Verdict::BadKey,
            "Microsoft Entra ID refused this credential.",
            "Check the tenant ID, the client ID and the secret or certificate.",
        ),
    };
    let mut finding = Finding::new(verdict, sentence, remedy);
    if let Some(skew) = skew.filter(|_| verdict == Verdict::BadKey) {
        finding.remedy = format!("{skew}: set it first, then test again. {remedy}");
    }
    Failure::from(finding)
}

/// `named`: a user-assigned identity was asked for by its client ID.
pub(super) fn explain_identity(answer: Answer, named: bool) -> Failure {
    match answer.status {
        400 if named => Failure::from(Finding::new(
            Verdict::NotHere,
            "This machine has no managed identity with that client ID.",
            "Assign the identity to the machine that Strongroom runs on, or correct the client ID.",
        )),
        400 => Failure::from(Finding::new(
            Verdict::NotHere,
            "This machine has no system-assigned identity.",
            "Switch it on under Identity of the machine that Strongroom runs on, or enter the client ID of a \
             user-assigned one.",
        )),
        // Other clouds have a service at the same address.
        404 | 405 | 401 | 403 => not_in_azure(),
        _ => calls::unexplained(answer, "Azure's identity service"),
    }
}

pub(super) fn not_in_azure() -> Failure {
    Failure::from(Finding::new(
        Verdict::NotHere,
        "There is no managed identity here: Azure's identity service does not answer.",
        "Managed identity works only where Strongroom runs in Azure. Elsewhere, use a service key or a certificate.",
    ))
}
