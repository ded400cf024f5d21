//! Maps as rules see them. They keep their order, so that a rule that names the first bad key always names
//! the same one.

use std::fmt;

use cel::ExecutionError;
use cel::common::traits::{Container, Indexer, Iterable, Iterator as CelIterator, Sizer, Zeroer};
use cel::common::types::{CelInt, CelString, MAP_TYPE, Type};
use cel::common::value::{CowVal, StaticVal, Val};

/// An entry of a map; without a value where that cannot be read.
pub(super) type Slot = (CelString<'static>, Option<Box<dyn Val>>);

/// A map in the order of its keys.
pub(super) struct OrderedMap(Vec<Slot>);

impl OrderedMap {
    pub(super) fn new(mut slots: Vec<Slot>) -> Self {
        slots.sort_by(|a, b| a.0.cmp(&b.0));
        Self(slots)
    }

    fn find(&self, key: &dyn Val) -> Option<&Slot> {
        let key = key.downcast_ref::<CelString>()?;
        let at = self.0.binary_search_by(|(known, _)| known.inner().cmp(key.inner())).ok()?;
        self.0.get(at)
    }
}

/// Without the values, some of which may be meant to stay secret.
impl fmt::Debug for OrderedMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.iter().map(|(key, _)| key.inner())).finish()
    }
}

impl Val for OrderedMap {
    fn get_type(&self) -> &Type {
        &MAP_TYPE
    }

    fn cel_type() -> &'static Type {
        &MAP_TYPE
    }

    fn as_container(&self) -> Option<&dyn Container> {
        Some(self)
    }

    fn as_indexer<'b, 'v>(&'b self) -> Option<&'b (dyn Indexer + 'v)>
    where
        Self: 'v,
    {
        Some(self)
    }

    fn as_iterable<'b, 'v>(&'b self) -> Option<&'b (dyn Iterable + 'v)>
    where
        Self: 'v,
    {
        Some(self)
    }

    fn as_sizer(&self) -> Option<&dyn Sizer> {
        Some(self)
    }

    fn as_zeroer(&self) -> Option<&dyn Zeroer> {
        Some(self)
    }

    fn equals(&self, other: &dyn Val) -> bool {
        let Some(Self(other)) = other.downcast_ref::<Self>() else { return false };
        let same = |own: &Slot, its: &Slot| match (&own.1, &its.1) {
            (Some(own), Some(its)) => own.equals(its.as_ref()),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        self.0.len() == other.len()
            && self.0.iter().zip(other).all(|(own, its)| own.0 == its.0 && same(own, its))
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v>
    where
        Self: 'v,
    {
        let copy = |(key, value): &Slot| (key.clone(), value.as_ref().map(|value| value.clone_as_boxed()));
        Box::new(Self(self.0.iter().map(copy).collect()))
    }

    fn as_any(&self) -> Option<&dyn std::any::Any> {
        Some(self)
    }
}

impl StaticVal for OrderedMap {}

impl Container for OrderedMap {
    fn contains(&self, key: &dyn Val) -> Result<bool, ExecutionError> {
        Ok(self.find(key).is_some())
    }
}

impl Indexer for OrderedMap {
    fn get<'b, 'v>(&'b self, key: &dyn Val) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        let name = || key.downcast_ref::<CelString>().map(|key| key.inner().to_owned()).unwrap_or_default();
        match self.find(key) {
            None => Err(ExecutionError::NoSuchKey(name().into())),
            Some((_, Some(value))) => Ok(CowVal::Borrowed(value.as_ref())),
            Some((_, None)) => {
                Err(ExecutionError::function_error("timestamp", format!("`{}` is no time", name())))
            }
        }
    }

    fn steal<'v>(self: Box<Self>, key: &dyn Val) -> Result<Box<dyn Val + 'v>, ExecutionError>
    where
        Self: 'v,
    {
        self.get(key).map(CowVal::into_owned)
    }
}

impl Iterable for OrderedMap {
    fn iter<'b, 'v>(&'b self) -> Box<dyn CelIterator<'b, 'v> + 'b>
    where
        Self: 'v,
    {
        Box::new(Keys(self.0.iter()))
    }
}

/// The keys, one after the other.
struct Keys<'b>(std::slice::Iter<'b, Slot>);

impl<'b, 'v> CelIterator<'b, 'v> for Keys<'b> {
    fn next(&mut self) -> Option<&'b (dyn Val + 'v)> {
        self.0.next().map(|(key, _)| key as &dyn Val)
    }
}

impl Sizer for OrderedMap {
    fn size(&self) -> CelInt {
        i64::try_from(self.0.len()).unwrap_or(i64::MAX).into()
    }
}

impl Zeroer for OrderedMap {
    fn is_zero_value(&self) -> bool {
        self.0.is_empty()
    }
}
