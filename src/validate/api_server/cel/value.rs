//! Values as rules see them. Maps keep their order, so that a rule that names the first bad key always names the same one.

use std::fmt;

use cel::ExecutionError;
use cel::common::traits::{Container, Indexer, Iterable, Iterator as CelIterator, Sizer, Zeroer};
use cel::common::types::{CelBool, CelDouble, CelInt, CelList, CelNull, CelString, MAP_TYPE, Type};
use cel::common::value::{CowVal, StaticVal, Val};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSONSchemaProps;

use crate::api::schema::{field, item};
use crate::domain::time::{parse_rfc3339, rfc3339};
use crate::validate::node::{Node, Value};

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
                    names.iter().map(|name| item.get(name).map(|node| node.to_json().to_string())).collect::<Vec<_>>()
                });
            }
            let items: Vec<Box<dyn Val>> = items.into_iter().map(|node| value(node, of_item)).collect();
            Box::new(CelList::from(items))
        }
        Value::Map(entries) => {
            let mut entries: Vec<(CelString<'static>, Box<dyn Val>)> = entries
                .iter()
                .map(|entry| {
                    let of_entry = schema.and_then(|schema| field(schema, &entry.key));
                    (CelString::from(entry.key.clone()), value(&entry.node, of_entry))
                })
                .collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            Box::new(Ordered(entries))
        }
    }
}

/// A time in the one form in which it can be compared as text.
fn canonical(text: &str, schema: Option<&JSONSchemaProps>) -> String {
    let is_time = schema.is_some_and(|schema| schema.format.as_deref() == Some("date-time"));
    let time = if is_time { parse_rfc3339(text) } else { None };
    time.map_or_else(|| text.to_owned(), rfc3339)
}

/// A map in the order of its keys.
struct Ordered(Vec<(CelString<'static>, Box<dyn Val>)>);

impl Ordered {
    fn find(&self, key: &dyn Val) -> Option<&(dyn Val + 'static)> {
        let key = key.downcast_ref::<CelString>()?;
        let at = self.0.binary_search_by(|(known, _)| known.inner().cmp(key.inner())).ok()?;
        self.0.get(at).map(|(_, value)| value.as_ref())
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
        self.0.len() == other.len()
            && self.0.iter().zip(other).all(|(own, its)| own.0 == its.0 && own.1.equals(its.1.as_ref()))
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v>
    where
        Self: 'v,
    {
        Box::new(Self(self.0.iter().map(|(key, value)| (key.clone(), value.clone_as_boxed())).collect()))
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
        self.find(key).map(CowVal::Borrowed).ok_or_else(|| ExecutionError::NoSuchKey(name().into()))
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
struct Keys<'b>(std::slice::Iter<'b, (CelString<'static>, Box<dyn Val>)>);

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
