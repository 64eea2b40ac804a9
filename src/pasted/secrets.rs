//! Whether a text is a secret, so that a page does not show it again. Certain signs count everywhere; likely ones only
//! in a field that was filled in wrongly, where losing a typing error costs less than showing a secret.

use url::Url;

use super::prefixes::has_known_prefix;
use super::shapes::Shape;

/// Addresses that are secrets themselves: whoever has one may post there.
const SECRET_PLACES: [&str; 5] = [
    "://hooks.slack.com/services/",
    "://hooks.slack.com/triggers/",
    "://discord.com/api/webhooks/",
    "://discordapp.com/api/webhooks/",
    ".webhook.office.com/webhookb2/",
];
/// Parameters that sign an address or hold a token.
const SECRET_PARAMETERS: [&str; 5] = ["sig=", "token=", "key=", "X-Amz-Signature=", "X-Amz-Security-Token="];

/// Fewest characters in a row that look like chance.
const RANDOM: usize = 20;
/// The same where there are no capital letters, as in hexadecimal digits.
const RANDOM_HEX: usize = 40;

/// Whether this surely is a secret or holds one.
pub fn holds_secret(text: &str) -> bool {
    let text = text.trim_start_matches('\u{feff}').trim();
    let is_secret = |text: &str| Shape::of(text).is_some_and(Shape::is_secret);
    is_secret(text)
        || text.find('{').is_some_and(|at| is_secret(&text[at..]))
        || text.split_whitespace().any(is_secret_word)
        || holds_aws_secret(text)
}

/// A word between blanks that is or holds a secret by its own form.
fn is_secret_word(word: &str) -> bool {
    if word.contains("://") {
        let query = word.split_once('?').map_or("", |(_, query)| query);
        let signed = |pair: &str| {
            let length = |name: &str| pair.strip_prefix(name).map_or(0, str::len);
            SECRET_PARAMETERS.iter().any(|name| length(name) >= RANDOM)
        };
        return Url::parse(word).is_ok_and(|url| url.password().is_some())
            || SECRET_PLACES.iter().any(|place| word.contains(place))
            || query.split('&').any(signed);
    }
    let apart = |c: char| !(c.is_ascii_alphanumeric() || "._~-".contains(c));
    is_secret_variable(word) || word.split(apart).any(|part| has_known_prefix(part) || is_azure_secret(part))
}

/// A client secret of Microsoft Entra ID: 40 characters or a few less, with `Q~` behind the fourth.
fn is_azure_secret(word: &str) -> bool {
    (37..=40).contains(&word.len()) && word.get(4..6) == Some("Q~") && is_mixed(word)
}

/// The secret access key of AWS: 40 characters of base64. Beside an access key ID it need not even have a digit.
fn holds_aws_secret(text: &str) -> bool {
    let words = || text.split_whitespace().filter(|word| !word.contains("://") && !word.starts_with('/'));
    let runs = || words().flat_map(|word| word.split(|c: char| !(c.is_ascii_alphanumeric() || "+/".contains(c))));
    let is_id = |run: &str| {
        let capital = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit();
        run.len() == 20 && (run.starts_with("AKIA") || run.starts_with("ASIA")) && run.bytes().all(capital)
    };
    let beside_id = runs().any(is_id);
    runs().any(|run| run.len() == 40 && (is_mixed(run) || (beside_id && run.bytes().any(|b| b.is_ascii_lowercase()))))
}

/// `KEY=value` whose name says that the value is secret, and whose value is no placeholder.
fn is_secret_variable(word: &str) -> bool {
    let Some((name, value)) = word.split_once('=') else { return false };
    let (name, value) = (name.to_ascii_lowercase(), value.trim_matches(['"', '\'']));
    let names = ["password", "secret", "token", "access_key", "api_key", "apikey", "private_key"];
    names.iter().any(|end| name.ends_with(end)) && value.len() >= 8 && !value.starts_with(['$', '<', '{', '*', '%'])
}

/// Whether this looks like one: many letters and digits in a row, with capital and small ones among them.
pub fn looks_secret(text: &str) -> bool {
    let part = |c: char| !(c.is_ascii_alphanumeric() || "+/=_~.-".contains(c));
    let hex = |run: &str| run.len() >= RANDOM_HEX && run.bytes().all(|b| b.is_ascii_hexdigit());
    holds_secret(text) || text.split(part).any(|run| (run.len() >= RANDOM && is_mixed(run)) || hex(run))
}

/// Whether there are large and small letters and digits.
pub(super) fn is_mixed(text: &str) -> bool {
    let has = |of: fn(&u8) -> bool| text.as_bytes().iter().any(of);
    has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase) && has(u8::is_ascii_digit)
}
