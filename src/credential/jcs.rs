//! The JSON Canonicalization Scheme (RFC 8785): one text for each JSON value.

use serde_json::{Number, Value};

/// The canonical text of a value. Numbers are read with 64-bit floating point, as the scheme demands.
#[must_use]
pub fn canonicalize(value: &Value) -> String {
    let mut text = String::new();
    write(value, &mut text);
    text
}

fn write(value: &Value, text: &mut String) {
    match value {
        Value::Null | Value::Bool(_) => text.push_str(&value.to_string()),
        Value::Number(number) => text.push_str(&number_text(number)),
        // Section 3.2.2.2 demands the escapes that this library writes: the short ones, and \u00xx in lower case.
        Value::String(_) => text.push_str(&value.to_string()),
        Value::Array(values) => {
            text.push('[');
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write(value, text);
            }
            text.push(']');
        }
        Value::Object(object) => {
            let mut members: Vec<_> = object.iter().collect();
            // Section 3.2.3: by UTF-16 code units, which is another order than that of UTF-8.
            members.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
            text.push('{');
            for (index, (key, value)) in members.into_iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                text.push_str(&Value::from(key.as_str()).to_string());
                text.push(':');
                write(value, text);
            }
            text.push('}');
        }
    }
}

/// A number as ECMAScript writes it (`Number::toString`, section 7.1.12.1 of ECMA-262 10th edition).
fn number_text(number: &Number) -> String {
    let value = number.as_f64().unwrap_or_default();
    if value == 0.0 {
        return "0".to_owned();
    }
    let sign = if value < 0.0 { "-" } else { "" };
    // The shortest digits that give the number back, of two equally near ones the even one, as in ECMAScript. The formatting of the
    // standard library takes the greater of the two.
    let shortest = Number::from_f64(value.abs()).map(|number| number.to_string());
    let shortest = shortest.unwrap_or_default();
    let (mantissa, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{part}");
    let n_leading = all.len() - all.trim_start_matches('0').len();
    let digits = all.trim_matches('0');
    let length = |text: &str| i32::try_from(text.len()).unwrap_or(i32::MAX);
    let leading = i32::try_from(n_leading).unwrap_or(i32::MAX);
    // Where the decimal point stands, counted from the first digit that is no zero.
    let point = exponent.parse::<i32>().unwrap_or_default() + length(whole) - leading;
    let n_digits = length(digits);
    let zeros = |count: i32| "0".repeat(usize::try_from(count).unwrap_or_default());
    let magnitude = if (1..=21).contains(&point) {
        if n_digits <= point {
            format!("{digits}{}", zeros(point - n_digits))
        } else {
            let (whole, part) = digits.split_at(usize::try_from(point).unwrap_or_default());
            format!("{whole}.{part}")
        }
    } else if (-5..=0).contains(&point) {
        format!("0.{}{digits}", zeros(-point))
    } else {
        let (first, rest) = digits.split_at(1);
        let dot = if rest.is_empty() { "" } else { "." };
        let plus = if point > 0 { "+" } else { "" };
        format!("{first}{dot}{rest}e{plus}{}", point - 1)
    };
    format!("{sign}{magnitude}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_in_the_appendix_of_the_scheme() {
        // RFC 8785, appendix B, and powers around the limits of the forms.
        for (number, expected) in [
            (0.0, "0"),
            (-0.0, "0"),
            (5e-324, "5e-324"),
            (-5e-324, "-5e-324"),
            (1.797_693_134_862_315_7e308, "1.7976931348623157e+308"),
            (9_007_199_254_740_992.0, "9007199254740992"),
            (295_147_905_179_352_830_000.0, "295147905179352830000"),
            (9.999_999_999_999_997e22, "9.999999999999997e+22"),
            (1e23, "1e+23"),
            (999_999_999_999_999_700_000.0, "999999999999999700000"),
            (1e21, "1e+21"),
            (9.999_999_999_999_997e-7, "9.999999999999997e-7"),
            (0.000_001, "0.000001"),
            (333_333_333.333_333_2, "333333333.3333332"),
            (-0.000_003_333_333_333_333_333_3, "-0.0000033333333333333333"),
            (1_424_953_923_781_206.2, "1424953923781206.2"),
            (4.5, "4.5"),
        ] {
            assert_eq!(canonicalize(&Value::from(number)), expected);
        }
    }

    #[test]
    fn keys_are_sorted_by_utf16_and_texts_escaped_as_in_section_3() {
        let value: Value = serde_json::from_str(
            r#"{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew","1":"One","\ud83d\ude00":"Emoji","\u0080":"Control","\u00f6":"o"}"#,
        )
        .unwrap_or_default();
        assert_eq!(
            canonicalize(&value),
            "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u{80}\":\"Control\",\"ö\":\"o\",\"€\":\"Euro Sign\",\"😀\":\"Emoji\",\"\u{fb33}\":\"Hebrew\"}"
        );
        let text = Value::from("€$\u{f}\nA'B\"\\\"/");
        assert_eq!(canonicalize(&text), "\"€$\\u000f\\nA'B\\\"\\\\\\\"/\"");
    }
}
