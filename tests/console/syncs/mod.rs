//! Secret syncs, against a real control plane: what reaches the cluster, who may send it there, and what stays out.

mod desk;
mod drift;
mod entries;
mod kept;
mod owners;
mod redirected;
mod released;
mod rights;
mod screens;
