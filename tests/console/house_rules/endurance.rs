//! A row of `script/endurance` whose test was renamed would run nothing.

use std::process::Command;

#[test]
fn every_row_of_the_endurance_run_is_a_test() {
    let script = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/script/endurance")).expect("the script");
    let rows = script.split("\nrows=\"\n").nth(1).and_then(|rest| rest.split("\n\"\n").next()).expect("its rows");
    let names: Vec<&str> = rows.lines().filter_map(|row| row.split_whitespace().nth(2)).collect();
    assert!(names.len() > 20, "{} rows are recognised", names.len());
    let own = std::env::current_exe().expect("this program");
    let listed = Command::new(own).arg("--list").output().expect("the tests' names").stdout;
    let listed = String::from_utf8_lossy(&listed);
    let tests: Vec<&str> = listed.lines().filter_map(|line| line.strip_suffix(": test")).collect();
    let gone: Vec<&&str> = names.iter().filter(|name| !tests.contains(name)).collect();
    assert!(gone.is_empty(), "no test has these names: {gone:#?}");
}
