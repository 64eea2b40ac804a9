//! How numbers read on a page.

use crate::models::cloud_keys::Count;

/// `1,204`
pub fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if number < 0 {
        text.push('-');
    }
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `12`, or `2,000+` where no more were counted.
pub fn bounded(count: Count) -> String {
    format!("{}{}", grouped(count.number), if count.more { "+" } else { "" })
}

/// `1 image`, `1,204 images`, `2 repositories`, `3 keys`
pub fn counted(number: i64, noun: &str) -> String {
    let after_consonant = |stem: &&str| !stem.ends_with(['a', 'e', 'o', 'u']);
    let ending = match (number, noun.strip_suffix('y').filter(after_consonant)) {
        (1, _) => return format!("1 {noun}"),
        (_, Some(stem)) => return format!("{} {stem}ies", grouped(number)),
        _ => "s",
    };
    format!("{} {noun}{ending}", grouped(number))
}
