//! What the console costs, as ratios to the least that the same work could cost, on one Postgres in one run. Prints the
//! table of the README. `cargo bench` runs all but the hour of `soak`; `cargo bench -- pages` runs one part.
#![allow(clippy::disallowed_methods, reason = "a benchmark starts processes and looks at the clock")]

mod alerts;
mod bare;
mod clients;
mod functions;
mod load;
mod mail;
mod openbao;
mod pages;
mod process;
mod providers;
mod reading;
mod saving;
mod soak;
mod store;
mod support;

use store::Server;

/// One line of the table.
pub struct Line {
    pub what: String,
    pub ours: String,
    pub theirs: String,
    pub ratio: String,
    pub bar: &'static str,
}

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let all = wanted.is_empty();
    let part = |name: &str| all || wanted.iter().any(|wanted| wanted == name);
    let server = Server::start();
    let mut lines = Vec::new();
    if part("pages") {
        lines.extend(pages::throughput(&server));
    }
    if part("saving") {
        lines.extend(saving::saving(&server));
    }
    if part("openbao") {
        lines.extend(openbao::saving(&server));
    }
    if part("fetching") {
        lines.extend(openbao::fetching(&server));
        lines.extend(clients::fetching(&server));
    }
    if part("rewrap") {
        lines.extend(saving::rewrapping(&server));
    }
    if part("process") {
        lines.extend(process::process(&server));
    }
    if part("reading") {
        lines.extend(process::reading(&server));
    }
    if part("testing") {
        lines.extend(providers::testing(&server));
    }
    if part("scanning") {
        lines.extend(providers::scanning(&server));
    }
    if part("large") {
        lines.extend(providers::large(&server));
    }
    if part("functions") {
        lines.extend(functions::scanning(&server));
    }
    if part("inventories") {
        lines.extend(functions::pages(&server));
    }
    // Part of `million`; by itself while somebody works on it.
    if wanted.iter().any(|wanted| wanted == "dashboard") {
        lines.extend(pages::dashboard(&server));
    }
    if part("million") {
        lines.extend(pages::million(&server));
    }
    if part("alerts") {
        lines.extend(alerts::deciding(&server));
    }
    if part("mail") {
        lines.extend(mail::sending(&server));
    }
    if wanted.iter().any(|wanted| wanted == "soak") {
        lines.extend(soak::soak(&server));
    }
    println!("\n| What | Strongroom | Bare | Ratio | Bar |\n|---|---|---|---|---|");
    for Line { what, ours, theirs, ratio, bar } in lines {
        println!("| {what} | {ours} | {theirs} | {ratio} | {bar} |");
    }
}
