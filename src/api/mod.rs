//! What programs are answered: the URL tree on this page, a protocol a file. A program shows a token; there are no
//! cookies, no pages and no forms. Handlers take the request apart, ask a use case of `usecases::clients`, and write the
//! answer in the form of the protocol. A new route is a line below, and is walked by `tests/console/machines`. The API of
//! the seeds' vendor is for programs of users: it has a tree and a room of its own, [`vendor`].

use actix_web::web::{self, ServiceConfig};

use crate::web::Route;

mod answer;
mod aws;
mod own;
mod program;
mod vault;
pub mod vendor;

/// By the names that the tree uses.
mod guards {
    pub use actix_web::guard::{Get as get, Post as post, Put as put};
    use actix_web::guard::{Guard, GuardContext};

    /// A method that only Vault has.
    pub fn list() -> impl Guard {
        actix_web::guard::fn_guard(|context: &GuardContext<'_>| context.head().method.as_str() == "LIST")
    }
}

/// Registers each line and lists it, so that a test can walk all of them.
macro_rules! tree {
    ($($method:ident $path:literal => $handler:path;)*) => {
        /// Method and path of every route.
        pub const ROUTES: &[(&str, &str)] = &[$((stringify!($method), $path)),*];

        /// The URL tree, and what is not in it below the paths of programs.
        pub fn routes(config: &mut ServiceConfig) {
            $({
                let route = web::resource($path).app_data(Route($path)).guard(guards::$method());
                config.service(route.route(web::route().to($handler)));
            })*
            vendor::routes(config);
            for below in ["/machine/{rest:.*}", "/v1/{rest:.*}", "/api/{rest:.*}"] {
                config.service(web::resource(below).app_data(Route("other")).default_service(web::to(answer::unknown)));
            }
        }
    };
}

tree! {
    get  "/machine/v1/values/{rule}"         => own::value;
    get  "/machine/v1/values/{rule}/{field}" => own::field;
    get  "/machine/v1/sessions/{rule}"       => own::session;
    get  "/machine/v1/rules"                 => own::rules;
    get  "/machine/v1/changes"               => own::changed;
    post "/machine/v1/login"                 => own::log_in;
    get  "/machine/v1/aws/{rule}"            => aws::show;

    get  "/v1/secret/data/{rule}"            => vault::read;
    get  "/v1/secret/metadata"               => vault::list;
    get  "/v1/secret/metadata/"              => vault::list;
    list "/v1/secret/metadata"               => vault::list;
    list "/v1/secret/metadata/"              => vault::list;
    get  "/v1/secret/metadata/{rule}"        => vault::metadata;
    post "/v1/auth/token/renew-self"         => vault::renew;
    put  "/v1/auth/token/renew-self"         => vault::renew;
    post "/v1/auth/token/revoke-self"        => vault::revoke;
    put  "/v1/auth/token/revoke-self"        => vault::revoke;
    get  "/v1/auth/token/lookup-self"        => vault::look_up;
    post "/v1/auth/{mount}/login"            => vault::log_in;
    put  "/v1/auth/{mount}/login"            => vault::log_in;
    get  "/v1/sys/internal/ui/mounts/{path:.*}" => vault::mount;
    get  "/v1/sys/health"                    => vault::health;
    get  "/v1/sys/seal-status"               => vault::seal_status;
}
