//! Programs that fetch from the console, and the client that runs beside them.

mod client;
