//! What is generated from the source, so that it cannot differ from it. For developers: none of it is in the programs that are
//! shipped, and nothing that they need belongs here.

pub mod file;
pub mod generated;
pub mod markdown;
pub mod pages;
