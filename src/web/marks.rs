//! The small pictures of providers: drawn where their mark is free to use (`static/marks.svg`), else a letter on a
//! colour.

/// The mark of a type of credentials, of a version of integrations, or of a kind of subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// A symbol of `static/marks.svg`.
    Drawn(&'static str),
    /// A letter, and the number of its colour in `mark.css`.
    Letter(&'static str, u8),
}

/// (symbol, slugs that have it)
const DRAWN: &[(&str, &[&str])] = &[
    (
        "aws",
        &[
            "aws",
            "aws_account",
            "ecr",
            "ecr_public",
            "eks",
            "sync_eks",
            "lambda",
            "security_hub",
            "aws_secrets",
            "aws_parameters",
        ],
    ),
    ("azure", &["azure", "azure_tenant", "azure_functions", "acr", "aks", "sync_aks", "azure_key_vault"]),
    (
        "google",
        &[
            "gcp",
            "google_cloud",
            "google_artifacts",
            "google_functions",
            "google_pubsub",
            "google_secrets",
            "gke",
            "sync_gke",
        ],
    ),
    ("kubernetes", &["kubeconfig", "kubernetes", "sync_kubernetes"]),
    ("github", &["github_token", "ghcr"]),
    ("gitlab", &["gitlab_token", "gitlab_tokens", "gitlab"]),
    ("docker", &["docker_v2", "docker_hub"]),
    ("slack", &["slack"]),
    ("teams", &["teams"]),
    ("jira", &["jira"]),
    ("pagerduty", &["pagerduty"]),
    ("quay", &["quay"]),
    ("jfrog", &["jfrog"]),
    ("openshift", &["openshift"]),
    ("webhook", &["webhook", "webhook_channel"]),
];

const LETTERS: &[(&str, &str, u8)] = &[
    ("basic", "B", 1),
    ("certificate", "C", 2),
    ("api_token", "T", 3),
    ("ibm_cloud", "I", 4),
    ("ibm", "I", 4),
    ("ibm_findings", "I", 4),
    ("oci", "O", 5),
    ("oracle", "O", 5),
    ("oracle_cloud", "O", 5),
    ("alibaba", "A", 6),
    ("email", "@", 3),
    ("client", "P", 2),
    ("harbor", "H", 2),
    ("nexus", "N", 2),
    ("servicenow", "S", 2),
    ("splunk", "S", 1),
    ("vault_kv", "V", 6),
    ("cyberark_ccp", "C", 5),
];

/// Never fails: what is not known is a grey dot.
pub fn of(slug: &str) -> Mark {
    if let Some((symbol, _)) = DRAWN.iter().find(|(_, slugs)| slugs.contains(&slug)) {
        return Mark::Drawn(symbol);
    }
    let letter = LETTERS.iter().find(|(known, ..)| *known == slug);
    letter.map_or(Mark::Letter("·", 0), |(_, letter, colour)| Mark::Letter(letter, *colour))
}

/// Every symbol that is used.
#[cfg(test)]
pub fn drawn() -> impl Iterator<Item = &'static str> {
    DRAWN.iter().map(|(symbol, _)| *symbol)
}

/// A long text in two parts, of which the first may be cut short on a narrow screen and the second is always seen.
pub fn halves(text: &str) -> (&str, &str) {
    const TAIL: usize = 6;
    const SHORT: usize = 16;
    if text.chars().count() <= SHORT {
        return (text, "");
    }
    text.char_indices().rev().nth(TAIL - 1).map_or((text, ""), |(at, _)| text.split_at(at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::KINDS;
    use crate::integrations::Family;

    #[test]
    fn every_type_and_every_integration_has_a_mark() {
        let specs = Family::ALL.iter().flat_map(|family| family.providers());
        let slugs = KINDS.iter().map(|kind| kind.slug).chain(specs.map(|spec| spec.slug));
        for slug in slugs {
            assert_ne!(of(slug), Mark::Letter("·", 0), "{slug}");
        }
    }

    #[test]
    fn the_end_of_a_long_text_stays() {
        assert_eq!(halves("AKIAIOSFODNN7EXAMPLE"), ("AKIAIOSFODNN7E", "XAMPLE"));
        assert_eq!(halves("robot$scanner"), ("robot$scanner", ""));
        assert_eq!(halves("schlüssel-der-straße"), ("schlüssel-der-", "straße"));
    }
}
