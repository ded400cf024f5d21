//! The formats that output comes in, and how a value is written in them.

use clap::ValueEnum;
use serde::Serialize;

use crate::kubectl::error::Error;

/// How a list is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ListOutput {
    /// A table.
    Table,
    /// A table with more columns.
    Wide,
    /// The objects as JSON.
    Json,
    /// The objects as YAML.
    Yaml,
    /// Kinds and names.
    Name,
}

/// How a report is printed for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReportOutput {
    /// As JSON.
    Json,
    /// As YAML.
    Yaml,
}

impl ReportOutput {
    /// `value` in this form.
    pub fn of<T: Serialize>(self, value: &T) -> Result<String, Error> {
        match self {
            Self::Json => json(value),
            Self::Yaml => yaml(value),
        }
    }
}

/// As YAML.
pub fn yaml<T: Serialize>(value: &T) -> Result<String, Error> {
    Ok(serde_yaml::to_string(value)?)
}

/// As JSON, with line breaks.
pub fn json<T: Serialize>(value: &T) -> Result<String, Error> {
    Ok(format!("{}\n", serde_json::to_string_pretty(value)?))
}
