//! Deployments as people and the console handle them. What is said to the cluster is tested in `clusters`.

mod many;
mod screens;
mod story;
