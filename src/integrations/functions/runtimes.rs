//! When the runtimes of functions end, by the vendors' own tables. A table is a copy with a date, which pages name
//! beside it; what is newer than it counts as not listed, never as supported.

use chrono::{Days, NaiveDate};

/// A runtime that ends within so many days is marked: AWS gives notice that long before.
const NOTICE: Days = Days::new(180);

/// What a table says of a runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    /// Without security updates since that day.
    Ended(NaiveDate),
    /// Without security updates from that day on, which is near.
    EndsSoon(NaiveDate),
    Supported,
    /// A preview, or newer than the table.
    NotListed,
}

/// A vendor's table.
pub struct Table {
    /// `AWS`
    pub vendor: &'static str,
    /// When the copy was made, as pages say it: `September 2026`.
    pub as_of: &'static str,
    /// Identifiers and the last day of their support, `2026-04-30`.
    entries: &'static [(&'static str, &'static str)],
}

/// The deprecation dates of AWS Lambda's runtimes, those to come as AWS plans them.
/// <https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html>
pub static LAMBDA: Table = Table {
    vendor: "AWS",
    as_of: "September 2026",
    entries: &[
        ("nodejs24.x", "2028-04-30"),
        ("nodejs22.x", "2027-04-30"),
        ("nodejs20.x", "2026-04-30"),
        ("nodejs18.x", "2025-09-01"),
        ("nodejs16.x", "2024-06-12"),
        ("nodejs14.x", "2023-12-04"),
        ("nodejs12.x", "2023-03-31"),
        ("nodejs10.x", "2021-07-30"),
        ("nodejs8.10", "2020-03-06"),
        ("nodejs6.10", "2019-08-12"),
        ("nodejs4.3", "2020-03-05"),
        ("nodejs4.3-edge", "2019-04-30"),
        ("nodejs", "2016-10-31"),
        ("python3.14", "2029-06-30"),
        ("python3.13", "2029-06-30"),
        ("python3.12", "2028-10-31"),
        ("python3.11", "2027-06-30"),
        ("python3.10", "2026-10-31"),
        ("python3.9", "2025-12-15"),
        ("python3.8", "2024-10-14"),
        ("python3.7", "2023-12-04"),
        ("python3.6", "2022-07-18"),
        ("python2.7", "2021-07-15"),
        ("java25", "2029-06-30"),
        ("java21", "2029-06-30"),
        ("java17.al2023", "2029-06-30"),
        ("java11.al2023", "2029-06-30"),
        ("java8.al2023", "2029-06-30"),
        ("java17", "2027-06-30"),
        ("java11", "2027-06-30"),
        ("java8.al2", "2027-06-30"),
        ("java8", "2024-01-08"),
        ("dotnet10", "2028-11-14"),
        ("dotnet8", "2026-11-10"),
        ("dotnet6", "2024-12-20"),
        ("dotnetcore3.1", "2023-04-03"),
        ("dotnetcore2.1", "2022-01-05"),
        ("dotnetcore2.0", "2019-05-30"),
        ("dotnetcore1.0", "2019-06-27"),
        ("ruby4.0", "2029-03-31"),
        ("ruby3.4", "2028-03-31"),
        ("ruby3.3", "2027-03-31"),
        ("ruby3.2", "2026-03-31"),
        ("ruby2.7", "2023-12-07"),
        ("ruby2.5", "2021-07-30"),
        ("go1.x", "2024-01-08"),
        ("provided.al2023", "2029-06-30"),
        ("provided.al2", "2026-07-31"),
        ("provided", "2024-01-08"),
    ],
};

/// The end of a runtime that is supported and for which the vendor has not set a day.
const NOT_SCHEDULED: &str = "9999-12-31";

/// The deprecation dates of Google's runtimes, after which there is no support. Where Google names only a month, its
/// last day.
/// <https://docs.cloud.google.com/run/docs/runtimes/function-runtimes>,
/// <https://docs.cloud.google.com/docs/buildpacks/runtime-support>, as of 2026-04-14
pub static GOOGLE: Table = Table {
    vendor: "Google",
    as_of: "April 2026",
    entries: &[
        ("nodejs24", "2028-04-30"),
        ("nodejs22", "2027-04-30"),
        ("nodejs20", "2026-04-30"),
        ("nodejs18", "2025-04-30"),
        ("nodejs16", "2024-01-30"),
        ("nodejs14", "2024-01-30"),
        ("nodejs12", "2024-01-30"),
        ("nodejs10", "2024-01-30"),
        ("nodejs8", "2020-06-05"),
        ("nodejs6", "2019-04-17"),
        ("python314", "2030-10-10"),
        ("python313", "2029-10-10"),
        ("python312", "2028-10-02"),
        ("python311", "2027-10-24"),
        ("python310", "2026-10-04"),
        ("python39", "2025-10-05"),
        ("python38", "2024-10-14"),
        ("python37", "2024-01-30"),
        ("go126", NOT_SCHEDULED),
        ("go125", NOT_SCHEDULED),
        ("go124", "2026-09-02"),
        ("go123", "2026-02-21"),
        ("go122", "2026-01-28"),
        ("go121", "2025-09-03"),
        ("go120", "2024-05-01"),
        ("go119", "2024-04-30"),
        ("go118", "2024-01-30"),
        ("go116", "2024-01-30"),
        ("go113", "2024-01-30"),
        ("go111", "2020-08-05"),
        ("java25", "2031-10-31"),
        ("java21", "2031-09-30"),
        ("java17", "2027-10-31"),
        ("java11", "2024-10-31"),
        ("ruby40", "2029-03-31"),
        ("ruby34", "2028-03-31"),
        ("ruby33", "2027-03-31"),
        ("ruby32", "2026-03-31"),
        ("ruby30", "2024-03-31"),
        ("ruby27", "2024-01-30"),
        ("ruby26", "2024-01-30"),
        ("php85", "2029-12-31"),
        ("php84", "2028-12-31"),
        ("php83", "2027-12-31"),
        ("php82", "2026-12-31"),
        ("php81", "2025-12-31"),
        ("php74", "2024-01-30"),
        ("dotnet10", "2028-11-14"),
        ("dotnet8", "2026-11-10"),
        ("dotnet6", "2024-11-12"),
        ("dotnet3", "2024-01-30"),
        ("osonly24", "2029-04-30"),
    ],
};

/// The decommission dates of Google's runtimes, of the same source: from then on nothing can be deployed with one, and
/// what uses it may be disabled. Where Google names only a month, its first day.
static GOOGLE_DECOMMISSIONED: &[(&str, &str)] = &[
    ("nodejs24", "2028-10-31"),
    ("nodejs22", "2027-10-31"),
    ("nodejs20", "2026-10-30"),
    ("nodejs18", "2025-10-30"),
    ("nodejs16", "2025-01-30"),
    ("nodejs14", "2025-01-30"),
    ("nodejs12", "2025-01-30"),
    ("nodejs10", "2025-01-30"),
    ("nodejs8", "2021-02-01"),
    ("nodejs6", "2020-08-01"),
    ("python314", "2031-04-10"),
    ("python313", "2030-04-10"),
    ("python312", "2029-04-02"),
    ("python311", "2028-04-24"),
    ("python310", "2027-04-04"),
    ("python39", "2026-04-05"),
    ("python38", "2025-10-14"),
    ("python37", "2025-01-30"),
    ("go124", "2027-03-02"),
    ("go123", "2026-08-21"),
    ("go122", "2026-07-28"),
    ("go121", "2026-03-03"),
    ("go120", "2025-05-01"),
    ("go119", "2025-01-30"),
    ("go118", "2025-01-30"),
    ("go116", "2025-01-30"),
    ("go113", "2025-01-30"),
    ("go111", "2021-02-01"),
    ("java11", "2025-10-31"),
    ("ruby40", "2029-09-30"),
    ("ruby34", "2028-09-30"),
    ("ruby33", "2027-09-30"),
    ("ruby32", "2026-09-30"),
    ("ruby30", "2025-03-31"),
    ("ruby27", "2025-01-30"),
    ("ruby26", "2025-01-30"),
    ("php85", "2030-06-30"),
    ("php84", "2029-06-30"),
    ("php83", "2028-06-30"),
    ("php82", "2027-06-30"),
    ("php81", "2026-06-30"),
    ("php74", "2025-01-30"),
    ("dotnet10", "2029-05-14"),
    ("dotnet8", "2027-05-10"),
    ("dotnet6", "2025-11-12"),
    ("dotnet3", "2025-01-30"),
];

/// The decommission date of a runtime of Google's, if it has one.
pub fn decommissioned(runtime: &str) -> Option<NaiveDate> {
    GOOGLE_DECOMMISSIONED.iter().find(|(known, _)| *known == runtime)?.1.parse().ok()
}

impl Table {
    pub fn support(&self, runtime: &str, today: NaiveDate) -> Support {
        let entry = self.entries.iter().find(|(known, _)| *known == runtime);
        let Some(last_day) = entry.and_then(|(_, date)| date.parse::<NaiveDate>().ok()) else {
            return Support::NotListed;
        };
        if last_day < today {
            Support::Ended(last_day)
        } else if today.checked_add_days(NOTICE).is_some_and(|near| last_day <= near) {
            Support::EndsSoon(last_day)
        } else {
            Support::Supported
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runtime_is_marked_half_a_year_before_its_end_and_from_then_on() {
        let on = |runtime: &str, today: &str| LAMBDA.support(runtime, today.parse().unwrap());
        let end = "2027-04-30".parse().unwrap();
        assert_eq!(on("nodejs22.x", "2026-10-31"), Support::Supported);
        assert_eq!(on("nodejs22.x", "2026-11-01"), Support::EndsSoon(end));
        assert_eq!(on("nodejs22.x", "2027-04-30"), Support::EndsSoon(end));
        assert_eq!(on("nodejs22.x", "2027-05-01"), Support::Ended(end));
        assert_eq!(on("nodejs26.x", "2026-11-01"), Support::NotListed);
    }

    #[test]
    fn a_runtime_of_google_is_decommissioned_after_its_support_ended() {
        for (runtime, end) in GOOGLE.entries {
            let end: NaiveDate = end.parse().unwrap();
            assert!(decommissioned(runtime).is_none_or(|date| date > end), "{runtime}");
        }
        let today = "2026-11-27".parse().unwrap();
        assert_eq!(GOOGLE.support("go126", today), Support::Supported, "no day is set");
        assert_eq!(GOOGLE.support("nodejs20", today), Support::Ended("2026-04-30".parse().unwrap()));
        assert_eq!(GOOGLE.support("nodejs26", today), Support::NotListed);
    }

    #[test]
    fn every_line_of_the_table_is_a_date_and_stands_once() {
        for entries in [LAMBDA.entries, GOOGLE.entries, GOOGLE_DECOMMISSIONED] {
            let mut names: Vec<&str> = entries.iter().map(|(name, _)| *name).collect();
            assert!(entries.iter().all(|(_, date)| date.parse::<NaiveDate>().is_ok()));
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), entries.len());
        }
    }
}
