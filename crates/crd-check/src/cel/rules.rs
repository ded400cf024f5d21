//! The CEL rules, compiled and evaluated.

use std::collections::HashMap;
use std::sync::Arc;

use cel::extractors::This;
use cel::{Context, Env, ExecutionError, Program, Value as CelValue};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{JSONSchemaProps, ValidationRule};
use regex::Regex;

use super::value;
use crate::node::Node;
use crate::path::{Path, Step};
use crate::schema::walk::{Child, children};
use crate::schema::{item, map_value};
use crate::violation::{Rule, Violation};

/// The longest message that a rule may make, as in the API server.
const LONGEST_MESSAGE: usize = 5 * 1024;

/// Why the rules of a schema cannot be evaluated.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An expression is not CEL.
    #[error("the rule `{expression}` is not CEL: {cause}")]
    Expression {
        /// The expression.
        expression: String,
        /// What is wrong with it.
        cause: String,
    },
    /// A pattern is not a regular expression.
    #[error("the rule `{expression}` holds no regular expression")]
    Pattern {
        /// The expression.
        expression: String,
        /// What is wrong with it.
        source: regex::Error,
    },
}

/// All expressions of a schema, compiled.
pub struct Rules {
    env: Arc<Env>,
    programs: HashMap<String, Program>,
    patterns: Arc<HashMap<String, Regex>>,
}

impl Rules {
    /// Compiles them.
    ///
    /// # Errors
    /// When one is not CEL, or the pattern of one is no regular expression.
    pub fn compile(schema: &JSONSchemaProps) -> Result<Self, Error> {
        let env = Arc::new(Env::stdlib());
        let mut expressions = Vec::new();
        collect(schema, &mut expressions);
        let (mut programs, mut patterns) = (HashMap::new(), HashMap::new());
        for expression in expressions {
            let program = env.compile(expression).map_err(|cause| Error::Expression {
                expression: expression.to_owned(),
                cause: cause.to_string(),
            })?;
            for pattern in literals(expression) {
                let compiled = Regex::new(&pattern)
                    .map_err(|source| Error::Pattern { expression: expression.to_owned(), source })?;
                patterns.insert(pattern, compiled);
            }
            programs.insert(expression.to_owned(), program);
        }
        Ok(Self { env, programs, patterns: Arc::new(patterns) })
    }

    /// What the rules of `schema`, and of all that is in it, have to say about `node`. Transition rules are
    /// evaluated only where there is an `old` one.
    pub(crate) fn check(
        &self,
        schema: &JSONSchemaProps,
        (node, old): (&Node, Option<&Node>),
        path: &Path,
        violations: &mut Vec<Violation>,
    ) {
        for rule in schema.x_kubernetes_validations.iter().flatten() {
            violations.extend(self.evaluate(rule, schema, (node, old), path));
        }
        for child in children(schema, node, path) {
            let old = old.and_then(|old| before(schema, old, &child));
            self.check(child.schema, (child.node, old), &child.path, violations);
        }
    }

    fn evaluate(
        &self,
        rule: &ValidationRule,
        schema: &JSONSchemaProps,
        (node, old): (&Node, Option<&Node>),
        path: &Path,
    ) -> Option<Violation> {
        let program = self.programs.get(&rule.rule)?;
        let is_transition = program.references().has_variable("oldSelf");
        if is_transition && old.is_none() {
            return None;
        }
        let context = self.context(schema, node, old.filter(|_| is_transition));
        let message = match program.execute(&context) {
            Ok(CelValue::Bool(true)) => return None,
            Ok(CelValue::Bool(false)) => self.message(rule, &context),
            Ok(_) => format!("the rule `{}` is neither kept nor broken", rule.rule),
            Err(error) => format!("the rule `{}` cannot be applied: {error}", rule.rule),
        };
        let path = rule.field_path.as_deref().map_or_else(|| path.clone(), |more| path.join(more));
        Some(Violation { rule: reason(rule), path, message })
    }

    fn context(
        &self,
        schema: &JSONSchemaProps,
        node: &Node,
        old: Option<&Node>,
    ) -> Context<'static, 'static> {
        let mut context = Context::with_env(Arc::clone(&self.env));
        let patterns = Arc::clone(&self.patterns);
        let matches = move |This(text): This<Arc<String>>, pattern: Arc<String>| {
            let known = patterns.get(pattern.as_str()).map(|regex| regex.is_match(&text));
            let compiled = || Regex::new(&pattern).map(|regex| regex.is_match(&text));
            known.map_or_else(compiled, Ok).map_err(|error| ExecutionError::function_error("matches", error))
        };
        // It fails only where the environment has a function of that name, and this one is made without it.
        let _ = context.add_function("matches", matches);
        context.add_variable_as_val("self", value::value(node, Some(schema)));
        if let Some(old) = old {
            context.add_variable_as_val("oldSelf", value::value(old, Some(schema)));
        }
        context
    }

    /// What the rule says when it is broken: what its expression makes, or else its text.
    fn message(&self, rule: &ValidationRule, context: &Context<'_, '_>) -> String {
        let program = rule.message_expression.as_ref().and_then(|expression| self.programs.get(expression));
        let made = program.and_then(|program| match program.execute(context) {
            Ok(CelValue::String(text)) => Some(text.trim().to_owned()),
            _ => None,
        });
        made.filter(|text| !text.is_empty() && !text.contains('\n') && text.len() <= LONGEST_MESSAGE)
            .or_else(|| rule.message.clone())
            .unwrap_or_else(|| format!("failed rule: {}", rule.rule))
    }
}

/// What was where a child is now; nothing where the items of a list cannot be told apart.
fn before<'a>(schema: &JSONSchemaProps, old: &'a Node, child: &Child<'_>) -> Option<&'a Node> {
    match child.path.steps().last()? {
        Step::Field(name) | Step::Key(name) => old.get(name),
        Step::Index(_) => {
            let names = schema.x_kubernetes_list_map_keys.as_ref()?;
            let same =
                |item: &&Node| names.iter().all(|name| value_of(item, name) == value_of(child.node, name));
            old.items().iter().find(same)
        }
    }
}

fn value_of(item: &Node, name: &str) -> Option<serde_json::Value> {
    item.get(name).map(Node::to_json)
}

fn reason(rule: &ValidationRule) -> Rule {
    match rule.reason.as_deref() {
        Some("FieldValueRequired") => Rule::FieldValueRequired,
        Some("FieldValueDuplicate") => Rule::FieldValueDuplicate,
        _ => Rule::FieldValueInvalid,
    }
}

fn collect<'a>(schema: &'a JSONSchemaProps, expressions: &mut Vec<&'a str>) {
    for rule in schema.x_kubernetes_validations.iter().flatten() {
        expressions.push(&rule.rule);
        expressions.extend(rule.message_expression.as_deref());
    }
    let fields = schema.properties.iter().flatten().map(|(_, field)| field);
    let others = item(schema).into_iter().chain(map_value(schema));
    fields.chain(others).for_each(|schema| collect(schema, expressions));
}

/// The patterns between quotes in calls of `matches`, without CEL's own backslashes.
fn literals(expression: &str) -> impl Iterator<Item = String> {
    expression
        .split(".matches('")
        .skip(1)
        .filter_map(|rest| rest.split_once('\''))
        .map(|(pattern, _)| pattern.replace(r"\\", r"\"))
}
