//! The outside of bodies, and answers.

use super::*;

#[track_caller]
fn refused(form: Form, signal: Signal, body: &[u8], expect: &str) {
    let told = match open(form, signal, body) {
        Ok(opened) => format!("{} records", opened.records),
        Err(refusal) => format!("{} {}", refusal.code, refusal.pointer),
    };
    assert_eq!(told.trim(), expect, "{}", String::from_utf8_lossy(body));
}

#[test]
fn a_body_is_what_it_should_be_on_the_outside() {
    use Form::{Json, Protobuf};
    use Signal::{Audit, Logs, Traces};
    refused(Protobuf, Traces, b"", "0 records");
    refused(Json, Traces, b"{}", "0 records");
    refused(Json, Traces, br#"{"resourceSpans":[]}"#, "0 records");
    refused(Json, Traces, br#"{"resourceSpans":null}"#, "0 records");
    refused(Json, Logs, br#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{},7]}]}]}"#, "2 records");
    refused(Json, Audit, br#"{"resource_logs":[{"scope_logs":[{"log_records":[{}]}]}]}"#, "1 records");
    // The other signal's, which would be lost without a word.
    refused(Json, Traces, br#"{"resourceLogs":[{}]}"#, "missing /resourceSpans");
    refused(Json, Traces, b"", "syntax");
    refused(Json, Traces, b"[]", "wrong_type");
    refused(Json, Traces, br#"{"resourceSpans":{}}"#, "wrong_type /resourceSpans");
    refused(Json, Traces, br#"{"resourceSpans":[1]}"#, "wrong_type /resourceSpans/0");
    refused(
        Json,
        Traces,
        br#"{"resourceSpans":[{"scopeSpans":[{"spans":1}]}]}"#,
        "wrong_type /resourceSpans/0/scopeSpans/0/spans",
    );
    refused(Json, Traces, b"{\"a\":\xff}", "invalid_utf8 /a");
    refused(Protobuf, Traces, b"{}", "syntax");
    refused(Protobuf, Traces, &[0x0a, 5, 1], "syntax");
    refused(Protobuf, Traces, &[0x08, 1], "syntax");
    refused(Protobuf, Traces, &[0x10, 1], "0 records");
    refused(Protobuf, Traces, &[0x0a, 2, 0x12, 0], "0 records");
    refused(Protobuf, Traces, &[0x0a, 4, 0x12, 2, 0x12, 0], "1 records");
}

#[test]
fn a_record_that_is_wrong_costs_only_itself() {
    let body = br#"{"resourceSpans":[{"resource":{"attributes":7},"scopeSpans":[{"spans":[{}]}]},{"scopeSpans":[{"spans":[
        7, {"traceId":"00","spanId":"eee19b7ec3c1b174"}, {"traceId":"zz8efff798038103d269b633813fc60c"},
        {"startTimeUnixNano":"-1"}, {"startTimeUnixNano":1.5}, {"kind":"SPAN_KIND_CLIENT"}, {"kind":"client"},
        {"attributes":[{"key":"a","value":{"intValue":"9223372036854775807"}},{"key":"a","value":{"doubleValue":1e300}},
            {"key":"b","value":{"bytesValue":"-_8"}},{"key":"c"},{"key":"d","value":{"doubleValue":"NaN"}}]},
        {"attributes":[{"key":"a","value":{"intValue":"x"}}]}, {"attributes":[{"key":"a","value":7}]}, {"name":7},
        {"attributes":[{"key":"a","value":{"stringValue":"cut \ud83d"}}],"status":{"code":"STATUS_CODE_ERROR"}}
    ]}]}]}"#;
    let read: Vec<String> = records(Form::Json, Signal::Traces, body)
        .into_iter()
        .map(|(_, record)| match record {
            Ok(Record::Span(span)) => {
                let attributes = String::from_utf8(Value::Object(span.attributes).to_jcs()).unwrap();
                format!("kind {} status {} {attributes}", span.kind, span.status)
            }
            Ok(other) => panic!("{other:?}"),
            Err(refusal) => format!("{} {}", refusal.code, refusal.pointer),
        })
        .collect();
    assert_eq!(
        read,
        [
            "wrong_type /resource/attributes",
            "wrong_type ",
            "bad_value /traceId",
            "bad_value /traceId",
            "bad_value /startTimeUnixNano",
            "bad_value /startTimeUnixNano",
            "kind 3 status 0 {}",
            "bad_value /kind",
            "kind 0 status 0 {\"a\":\"1e300\",\"b\":\"+/8=\",\"c\":null,\"d\":\"NaN\"}",
            "bad_value /attributes",
            "wrong_type /attributes",
            "wrong_type /name",
            "kind 0 status 2 {\"a\":\"cut \u{fffd}\"}",
        ]
    );
}

#[test]
fn numbers_beyond_json_come_as_text_in_both_encodings() {
    // key "a", int -1; key "b", int i64::MIN; key "c", double infinity
    let pair = |key: u8, value: &[u8]| {
        let mut out = vec![0x0a, 1, key, 0x12, value.len() as u8];
        out.extend(value);
        let mut all = vec![0x4a, out.len() as u8];
        all.extend(out);
        all
    };
    let minus_one = [0x18, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1];
    let least = [0x18, 128, 128, 128, 128, 128, 128, 128, 128, 128, 1];
    let mut endless = vec![0x21];
    endless.extend(f64::INFINITY.to_bits().to_le_bytes());
    let span = [pair(b'a', &minus_one), pair(b'b', &least), pair(b'c', &endless)].concat();
    let Ok(Record::Span(span)) = protobuf::record(&span, Signal::Traces) else { panic!() };
    assert_eq!(
        String::from_utf8(Value::Object(span.attributes).to_jcs()).unwrap(),
        r#"{"a":-1,"b":"-9223372036854775808","c":"Infinity"}"#
    );
    let too_long = [0x30, 255, 255, 255, 255, 255, 255, 255, 255, 255, 2];
    protobuf::record(&too_long, Signal::Traces).unwrap_err();
}

#[test]
fn answers_are_as_protobuf_has_them() {
    assert_eq!(answer(Form::Protobuf, Signal::Traces, 0, ""), b"");
    assert_eq!(answer(Form::Json, Signal::Traces, 0, ""), b"{}");
    assert_eq!(
        answer(Form::Protobuf, Signal::Logs, 300, "no"),
        [0x0a, 7, 0x08, 0xac, 2, 0x12, 2, b'n', b'o']
    );
    assert_eq!(
        answer(Form::Json, Signal::Audit, 300, "no"),
        br#"{"partialSuccess":{"errorMessage":"no","rejectedLogRecords":"300"}}"#
    );
    assert_eq!(
        answer(Form::Json, Signal::Traces, 0, "no"),
        br#"{"partialSuccess":{"errorMessage":"no","rejectedSpans":"0"}}"#
    );
    assert_eq!(
        status(Form::Json, 14, "later", Some(1500)),
        br#"{"code":14,"details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"1.500s"}],"message":"later"}"#
    );
    let mut expect = vec![0x08, 14, 0x12, 5];
    expect.extend(b"later");
    let kind = b"type.googleapis.com/google.rpc.RetryInfo";
    // Duration of 1 s and 500 000 000 ns.
    let delay = [0x0a, 8, 0x08, 1, 0x10, 0x80, 0xca, 0xb5, 0xee, 1];
    expect.extend([0x1a, (2 + kind.len() + 2 + delay.len()) as u8, 0x0a, kind.len() as u8]);
    expect.extend(kind);
    expect.extend([0x12, delay.len() as u8]);
    expect.extend(delay);
    assert_eq!(status(Form::Protobuf, 14, "later", Some(1500)), expect);
    for (bytes, text) in
        [(&b""[..], ""), (b"f", "Zg=="), (b"fo", "Zm8="), (b"foo", "Zm9v"), (b"foob", "Zm9vYg==")]
    {
        assert_eq!(base64(bytes), text);
    }
}
