use super::*;

const NOW: u64 = 1_760_000_000_000;

#[test]
fn a_key_lets_in_whom_it_should_and_says_why_it_does_not() {
    let alice = ApiKey { user: Some("alice".into()), ..key("alice0000000", one("acme"), Role::Member) };
    let limited = ApiKey {
        starts_ms: Some(NOW),
        expires_ms: Some(NOW + 10),
        scopes: Some(vec![Scope::EventsWrite]),
        ip_allow: AllowList::parse(["10.0.0.0/8"]).unwrap(),
        ..key("limited00000", one("acme"), Role::Writer)
    };
    let orphan = ApiKey { user: Some("nobody".into()), ..key("orphan000000", one("acme"), Role::Member) };
    let folded = Folded::of(&[
        Change::UserCreated { after: user("alice") },
        created(&alice, 1),
        created(&limited, 2),
        created(&orphan, 3),
    ]);
    let ask = |id: &str, byte, address: Option<&str>, now| {
        folded.0.authenticate(id, &hash(byte), address.map(|text| text.parse().unwrap()), now)
    };
    let viewer = ask("alice0000000", 1, None, NOW).unwrap();
    assert_eq!(
        (viewer.id.as_str(), viewer.user.as_deref(), viewer.email.as_deref()),
        ("alice0000000", Some("alice"), Some("alice@Company.com"))
    );
    assert!(!viewer.check(Permission::ReadEvents, "acme").unwrap().sees_every_row());
    assert!(viewer.check(Permission::ReadEvents, "other").is_err());
    let inside = Some("10.1.1.1");
    let viewer = ask("limited00000", 2, inside, NOW).unwrap();
    assert!(viewer.check(Permission::RecordEvents, "acme").is_ok());
    assert_eq!(viewer.scopes, Some(vec![Scope::EventsWrite]));
    for (answer, why) in [
        (ask("nobody000000", 1, None, NOW), Refused::Unknown),
        (ask("alice0000000", 2, None, NOW), Refused::WrongSecret),
        (ask("limited00000", 2, inside, NOW - 1), Refused::NotYet),
        (ask("limited00000", 2, inside, NOW + 10), Refused::Expired),
        (ask("limited00000", 2, Some("11.1.1.1"), NOW), Refused::Address),
        (ask("limited00000", 2, None, NOW), Refused::Address),
        // The secret is asked first.
        (ask("limited00000", 9, Some("11.1.1.1"), NOW + 99), Refused::WrongSecret),
        (ask("orphan000000", 3, None, NOW), Refused::UserDisabled),
    ] {
        assert_eq!(answer, Err(why));
    }
    folded
        .and(&Change::UserUpdated { before: user("alice"), after: User { disabled: true, ..user("alice") } });
    assert_eq!(ask("alice0000000", 1, None, NOW), Err(Refused::UserDisabled));
    assert_eq!(folded.0.viewer_of_user("alice"), Err(Refused::UserDisabled));
    folded.and(&Change::UserUpdated { before: user("alice"), after: user("alice") });
    assert!(ask("alice0000000", 1, None, NOW).is_ok());
    folded.and(&Change::OrganisationDeleted { before: organisation("acme") });
    assert_eq!(ask("alice0000000", 1, None, NOW), Err(Refused::OrganisationDeleted));
    folded.and(&Change::OrganisationCreated { after: organisation("acme") });
    folded.and(&Change::UserDeleted { before: user("alice") });
    assert_eq!(ask("alice0000000", 1, None, NOW), Err(Refused::UserDisabled));
}

#[test]
fn a_rotated_key_works_with_both_secrets_for_a_time() {
    let old = key("rotate000000", Reach::All, Role::Auditor);
    let new = ApiKey { old_expires_ms: Some(NOW + 100), ..old.clone() };
    let folded = Folded::of(&[created(&old, 1)]);
    assert_eq!(folded.0.key_hashes("rotate000000"), Some(hashes(1)));
    folded.and(&Change::KeyRotated {
        before: Box::new(old.clone()),
        after: Box::new(new.clone()),
        hashes: KeyHashes { current: hash(2), old: Some(hash(1)) },
    });
    let ask =
        |byte, now| folded.0.authenticate("rotate000000", &hash(byte), None, now).map(|viewer| viewer.id);
    assert!(ask(1, NOW + 99).is_ok() && ask(2, NOW + 99).is_ok() && ask(2, NOW + 100).is_ok());
    assert_eq!(ask(1, NOW + 100), Err(Refused::Expired));
    assert_eq!(ask(3, NOW), Err(Refused::WrongSecret));
    // Without an overlap the old secret is gone at once.
    folded.and(&Change::KeyRotated {
        before: Box::new(new),
        after: Box::new(old.clone()),
        hashes: KeyHashes { current: hash(4), old: Some(hash(2)) },
    });
    assert_eq!((ask(2, 0), ask(1, 0)), (Err(Refused::Expired), Err(Refused::WrongSecret)));
}

#[test]
fn a_revoked_key_stays_revoked() {
    let key = key("revoke000000", one("acme"), Role::Admin);
    let folded = Folded::of(&[
        created(&key, 1),
        Change::KeyRevoked { before: Box::new(key.clone()), revoked_ms: NOW },
        Change::KeyRotated { before: Box::new(key.clone()), after: Box::new(key.clone()), hashes: hashes(1) },
        created(&key, 1),
        Change::KeyRevoked { before: Box::new(key.clone()), revoked_ms: NOW + 5 },
    ]);
    let ask = folded.0.authenticate("revoke000000", &hash(1), None, NOW - 1);
    assert_eq!(ask, Err(Refused::Revoked), "at any time");
    assert_eq!(folded.0.key("revoke000000").unwrap().revoked_ms, Some(NOW));
    // Nor does rotating or revoking make a key out of nothing.
    let folded = Folded::of(&[
        Change::KeyRotated { before: Box::new(key.clone()), after: Box::new(key.clone()), hashes: hashes(1) },
        Change::KeyRevoked { before: Box::new(key), revoked_ms: NOW },
    ]);
    assert_eq!((folded.0.key("revoke000000"), folded.0.dump().unwrap().as_str()), (None, ""));
}

#[test]
fn a_ledger_has_no_say_outside_its_organisation() {
    let mine = key("first0000000", Reach::All, Role::Writer);
    let state = Folded::of(&[created(&mine, 1)]).0;
    let before = state.dump().unwrap();
    let everywhere = RoleGrant { user: "mallory".into(), organisation: Reach::All, role: Role::Admin };
    let other = RoleGrant { organisation: one("other"), ..everywhere.clone() };
    let changes = [
        Change::RoleGranted { after: everywhere },
        Change::RoleGranted { after: other },
        created(&key("second000000", Reach::All, Role::Admin), 2),
        Change::KeyRevoked { before: Box::new(mine), revoked_ms: 1 },
        Change::UserCreated { after: user("mallory") },
        Change::OrganisationDeleted { before: organisation("other") },
    ];
    for (position, change) in (0..).zip(&changes) {
        state.fold("acme", position, &change.to_event()).unwrap();
    }
    assert_eq!(state.dump().unwrap(), before);
    assert_eq!(state.folded("acme").unwrap(), Some(6));
    // A key of its own organisation with the id of somebody else's does not take that one's place.
    let twin = key("first0000000", one("acme"), Role::Admin);
    state.fold("acme", 6, &created(&twin, 9).to_event()).unwrap();
    assert_eq!(state.key("first0000000").unwrap().role, Role::Writer);
    assert_eq!(state.authenticate("first0000000", &hash(9), None, 1), Err(Refused::WrongSecret));
}

#[test]
fn users_have_their_roles_where_they_were_granted() {
    let grant = |reach: Reach, role| RoleGrant { user: "alice".into(), organisation: reach, role };
    let folded = Folded::of(&[
        Change::UserCreated { after: user("alice") },
        Change::UserCreated { after: User { email: Some("ALICE@company.com".into()), ..user("alice2") } },
        Change::RoleGranted { after: grant(one("acme"), Role::Auditor) },
        Change::RoleGranted { after: grant(one("acme"), Role::Member) },
        Change::RoleGranted { after: grant(Reach::All, Role::Operator) },
        Change::RoleRevoked { before: grant(one("acme"), Role::Member) },
        created(&ApiKey { user: Some("alice".into()), ..key("alice0000000", one("acme"), Role::Member) }, 1),
    ]);
    let state = &folded.0;
    let viewer = state.viewer_of_user("alice").unwrap();
    assert!(viewer.check(Permission::Reports, "acme").is_ok());
    assert!(viewer.check(Permission::Reports, "other").is_err());
    assert!(viewer.check(Permission::Health, "other").is_ok());
    assert_eq!(state.grants_of("alice").len(), 2);
    assert_eq!(state.grants(Some("acme")).unwrap(), [grant(one("acme"), Role::Auditor)]);
    assert_eq!(state.viewer_of_user("nobody"), Err(Refused::Unknown));
    let ids =
        |email| state.users_by_email(email).unwrap().into_iter().map(|user| user.id).collect::<Vec<_>>();
    assert_eq!((ids("Alice@COMPANY.com"), ids("")), (vec!["alice".to_owned(), "alice2".into()], vec![]));
    // Nothing is left for a later user of that id.
    for change in state.revocations_for("alice", NOW).unwrap() {
        folded.and(&change);
    }
    folded.and(&Change::UserDeleted { before: user("alice") });
    folded.and(&Change::UserCreated { after: user("alice") });
    assert_eq!(state.viewer_of_user("alice").unwrap().grants, []);
    assert_eq!(state.authenticate("alice0000000", &hash(1), None, NOW), Err(Refused::Revoked));
    assert_eq!(state.keys_of("alice").unwrap()[0].revoked_ms, Some(NOW));
}

#[test]
fn lists_hold_what_there_is() {
    let view = |id: &str, owner: &str, organisation, shared| View {
        id: id.into(),
        owner: owner.into(),
        organisation,
        name: id.into(),
        filter: "type:auth.*".into(),
        shared,
    };
    let setting = |area, key: &str, value: &'static str| Change::SettingUpdated {
        before: None,
        after: Setting { area, organisation: one("acme"), key: key.into(), value: value.into() },
    };
    let source =
        Source { id: "otel".into(), organisation: one("acme"), name: "Traces".into(), kind: "otlp".into() };
    let views = [
        view("mine", "alice", one("acme"), false),
        view("global", "alice", Reach::All, false),
        view("shared", "bob", one("acme"), true),
        view("theirs", "bob", one("acme"), false),
        view("elsewhere", "alice", one("other"), false),
    ];
    let mut changes: Vec<_> =
        views.iter().map(|view| Change::ViewSaved { before: None, after: view.clone() }).collect();
    changes.extend([
        setting(Area::Retention, "days", "365"),
        setting(Area::Redaction, "ip", "keep"),
        setting(Area::Redaction, "ip", "mask"),
        setting(Area::Settings, "gone", "x"),
        Change::SettingUpdated {
            before: None,
            after: Setting {
                area: Area::Settings,
                organisation: one("acme"),
                key: "gone".into(),
                value: Value::Null,
            },
        },
        Change::SourceCreated { after: source.clone() },
        Change::OrganisationCreated { after: organisation("acme") },
        Change::OrganisationCreated { after: organisation("gone") },
        Change::OrganisationDeleted { before: organisation("gone") },
        created(&key("acme00000000", one("acme"), Role::Writer), 1),
        created(&key("global000000", Reach::All, Role::Writer), 2),
    ]);
    let folded = Folded::of(&changes);
    let state = &folded.0;
    let names = |views: Vec<View>| views.into_iter().map(|view| view.id).collect::<Vec<_>>();
    assert_eq!(names(state.views("alice", "acme").unwrap()), ["global", "mine", "shared"]);
    assert_eq!(state.view(&one("acme"), "theirs").unwrap().as_ref(), Some(&views[3]));
    folded.and(&Change::ViewDeleted { before: views[2].clone() });
    assert_eq!(names(state.views("alice", "acme").unwrap()), ["global", "mine"]);
    let settings = state.settings(&one("acme")).unwrap();
    let settings: Vec<_> = settings.iter().map(|s| (s.area, s.key.as_str(), s.value.as_str())).collect();
    assert_eq!(settings, [(Area::Redaction, "ip", Some("mask")), (Area::Retention, "days", Some("365"))]);
    assert_eq!(state.setting(Area::Redaction, &one("acme"), "ip").unwrap(), Some(Value::from("mask")));
    assert_eq!(state.setting(Area::Redaction, &Reach::All, "ip").unwrap(), None);
    assert_eq!(state.sources(&one("acme")).unwrap(), std::slice::from_ref(&source));
    folded.and(&Change::SourceDeleted { before: source });
    assert_eq!(state.sources(&one("acme")).unwrap(), []);
    assert_eq!(state.organisations(), [organisation("acme")]);
    assert!(state.organisation("gone").unwrap().deleted);
    assert_eq!((state.keys(Some("acme")).unwrap().len(), state.keys(None).unwrap().len()), (1, 2));
}
