//! `strongroom-client`: the real binary, against the wire of the console as a stand-in speaks it, and used by the tools
//! and SDKs that it is for, unmodified.

mod agent;
mod clouds;
mod console;
mod delivery;
mod exec;
mod git;
mod kubectl;
mod kubelet;
mod login;
mod names;
mod registries;
mod small;
mod stand_in;
mod user;
