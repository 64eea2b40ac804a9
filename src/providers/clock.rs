//! The machine's own clock, for what is signed with a time in it, and for pauses that a service ends at a moment: providers
//! hold such times against their own clocks, so the database's time would help nobody. What else is stored or shown takes its time from the database.

use chrono::{DateTime, Utc};

use super::egress::Answer;

/// Beyond this, a provider is likely to refuse what we sign.
const TOLERATED_SECONDS: i64 = 60;

#[allow(
    clippy::disallowed_methods,
    reason = "assertions, signatures and pauses go by this machine's time; this is the one place"
)]
pub(super) fn now() -> DateTime<Utc> {
    Utc::now()
}

/// A sentence when this machine's clock and the Date of an answer (RFC 9110, section 6.6.1) are more than a minute
/// apart.
pub(super) fn skew(answer: &Answer) -> Option<String> {
    let theirs = DateTime::parse_from_rfc2822(answer.header("date")?).ok()?;
    let seconds = (theirs.with_timezone(&Utc) - now()).num_seconds();
    if seconds.abs() <= TOLERATED_SECONDS {
        return None;
    }
    let (amount, unit) = match seconds.abs() {
        seconds @ ..120 => (seconds, "seconds"),
        seconds @ ..7200 => (seconds / 60, "minutes"),
        seconds @ ..172_800 => (seconds / 3600, "hours"),
        seconds => (seconds / 86_400, "days"),
    };
    let direction = if seconds > 0 { "slow" } else { "fast" };
    Some(format!("The clock of the machine that Strongroom runs on is {amount} {unit} {direction}"))
}
