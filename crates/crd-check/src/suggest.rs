//! "Did you mean": which known name somebody may have meant.

use strsim::{damerau_levenshtein, normalized_damerau_levenshtein};

/// How like the given name a known one must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Likeness {
    /// A slip of the keyboard: at most one letter in three is wrong, and at least one may be. Close enough to
    /// call the given name a mistake because of it.
    Slip,
    /// Half of the letters agree, or one name begins with the other. Close enough to show to somebody who
    /// chooses.
    Similar,
}

/// Those of `known` that are so like `given`, without regard to case: the most alike first, equally alike
/// ones in the order of `known`.
pub fn did_you_mean<'a>(
    given: &str,
    known: impl IntoIterator<Item = &'a str>,
    likeness: Likeness,
) -> Vec<&'a str> {
    let given = given.to_lowercase();
    let mut alike: Vec<(f64, &str)> = known
        .into_iter()
        .map(|name| (name.to_lowercase(), name))
        .filter(|(lower, _)| is_alike(&given, lower, likeness))
        .map(|(lower, name)| (normalized_damerau_levenshtein(&given, &lower), name))
        .collect();
    alike.sort_by(|a, b| b.0.total_cmp(&a.0));
    alike.into_iter().map(|(_, name)| name).collect()
}

fn is_alike(given: &str, known: &str, likeness: Likeness) -> bool {
    match likeness {
        Likeness::Slip => {
            let wrong = given.chars().count().min(known.chars().count()) / 3;
            damerau_levenshtein(given, known) <= wrong.max(1)
        }
        Likeness::Similar => {
            let begins = !given.is_empty() && (known.starts_with(given) || given.starts_with(known));
            begins || normalized_damerau_levenshtein(given, known) >= 0.5
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Likeness, did_you_mean};

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
            let nearest = did_you_mean(given, fields, Likeness::Slip).first().copied();
            assert_eq!(nearest, meant, "{given}");
        }
    }

    #[test]
    fn similar_names_come_with_the_nearest_first() {
        let names = ["ci-bot", "ci-bot-2", "billing-bot", "deploy"];
        for (given, meant) in [
            ("ci-bto", &["ci-bot", "ci-bot-2"][..]),
            ("deploi", &["deploy"]),
            ("billing", &["billing-bot"]),
            ("zzz", &[]),
            ("", &[]),
        ] {
            assert_eq!(did_you_mean(given, names, Likeness::Similar), meant, "{given}");
        }
    }
}
