//! Deployments as people and the console handle them. What is said to the cluster is tested in `clusters`.

mod desk;
mod handed_on;
mod many;
mod story;
mod watched;
