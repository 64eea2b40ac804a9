//! Deployments in the console. The calls to the cluster are tested in `clusters`.

mod many;
mod story;
