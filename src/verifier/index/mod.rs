//! What the verifier knows of the cluster, by token id. Readers take no lock; there is one writer at a time,
//! and a reader sees each object as it was before a change or after it, never in between. Nothing of HTTP and
//! no client comes in.
//!
//! ```text
//!   what a request reads                          what a change of an object writes
//!
//!   token id ──▶ Entry ── hash, TokenState (one   namespace ──▶ NamespaceObjects
//!                  │      atomic number), Usage     ├─ keys:             name ──▶ KeyRecord
//!                  ▼                                │                       (Key, its token ids, version)
//!                 Key ── name, UID, issued_for      ├─ service accounts: name ──▶ ServiceAccountRecord
//!                  │     (many tokens, one key)     │                       (Holder, facts, its keys' names)
//!                  ▼                                └─ grants:           name ──▶ GrantFacts
//!               Holder ── actor, grants
//!                         (many keys, one service account)
//!
//!   a key changes ─────────────▶ its Entries are put, or updated in place; those of lost tokens are removed
//!   a service account changes ─▶ TokenState of each Entry of each of its keys
//!   a grant changes ───────────▶ Holder.grants, swapped whole
//! ```

mod entry;
mod objects;
mod store;
mod version;

pub use entry::{Entry, Holder, Key, TokenState, Usage, actor};
pub use store::{Index, ReadGuard};
pub use version::{KeyVersion, ObjectName, Version};

#[cfg(test)]
mod tests;
