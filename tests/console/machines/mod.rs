//! What the console says to programs: what is issued from a credential, and the protocols by which it is fetched.

mod issue;
