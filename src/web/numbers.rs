//! How numbers read on a page.

use crate::models::cloud_keys::Count;
use crate::names;

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
    match number {
        1 => format!("1 {noun}"),
        _ => format!("{} {}", grouped(number), names::plural(noun)),
    }
}
