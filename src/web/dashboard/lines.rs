//! The line beside a figure: its last weeks, as far as they were counted. A day on which no console ran leaves a hole.

use std::fmt::Write as _;

use chrono::NaiveDate;

/// Days that a line goes back.
pub const DAYS: i32 = 42;
/// A line of fewer days is no wider than these would be.
const LEAST: i64 = 7;
/// What fills the height at the least.
const LEAST_RANGE: i64 = 4;
/// Of the drawing; the line keeps a pixel away from its edges.
pub const WIDTH: i64 = 72;
pub const HEIGHT: i64 = 20;

/// The path of an SVG through the values of days, the oldest first; `None` for fewer than two.
pub fn path(values: &[(NaiveDate, i64)]) -> Option<String> {
    let ((first, _), (last, _)) = (values.first()?, values.last()?);
    let (least, greatest) =
        values.iter().fold((i64::MAX, i64::MIN), |(low, high), (_, value)| (low.min(*value), high.max(*value)));
    if values.len() < 2 {
        return None;
    }
    let span = (*last - *first).num_days().max(LEAST);
    let (mut path, mut before) = (String::new(), None);
    for (day, value) in values {
        let x = WIDTH - 1 - (*last - *day).num_days() * (WIDTH - 2) / span;
        // Around the middle: what does not change is a straight line, and a change by one no mountain.
        let range = (greatest - least).max(LEAST_RANGE);
        let y = HEIGHT / 2 - (2 * value - least - greatest) * (HEIGHT - 4) / (2 * range);
        let joined = before.is_some_and(|before: NaiveDate| (*day - before).num_days() == 1);
        let _ = write!(path, "{}{x} {y}", if joined { 'L' } else { 'M' });
        before = Some(*day);
    }
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(number: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 11, number).expect("a day")
    }

    #[test]
    fn a_line_has_the_days_that_were_counted_and_a_hole_for_others() {
        assert_eq!(path(&[]), None);
        assert_eq!(path(&[(day(5), 3)]), None);
        let values = [(day(1), 0), (day(2), 10), (day(4), 5), (day(8), 10)];
        assert_eq!(path(&values).as_deref(), Some("M1 18L11 2M31 10M71 2"));
    }

    #[test]
    fn what_does_not_change_is_a_line_through_the_middle() {
        assert_eq!(path(&[(day(7), 4), (day(8), 4)]).as_deref(), Some("M61 10L71 10"));
    }
}
