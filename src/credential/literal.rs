//! JSON scalars as RDF literals.

use oxrdf::vocab::xsd;
use oxrdf::{Literal, NamedNode};
use serde_json::{Number, Value};

/// A scalar as a literal (JSON-LD 1.1 API, section 8.2.2); `None` when it is no scalar.
pub(super) fn literal(value: &Value, datatype: Option<NamedNode>) -> Option<Literal> {
    let typed = |text: String, default: NamedNode| {
        Literal::new_typed_literal(text, datatype.clone().unwrap_or(default))
    };
    match value {
        Value::String(text) => Some(typed(text.clone(), xsd::STRING.into_owned())),
        Value::Bool(flag) => Some(typed(flag.to_string(), xsd::BOOLEAN.into_owned())),
        Value::Number(number) => {
            let double = datatype.as_ref().is_some_and(|datatype| datatype.as_ref() == xsd::DOUBLE);
            let (text, is_double) = number_text(number, double);
            Some(typed(text, if is_double { xsd::DOUBLE } else { xsd::INTEGER }.into_owned()))
        }
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The canonical form of a number, and whether it is that of a double. Numbers are read as the reference
/// implementation reads them, with 64-bit floating point.
fn number_text(number: &Number, double: bool) -> (String, bool) {
    let value = number.as_f64().unwrap_or_default();
    if !double && value.fract() == 0.0 && value.abs() < 1e21 {
        // `+ 0.0` turns negative zero into zero.
        return (format!("{:.0}", value + 0.0), false);
    }
    let text = format!("{value:.15e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let mantissa = mantissa.trim_end_matches('0');
    let mantissa =
        if mantissa.ends_with('.') { format!("{mantissa}0") } else { mantissa.to_owned() };
    (format!("{mantissa}E{exponent}"), true)
}
