//! Arguments that are one of a list of names.

use clap::builder::{PossibleValuesParser, TypedValueParser};

/// Takes one of `all` by its name.
pub(super) fn named<T: Copy + Send + Sync + 'static, const N: usize>(
    all: [T; N],
    name: fn(T) -> &'static str,
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(all.map(name)).try_map(move |given| {
        all.into_iter().find(|one| name(*one) == given).ok_or_else(|| format!("no {given}"))
    })
}
