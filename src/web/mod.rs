//! What a visitor sees: the whole URL tree on this page, one screen a file in its noun's folder. Handlers ask the
//! models, seal nothing by themselves and speak to no provider. A new screen is a file, a template, a line below, and a
//! line in the tables of `tests/console/access.rs` and `step_up.rs`, which fail until it is there.

use actix_web::web::{self, ServiceConfig};

pub mod account;
pub mod admission;
pub mod alerts;
pub mod assets;
pub mod audit;
mod bulk;
mod chip;
pub mod clients;
pub mod cloud_keys;
pub mod clusters;
pub mod credentials;
pub mod csv;
pub mod dashboard;
pub mod deliveries;
pub mod device;
pub mod discovery;
pub mod error;
mod escapes;
pub mod forwarded;
pub mod health;
pub mod help;
pub mod hooks;
pub mod htmx;
pub mod integrations;
pub mod kept;
pub mod login;
pub mod machines;
pub mod marks;
pub mod metrics;
pub mod numbers;
pub mod page;
mod pager;
pub mod params;
pub mod password;
mod place;
pub mod posted;
mod problem;
pub mod recipients;
mod rollouts;
mod route;
pub mod sample;
pub mod search;
pub mod security;
pub mod session;
pub mod setup;
pub mod step_up;
mod table;
pub mod users;
pub mod views;

pub use route::Route;

/// What a process without pages answers: the probes.
pub fn probes(config: &mut ServiceConfig) {
    config.route("/livez", web::get().to(health::live)).route("/readyz", web::get().to(health::ready));
}

/// By the names that the tree uses.
mod guards {
    pub use actix_web::guard::{Get as get, Post as post};
}

/// Registers each line and lists it, so that a test can walk all of them.
macro_rules! tree {
    ($($method:ident $path:literal => $handler:path;)*) => {
        /// Method and path of every route but the static files.
        pub const ROUTES: &[(&str, &str)] = &[$((stringify!($method), $path)),*];

        /// The URL tree: matched from the top, so what is visited most comes first.
        pub fn routes(config: &mut ServiceConfig) {
            // An id that is none names no page.
            config.app_data(web::PathConfig::default().error_handler(|_, _| error::Error::NotFound.into()));
            config.service(assets::show);
            $({
                let route = web::resource($path).app_data(Route($path)).guard(guards::$method());
                config.service(route.route(web::$method().to($handler)));
            })*
        }
    };
}

tree! {
    get  "/"         => dashboard::show;
    post "/first-steps" => dashboard::first_steps::update;
    post "/sample-data"        => sample::create;
    post "/sample-data/remove" => sample::destroy;
    get  "/livez"    => health::live;
    get  "/readyz"   => health::ready;

    get  "/credentials"              => credentials::index::index;
    post "/credentials"              => credentials::new::create;
    post "/credentials/bulk"         => credentials::bulk::post;
    get  "/credentials.csv"          => credentials::export::csv;
    post "/credentials/test"         => credentials::checkup::unsaved;
    get  "/credentials/new"          => credentials::new::new;
    get  "/credentials/import"       => credentials::import::new;
    post "/credentials/import"       => credentials::import::create;
    get  "/credentials/{id}"         => credentials::show::show;
    post "/credentials/{id}/test"    => credentials::checkup::saved;
    get  "/credentials/{id}/usages"  => credentials::usages::index;
    get  "/credentials/{id}/edit"    => credentials::edit::edit;
    post "/credentials/{id}/edit"    => credentials::edit::update;
    get  "/credentials/{id}/rotate"  => credentials::rotate::edit;
    post "/credentials/{id}/rotate"  => credentials::rotate::update;
    get  "/credentials/{id}/replace" => credentials::replace::edit;
    post "/credentials/{id}/replace" => credentials::replace::update;
    post "/credentials/{id}/replace/undo" => credentials::replace::destroy;
    post "/credentials/{id}/limit"   => credentials::limit::update;
    get  "/credentials/{id}/delete"  => credentials::delete::confirm;
    post "/credentials/{id}/delete"  => credentials::delete::destroy;

    get  "/integrations"                 => integrations::index::index;
    get  "/integrations.csv"             => integrations::table_export::csv;
    post "/integrations/bulk"            => integrations::bulk::post;
    get  "/integrations/new"             => integrations::new::new;
    post "/integrations"                 => integrations::new::create;
    get  "/integrations/{id}"            => integrations::show::show;
    get  "/integrations/{id}/items.csv"  => integrations::export::csv;
    get  "/integrations/{id}/images.csv" => integrations::export::csv;
    get  "/integrations/{id}/items.json" => integrations::export::json;
    get  "/integrations/{id}/images.txt" => integrations::export::references;
    get  "/integrations/{id}/gaps.csv"   => integrations::gaps::index;
    get  "/items/{id}"                   => integrations::item::show;
    get  "/integrations/{id}/edit"       => integrations::edit::edit;
    post "/integrations/{id}/edit"       => integrations::edit::update;
    post "/integrations/{id}/activation" => integrations::activation::update;
    get  "/integrations/{id}/delete"     => integrations::delete::confirm;
    post "/integrations/{id}/delete"     => integrations::delete::delete;
    get  "/integrations/{id}/import"     => integrations::store_import::new;
    post "/integrations/{id}/import"     => integrations::store_import::create;
    post "/integrations/{id}/runs"       => integrations::runs::create;
    post "/integrations/{id}/stop"       => integrations::runs::stop;
    post "/integrations/{id}/preview"    => integrations::deployment::preview::create;
    post "/integrations/{id}/deploy"     => integrations::deployment::deploy::create;
    get  "/integrations/{id}/undo"       => integrations::deployment::undo::confirm;
    post "/integrations/{id}/undo"       => integrations::deployment::undo::create;
    get  "/integrations/{id}/removal"    => integrations::deployment::remove::confirm;
    post "/integrations/{id}/removal"    => integrations::deployment::remove::create;
    get  "/integrations/{id}/secrets/new"           => integrations::sync::edit::new;
    post "/integrations/{id}/secrets/new"           => integrations::sync::edit::create;
    get  "/integrations/{id}/secrets/{item}/edit"   => integrations::sync::edit::edit;
    post "/integrations/{id}/secrets/{item}/edit"   => integrations::sync::edit::update;
    get  "/integrations/{id}/secrets/{item}/delete" => integrations::sync::delete::confirm;
    post "/integrations/{id}/secrets/{item}/delete" => integrations::sync::delete::destroy;
    post "/integrations/{id}/test-alert" => integrations::trial::create;
    post "/integrations/{id}/webhook"     => integrations::hook::create;
    post "/integrations/{id}/webhook/off" => integrations::hook::destroy;
    post "/hooks/{id}/{key}"             => hooks::receive;

    get  "/integrations/{id}/recipients/new" => recipients::new::new;
    post "/integrations/{id}/recipients"     => recipients::new::create;
    post "/recipients/{id}/remove"           => recipients::remove::destroy;
    get  "/recipients/{id}/confirm/{key}"     => recipients::confirm::new;
    post "/recipients/{id}/confirm/{key}"     => recipients::confirm::create;
    get  "/recipients/{id}/unsubscribe/{key}" => recipients::unsubscribe::new;
    post "/recipients/{id}/unsubscribe/{key}" => recipients::unsubscribe::create;

    get  "/cloud-keys"     => cloud_keys::index;
    get  "/cloud-keys.csv" => cloud_keys::export::index;
    post "/cloud-keys/{id}/snooze"       => cloud_keys::snooze::create;
    post "/cloud-keys/snoozed/{id}/stop" => cloud_keys::snooze::stop;
    get  "/discovery"      => discovery::index;
    get  "/discovery.csv"  => discovery::export::index;
    get  "/clusters"       => clusters::index;
    get  "/clusters.csv"   => clusters::export::csv;
    post "/clusters/upgrade"   => rollouts::new;
    post "/rollouts"           => rollouts::create;
    get  "/rollouts/{id}"      => rollouts::show;
    post "/rollouts/{id}/stop" => rollouts::stop;

    get  "/clients"     => clients::index::index;
    post "/clients"     => clients::form::create;
    get  "/clients.csv" => clients::export::csv;
    get  "/clients/new" => clients::form::new;
    get  "/clients/{id}" => clients::show::show;
    get  "/clients/{id}/edit"       => clients::form::edit;
    post "/clients/{id}/edit"       => clients::form::update;
    post "/clients/{id}/activation" => clients::form::activation;
    get  "/clients/{id}/delete"     => clients::delete::confirm;
    post "/clients/{id}/delete"     => clients::delete::destroy;
    get  "/clients/{id}/logins/new" => clients::logins::new;
    post "/clients/{id}/logins/new" => clients::logins::create;
    get  "/clients/{id}/logins/{login}/rotate" => clients::logins::rotate;
    post "/clients/{id}/logins/{login}/rotate" => clients::logins::create_rotated;
    get  "/clients/{id}/logins/{login}/end"    => clients::ending::of_login;
    post "/clients/{id}/logins/{login}/end"    => clients::ending::end_login;
    get  "/clients/{id}/rules/new"  => clients::rules::new;
    post "/clients/{id}/rules/new"  => clients::rules::create;
    get  "/clients/{id}/rules/{rule}/edit"   => clients::rules::edit;
    post "/clients/{id}/rules/{rule}/edit"   => clients::rules::update;
    post "/clients/{id}/rules/{rule}/refresh" => clients::ending::refresh_rule;
    get  "/clients/{id}/rules/{rule}/delete" => clients::ending::of_rule;
    post "/clients/{id}/rules/{rule}/delete" => clients::ending::delete_rule;

    get  "/search"         => search::show;

    get  "/help"                     => help::index;
    get  "/help/{name}"              => help::concept;
    get  "/help/credentials/{slug}"  => help::credential;
    get  "/help/integrations/{slug}" => help::integration;
    post "/views"             => views::create;
    post "/views/{id}"        => views::update;
    post "/views/{id}/delete" => views::destroy;

    get  "/setup"    => setup::new;
    post "/setup"    => setup::create;
    get  "/login"    => login::new;
    post "/login"    => login::create;
    get  "/login/code" => login::code;
    post "/login/code" => login::check_code;
    post "/logout"   => login::destroy;
    get  "/password" => password::choose::new;
    post "/password" => password::choose::create;
    get  "/password/forgot" => password::forgot::new;
    post "/password/forgot" => password::forgot::create;

    get  "/account"  => account::show;
    get  "/account/password" => account::password::show;
    post "/account/password" => account::password::update;
    post "/account/email" => account::email::update;
    post "/account/preferences" => account::preferences::update;
    post "/account/sessions/end-others" => account::sessions_list::end_others;
    post "/account/sessions/{id}/end" => account::sessions_list::end;
    get  "/account/tokens/new" => account::tokens::new;
    post "/account/tokens"     => account::tokens::create;
    get  "/account/tokens/{id}/end" => account::tokens::confirm;
    post "/account/tokens/{id}/end" => account::tokens::end;
    get  "/account/two-step" => account::two_step::show;
    post "/account/two-step" => account::two_step::create;
    post "/account/two-step/off" => account::two_step::destroy;
    post "/account/two-step/codes" => account::two_step::renew_codes;
    get  "/account/confirm" => account::confirm::new;
    post "/account/confirm" => account::confirm::create;

    get  "/users"    => users::index::index;
    get  "/users.csv" => users::export::csv;
    get  "/users/new" => users::new::new;
    post "/users/new" => users::new::create;
    get  "/users/{id}" => users::show::show;
    post "/users/{id}/role" => users::edit::role;
    post "/users/{id}/disabled" => users::edit::disabled;
    post "/users/{id}/password" => users::edit::password;
    post "/users/{id}/two-step" => users::edit::two_step;
    post "/users/{id}/sessions/end" => users::edit::end_sessions;
    post "/users/{id}/email" => users::mail::address;
    post "/users/{id}/invitation" => users::mail::invitation;
    get  "/users/{id}/delete" => users::delete::confirm;
    post "/users/{id}/delete" => users::delete::destroy;

    get  "/audit"    => audit::index;
    get  "/audit.csv" => audit::export::show;

    get  "/alerts"          => alerts::index::index;
    get  "/alerts.csv"      => alerts::export::csv;
    get  "/alerts/settings" => alerts::settings::edit;
    post "/alerts/settings" => alerts::settings::update;
    post "/alerts/bulk"     => alerts::bulk::act;
    get  "/alerts/{id}"     => alerts::show::show;
    post "/alerts/{id}/acknowledge" => alerts::update::acknowledge;
    post "/alerts/{id}/snooze"      => alerts::update::snooze;
    post "/deliveries/{id}/retry"   => deliveries::retry;
    post "/deliveries/{id}/drop"    => deliveries::give_up;
    post "/integrations/{id}/undelivered" => deliveries::of_channel;
}
