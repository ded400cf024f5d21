//! What an account holds: limits, admins, grants, and all of its service accounts at a glance.

mod account;
mod admins;
mod grants;
mod limits;
