//! Deployments in the console. The calls to the cluster are tested in `clusters`.

pub mod desk;
mod handed_on;
mod many;
mod screens;
mod story;
mod watched;
