//! Strongroom keeps an organisation's cloud and service credentials in one encrypted store, uses them on behalf
//! of its integrations, and shows everywhere each one is used. This is the map of the house. An arrow means "may
//! name"; every room may also name those further to the right. `tests/console/house_rules.rs` enforces it.
//!
//! ```text
//! main → commands → cli, console → api → web, jobs → usecases
//!     → runs, alerting, checkup, rewrap, audit_export → connection_test, entries
//!     → services, store, opening, verification, telemetry
//!     → draft, accounts, mail, config, echoes → models, integrations, postgres → providers → credentials
//!     → form, vault → names, hosts, trail → pasted
//! ```

#![warn(clippy::unwrap_used)]

// Comments, not documentation: what each room says of itself at its top is its page.

// Who may come in: passwords, one-time codes, the throttle, the roles; and the tokens of clients.
pub mod accounts;
// The seam of alerts: what is due, who is told, and the messages that tell them.
pub mod alerting;
// What programs are answered: the protocols by which clients fetch.
pub mod api;
// Moves old events of the audit trail to files.
pub mod audit_export;
// The *Test* of a credential: ask the provider, record.
pub mod checkup;
// The commands of the binary and what each takes.
pub mod cli;
// What the binary's commands do.
pub mod commands;
// Every setting once: flag, environment variable, sentence and default.
pub mod config;
// *Test connection* of an integration that stands on a form.
pub mod connection_test;
// The console as a process: built, bound, run until stopped. The only room that names pages and jobs together.
pub mod console;
// What a credential is: one kind a file, each a declared form and a typed payload. Knows no HTTP, no database.
pub mod credentials;
// From checked values of a kind to the row that is saved, and from the row to what pages show.
pub mod draft;
// What a peer sends back of the secret that it was given is taken out before it is shown or stored.
pub mod echoes;
// The one reader of secret stores: values of entries, passed on and never kept.
pub mod entries;
// Fields declared once, then shown, checked and turned into a payload.
pub mod form;
// How an address must be spelled, and which hosts are never anybody's server.
pub mod hosts;
// The integrations, which use credentials: scans of registries, functions and cloud accounts, deployments, and alert
// channels. They know neither the database nor the web.
pub mod integrations;
// What is done at set times.
pub mod jobs;
// What mails say: one template a letter. Sends nothing.
pub mod mail;
// What is stored: the only Diesel.
pub mod models;
// How names are written and when two are the same.
pub mod names;
// The one opener of stored credentials.
pub mod opening;
// What people paste, recognised before a strict parser speaks.
pub mod pasted;
// The private Postgres that `serve` starts when no DATABASE_URL is set.
pub mod postgres;
// How to speak to someone else's service, through the one egress client.
pub mod providers;
// Moves every sealed value to another master key.
pub mod rewrap;
// The seam: claim a run, open its credential, act, record.
pub mod runs;
// What all work shares: the database, the vault, the ways out, the caches. Names no web and no job.
pub mod services;
// Opens, founds and checks a store: the key ring, the migrations, the deployment.
pub mod store;
// Log lines and metrics.
pub mod telemetry;
// What this process remembers of the audit trail, so that nobody takes it back in the database.
pub mod trail;
// What a principal can do: permission, validation, confirmation, transaction and audit, without pages.
pub mod usecases;
// Envelope encryption of single columns, keyed checks over rows, the key ring.
pub mod vault;
// Is everything still what was stored? Opens every value and follows the audit trail.
pub mod verification;
// What a visitor sees: the URL tree, handlers and pages.
pub mod web;
