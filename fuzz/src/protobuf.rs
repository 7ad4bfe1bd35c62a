//! Writes seeds of OTLP in both encodings, as its definition has them.

use event::Value;

/// One request with one record.
pub struct Written {
    pub protobuf: Vec<u8>,
    pub json: Vec<u8>,
}

fn varint(mut n: u64, out: &mut Vec<u8>) {
    while n > 0x7f {
        out.push((n & 0x7f) as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

fn bytes(field: u64, inside: &[u8], out: &mut Vec<u8>) {
    varint(field << 3 | 2, out);
    varint(inside.len() as u64, out);
    out.extend(inside);
}

fn fixed(field: u64, n: u64, out: &mut Vec<u8>) {
    varint(field << 3 | 1, out);
    out.extend(n.to_le_bytes());
}

fn number(field: u64, n: u64, out: &mut Vec<u8>) {
    varint(field << 3, out);
    varint(n, out);
}

fn any(value: &Value<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    match value {
        Value::Bool(truth) => number(2, u64::from(*truth), &mut out),
        Value::Number(n) => match n.as_i64() {
            Some(n) => number(3, n as u64, &mut out),
            None => fixed(4, n.as_f64().to_bits(), &mut out),
        },
        other => bytes(1, other.as_str().unwrap_or_default().as_bytes(), &mut out),
    }
    out
}

fn pair(name: &str, value: &Value<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    bytes(1, name.as_bytes(), &mut out);
    bytes(2, &any(value), &mut out);
    out
}

fn text(text: &str) -> String {
    String::from_utf8(Value::from(text).to_jcs()).expect("JSON is UTF-8")
}

fn json_pair(name: &str, value: &Value<'_>) -> String {
    let said = String::from_utf8(value.to_jcs()).expect("JSON is UTF-8");
    let value = match value {
        Value::Bool(_) => format!("\"boolValue\":{said}"),
        Value::Number(n) if n.as_i64().is_some() => format!("\"intValue\":\"{said}\""),
        Value::Number(_) => format!("\"doubleValue\":{said}"),
        _ => format!("\"stringValue\":{said}"),
    };
    format!("{{\"key\":{},\"value\":{{{value}}}}}", text(name))
}

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const SPAN: &str = "b7ad6b7169203331";
const TIME: u64 = 1_795_309_341_496_492_000;

fn hex(digits: &str) -> Vec<u8> {
    let digit = |at: usize| digits[at..at + 2].to_owned();
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digit(at), 16).expect("hexadecimal")).collect()
}

/// A span, or a log record, with these attributes.
pub fn written(name: &str, service: &str, attributes: &[(&str, Value<'_>)], is_log: bool) -> Written {
    let mut record = Vec::new();
    match is_log {
        true => {
            fixed(1, TIME, &mut record);
            number(2, 9, &mut record);
            bytes(5, &any(&Value::from("somebody came")), &mut record);
            attributes.iter().for_each(|(name, value)| bytes(6, &pair(name, value), &mut record));
            bytes(9, &hex(TRACE), &mut record);
            bytes(12, name.as_bytes(), &mut record);
        }
        false => {
            bytes(1, &hex(TRACE), &mut record);
            bytes(2, &hex(SPAN), &mut record);
            bytes(5, name.as_bytes(), &mut record);
            number(6, 3, &mut record);
            fixed(7, TIME, &mut record);
            fixed(8, TIME + 1_000_000, &mut record);
            attributes.iter().for_each(|(name, value)| bytes(9, &pair(name, value), &mut record));
            let mut event = Vec::new();
            bytes(2, b"exception", &mut event);
            bytes(3, &pair("exception.message", &Value::from("broken")), &mut event);
            bytes(11, &event, &mut record);
            let mut status = Vec::new();
            number(3, 2, &mut status);
            bytes(15, &status, &mut record);
        }
    }
    let (mut scope, mut resource, mut scoped, mut group, mut protobuf) = Default::default();
    bytes(1, b"library", &mut scope);
    bytes(1, &scope, &mut scoped);
    bytes(2, &record, &mut scoped);
    bytes(1, &pair("service.name", &Value::from(service)), &mut resource);
    bytes(1, &resource, &mut group);
    bytes(2, &scoped, &mut group);
    bytes(1, &group, &mut protobuf);

    let pairs: Vec<String> = attributes.iter().map(|(name, value)| json_pair(name, value)).collect();
    let pairs = pairs.join(",");
    let (name, resource) = (text(name), json_pair("service.name", &Value::from(service)));
    let json = match is_log {
        true => format!(
            r#"{{"resourceLogs":[{{"resource":{{"attributes":[{resource}]}},"scopeLogs":[{{"scope":{{"name":"library"}},"logRecords":[{{"timeUnixNano":"{TIME}","severityNumber":9,"body":{{"stringValue":"somebody came"}},"attributes":[{pairs}],"traceId":"{TRACE}","eventName":{name}}}]}}]}}]}}"#
        ),
        false => format!(
            r#"{{"resourceSpans":[{{"resource":{{"attributes":[{resource}]}},"scopeSpans":[{{"scope":{{"name":"library"}},"spans":[{{"traceId":"{TRACE}","spanId":"{SPAN}","name":{name},"kind":3,"startTimeUnixNano":"{TIME}","endTimeUnixNano":"{TIME}","attributes":[{pairs}],"status":{{"code":2}}}}]}}]}}]}}"#
        ),
    };
    Written { protobuf, json: json.into_bytes() }
}
