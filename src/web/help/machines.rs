//! The help pages about programs: those that fetch credentials, and those that use the API.

use super::topic::{Block, Section, Topic};
use super::{containers, paths};
use crate::integrations::issue::FORMS;
use crate::models::client_logins::Method;

pub fn all() -> Vec<Topic> {
    vec![clients(), containers::page(), api()]
}

fn login(method: Method) -> &'static str {
    match method {
        Method::Token => "One bearer token, sent with every request. For anything that can send a header.",
        Method::AppRole => {
            "An ID and a secret, exchanged for a session token of minutes. For Vault's clients and agents, as AppRole."
        }
        Method::Kubernetes => {
            "The token of a pod's service account, made for this console. The cluster itself verifies it (TokenReview), or its \
             public keys do."
        }
        Method::Oidc => {
            "The identity token of a job of GitHub Actions or GitLab CI, or of any OpenID Connect issuer. Jobs are bound by IDs, \
             since a name that was given up can be registered by someone else."
        }
        Method::Aws => "A request signed by a role or a user of AWS, which AWS itself verifies.",
    }
}

fn clients() -> Topic {
    let lead = "A client is a program. It keeps no copy of a credential: it logs in, and fetches what a rule allows, as \
                short-lived as the provider makes it.";
    let rules = "A rule names a credential and what of it the client gets, or an entry of a secret store. It counts as a \
                 usage: the page of the credential or store lists it, and it can't be deleted while the rule is there.";
    let entries = [
        "The value is read from the store when the program asks, and passes through memory. It is never stored here.",
        "Only an administrator adds such a rule, with their password. What guards stored values guards these clients, too.",
        "If several rules name one entry, it is read once within the time that they allow.",
    ];
    let values = [
        "Prefer a session or a token. The stored secret then never leaves this console.",
        "A stored value is released only where the operator of this console has set STRONGROOM_RELEASE_VALUES=on.",
        "Only an administrator adds such a rule, with their password and the credential's name. Where a channel \
         sends mail about accounts, every administrator who has an e-mail address is told. The audit trail records it.",
        "The first such rule waits until the logins that no administrator made are ended. From then on only \
         administrators add logins, edit or delete the client, or change a kubeconfig that it logs in by.",
        "Switched off again, such rules answer nothing.",
    ];
    let secrets = [
        "A secret is shown once. Strongroom keeps a hash of it.",
        "It expires in 90 days unless you choose otherwise. An alert warns 30 days, 7 days and 1 day ahead.",
        "Rotate creates another one. The current one works for the overlap that you choose, so that the program can change over.",
        "End stops a login at once, with the session tokens that it was given. So does Disable for the whole client.",
    ];
    let methods = Method::ALL.iter().map(|method| (method.label(), login(*method)));
    Topic::concept(
        paths::CLIENTS,
        "Clients",
        "Programs that fetch credentials instead of keeping them.",
        vec![
            Section::new("client", "What a client is", vec![Block::text(lead)]),
            Section::new("logins", "How it logs in", vec![Block::terms(methods)]),
            Section::new("secrets", "Tokens and secrets", vec![Block::points(&secrets)]),
            Section::new(
                "rules",
                "What it may fetch",
                vec![Block::text(rules), Block::terms(FORMS.iter().map(|form| (form.label, form.help)))],
            ),
            Section::new("entries", "Entries of secret stores", vec![Block::points(&entries)]),
            Section::new("values", "Stored values", vec![Block::points(&values)]),
            Section::new(
                "see",
                "See also",
                vec![Block::links(&[
                    ("/clients", "Clients"),
                    (paths::CONTAINERS, "Secrets in containers"),
                    (paths::AUDIT, "Audit trail"),
                ])],
            ),
        ],
    )
}

fn api() -> Topic {
    let lead = "Scripts written for the API of Prisma Cloud Compute work with Strongroom, by prismacloud-api for Python or by \
                curl. Your role and the token's scope hold for every call, and every change is in the audit trail.";
    let calls = [
        (
            "Credentials",
            "List, add, change, delete, and see usages. Secrets are never returned; a handle stands for each.",
        ),
        ("Registries", "Read and write the settings as one list, start and stop scans, follow their progress."),
        ("Functions and clouds", "Read and write function scans, read what cloud scans found, start and stop them."),
        ("Alert profiles", "List, test and delete channels. Add them in the console."),
        ("Audit trail", "Read, filter and download it."),
        ("DaemonSets", "List deployments."),
    ];
    let tokens = [
        "Create a token on your Account page and send it as the password, with your user name. It is shown once, and expires.",
        "Accounts with two-step verification can only use a token. Without it, your password also works, to read and write.",
        "A token reads, or reads and writes. Neither sends a stored secret to a host that it hasn't been sent to before.",
        "Read, write and new destinations does. Create such a token only for a program that sets up new registries.",
        "Revoking a token ends its sessions. So does disabling the user or resetting the password; changing your own doesn't.",
    ];
    let quirks = [
        "A secret left blank is kept, and so is one whose handle is sent back. A changed user name or server needs the secret.",
        "Writing the registry list deletes what is not in it. Names, schedules, owners and tags stay as they are.",
        "Registry types, credential types and alert channels that the vendor's API has no word for are not listed and not \
         touched: webhook URLs, Oracle Cloud registries.",
        "os, scanners and collections are accepted and ignored. skipVerify is refused.",
    ];
    Topic::concept(
        paths::API,
        "API",
        "Programs that manage credentials and scans.",
        vec![
            Section::new("api", "What it is", vec![Block::text(lead)]),
            Section::new("calls", "What it does", vec![Block::terms(calls)]),
            Section::new("tokens", "API tokens", vec![Block::points(&tokens)]),
            Section::new("quirks", "Good to know", vec![Block::points(&quirks)]),
            Section::new(
                "see",
                "See also",
                vec![Block::links(&[("/account", "Account"), (paths::ROLES, "Roles"), (paths::AUDIT, "Audit trail")])],
            ),
        ],
    )
}
