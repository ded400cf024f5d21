//! The verifier's certificate, where nobody gives it one: made by an authority of the installation's own, and
//! renewed in time. What is to be made is decided in `plan`, made in `make`, and read and written in
//! `keeper`.

pub(super) mod keeper;
mod make;
mod plan;
#[cfg(test)]
mod tests;
