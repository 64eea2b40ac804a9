//! Tokens that are known by how they begin.

/// Beginnings of tokens, as their issuers announce them for secret scanners, and the characters that follow at least.
const PREFIXES: [(&str, usize); 32] = [
    ("ghp_", 20),
    ("gho_", 20),
    ("ghu_", 20),
    ("ghs_", 20),
    ("ghr_", 20),
    ("github_pat_", 20),
    ("glpat-", 16),
    ("gldt-", 16),
    ("glrt-", 16),
    ("glptt-", 16),
    ("glft-", 16),
    ("glsoat-", 16),
    ("glcbt-", 16),
    ("glagent-", 16),
    ("hvs.", 20),
    ("hvb.", 20),
    ("hvr.", 20),
    ("xoxb-", 16),
    ("xoxp-", 16),
    ("xapp-", 16),
    ("dckr_pat_", 16),
    ("dckr_oat_", 16),
    ("npm_", 30),
    ("pypi-", 30),
    ("AIza", 30),
    ("ATATT3", 30),
    ("whsec_", 24),
    ("sk_live_", 20),
    ("rk_live_", 20),
    ("sk-ant-", 20),
    ("sk-proj-", 20),
    ("AGE-SECRET-KEY-1", 50),
];

/// Whether the text begins like a token of a known issuer, or is a JSON Web Token.
pub fn has_known_prefix(text: &str) -> bool {
    let follows = |rest: &str| rest.chars().take_while(|c| c.is_ascii_alphanumeric() || "._-=".contains(*c)).count();
    let known = PREFIXES.iter().any(|(prefix, least)| {
        text.strip_prefix(prefix).is_some_and(|rest| follows(rest) >= *least && follows(rest) == rest.len())
    });
    let parts: Vec<&str> = text.split('.').collect();
    known || (parts.len() == 3 && text.starts_with("eyJ") && parts.iter().all(|part| follows(part) == part.len()))
}
