//! The `OpenAPI` document, made from the types that requests and answers are read into and written from.

mod auth;
mod document;
mod parts;

pub use document::document;
