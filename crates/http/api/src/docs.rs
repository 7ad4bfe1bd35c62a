//! `GET /docs`: the table of routes for people. One page, without scripts and without anything from elsewhere.

use std::fmt::{self, Write};

use axum::body::Body;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_FRAME_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use event::Value;

use crate::export::COLUMNS;
use crate::openapi::{ABOUT, TAGS, pretty, statuses};
use crate::problem::CODES;
use crate::routes::{ROUTES, Route};
use crate::schema::{schemas, written};

const STYLE: &str = include_str!("docs.css");
/// Nothing but our own style sheet is loaded, and nobody puts the page into a frame.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// `GET /docs`
pub(crate) async fn page() -> Response {
    let mut text = String::new();
    write_page(&mut text).expect("writing to a string does not fail");
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (REFERRER_POLICY, "no-referrer"),
        (X_FRAME_OPTIONS, "DENY"),
        (CACHE_CONTROL, "no-cache"),
    ];
    with(text, &headers)
}

/// `GET /docs/app.css`
pub(crate) async fn style() -> Response {
    with(STYLE.to_owned(), &[(CONTENT_TYPE, "text/css; charset=utf-8"), (CACHE_CONTROL, "no-cache")])
}

fn with(text: String, headers: &[(HeaderName, &'static str)]) -> Response {
    let mut response = Response::new(Body::from(text));
    for (name, value) in headers {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

fn write_page(out: &mut String) -> fmt::Result {
    write!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>Indelible API</title>\n<link rel=\"stylesheet\" href=\"/docs/app.css\">\n</head>\n<body>\n"
    )?;
    writeln!(
        out,
        "<header><h1>Indelible <small>API {}</small></h1><p>{}</p>\
         <p>Send <code>Authorization: Bearer …</code> with every request that needs a permission. \
         For programs: <a href=\"/openapi.json\">openapi.json</a>.</p></header>",
        env!("CARGO_PKG_VERSION"),
        Prose(ABOUT)
    )?;
    out.push_str("<nav aria-label=\"Contents\">\n");
    for (tag, about) in TAGS {
        writeln!(out, "<h2>{}</h2><p>{}</p><ul>", Text(tag), Prose(about))?;
        for route in ROUTES.iter().filter(|route| route.tag == *tag) {
            writeln!(
                out,
                "<li><a href=\"#{}\"><b class=\"{method}\">{method}</b> <code>{}</code></a></li>",
                Text(route.id),
                Text(route.path),
                method = Text(route.method)
            )?;
        }
        out.push_str("</ul>\n");
    }
    out.push_str("<h2>Shapes</h2><ul>\n");
    let schemas = schemas();
    for (name, _) in schemas.iter() {
        writeln!(out, "<li><a href=\"#schema-{0}\"><code>{0}</code></a></li>", Text(name))?;
    }
    out.push_str(
        "<li><a href=\"#codes\">Codes of problems</a></li><li><a href=\"#columns\">Columns of the CSV</a></li></ul>\n</nav>\n<main>\n",
    );
    for (tag, _) in TAGS {
        for route in ROUTES.iter().filter(|route| route.tag == *tag) {
            write_route(route, out)?;
        }
    }
    for (name, schema) in schemas.iter() {
        write_schema(name, schema, out)?;
    }
    write_codes(out)?;
    out.push_str("</main>\n</body>\n</html>\n");
    Ok(())
}

fn write_route(route: &Route, out: &mut String) -> fmt::Result {
    writeln!(
        out,
        "<section id=\"{}\"><h2><b class=\"{method}\">{method}</b> <code>{}</code></h2>",
        Text(route.id),
        Text(route.path),
        method = Text(route.method)
    )?;
    let needs = match route.needs.key() {
        true => format!("Needs: {}.", Text(&route.needs.name())),
        false => "Open to everybody.".to_owned(),
    };
    writeln!(out, "<p>{}. <span class=\"quiet\">{needs}</span></p>", Prose(&capital(route.about)))?;
    if !route.parameters.is_empty() {
        out.push_str("<h3>Parameters</h3>");
        table(out, &["name", "in", "form", "what it says"])?;
        for one in route.parameters {
            writeln!(
                out,
                "<tr><td><code>{}</code></td><td>{}</td><td>{}</td><td>{}</td></tr>",
                Text(one.name),
                Text(one.place),
                Prose(&form(&written(one.schema))),
                Prose(one.about)
            )?;
        }
        out.push_str("</tbody></table></div>\n");
    }
    let path = route.path.replace("{id}", "0");
    // What curl does by itself need not be said.
    let method = match (route.method, route.sent) {
        ("GET", None) | ("POST", Some(_)) => String::new(),
        (method, _) => format!(" -X {method}"),
    };
    if let Some(sent) = route.sent {
        writeln!(out, "<h3>Body</h3><p>{}</p><ul>", Prose(sent.about))?;
        for (media, schema) in sent.media {
            writeln!(out, "<li><code>{}</code>: {}</li>", Text(media), Named(schema))?;
        }
        out.push_str("</ul>\n");
        let example = pretty(&written(sent.example), 72);
        writeln!(
            out,
            "<h3>Example</h3><pre tabindex=\"0\"><code>curl -s{method} \"$URL{}\" -H \"Authorization: Bearer $TOKEN\" \\\n  -H 'Content-Type: {}' -d '{}'</code></pre>",
            Text(&path),
            Text(sent.media[0].0),
            Text(example.trim_end())
        )?;
    } else if !route.path.starts_with("/opentelemetry") {
        // gRPC is not spoken by curl.
        let token = if route.needs.key() { " -H \"Authorization: Bearer $TOKEN\"" } else { "" };
        writeln!(
            out,
            "<h3>Example</h3><pre tabindex=\"0\"><code>curl -s{method} \"$URL{}\"{token}</code></pre>",
            Text(&path)
        )?;
    }
    out.push_str("<h3>Answers</h3>");
    table(out, &["status", "what it says", "form"])?;
    for answer in route.answers {
        write!(out, "<tr><td>{}</td><td>{}</td><td>", answer.status, Prose(answer.about))?;
        for (n, (media, schema)) in answer.media.iter().enumerate() {
            let comma = if n > 0 { "<br>" } else { "" };
            write!(out, "{comma}<code>{}</code> {}", Text(media), Named(schema))?;
        }
        out.push_str("</td></tr>\n");
    }
    for status in statuses(route) {
        let codes: Vec<String> = CODES
            .iter()
            .filter(|known| known.status == status)
            .map(|known| format!("<a href=\"#codes\"><code>{}</code></a>", Text(known.code)))
            .collect();
        writeln!(
            out,
            "<tr><td>{status}</td><td>{}</td><td><a href=\"#schema-Problem\">Problem</a></td></tr>",
            codes.join(", ")
        )?;
    }
    out.push_str("</tbody></table></div>\n</section>\n");
    Ok(())
}

fn write_schema(name: &str, schema: &Value<'_>, out: &mut String) -> fmt::Result {
    let about = schema.get("description").and_then(Value::as_str).unwrap_or("");
    writeln!(out, "<section id=\"schema-{0}\"><h2>{0}</h2><p>{1}</p>", Text(name), Prose(about))?;
    for part in schema.get("allOf").and_then(Value::as_array).unwrap_or_default() {
        writeln!(out, "<p>It has the fields of <a href=\"#schema-{0}\">{0}</a>.</p>", Text(&form(part)))?;
    }
    let mut rows = Vec::new();
    properties("", schema, &mut rows);
    if rows.is_empty() {
        out.push_str("</section>\n");
        return Ok(());
    }
    table(out, &["field", "form", "what it says"])?;
    let must = |name: &str| {
        let required = schema.get("required").and_then(Value::as_array).unwrap_or_default();
        required.iter().any(|one| one.as_str() == Some(name))
    };
    for (path, property) in rows {
        let about = property.get("description").and_then(Value::as_str).unwrap_or("");
        let star = if must(&path) { " <em>required</em>" } else { "" };
        writeln!(
            out,
            "<tr><td><code>{}</code>{star}</td><td>{}</td><td>{}</td></tr>",
            Text(&path),
            Prose(&form(property)),
            Prose(about)
        )?;
    }
    out.push_str("</tbody></table></div>\n</section>\n");
    Ok(())
}

/// The fields of a schema, and of what is in it, with their paths.
fn properties<'s>(before: &str, schema: &'s Value<'_>, rows: &mut Vec<(String, &'s Value<'s>)>) {
    let Some(members) = schema.get("properties").and_then(Value::as_object) else { return };
    for (name, property) in members.iter() {
        let is_list = property.get("type").and_then(Value::as_str) == Some("array");
        let path = format!("{before}{name}{}", if is_list { "[]" } else { "" });
        rows.push((path.clone(), property));
        let within = if is_list { property.get("items") } else { Some(property) };
        if let Some(within) = within {
            properties(&format!("{path}."), within, rows);
        }
    }
}

/// A schema in a few words.
fn form(schema: &Value<'_>) -> String {
    let text = |name: &str| schema.get(name).and_then(Value::as_str);
    let number = |name: &str| schema.get(name).and_then(Value::as_i64);
    let words = |name: &str| -> Option<String> {
        let items = schema.get(name)?.as_array()?;
        Some(
            items
                .iter()
                .filter_map(Value::as_str)
                .map(|word| format!("`{word}`"))
                .collect::<Vec<_>>()
                .join(", "),
        )
    };
    if let Some(name) = text("$ref").and_then(|path| path.rsplit('/').next()) {
        return name.to_owned();
    }
    if let Some(one) = text("const") {
        return format!("`{one}`");
    }
    if let Some(all) = words("enum") {
        return all;
    }
    let mut said = match (text("type"), schema.get("type")) {
        (Some("array"), _) => {
            let items = schema.get("items").map(form).unwrap_or_default();
            return format!("list of {items}");
        }
        (Some("string"), _) if schema.get("anyOf").is_some() => "IP address".to_owned(),
        (Some("string"), _) => match text("format") {
            Some("date-time") => "time (RFC 3339)".to_owned(),
            Some(format) => format.to_owned(),
            None => "text".to_owned(),
        },
        (Some(kind), _) => kind.to_owned(),
        (None, Some(Value::Array(kinds))) if kinds.len() == 2 => "text or null".to_owned(),
        _ => "any JSON".to_owned(),
    };
    if let Some(pattern) = text("pattern") {
        said = format!("`{pattern}`");
    }
    match (number("minimum"), number("maximum")) {
        (Some(least), Some(most)) if most < 1 << 40 => said += &format!(", {least} to {most}"),
        (Some(least), _) => said += &format!(", from {least}"),
        _ => {}
    }
    if let Some(most) = number("maxLength") {
        said += &format!(", at most {most} characters");
    }
    match schema.get("default") {
        Some(Value::String(word)) => said + &format!(", default `{word}`"),
        Some(Value::Number(n)) => said + &format!(", default {}", n.as_f64()),
        _ => said,
    }
}

fn write_codes(out: &mut String) -> fmt::Result {
    out.push_str("<section id=\"codes\"><h2>Codes of problems</h2>");
    table(out, &["status", "code", "what it says"])?;
    let events = event::Code::ALL.iter().map(|code| (400, code.as_str(), code.about()));
    let ours = CODES.iter().map(|known| (known.status, known.code, known.about));
    let mut all: Vec<_> = ours.chain(events).collect();
    all.sort();
    for (status, code, about) in all {
        writeln!(
            out,
            "<tr><td>{status}</td><td><code>{}</code></td><td>{}</td></tr>",
            Text(code),
            Prose(about)
        )?;
    }
    out.push_str("</tbody></table></div></section>\n<section id=\"columns\"><h2>Columns of the CSV</h2><p>In this order; new ones come at the end. Lists and objects are JSON.</p><p>");
    for (n, column) in COLUMNS.iter().enumerate() {
        write!(out, "{}<code>{}</code>", if n > 0 { ", " } else { "" }, Text(column.name))?;
    }
    out.push_str("</p></section>\n");
    Ok(())
}

fn table(out: &mut String, names: &[&str]) -> fmt::Result {
    // Wide tables scroll by themselves, and with the keyboard too; the page does not.
    out.push_str("<div class=\"wide\" tabindex=\"0\"><table><thead><tr>");
    for name in names {
        write!(out, "<th scope=\"col\">{}</th>", Text(name))?;
    }
    out.push_str("</tr></thead><tbody>\n");
    Ok(())
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

/// Text as HTML.
struct Text<'t>(&'t str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for letter in self.0.chars() {
            match letter {
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '&' => f.write_str("&amp;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}

/// Text in which `this` is code.
struct Prose<'t>(&'t str);

impl fmt::Display for Prose<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, part) in self.0.split('`').enumerate() {
            match n % 2 {
                0 => write!(f, "{}", Text(part))?,
                _ => write!(f, "<code>{}</code>", Text(part))?,
            }
        }
        Ok(())
    }
}

/// A schema of the table of routes: a link to one with a name, or a few words.
struct Named(&'static str);

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.starts_with('{') {
            return write!(f, "<a href=\"#schema-{0}\">{0}</a>", Text(self.0));
        }
        let schema = written(self.0);
        if let Some(about) = schema.get("description").and_then(Value::as_str) {
            return write!(f, "{}", Prose(about));
        }
        let either = schema.get("oneOf").and_then(Value::as_array).unwrap_or(std::slice::from_ref(&schema));
        for (n, one) in either.iter().enumerate() {
            let or = if n > 0 { ", or " } else { "" };
            let (list, item) = one.get("items").map_or(("", one), |items| ("list of ", items));
            match item.get("$ref") {
                Some(_) => write!(f, "{or}{list}<a href=\"#schema-{0}\">{0}</a>", Text(&form(item)))?,
                None => write!(f, "{or}{}", Prose(&form(one)))?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole() -> String {
        let mut text = String::new();
        write_page(&mut text).unwrap();
        text
    }

    #[test]
    fn everything_is_on_the_page_and_nothing_from_elsewhere() {
        let page = whole();
        for route in ROUTES {
            assert!(page.contains(&format!("<section id=\"{}\">", route.id)), "{}", route.path);
        }
        for field in event::field::FIELDS {
            assert!(page.contains(&format!("<code>{}</code>", field.path)), "{}", field.path);
        }
        for known in CODES {
            assert!(page.contains(&format!("<td>{}</td><td><code>{}</code>", known.status, known.code)));
        }
        for foreign in ["<script", "style=\"", "http://", "https://", "<img", " on"] {
            let found = page
                .match_indices(foreign)
                .filter(|(at, _)| foreign != " on" || page[at + 3..].starts_with("click"));
            assert_eq!(found.count(), 0, "{foreign}");
        }
        assert!(!STYLE.contains("url(") && !STYLE.contains("@import"));
    }

    #[test]
    fn every_link_leads_somewhere_and_every_element_ends() {
        let page = whole();
        for rest in page.split("href=\"#").skip(1) {
            let id = rest.split('"').next().unwrap();
            assert_eq!(page.matches(&format!("id=\"{id}\"")).count(), 1, "{id}");
        }
        let mut open: Vec<&str> = Vec::new();
        for rest in page.split('<').skip(1) {
            let tag = rest.split('>').next().unwrap();
            let name = tag.split([' ', '\n']).next().unwrap();
            match name.strip_prefix('/') {
                Some(name) => assert_eq!(open.pop(), Some(name), "{rest}"),
                None if ["!doctype", "meta", "link", "br"].contains(&name) => {}
                None => open.push(name),
            }
        }
        assert!(open.is_empty(), "{open:?}");
    }

    #[test]
    fn text_is_never_markup() {
        assert_eq!(
            Text("<a href=\"x\">'&'</a>").to_string(),
            "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;"
        );
        assert_eq!(Prose("a `<b>` c").to_string(), "a <code>&lt;b&gt;</code> c");
    }
}
