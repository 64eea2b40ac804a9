//! How old secrets are, as columns with the limit drawn in.

use crate::models::cloud_keys::Count;
use crate::models::credential_summary::{OVER, PARTS, Summary};
use crate::web::integrations::shown::grouped;

/// A column is no lower than this part of the highest, so that one among a million is seen.
const LOWEST: i64 = 40;

pub struct Chart {
    pub columns: Vec<Column>,
    /// What the labels are: `days`
    pub unit: &'static str,
    /// The greatest of its columns.
    pub highest: i64,
}

pub struct Column {
    /// Where it begins.
    pub label: String,
    pub count: String,
    /// Drawn so high.
    pub height: i64,
    pub tone: &'static str,
    /// What stands at the limit, before this column; empty for all others.
    pub limit: String,
}

/// Of the credentials; `None` where none of them ages. `limit` in days, where all have the same.
pub fn stored(summary: &Summary, limit: Option<i32>) -> Option<Chart> {
    (summary.ages != [0; PARTS]).then(|| chart(&summary.ages, OVER, limit))
}

/// Of the keys in cloud accounts that are not stored here, by thirds of a limit.
pub fn found(ages: [Count; 4], limit: Option<i32>) -> Option<Chart> {
    let numbers = ages.map(|count| count.number);
    let mut chart = (numbers != [0; 4]).then(|| chart(&numbers, 3, limit))?;
    for (column, count) in chart.columns.iter_mut().zip(ages) {
        if count.more {
            column.count.push('+');
        }
    }
    Some(chart)
}

/// `over`: which part is the first over the limit. Those below are equal parts of it, those above thirds.
fn chart(numbers: &[i64], over: usize, limit: Option<i32>) -> Chart {
    let whole = i64::from(limit.unwrap_or(100));
    let highest = numbers.iter().copied().max().unwrap_or(0);
    let column = |(at, number): (usize, &i64)| {
        let begins = match at.checked_sub(over) {
            None => whole * at as i64 / over as i64,
            Some(thirds) => whole + whole * thirds as i64 / 3,
        };
        let last = if at + 1 == numbers.len() { "+" } else { "" };
        let tone = if at >= over { "bad" } else { ["neutral", "warn"][usize::from(at + 1 == over)] };
        let words = limit.map_or_else(|| "the limit".to_owned(), |days| format!("{days}-day limit"));
        Column {
            label: format!("{begins}{last}"),
            count: grouped(*number),
            height: if *number > 0 { (*number).max(highest / LOWEST) } else { 0 },
            tone,
            limit: if at == over { words } else { String::new() },
        }
    };
    let unit = if limit.is_some() { "days" } else { "% of the limit" };
    Chart { columns: numbers.iter().enumerate().map(column).collect(), unit, highest }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_stands_between_the_columns_below_and_above_it() {
        let ages = [22, 15, 11, 7, 6, 5, 9, 7, 5, 4];
        let chart = chart(&ages, OVER, Some(90));
        let labels: Vec<&str> = chart.columns.iter().map(|column| column.label.as_str()).collect();
        assert_eq!(labels, ["0", "15", "30", "45", "60", "75", "90", "120", "150", "180+"]);
        assert_eq!(chart.columns.iter().position(|column| !column.limit.is_empty()), Some(6));
        assert_eq!((chart.columns[5].tone, chart.columns[6].tone), ("warn", "bad"));
        let parts = super::chart(&[1_000_000, 1, 0, 0], 3, None);
        assert_eq!((parts.columns[1].height, parts.columns[2].height, parts.unit), (25_000, 0, "% of the limit"));
    }
}
