//! What someone may have meant.

use strsim::damerau_levenshtein;

/// The one of `known` that `given` is most like, if it is like one of them.
pub(crate) fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = given.to_lowercase();
    let far = |name: &str| damerau_levenshtein(&lower, &name.to_lowercase());
    let nearest = known.into_iter().min_by_key(|name| far(name))?;
    let enough = given.chars().count().min(nearest.chars().count()) / 3;
    (far(nearest) <= enough.max(1)).then_some(nearest)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_is_told_from_another_word() {
        let fields = ["serviceAccountName", "state", "validFor", "description"];
        for (given, meant) in [
            ("stat", Some("state")),
            ("State", Some("state")),
            ("valid_for", Some("validFor")),
            ("serviceAcountName", Some("serviceAccountName")),
            ("serviceaccountname", Some("serviceAccountName")),
            ("desc", None),
            ("icon", None),
            ("x", None),
        ] {
            assert_eq!(nearest(given, fields), meant, "{given}");
        }
    }
}
