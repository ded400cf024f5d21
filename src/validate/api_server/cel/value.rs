//! Values as rules see them. Maps keep their order, so that a rule that names the first bad key always names the same one.

use std::fmt;

use cel::ExecutionError;
use cel::common::traits::{Container, Indexer, Iterable, Iterator as CelIterator, Sizer, Zeroer};
use cel::common::types::{CelBool, CelDouble, CelInt, CelList, CelNull, CelString, MAP_TYPE, Type};
use cel::common::value::{CowVal, StaticVal, Val};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSONSchemaProps;

use crate::api::schema::{field, item};
use crate::domain::value::time::{parse_rfc3339, rfc3339};
use crate::validate::api_server::times;
use crate::validate::node::{Entry, Node, Value};

/// The value of a node of that schema.
pub(super) fn value(node: &Node, schema: Option<&JSONSchemaProps>) -> Box<dyn Val> {
    match &node.value {
        Value::Null => Box::new(CelNull),
        Value::Bool(value) => Box::new(CelBool::from(*value)),
        Value::Int(number) => Box::new(CelInt::from(*number)),
        Value::Float(number) => Box::new(CelDouble::from(*number)),
        Value::Text(text) => Box::new(CelString::from(canonical(text, schema))),
        Value::List(items) => {
            let of_item = schema.and_then(item);
            let mut items: Vec<&Node> = items.iter().collect();
            // Two lists of which each item has a name are the same whatever the order.
            let names = schema.and_then(|schema| schema.x_kubernetes_list_map_keys.as_ref());
            if let Some(names) = names {
                items.sort_by_cached_key(|item| {
                    names
                        .iter()
                        .map(|name| item.get(name).map(|node| node.to_json().to_string()))
                        .collect::<Vec<_>>()
                });
            }
            let items: Vec<Box<dyn Val>> = items.into_iter().map(|node| value(node, of_item)).collect();
            Box::new(CelList::from(items))
        }
        Value::Map(entries) => {
            let entry = |entry: &Entry| {
                let of_entry = schema.and_then(|schema| field(schema, &entry.key));
                let value = is_readable(&entry.node, of_entry).then(|| value(&entry.node, of_entry));
                (CelString::from(entry.key.clone()), value)
            };
            let mut entries: Vec<Slot> = entries.iter().map(entry).collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            Box::new(Ordered(entries))
        }
    }
}

fn is_time(schema: Option<&JSONSchemaProps>) -> bool {
    schema.is_some_and(|schema| schema.format.as_deref() == Some("date-time"))
}

/// A time in the one form in which it can be compared as text.
fn canonical(text: &str, schema: Option<&JSONSchemaProps>) -> String {
    let time = if is_time(schema) { parse_rfc3339(text) } else { None };
    time.map_or_else(|| text.to_owned(), rfc3339)
}

/// What has the form of a time need not be one; a rule that looks at it cannot be applied then.
fn is_readable(node: &Node, schema: Option<&JSONSchemaProps>) -> bool {
    !is_time(schema) || node.text().is_none_or(times::is_readable)
}

/// An entry of a map; without a value where that cannot be read.
type Slot = (CelString<'static>, Option<Box<dyn Val>>);

/// A map in the order of its keys.
struct Ordered(Vec<Slot>);

impl Ordered {
    fn find(&self, key: &dyn Val) -> Option<&Slot> {
        let key = key.downcast_ref::<CelString>()?;
        let at = self.0.binary_search_by(|(known, _)| known.inner().cmp(key.inner())).ok()?;
        self.0.get(at)
    }
}

/// Without the values, some of which may be meant to stay secret.
impl fmt::Debug for Ordered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.iter().map(|(key, _)| key.inner())).finish()
    }
}

impl Val for Ordered {
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

impl StaticVal for Ordered {}

impl Container for Ordered {
    fn contains(&self, key: &dyn Val) -> Result<bool, ExecutionError> {
        Ok(self.find(key).is_some())
    }
}

impl Indexer for Ordered {
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

impl Iterable for Ordered {
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

impl Sizer for Ordered {
    fn size(&self) -> CelInt {
        i64::try_from(self.0.len()).unwrap_or(i64::MAX).into()
    }
}

impl Zeroer for Ordered {
    fn is_zero_value(&self) -> bool {
        self.0.is_empty()
    }
}
