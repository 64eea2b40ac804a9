//! The API of the seeds' vendor, as its clients speak it: `/api/v1/…`, and `/api/v34.04/…` for the same. A program shows a
//! session token, or user and password with each call. Success is exactly 200, and has no body where nothing is asked for;
//! an error is `{"err": "…"}`. A noun a file: a handler takes the request apart, asks a use case, and writes the answer.
//! What is served is described in `openapi.json`, which tests hold against this tree. Strongroom's own names are turned into
//! the vendor's here and nowhere else.

use actix_web::web::{self, PayloadConfig, ServiceConfig};

use crate::web::Route;

mod answer;
mod audits;
mod caller;
mod clouds;
mod credential;
mod credentials;
mod deployments;
mod json;
mod profiles;
mod registries;
mod scans;
mod session;

/// By the names that the tree uses.
mod guards {
    pub use actix_web::guard::{Delete as delete, Get as get, Post as post, Put as put};
}

/// Registers each line and lists it, so that a test can walk all of them.
macro_rules! tree {
    ($($method:ident $path:literal => $handler:path;)*) => {
        /// Method and path, below `/api/v1`, of every route.
        pub const ROUTES: &[(&str, &str)] = &[$((stringify!($method), $path)),*];

        /// The URL tree of the API.
        pub fn routes(config: &mut ServiceConfig) {
            $({
                let path = concat!("/api/{version:v1|v[0-9][0-9][.][0-9][0-9]}", $path);
                let resource = web::resource(path).app_data(Route(concat!("/api/v1", $path)));
                let resource = resource.app_data(PayloadConfig::new(json::LIMIT)).guard(guards::$method());
                config.service(resource.route(web::route().to($handler)));
            })*
        }
    };
}

tree! {
    get  "/_ping"               => session::ping;
    get  "/version"             => session::version;
    get  "/openapi.json"        => session::openapi;
    post "/authenticate"        => session::create;
    get  "/authenticate/renew"  => session::renew;

    get    "/credentials"                 => credentials::index;
    post   "/credentials"                 => credentials::create;
    get    "/credentials/{name:.*}/usages" => credentials::usages;
    delete "/credentials/{name:.*}"       => credentials::destroy;
    get    "/prisma-cloud-credentials"    => credentials::onboarded;

    get  "/settings/registry"    => registries::index;
    put  "/settings/registry"    => registries::replace;
    post "/settings/registry"    => registries::create;
    post "/registry/scan"        => scans::create;
    post "/registry/scan/select" => scans::select;
    post "/registry/stop"        => scans::stop;
    get  "/registry/progress"    => scans::progress;

    get  "/settings/serverless-scan" => clouds::functions;
    put  "/settings/serverless-scan" => clouds::replace_functions;
    post "/settings/serverless-scan" => clouds::add_functions;
    get  "/cloud-scan-rules"         => clouds::rules;
    get  "/policies/cloud-platforms" => clouds::platforms;
    get  "/cloud/discovery"          => clouds::discovered;
    get  "/cloud/discovery/entities" => clouds::entities;
    post "/cloud/discovery/scan"     => clouds::scan;
    post "/cloud/discovery/stop"     => clouds::stop;

    get    "/alert-profiles"          => profiles::index;
    get    "/alert-profiles/names"    => profiles::names;
    post   "/alert-profiles/test"     => profiles::test;
    delete "/alert-profiles/{name:.*}" => profiles::destroy;

    get  "/audits/mgmt"          => audits::index;
    get  "/audits/mgmt/filters"  => audits::filters;
    get  "/audits/mgmt/download" => audits::download;
    get  "/deployment/daemonsets" => deployments::index;
}
