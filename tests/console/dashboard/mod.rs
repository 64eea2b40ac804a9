//! The first page: its figures, what needs attention, and the counts that it is made of.

mod counts;
mod first_hour;
mod lines;
mod page;
