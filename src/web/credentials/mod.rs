//! The credentials' screens: table, form, page, deletion.

pub mod draft;
