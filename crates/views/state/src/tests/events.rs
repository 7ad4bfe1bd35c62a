use super::*;

/// What the ledger gives back: through the door, split into sections, put together again. `erased`: sections that are gone.
fn through_the_ledger(change: &Change, erased: &[&str]) -> Value<'static> {
    let event = Event::from_value(change.to_event(), &Limits::default()).expect("the door takes it");
    let sections = event.sections();
    let stored = Stored {
        id: [7; 16],
        position: 3,
        received_ms: 1_700_000_000_000,
        time_ns: 1_700_000_000_000_000_000,
        kind: &event.core().kind,
        status: event.core().status,
        severity: event.core().severity,
        producer: "",
        producer_seq: 0,
        sections: sections
            .iter()
            .map(|(name, body)| (*name, Some(body.as_slice()).filter(|_| !erased.contains(name))))
            .collect(),
        organisation: "acme",
    };
    event::assemble(&stored).unwrap().into_owned()
}

#[test]
fn every_change_goes_through_the_ledger_and_back() {
    for change in one_of_each() {
        assert_eq!(change.check(), Ok(()), "{change:?}");
        let back = Change::from_event(&through_the_ledger(&change, &[]));
        assert_eq!(back, Ok(Some(change)));
    }
}

#[test]
fn every_change_is_of_a_kind_in_the_table() {
    for change in one_of_each() {
        let event = Event::from_value(change.to_event(), &Limits::default()).unwrap().into_owned();
        let kind = event.kind().unwrap_or_else(|| panic!("{} is not in the table of kinds", change.kind()));
        assert_eq!((kind.name, kind.category), (change.kind(), event::kind::Category::Administration));
    }
}

#[test]
fn no_record_shows_a_hash_and_no_change_a_secret() {
    let change = created(&key("AbCdEf123456", Reach::All, Role::Admin), 0xab);
    let event = String::from_utf8(change.to_event().to_jcs()).unwrap();
    assert_eq!(event.matches("abab").count(), 16, "once, in the attributes: {event}");
    assert!(event.contains(&format!(r#""secret_hash":"{}""#, hash(0xab).to_hex())));
    assert!(!format!("{change:?}").contains("abab"));
}

#[test]
fn what_takes_a_right_away_does_so_with_its_record_erased() {
    for change in one_of_each() {
        let erased = Change::from_event(&through_the_ledger(&change, &["content"]));
        match &change {
            Change::OrganisationDeleted { .. }
            | Change::UserDeleted { .. }
            | Change::RoleRevoked { .. }
            | Change::ViewDeleted { .. }
            | Change::SourceDeleted { .. } => {
                assert_eq!(erased.unwrap().unwrap().identity(), change.identity());
            }
            Change::KeyRevoked { revoked_ms: when, .. } => match erased.unwrap().unwrap() {
                Change::KeyRevoked { before, revoked_ms } => {
                    assert_eq!((before.key_id.as_str(), revoked_ms), ("AbCdEf123456", *when));
                }
                other => panic!("{other:?}"),
            },
            _ => assert!(erased.is_err(), "made up from nothing: {erased:?}"),
        }
        assert!(Change::from_event(&through_the_ledger(&change, &["what", "content"])).is_err());
    }
}

#[test]
fn what_is_not_understood_is_refused_as_a_whole() {
    let good = created(&key("AbCdEf123456", one("acme"), Role::Writer), 1).to_event();
    let with = |path: &[&str], value: Value<'static>| {
        let mut event = good.clone();
        let mut at = &mut event;
        for name in path {
            let Value::Object(members) = at else { panic!("{path:?}") };
            if members.get(name).is_none() {
                members.insert(name.to_string(), Value::Null);
            }
            at = members.get_mut(name).unwrap();
        }
        *at = value;
        Change::from_event(&event)
    };
    assert!(with(&["changes", "after", "name"], "other".into()).is_ok());
    let texts =
        |items: Vec<&'static str>| Value::from(items.into_iter().map(Value::from).collect::<Vec<_>>());
    for (path, value) in [
        (&["changes", "after", "role"][..], Value::from("root")),
        (&["changes", "after", "role"], Value::Null),
        (&["changes", "after", "scopes"], texts(vec!["events:read", "all"])),
        (&["changes", "after", "scopes"], Value::from("events:read")),
        (&["changes", "after", "ip_allow"], texts(vec!["anywhere"])),
        (&["changes", "after", "ip_allow"], texts(vec!["10.0.0.1"; 65])),
        (&["changes", "after", "expires"], Value::from("soon")),
        (&["changes", "after", "expires"], Value::from(5)),
        (&["changes", "after", "organisation"], Value::from("../other")),
        (&["changes", "after", "organisation"], Value::from("*")),
        (&["changes", "after", "key_id"], Value::from("ZZZZZZZZZZZZ")),
        (&["changes", "after"], Value::Null),
        (&["attributes", "organisation"], Value::from("*")),
        (&["attributes", "secret_hash"], Value::from("00")),
        (&["attributes", "secret_hash"], Value::Null),
        (&["attributes", "old_secret_hash"], Value::from(7)),
        (&["attributes"], Value::Null),
        (&["targets"], Value::from(Vec::new())),
        (&["targets"], Value::from(vec![Value::Null])),
    ] {
        assert!(with(path, value.clone()).is_err(), "{path:?} {value:?}");
    }
    assert_eq!(with(&["type"], "config.sink_created".into()), Ok(None));
    assert_eq!(with(&["type"], Value::Null), Ok(None));
    assert_eq!(Change::from_event(&Value::Object(Object::new())), Ok(None));
    assert_eq!(Change::from_event(&Value::Null), Ok(None));
}

#[test]
fn a_change_that_an_event_cannot_hold_is_seen_before_it_is_recorded() {
    let far = ApiKey { expires_ms: Some(u64::MAX), ..key("AbCdEf123456", Reach::All, Role::Admin) };
    let long = User { name: "x".repeat(257), ..user("alice") };
    let none = User { id: "".into(), ..user("alice") };
    let control = User { email: Some("a\nb".into()), ..user("alice") };
    let everywhere = RoleGrant { user: "alice".into(), organisation: one("*"), role: Role::Admin };
    let up = RoleGrant { organisation: one("../acme"), ..everywhere.clone() };
    for change in [
        created(&far, 1),
        Change::UserCreated { after: long },
        Change::UserCreated { after: none },
        Change::UserCreated { after: control },
        Change::RoleGranted { after: everywhere },
        Change::RoleGranted { after: up },
        Change::OrganisationCreated { after: organisation("Acme") },
        Change::OrganisationCreated { after: organisation("") },
        Change::OrganisationCreated { after: organisation(&"a".repeat(64)) },
    ] {
        assert!(change.check().is_err(), "{change:?}");
    }
}
