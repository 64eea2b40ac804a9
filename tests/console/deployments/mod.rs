//! Deployments as people and the console handle them. What is said to the cluster is tested in `clusters`.

mod desk;
mod handed_on;
mod many;
mod screens;
mod story;
mod watched;
