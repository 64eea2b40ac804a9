//! The pages of a deployment: its state in the cluster, the preview, going back to the previous settings, and removal.

pub mod deploy;
pub(super) mod panel;
pub mod preview;
pub mod remove;
pub mod show;
pub mod standing;
pub mod undo;
