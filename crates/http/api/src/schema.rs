//! The shapes of what is sent and answered, as JSON Schema (draft 2020-12, which OpenAPI 3.1 uses).

use event::field::{FIELDS, Field, Shape};
use event::kind::KINDS;
use event::{Object, Value, json, outcome};

use crate::problem::{CODES, whole};
use crate::tally::object;

/// Every schema by its name.
pub(crate) fn schemas() -> Object<'static> {
    let mut schemas = object([("EventFields", event()), ("Shown", shown()), ("Problem", problem())]);
    for (name, text) in WRITTEN {
        schemas.insert(*name, written(text));
    }
    schemas
}

/// JSON that stands in this crate's own text.
pub(crate) fn written(text: &'static str) -> Value<'static> {
    json::parse(text.as_bytes(), &json::Limits::default()).expect("our own JSON is well formed")
}

/// Those that come from no table.
const WRITTEN: &[(&str, &str)] = &[
    (
        "Event",
        r##"{"description":"An event as it is sent. Only `type` must be there; whatever has no field of its own goes to `attributes`.",
        "type":"object","allOf":[{"$ref":"#/components/schemas/EventFields"}],"unevaluatedProperties":false}"##,
    ),
    (
        "Receipt",
        r##"{"description":"That an event is on the disk, and where.","type":"object",
        "required":["index","id","position","organisation","leaf_hash","received","state","outcome"],
        "properties":{
            "index":{"type":"integer","minimum":0,"description":"number of the event in the request, from 0"},
            "id":{"type":"string","format":"uuid","description":"our id; of the earlier event if this one was a duplicate or in conflict"},
            "position":{"type":"integer","minimum":0,"description":"place in the ledger"},
            "organisation":{"type":"string","description":"in whose ledger"},
            "leaf_hash":{"type":"string","description":"SHA-256 of the leaf (RFC 6962), in hex; the proof is about it"},
            "received":{"type":"string","format":"date-time","description":"when it was received"},
            "state":{"enum":["durable","proved"],"description":"on the disk, or under a signed checkpoint too, which takes about a second"},
            "outcome":{"enum":["recorded","duplicate","conflict"],"description":"whether it is new, was there before, or another one was there under its id"}}}"##,
    ),
    (
        "Rejection",
        r##"{"description":"What is wrong with one event.","type":"object",
        "required":["index","pointer","code","reason"],
        "properties":{
            "index":{"type":"integer","minimum":0,"description":"number of the event in the request, from 0"},
            "pointer":{"type":"string","description":"where in the event (RFC 6901)"},
            "code":{"type":"string","description":"the reason for programs: one of the codes with status 400, or `conflict`"},
            "reason":{"type":"string","description":"the reason for people"},
            "offset":{"type":"integer","minimum":0,"description":"the byte in the event at which it was noticed"}}}"##,
    ),
    (
        "Recorded",
        r##"{"description":"What became of the events of a request.","type":"object",
        "required":["accepted","duplicates","rejected"],
        "properties":{
            "accepted":{"type":"integer","minimum":0,"description":"events that are new"},
            "duplicates":{"type":"integer","minimum":0,"description":"events that were there already"},
            "rejected":{"type":"array","items":{"$ref":"#/components/schemas/Rejection"},"description":"events that were refused or in conflict"},
            "rejected_omitted":{"type":"integer","minimum":1,"description":"further ones, whose reasons did not fit here"},
            "receipts":{"type":"array","items":{"$ref":"#/components/schemas/Receipt"},"description":"one for each event that was not refused"}}}"##,
    ),
    (
        "Found",
        r##"{"description":"A page of events.","type":"object","required":["events","next"],
        "properties":{
            "events":{"type":"array","items":{"$ref":"#/components/schemas/Shown"},"description":"newest first"},
            "next":{"type":["string","null"],"description":"for `cursor`; null if this was the last page"},
            "total":{"$ref":"#/components/schemas/Total"},
            "searchable":{"type":"integer","minimum":0,"description":"positions below this one could be found"},
            "size":{"type":"integer","minimum":0,"description":"leaves of the ledger"}}}"##,
    ),
    (
        "One",
        r##"{"description":"One event with its proof; or all events with this id, if there are several.","type":"object",
        "properties":{
            "event":{"$ref":"#/components/schemas/Shown"},
            "state":{"enum":["durable","proved"],"description":"whether a signed checkpoint covers it yet"},
            "proof":{"type":["string","null"],"description":"C2SP tlog-proof; null while it is not proved"},
            "retry_after_ms":{"type":"integer","minimum":0,"description":"when it will be proved, if it is not yet"},
            "events":{"type":"array","items":{"$ref":"#/components/schemas/Shown"},"description":"if several have this id: all of them, and none of the above"}}}"##,
    ),
    (
        "Skipped",
        r##"{"description":"Events that were let go.","type":"object","required":["accepted","skipped","reason"],
        "properties":{
            "accepted":{"const":0,"description":"none was recorded"},
            "skipped":{"type":"integer","minimum":0,"description":"events that were let go; `ledger.degraded` will count them"},
            "reason":{"type":"string","description":"why"}}}"##,
    ),
    (
        "Total",
        r##"{"description":"A number of events.","type":"object","required":["value","exact"],
        "properties":{
            "value":{"type":"integer","minimum":0,"description":"the number"},
            "exact":{"type":"boolean","description":"if not, there are at least so many"}}}"##,
    ),
    (
        "Counted",
        r##"{"description":"How many events there are.","type":"object","required":["total"],
        "properties":{"total":{"$ref":"#/components/schemas/Total"}}}"##,
    ),
    (
        "Group",
        r##"{"description":"Events that share a value.","type":"object","required":["value","count"],
        "properties":{
            "value":{"type":["string","null"],"description":"the value; null for events that have none"},
            "count":{"type":"integer","minimum":0,"description":"how many events"},
            "sum":{"type":"string","description":"sum of the field that was to be summed, as a decimal"}}}"##,
    ),
    (
        "Facet",
        r##"{"description":"Values of one field.","type":"object","required":["field","groups","exact"],
        "properties":{
            "field":{"type":"string","description":"the field"},
            "groups":{"type":"array","items":{"$ref":"#/components/schemas/Group"},"description":"its values"},
            "exact":{"type":"boolean","description":"whether every event was looked at"}}}"##,
    ),
    (
        "Facets",
        r##"{"description":"Values of some fields.","type":"object","required":["facets"],
        "properties":{"facets":{"type":"array","items":{"$ref":"#/components/schemas/Facet"},"description":"one for each field"}}}"##,
    ),
    (
        "Histogram",
        r##"{"description":"Events in intervals of time.","type":"object","required":["intervals"],
        "properties":{"intervals":{"type":"array","description":"those that have events","items":{"type":"object","required":["from","count"],
            "properties":{
                "from":{"type":"string","format":"date-time","description":"its beginning"},
                "count":{"type":"integer","minimum":0,"description":"how many events"},
                "by":{"type":"array","items":{"$ref":"#/components/schemas/Group"},"description":"how many of each value"}}}}}}"##,
    ),
    (
        "Filter",
        r##"{"description":"What a filter means.","type":"object","required":["completions"],
        "properties":{
            "canonical":{"type":"string","description":"the filter as we would write it"},
            "error":{"type":"object","description":"what is wrong with it"},
            "completions":{"type":"array","items":{"type":"object"},"description":"what could stand at the cursor"}}}"##,
    ),
    (
        "Health",
        r##"{"description":"Whether the server takes requests.","type":"object","required":["status"],
        "properties":{"status":{"enum":["ok","draining"],"description":"draining: it is stopping"}}}"##,
    ),
    (
        "CloudEvent",
        r##"{"description":"An event in the envelope of CloudEvents 1.0.","type":"object",
        "required":["specversion","type","source","id"],"additionalProperties":true,
        "properties":{
            "specversion":{"const":"1.0","description":"version of the envelope"},
            "type":{"type":"string","minLength":1,"description":"becomes `type`"},
            "source":{"type":"string","minLength":1,"description":"becomes `producer`"},
            "id":{"type":"string","minLength":1,"description":"becomes `source_id`: recorded once for each source"},
            "time":{"type":"string","format":"date-time","description":"becomes `time`"},
            "subject":{"type":"string","description":"becomes the id of the first target"},
            "traceparent":{"type":"string","description":"becomes `trace_id` and `parent_span_id`"},
            "dataschema":{"type":"string","description":"`urn:indelible:event:1` says that `data` holds the other fields of an event of ours"},
            "data":{"description":"becomes `attributes.data`, unless `dataschema` says otherwise"}}}"##,
    ),
];

fn problem() -> Value<'static> {
    let codes = CODES.iter().map(|known| known.code).chain(event::Code::ALL.iter().map(|code| code.as_str()));
    let mut codes: Vec<&str> = codes.collect();
    codes.sort();
    codes.dedup();
    let mut schema = written(
        r##"{"description":"What went wrong (RFC 9457). It never quotes what was sent.","type":"object",
        "required":["type","title","status","code","detail"],"additionalProperties":true,
        "properties":{
            "type":{"const":"about:blank","description":"always this; `code` tells problems apart"},
            "title":{"type":"string","description":"the status in words"},
            "status":{"type":"integer","description":"the status of the answer"},
            "code":{"description":"the reason for programs"},
            "detail":{"type":"string","description":"the reason for people, and what to do"},
            "retry_after_ms":{"type":"integer","minimum":0,"description":"when to try again, if that helps"}}}"##,
    );
    let codes = codes.into_iter().map(Value::from).collect();
    member(&mut schema, &["properties", "code"]).insert("enum", Value::Array(codes));
    schema
}

/// The schema of events, from the table of fields.
fn event() -> Value<'static> {
    let mut schema = block("What an event may say.");
    for field in FIELDS {
        place(&mut schema, field);
    }
    let properties = member(&mut schema, &["properties"]);
    let mut give = |name: &str, words: &mut dyn Iterator<Item = &'static str>| {
        if let Some(Value::Object(property)) = properties.get_mut(name) {
            property.insert("examples", Value::Array(words.map(Value::from).collect()));
        }
    };
    give("type", &mut KINDS.iter().map(|kind| kind.name).step_by(KINDS.len().div_ceil(6)));
    give("status", &mut outcome::STATUSES.iter().map(|word| word.name));
    give("severity", &mut outcome::SEVERITIES.iter().map(|word| word.name));
    let root = member(&mut schema, &[]);
    root.insert("required", Value::Array(vec![Value::from("type")]));
    // `Event` and `Shown` say what may stand beside these.
    root.remove("additionalProperties");
    schema
}

/// The schema of events as they are shown: with what the ledger says of them.
fn shown() -> Value<'static> {
    let mut schema = written(
        r##"{"description":"An event as it was recorded.","type":"object",
        "allOf":[{"$ref":"#/components/schemas/EventFields"}],"properties":{}}"##,
    );
    for (name, text) in SHOWN {
        member(&mut schema, &["properties"]).insert(*name, written(text));
    }
    schema
}

/// What the ledger says of an event.
const SHOWN: &[(&str, &str)] = &[
    ("id", r#"{"type":"string","format":"uuid","description":"our id, which holds the time of receipt"}"#),
    ("position", r#"{"type":"integer","minimum":0,"description":"place in the ledger"}"#),
    ("received", r#"{"type":"string","format":"date-time","description":"when it was received"}"#),
    ("leaf_hash", r#"{"type":"string","description":"SHA-256 of the leaf (RFC 6962), in base64"}"#),
    ("state", r#"{"enum":["durable","proved"],"description":"whether a signed checkpoint covers it yet"}"#),
    ("erased", r#"{"type":"array","items":{"type":"string"},"description":"sections of it that are gone"}"#),
];

/// Puts a field where its path says. Blocks have their row before what is in them.
fn place(root: &mut Value<'static>, field: &Field) {
    let mut at = root;
    let mut parts = field.path.split('.').peekable();
    while let Some(part) = parts.next() {
        let (name, is_list) = part.strip_suffix("[]").map_or((part, false), |name| (name, true));
        let properties = member(at, &["properties"]);
        if parts.peek().is_none() {
            let schema = match is_list {
                true => {
                    let mut list = described(object([("type", Value::from("array"))]), field.about);
                    list.insert("items", shape(field.shape, ""));
                    Value::Object(list)
                }
                false => shape(field.shape, field.about),
            };
            properties.insert(name, schema);
            return;
        }
        at = properties.get_mut(name).expect("a block has its row before what is in it");
        if is_list {
            let Value::Object(list) = at else { return };
            at = list.get_mut("items").expect("a list says what is in it");
        }
    }
}

fn shape(shape: Shape, about: &'static str) -> Value<'static> {
    const MOST: i64 = json::INTEGER_MAX;
    let whole = |n: i64| Value::integer(n).expect("within range");
    let kind = |name: &'static str| ("type", Value::from(name));
    let pattern = |text: &'static str| object([kind("string"), ("pattern", Value::from(text))]);
    let schema = match shape {
        Shape::Text(most) => object([kind("string"), ("maxLength", self::whole(most as u64))]),
        Shape::Id => object([kind("string"), ("minLength", whole(1)), ("maxLength", whole(256))]),
        Shape::Count => object([kind("integer"), ("minimum", whole(0)), ("maximum", whole(MOST))]),
        Shape::Ordinal => object([kind("integer"), ("minimum", whole(1)), ("maximum", whole(MOST))]),
        Shape::Number => object([kind("number")]),
        Shape::Decimal => pattern("^-?[0-9]{1,18}(\\.[0-9]{1,18})?$"),
        Shape::Time => object([kind("string"), ("format", Value::from("date-time"))]),
        Shape::Bool => object([kind("boolean")]),
        Shape::Ip => {
            let forms = ["ipv4", "ipv6"].map(|form| Value::Object(object([("format", Value::from(form))])));
            object([kind("string"), ("anyOf", Value::Array(forms.to_vec()))])
        }
        Shape::Fingerprint => pattern("^[A-Za-z0-9:._=+/-]{1,256}$"),
        Shape::Producer => pattern("^[A-Za-z0-9._:/-]{1,64}$"),
        Shape::Class => pattern("^[a-z0-9_-]{1,32}$"),
        Shape::Block => return block(about),
        Shape::Open => object([kind("object"), ("additionalProperties", Value::from(true))]),
        Shape::Any => Object::new(),
    };
    Value::Object(described(schema, about))
}

fn block(about: &'static str) -> Value<'static> {
    let schema = object([
        ("type", Value::from("object")),
        ("additionalProperties", Value::from(false)),
        ("properties", Value::Object(Object::new())),
    ]);
    Value::Object(described(schema, about))
}

fn described(mut schema: Object<'static>, about: &'static str) -> Object<'static> {
    if !about.is_empty() {
        schema.insert("description", about);
    }
    schema
}

/// An object within an object, by the names that lead to it; it is there.
fn member<'v>(value: &'v mut Value<'static>, path: &[&str]) -> &'v mut Object<'static> {
    let mut at = value;
    for name in path {
        let Value::Object(members) = at else { panic!("{name} is in no object") };
        at = members.get_mut(name).expect("it is there");
    }
    match at {
        Value::Object(members) => members,
        _ => panic!("no object"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_of_events_is_in_the_schema() {
        let schema = event();
        for field in FIELDS {
            let pointer: String = field
                .path
                .split('.')
                .map(|part| match part.strip_suffix("[]") {
                    Some(name) => format!("/properties/{name}/items"),
                    None => format!("/properties/{part}"),
                })
                .collect();
            let found = schema.pointer(&pointer).unwrap_or_else(|| panic!("{pointer}"));
            let expect = match field.shape {
                Shape::Block | Shape::Open => Some("object"),
                Shape::Count | Shape::Ordinal => Some("integer"),
                Shape::Number => Some("number"),
                Shape::Bool => Some("boolean"),
                Shape::Any => None,
                _ => Some("string"),
            };
            assert_eq!(found.get("type").and_then(Value::as_str), expect, "{pointer}");
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let text = String::from_utf8(crate::openapi().to_jcs()).unwrap();
        let schemas = schemas();
        let mut seen = 0;
        for rest in text.split("\"#/components/schemas/").skip(1) {
            let name = rest.split('"').next().unwrap();
            assert!(schemas.get(name).is_some(), "{name}");
            seen += 1;
        }
        assert!(seen > 10);
    }
}
