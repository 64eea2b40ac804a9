//! Amazon Web Services: what a credential becomes (a [`Session`] with clients of the SDK) and how that is kept. The SDK
//! speaks through our own way out ([`connector`]) and takes nothing from the environment by itself: what the operator
//! set there is an [`Endpoints`]. What a session is used for belongs into the integration's file.

mod access;
mod answers;
mod assume;
mod connector;
pub mod ecr_public;
pub mod ecs;
pub mod eks;
pub mod eks_login;
mod endpoints;
mod environment;
pub mod held;
pub mod iam_keys;
pub mod lambda;
mod lists;
pub mod parameters;
mod place;
pub mod policies;
pub mod probe;
pub(super) mod refusal;
pub mod regions;
pub mod repositories;
pub mod roles;
pub mod root_keys;
pub mod secrets_manager;
pub mod service;
mod session;
mod sessions;
mod signed;
pub mod throttled;

pub use access::{Access, Origin};
pub use answers::{answered, refused};
pub use assume::{Assume, HOUR, LONGEST, SHORTEST};
pub use endpoints::Endpoints;
pub use lists::Listed;
pub use place::{Region, external_id, role_of};
pub use refusal::Refusal;
pub use service::Service;
pub use session::Session;
pub use sessions::{Sessions, Source};
pub use signed::{Body, Call, SignedCalls, encoded};
