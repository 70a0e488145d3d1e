//! Public items in the call of a macro, such as `message!`.

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use syn::Lit;

use super::doc::Doc;
use super::items::{NO_DOC, NO_SENTENCE};

/// An item or a field that lacks documentation.
pub(super) struct Found {
    pub(super) span: Span,
    pub(super) item: String,
    pub(super) lacks: &'static str,
}

/// Goes through what a macro is called with, and takes what follows `pub` for an item or a field.
pub(super) fn undocumented(tokens: TokenStream) -> Vec<Found> {
    let mut found = Vec::new();
    collect(tokens, &mut found);
    found
}

fn collect(tokens: TokenStream, found: &mut Vec<Found>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut doc = Doc::default();
    let mut rest = tokens.as_slice();
    while let [first, after @ ..] = rest {
        rest = after;
        match (first, after) {
            (TokenTree::Punct(hash), [TokenTree::Group(attribute), after @ ..])
                if hash.as_char() == '#' =>
            {
                read(attribute.stream(), &mut doc);
                rest = after;
                continue;
            }
            (TokenTree::Ident(word), _) if word == "pub" && !is_restriction(after.first()) => {
                found.extend(declared(after, &doc));
            }
            (TokenTree::Group(group), _) if group.delimiter() == Delimiter::Brace => {
                collect(group.stream(), found);
            }
            _ => {}
        }
        doc = Doc::default();
    }
}

/// Whether this is the rest of `pub(crate)`.
fn is_restriction(token: Option<&TokenTree>) -> bool {
    matches!(token, Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis)
}

/// Adds the text of an attribute if it is `doc = "text"`.
fn read(attribute: TokenStream, doc: &mut Doc) {
    let tokens: Vec<TokenTree> = attribute.into_iter().collect();
    let [
        TokenTree::Ident(name),
        TokenTree::Punct(_),
        TokenTree::Literal(text),
    ] = tokens.as_slice()
    else {
        return;
    };
    if name == "doc"
        && let Lit::Str(text) = Lit::new(text.clone())
    {
        doc.push(&text.value());
    }
}

/// What stands after `pub`, if its documentation is not enough.
fn declared(after: &[TokenTree], doc: &Doc) -> Option<Found> {
    let (name, item, lacks) = match after {
        [TokenTree::Ident(name), TokenTree::Punct(colon), ..] if colon.as_char() == ':' => {
            let lacks = doc.is_empty().then_some(NO_DOC)?;
            (name, format!("field {name}"), lacks)
        }
        [TokenTree::Ident(kind), TokenTree::Ident(name), ..] => {
            let lacks = (!doc.begins_with_sentence()).then_some(NO_SENTENCE)?;
            (name, format!("{kind} {name}"), lacks)
        }
        _ => return None,
    };
    Some(Found {
        span: name.span(),
        item,
        lacks,
    })
}
