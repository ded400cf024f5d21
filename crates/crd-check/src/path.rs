//! Where in an object a field is.

use std::fmt;

/// The way from an object's root to a field, as the API server writes it: `spec.publish[0].labels[team]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path(Vec<Step>);

/// One step of a [`Path`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Into a field that the schema names.
    Field(String),
    /// Into an entry of a map.
    Key(String),
    /// Into an item of a list.
    Index(usize),
}

impl Path {
    /// The path of a field below `names`.
    pub fn of(names: &[&str]) -> Self {
        Self(names.iter().map(|name| Step::Field((*name).to_owned())).collect())
    }

    /// The path of a field in it.
    #[must_use]
    pub fn field(&self, name: &str) -> Self {
        self.and(Step::Field(name.to_owned()))
    }

    /// The path of an entry in it.
    #[must_use]
    pub fn key(&self, name: &str) -> Self {
        self.and(Step::Key(name.to_owned()))
    }

    /// The path of an item in it.
    #[must_use]
    pub fn index(&self, at: usize) -> Self {
        self.and(Step::Index(at))
    }

    /// The path with that of a rule's `fieldPath` behind it, such as `.secret.name`.
    #[must_use]
    pub fn join(&self, field_path: &str) -> Self {
        field_path
            .split('.')
            .filter(|name| !name.is_empty())
            .fold(self.clone(), |path, name| path.field(name))
    }

    /// Its steps, the first one at the root.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// Its last step, and the way to what that is in.
    pub fn split_last(&self) -> (Option<&Step>, Self) {
        match self.0.split_last() {
            Some((last, parent)) => (Some(last), Self(parent.to_vec())),
            None => (None, Self::default()),
        }
    }

    fn and(&self, step: Step) -> Self {
        Self(self.0.iter().cloned().chain([step]).collect())
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.0.iter().enumerate() {
            match step {
                Step::Field(name) if at == 0 => f.write_str(name)?,
                Step::Field(name) => write!(f, ".{name}")?,
                Step::Key(name) => write!(f, "[{name}]")?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_reads_as_the_api_server_writes_it() {
        let path = Path::of(&["spec", "publish"]).index(0).field("labels").key("a.b/c");
        assert_eq!(path.to_string(), "spec.publish[0].labels[a.b/c]");
        assert_eq!(Path::of(&["spec"]).join(".secret.name").to_string(), "spec.secret.name");
        assert_eq!(Path::default().to_string(), "");
    }
}
