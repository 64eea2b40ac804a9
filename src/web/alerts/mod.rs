//! The Alerts screens: what is open and what is closed, one alert, what is to be told and when. How an alert reads lies
//! in [`view`]; nothing is decided or sent here. A further screen is a file here and a line in the URL tree.

pub mod asked;
pub mod bulk;
mod channels;
pub mod export;
mod groups;
pub mod index;
pub mod keys;
pub mod settings;
pub mod show;
pub mod told;
pub mod update;
pub mod view;
