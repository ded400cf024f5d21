//! What developers of Keyward need beside cargo: what is generated from the source, so that it cannot differ
//! from it, and what is checked of it. None of it is in the programs that are shipped, and nothing that they
//! need belongs here.

pub mod file;
pub mod generated;
pub mod imports;
pub mod markdown;
pub mod pages;
