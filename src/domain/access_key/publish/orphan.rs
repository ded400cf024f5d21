//! What to do about a Secret that was published into another namespace: it goes once its key is gone.

use crate::domain::plan;

/// What the decision about one published Secret reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observed {
    /// The key that it was published for exists, with the UID that the Secret names.
    pub key_exists: bool,
}

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Delete it, if it still has this UID.
    Delete,
}

/// What to do about a published Secret. Time alone changes nothing about it.
pub type Plan = plan::Plan<Action>;

/// Decides.
pub fn plan(observed: &Observed) -> Plan {
    if observed.key_exists { Plan::default() } else { Plan::only(Action::Delete) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_published_secret_goes_with_its_key_and_never_before() {
        assert_eq!(plan(&Observed { key_exists: true }), Plan::default());
        assert_eq!(plan(&Observed { key_exists: false }), Plan::only(Action::Delete));
    }
}
