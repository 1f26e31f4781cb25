//! Just enough of HTML to hold pages to rules about their tags.

/// Every tag, from `<` to the `>` that ends it; a `>` inside an attribute does not.
pub fn tags(html: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut start = None;
    let mut is_quoted = false;
    for (index, character) in html.char_indices() {
        match (start, character) {
            (None, '<') => start = Some(index),
            (Some(_), '"') => is_quoted = !is_quoted,
            (Some(from), '>') if !is_quoted => {
                found.push(&html[from..=index]);
                start = None;
            }
            (_, _) => {}
        }
    }
    assert!(start.is_none() && !is_quoted, "a tag does not end");
    found
}

/// The names of a tag's attributes, in order.
pub fn attribute_names(tag: &str) -> Vec<&str> {
    // Outside quotation marks there are only names: split by them, every other piece.
    let outside = tag.split('"').step_by(2);
    let words = outside.flat_map(|piece| piece.split([' ', '\n', '<', '>', '/']));
    words.map(|word| word.trim_end_matches('=')).filter(|word| !word.is_empty()).skip(1).collect()
}

/// The value of a tag's attribute, as written.
pub fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    rest.split_once('"').map(|(value, _)| value)
}
