//! The pages of a deployment: how it stands in its cluster, what deploying would change there, going back to the settings
//! before, and removing it.

pub mod deploy;
mod panel;
pub mod preview;
pub mod remove;
pub mod show;
pub mod standing;
pub mod undo;
