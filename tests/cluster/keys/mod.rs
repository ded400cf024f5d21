//! What becomes of access keys: issued, rotated, switched, published, repaired, restored.

mod issue;
mod publish;
mod repair;
mod restore;
mod revision;
mod rotation;
mod sealing;
mod switch;
mod unused;
