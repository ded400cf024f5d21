//! What RBAC gives, and how the answer shows it.

mod answer;
mod rbac;
