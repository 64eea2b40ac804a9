//! Numbers that people type.

/// A number of days, or of anything, between the two bounds; `None` when nothing was typed.
pub fn days(text: &str, least: i32, most: i32) -> Result<Option<i32>, String> {
    match text.trim() {
        "" => Ok(None),
        text => match text.parse::<i32>() {
            Ok(days) if (least..=most).contains(&days) => Ok(Some(days)),
            _ => Err(format!("Enter a whole number from {least} to {most}, or leave it blank.")),
        },
    }
}
