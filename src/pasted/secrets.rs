//! Whether a text is a secret, so that a page does not show it again. Certain signs count everywhere; likely ones only
//! in a field that was filled in wrongly, where losing a typing error costs less than showing a secret.

use url::Url;

use super::shapes::Shape;

/// Beginnings of tokens, as their issuers announce them for secret scanners, and the characters that follow at least.
const PREFIXES: [(&str, usize); 27] = [
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
];

/// Fewest characters in a row that look like chance.
const RANDOM: usize = 20;
/// The same where there are no capital letters, as in hexadecimal digits.
const RANDOM_HEX: usize = 40;

/// Whether the text begins like a token of a known issuer, or is a JSON Web Token.
pub fn has_known_prefix(text: &str) -> bool {
    let follows = |rest: &str| rest.chars().take_while(|c| c.is_ascii_alphanumeric() || "._-=".contains(*c)).count();
    let known = PREFIXES.iter().any(|(prefix, least)| {
        text.strip_prefix(prefix).is_some_and(|rest| follows(rest) >= *least && follows(rest) == rest.len())
    });
    let parts: Vec<&str> = text.split('.').collect();
    known || (parts.len() == 3 && text.starts_with("eyJ") && parts.iter().all(|part| follows(part) == part.len()))
}

/// Whether this surely is a secret or holds one.
pub fn holds_secret(text: &str) -> bool {
    let text = text.trim_start_matches('\u{feff}').trim();
    let login = |word: &str| Url::parse(word).is_ok_and(|url| url.password().is_some());
    Shape::of(text).is_some_and(Shape::is_secret)
        || text.split_whitespace().any(|word| has_known_prefix(word) || login(word))
        || (text.len() == 40 && text.chars().all(|c| c.is_ascii_alphanumeric() || "+/".contains(c)) && is_mixed(text))
}

/// Whether this looks like one: many letters and digits in a row, with capital and small ones among them.
pub fn looks_secret(text: &str) -> bool {
    let part = |c: char| !(c.is_ascii_alphanumeric() || "+/=_~.-".contains(c));
    let hex = |run: &str| run.len() >= RANDOM_HEX && run.bytes().all(|b| b.is_ascii_hexdigit());
    holds_secret(text) || text.split(part).any(|run| (run.len() >= RANDOM && is_mixed(run)) || hex(run))
}

fn is_mixed(text: &str) -> bool {
    let has = |of: fn(&u8) -> bool| text.as_bytes().iter().any(of);
    has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase) && has(u8::is_ascii_digit)
}
