//! Finds where the events of a body begin and end. What they are is for the strict parser to say, which gets each one's
//! own bytes.

use event::{Code, Refusal};

use crate::media::Form;

/// The events of a body: one object, an array, or one a line. Where the content type promises nothing, the bytes decide.
/// More than `most` are not looked for: one more than that is returned.
pub(crate) fn split(body: &[u8], form: Form, most: usize) -> Result<Vec<&[u8]>, Refusal> {
    let body = trim(body);
    match (form, body.first()) {
        (_, None) => {
            Err(Refusal::new(Code::Syntax, "", "the body is empty; send an object, an array or lines"))
        }
        (Form::Any | Form::CloudEvents, Some(b'[')) => array(body, most),
        (Form::CloudEvents, Some(_)) => {
            Err(Refusal::new(Code::WrongType, "", "expected an array of CloudEvents; nothing was recorded"))
        }
        (Form::CloudEvent, Some(_)) => Ok(vec![body]),
        (Form::Any, Some(b'{')) if is_one(body) => Ok(vec![body]),
        (Form::Any | Form::Lines, Some(_)) => Ok(lines(body).take(most + 1).collect()),
    }
}

fn array(body: &[u8], most: usize) -> Result<Vec<&[u8]>, Refusal> {
    let wrong = |at: usize, reason: &str| Refusal {
        offset: Some(at),
        ..Refusal::new(Code::Syntax, "", format!("{reason}; nothing was recorded"))
    };
    let mut items = Vec::new();
    let mut at = 1;
    loop {
        let mut scan = Scan::default();
        let ends = |b: &u8| matches!((scan.is_outside(), b), (true, b',' | b']' | b'}')) || scan.skip(*b);
        let Some(len) = body[at..].iter().position(ends) else {
            return Err(wrong(body.len(), "the array is not ended"));
        };
        let item = trim(&body[at..at + len]);
        let end = at + len;
        match (body[end], item.is_empty()) {
            (b',' | b']', false) => items.push(item),
            (b']', true) if items.is_empty() => {}
            (b'}', _) => return Err(wrong(end, "the array is ended by a brace")),
            _ => return Err(wrong(end, "an item of the array is missing")),
        }
        if items.len() > most {
            return Ok(items);
        }
        at = end + 1;
        if body[end] == b']' {
            return match at == body.len() {
                true => Ok(items),
                false => Err(wrong(at, "something after the end of the array")),
            };
        }
    }
}

/// Whether a body that begins with a brace is one event over however many lines, rather than lines of them.
fn is_one(body: &[u8]) -> bool {
    let mut scan = Scan::default();
    let mut closed = |b: &u8| {
        scan.skip(*b);
        scan.is_outside()
    };
    match body.iter().position(&mut closed) {
        Some(end) => end + 1 == body.len(),
        // The first one was cut off: if the next line begins another, only that one is lost.
        None => lines(body).nth(1).is_none_or(|line| line[0] != b'{'),
    }
}

/// Lines that are not empty.
fn lines(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut from = 0;
    let ends = memchr::memchr_iter(b'\n', body).chain([body.len()]);
    ends.map(move |end| trim(&body[std::mem::replace(&mut from, end + 1)..end]))
        .filter(|line| !line.is_empty())
}

fn trim(bytes: &[u8]) -> &[u8] {
    let space = |b: &u8| matches!(b, b' ' | b'\t' | b'\r' | b'\n');
    let start = bytes.iter().position(|b| !space(b)).unwrap_or(bytes.len());
    let end = bytes.iter().rposition(|b| !space(b)).map_or(start, |n| n + 1);
    &bytes[start..end]
}

/// Just enough JSON to know whether a byte lies within a string, an array or an object.
#[derive(Default)]
struct Scan {
    depth: usize,
    in_string: bool,
    escaped: bool,
}

impl Scan {
    fn is_outside(&self) -> bool {
        self.depth == 0 && !self.in_string
    }

    /// Goes on by a byte; always false.
    fn skip(&mut self, byte: u8) -> bool {
        match (self.in_string, byte) {
            (true, _) if self.escaped => self.escaped = false,
            (true, b'\\') => self.escaped = true,
            // No string runs over the end of a line; one that does was cut off.
            (true, b'"' | b'\n') => self.in_string = false,
            (true, _) => {}
            (false, b'"') => self.in_string = true,
            (false, b'{' | b'[') => self.depth += 1,
            (false, b'}' | b']') => self.depth = self.depth.saturating_sub(1),
            (false, _) => {}
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str, expect: &[&str]) {
        check_as(Form::Any, body, expect);
    }

    fn check_as(form: Form, body: &str, expect: &[&str]) {
        let told = match split(body.as_bytes(), form, 4) {
            Ok(items) => items.iter().map(|item| String::from_utf8_lossy(item).into_owned()).collect(),
            Err(refusal) => vec![refusal.to_string()],
        };
        assert_eq!(told, expect, "{body}");
    }

    #[test]
    fn finds_the_events_of_a_body() {
        check(r#"{"a":1}"#, &[r#"{"a":1}"#]);
        check(" {\n\"a\":\n1}\n", &["{\n\"a\":\n1}"]);
        check("{}\n{}\r\n\n {} ", &["{}", "{}", "{}"]);
        check("{} {}\n{}", &["{} {}", "{}"]);
        check("[]", &[]);
        check(" [ ] ", &[]);
        check("[{},{}]\n", &["{}", "{}"]);
        check(r#"[{"a":"],[\"}"}, 1, "x,y", [1,[2]]]"#, &[r#"{"a":"],[\"}"}"#, "1", "\"x,y\"", "[1,[2]]"]);
        check("null", &["null"]);
        check("1\n2\n3\n4\n5\n6\n7", &["1", "2", "3", "4", "5"]);
        check("[1,2,3,4,5,6,7", &["1", "2", "3", "4", "5"]);
    }

    #[test]
    fn what_is_cut_off_costs_no_more_than_it_must() {
        check("{\"a\":\"b\n{\"c\":1}\n", &["{\"a\":\"b", "{\"c\":1}"]);
        check("{\"a\":\n1", &["{\"a\":\n1"]);
        check("[{\"a\":1]},2]", &["event: the array is ended by a brace; nothing was recorded (byte 8)"]);
        check("[{\"a\":}, 2]", &["{\"a\":}", "2"]);
        check("[1,2", &["event: the array is not ended; nothing was recorded (byte 4)"]);
        check("[1,]", &["event: an item of the array is missing; nothing was recorded (byte 3)"]);
        check("[,1]", &["event: an item of the array is missing; nothing was recorded (byte 1)"]);
        check("[1] 2", &["event: something after the end of the array; nothing was recorded (byte 3)"]);
        check(" \n", &["event: the body is empty; send an object, an array or lines"]);
    }

    #[test]
    fn a_content_type_that_promises_something_is_believed() {
        check_as(Form::Lines, "[1]\n{\"a\":\n2}\n\n", &["[1]", "{\"a\":", "2}"]);
        check_as(Form::Lines, "1\n2\n3\n4\n5\n6", &["1", "2", "3", "4", "5"]);
        check_as(Form::CloudEvent, " {}\n{} ", &["{}\n{}"]);
        check_as(Form::CloudEvents, "[{},{}]", &["{}", "{}"]);
        check_as(Form::CloudEvents, "{}", &["event: expected an array of CloudEvents; nothing was recorded"]);
        check_as(Form::Lines, " ", &["event: the body is empty; send an object, an array or lines"]);
    }
}
