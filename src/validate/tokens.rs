//! Tokens of access keys that got into a file.

use crd_check::node::{Node, Region, Value};
use k8s_openapi::ByteString;

use crate::api::Kind;
use crate::domain::value::token::Token;

/// Where they are, and a message about each, which does not hold the token itself.
pub(super) fn find(root: &Node) -> Vec<(Region, String)> {
    let is_secret = root.text_at(&["kind"]) == Some(Kind::Secret.as_str());
    let mut found = Vec::new();
    visit(root, is_secret, &mut found);
    found
}

fn visit(node: &Node, is_secret: bool, found: &mut Vec<(Region, String)>) {
    match &node.value {
        Value::Text(text) => {
            let token = Token::find_in(text).or_else(|| if is_secret { encoded(text) } else { None });
            found.extend(token.map(|token| (node.region, message(&token))));
        }
        Value::List(items) => items.iter().for_each(|item| visit(item, is_secret, found)),
        Value::Map(entries) => entries.iter().for_each(|entry| visit(&entry.node, is_secret, found)),
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) => {}
    }
}

/// The token in a text of base64, as a Secret's data has it.
fn encoded(text: &str) -> Option<Token> {
    let bytes: ByteString = serde_json::from_value(text.into()).ok()?;
    Token::find_in(std::str::from_utf8(&bytes.0).ok()?)
}

fn message(token: &Token) -> String {
    format!(
        "holds the token of key {}; whoever can read this file can use it. Raise `spec.revision` of its AccessKey for a new \
         one, and take this one out",
        token.id()
    )
}
