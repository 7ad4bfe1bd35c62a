//! The shapes of what is sent and answered, as JSON Schema (draft 2020-12, which OpenAPI 3.1 uses).

use event::field::{FIELDS, Field, Shape};
use event::kind::KINDS;
use event::{Object, Value, json, outcome};

use crate::compat_schema::COMPAT;
use crate::problem::{CODES, whole};
use crate::tally::object;

/// Every schema by its name.
pub(crate) fn schemas() -> Object<'static> {
    let mut schemas = object([("EventFields", event()), ("Shown", shown()), ("Problem", problem())]);
    for (name, text) in WRITTEN.iter().chain(COMPAT) {
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
        "Ready",
        r##"{"description":"Whether the server can record.","type":"object","required":["status"],
        "properties":{
            "status":{"enum":["ready","draining","read_only"],"description":"draining: it is stopping; read_only: its data folder can't be written to"},
            "searchable_lag":{"type":"integer","minimum":0,"description":"events that are recorded and can't be found yet"}}}"##,
    ),
    (
        "Stats",
        r##"{"description":"How ledgers are.","type":"object","required":["organisations"],
        "properties":{
            "organisations":{"type":"array","description":"one for each ledger","items":{"type":"object","required":["organisation","size","searchable","index_bytes"],
                "properties":{
                    "organisation":{"type":"string","description":"whose"},
                    "size":{"type":"integer","minimum":0,"description":"leaves of the ledger"},
                    "searchable":{"type":["integer","null"],"minimum":0,"description":"positions below this one can be found; null if the index is not open now"},
                    "index_bytes":{"type":"integer","minimum":0,"description":"of the index on the disk; 0 for a small ledger, which has none"}}}},
            "unrecorded":{"type":"object","description":"events that could not be recorded since the last that was, for those who may see all organisations",
                "properties":{
                    "refused":{"type":"integer","minimum":0,"description":"whose senders were told to try again"},
                    "skipped":{"type":"integer","minimum":0,"description":"that were let go"}}}}}"##,
    ),
    (
        "Whoami",
        r##"{"description":"Who a key is, and what it may.","type":"object","required":["id","kind","name","roles","permissions","scopes"],
        "properties":{
            "id":{"type":"string","description":"the key's id"},
            "kind":{"enum":["api_key","user","bootstrap","command"],"description":"how it came in"},
            "name":{"type":"string","description":"name for people"},
            "key_id":{"type":"string","description":"the key"},
            "user":{"type":"string","description":"the user it belongs to"},
            "email":{"type":"string","description":"the user's address"},
            "roles":{"type":"object","additionalProperties":{"type":"array","items":{"type":"string"}},"description":"its roles, by organisation; `*` is all of them"},
            "permissions":{"type":"object","additionalProperties":{"type":"array","items":{"type":"string"}},"description":"what it may, by organisation"},
            "scopes":{"type":["array","null"],"items":{"type":"string"},"description":"what it may of what its roles may; null: all of it"}}}"##,
    ),
    (
        "NewKey",
        r##"{"description":"What a key is to be.","type":"object","required":["name","organisation","role"],"additionalProperties":false,
        "properties":{
            "name":{"type":"string","maxLength":256,"description":"name for people"},
            "organisation":{"type":"string","description":"where it holds: an organisation, or `*`"},
            "role":{"enum":["admin","member","viewer","auditor","writer","operator"],"description":"what it may"},
            "scopes":{"type":["array","null"],"items":{"type":"string"},"description":"what it may of that; all of it if it is not given"},
            "user":{"type":["string","null"],"description":"the user it belongs to"},
            "expires":{"type":["string","null"],"format":"date-time","description":"from when it works no more"},
            "ip_allow":{"type":["array","null"],"items":{"type":"string"},"maxItems":64,"description":"addresses and networks it may be used from; any if it is not given"}}}"##,
    ),
    (
        "Key",
        r##"{"description":"A key, without anything secret.","type":"object","required":["key_id","prefix","name","organisation","role","created_by","created"],
        "properties":{
            "key_id":{"type":"string","description":"its id, as in the credential"},
            "prefix":{"type":"string","description":"the part of the credential that may be shown"},
            "name":{"type":"string","description":"name for people"},
            "organisation":{"type":"string","description":"where it holds: an organisation, or `*`"},
            "role":{"type":"string","description":"what it may"},
            "scopes":{"type":"array","items":{"type":"string"},"description":"what it may of that; all of it if they are not there"},
            "ip_allow":{"type":"array","items":{"type":"string"},"description":"where it may be used from; anywhere if it is not there"},
            "user":{"type":"string","description":"the user it belongs to"},
            "starts":{"type":"string","format":"date-time","description":"from when it works"},
            "expires":{"type":"string","format":"date-time","description":"from when it works no more"},
            "old_expires":{"type":"string","format":"date-time","description":"until when the secret before the last rotation works"},
            "created_by":{"type":"string","description":"who created it"},
            "created":{"type":"string","format":"date-time","description":"when"},
            "revoked":{"type":"string","format":"date-time","description":"when it was withdrawn, for good"},
            "last_used":{"type":"string","format":"date-time","description":"when it was used last, about"}}}"##,
    ),
    (
        "Keys",
        r##"{"description":"Keys.","type":"object","required":["keys"],
        "properties":{"keys":{"type":"array","items":{"$ref":"#/components/schemas/Key"},"description":"the keys"}}}"##,
    ),
    (
        "SecretKey",
        r##"{"description":"A key and its secret.","type":"object","required":["key","secret"],
        "properties":{
            "key":{"$ref":"#/components/schemas/Key"},
            "secret":{"type":"string","description":"the credential; it is told once, and kept nowhere"}}}"##,
    ),
    (
        "NewUser",
        r##"{"description":"A user who is to be.","type":"object","required":["id","name"],"additionalProperties":false,
        "properties":{
            "id":{"type":"string","minLength":1,"maxLength":256,"description":"stable id"},
            "name":{"type":"string","maxLength":256,"description":"name for people"},
            "email":{"type":["string","null"],"description":"address"}}}"##,
    ),
    (
        "UserChange",
        r##"{"description":"What changes of a user.","type":"object","additionalProperties":false,
        "properties":{
            "name":{"type":"string","maxLength":256,"description":"name for people"},
            "email":{"type":["string","null"],"description":"address; null takes it away"},
            "disabled":{"type":"boolean","description":"whether they are kept out, and their keys with them"}}}"##,
    ),
    (
        "User",
        r##"{"description":"A user.","type":"object","required":["id","name","disabled","created"],
        "properties":{
            "id":{"type":"string","description":"stable id"},
            "name":{"type":"string","description":"name for people"},
            "email":{"type":"string","description":"address"},
            "disabled":{"type":"boolean","description":"whether they are kept out, and their keys with them"},
            "created":{"type":"string","format":"date-time","description":"when they were created"},
            "roles":{"type":"array","items":{"$ref":"#/components/schemas/Role"},"description":"their roles, in the list of users"}}}"##,
    ),
    (
        "Users",
        r##"{"description":"Users.","type":"object","required":["users"],
        "properties":{"users":{"type":"array","items":{"$ref":"#/components/schemas/User"},"description":"the users"}}}"##,
    ),
    (
        "Role",
        r##"{"description":"A role, and where it holds.","type":"object","required":["organisation","role"],
        "properties":{
            "organisation":{"type":"string","description":"an organisation, or `*`"},
            "role":{"enum":["admin","member","viewer","auditor","writer","operator"],"description":"what it may"}}}"##,
    ),
    (
        "RoleGrant",
        r##"{"description":"A role that a user has.","type":"object","required":["user","organisation","role"],
        "properties":{
            "user":{"type":"string","description":"who"},
            "organisation":{"type":"string","description":"where: an organisation, or `*`"},
            "role":{"type":"string","description":"what"}}}"##,
    ),
    (
        "NewOrganisation",
        r##"{"description":"An organisation that is to be.","type":"object","required":["id","name"],"additionalProperties":false,
        "properties":{
            "id":{"type":"string","pattern":"^[a-z0-9][a-z0-9_-]{0,62}$","description":"also the name of its ledger"},
            "name":{"type":"string","maxLength":256,"description":"name for people"}}}"##,
    ),
    (
        "Organisation",
        r##"{"description":"An organisation.","type":"object","required":["id","name","created","deleted"],
        "properties":{
            "id":{"type":"string","description":"also the name of its ledger"},
            "name":{"type":"string","description":"name for people"},
            "created":{"type":"string","format":"date-time","description":"when it was created"},
            "deleted":{"type":"boolean","description":"whether its keys and roles hold no more"}}}"##,
    ),
    (
        "Organisations",
        r##"{"description":"Organisations.","type":"object","required":["organisations"],
        "properties":{"organisations":{"type":"array","items":{"$ref":"#/components/schemas/Organisation"},"description":"the organisations"}}}"##,
    ),
    (
        "NewView",
        r##"{"description":"A view to save.","type":"object","required":["name","filter"],"additionalProperties":false,
        "properties":{
            "name":{"type":"string","maxLength":256,"description":"name for people"},
            "filter":{"type":"string","maxLength":4096,"description":"the filter"},
            "shared":{"type":["boolean","null"],"default":false,"description":"whether others in the organisation see it"},
            "id":{"type":["string","null"],"description":"the view that is changed; a new one if it is not given"}}}"##,
    ),
    (
        "View",
        r##"{"description":"A saved view.","type":"object","required":["id","owner","organisation","name","filter","shared"],
        "properties":{
            "id":{"type":"string","description":"stable id"},
            "owner":{"type":"string","description":"whose it is"},
            "organisation":{"type":"string","description":"where it is asked"},
            "name":{"type":"string","description":"name for people"},
            "filter":{"type":"string","description":"the filter"},
            "shared":{"type":"boolean","description":"whether others in the organisation see it"}}}"##,
    ),
    (
        "Views",
        r##"{"description":"Saved views.","type":"object","required":["views"],
        "properties":{"views":{"type":"array","items":{"$ref":"#/components/schemas/View"},"description":"the views"}}}"##,
    ),
    (
        "Quarantined",
        r##"{"description":"An event that was refused.","type":"object","required":["id","received","by","code","pointer","reason","size","hash","has_body"],
        "properties":{
            "id":{"type":"string","description":"number of the entry"},
            "received":{"type":"string","format":"date-time","description":"when it came"},
            "by":{"type":"string","description":"who sent it"},
            "code":{"type":"string","description":"the reason for programs"},
            "pointer":{"type":"string","description":"where in the event (RFC 6901)"},
            "reason":{"type":"string","description":"the reason for people"},
            "size":{"type":"string","description":"bytes it had"},
            "hash":{"type":"string","description":"keyed fingerprint of these bytes"},
            "has_body":{"type":"boolean","description":"whether its text is kept"},
            "body":{"type":"string","description":"its text without secrets and personal details, in the answer about one entry"}}}"##,
    ),
    (
        "Quarantine",
        r##"{"description":"Events that were refused.","type":"object","required":["entries"],
        "properties":{"entries":{"type":"array","items":{"$ref":"#/components/schemas/Quarantined"},"description":"newest first"}}}"##,
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
    (
        "verification",
        r##"{"type":"object","description":"what was checked when it was shown","required":["hash","verified","state"],
        "properties":{
            "hash":{"type":"string","description":"`sha256:` and the hash of the leaf (RFC 6962)"},
            "verified":{"const":true,"description":"it was hashed again and compared with the tree, or it would not be shown"},
            "state":{"enum":["durable","proved"],"description":"whether a signed checkpoint covers it yet"}}}"##,
    ),
    (
        "hidden",
        r#"{"type":"array","items":{"type":"string"},"description":"members that the asker may not see"}"#,
    ),
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
