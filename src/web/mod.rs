//! What a visitor sees. Handlers, their templates and the URL tree; nothing here opens a secret or speaks to a
//! provider. A screen is a file in its noun's folder and a line in the URL tree.

pub mod assets;
