//! JSON as people read it: two spaces a level, names in the order of the canonical form.

use event::Value;

/// The text of a value over several lines.
pub(crate) fn pretty(value: &Value<'_>) -> String {
    let mut out = String::new();
    write(value, 0, &mut out);
    out
}

fn write(value: &Value<'_>, depth: usize, out: &mut String) {
    let line = |depth: usize, out: &mut String| {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth));
    };
    match value {
        Value::Object(members) if !members.is_empty() => {
            out.push('{');
            for (n, (name, value)) in members.iter().enumerate() {
                if n > 0 {
                    out.push(',');
                }
                line(depth + 1, out);
                out.push_str(&jcs(&Value::from(name)));
                out.push_str(": ");
                write(value, depth + 1, out);
            }
            line(depth, out);
            out.push('}');
        }
        Value::Array(items) if !items.is_empty() => {
            out.push('[');
            for (n, value) in items.iter().enumerate() {
                if n > 0 {
                    out.push(',');
                }
                line(depth + 1, out);
                write(value, depth + 1, out);
            }
            line(depth, out);
            out.push(']');
        }
        other => out.push_str(&jcs(other)),
    }
}

fn jcs(value: &Value<'_>) -> String {
    String::from_utf8(value.to_jcs()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use event::{Limits, json};

    use super::*;

    #[test]
    fn it_is_the_same_json() {
        let text = r#"{"a":[1,"x\n",{}],"b":{"c":null,"d":[]},"e":"</script>"}"#;
        let value = json::parse(text.as_bytes(), &Limits::default()).unwrap();
        let shown = pretty(&value);
        assert_eq!(json::parse(shown.as_bytes(), &Limits::default()).unwrap(), value);
        assert_eq!(shown.lines().nth(2), Some("    1,"));
    }
}
