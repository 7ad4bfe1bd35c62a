use proptest::prelude::*;
use query::{Expr, Literal, Test, Text};

use super::*;

fn viewer(grants: &[(&str, Role)]) -> Viewer {
    Viewer {
        id: "usr_1".into(),
        kind: ViewerKind::User,
        name: "Alice".into(),
        email: Some("alice@company.com".into()),
        user: Some("usr_1".into()),
        grants: grants
            .iter()
            .map(|(reach, role)| Grant { organisation: Reach::parse(reach), role: *role })
            .collect(),
        scopes: None,
        key_id: None,
    }
}

fn is(path: &str, text: &str) -> Expr {
    Expr::Field { path: path.into(), test: Test::Is(text.into()) }
}

/// The table of rights once more, written by hand: a change of a right is to be a change of two places.
const TRUTH: [(Permission, [&str; 6]); 17] = {
    use Permission::*;
    // admin, member, viewer, auditor, writer, operator
    [
        (RecordEvents, ["all", "", "", "", "all", ""]),
        (ReadEvents, ["all", "own", "", "all", "", ""]),
        (ReadContent, ["all", "own", "", "all", "", ""]),
        (FindText, ["all", "own", "", "all", "", ""]),
        (Tail, ["all", "own", "", "all", "", ""]),
        (Export, ["all", "own", "", "all", "", ""]),
        (Proofs, ["all", "own", "", "all", "", ""]),
        (Reports, ["all", "", "", "all", "", ""]),
        (ReadState, ["all", "", "", "all", "", ""]),
        (ManageKeys, ["all", "", "", "", "", ""]),
        (ManageUsers, ["all", "", "", "", "", ""]),
        (ManageOrganisations, ["all", "", "", "", "", ""]),
        (ManageViews, ["all", "own", "", "", "", ""]),
        (ManageSettings, ["all", "", "", "", "", ""]),
        (ReadQuarantine, ["all", "", "", "all", "", ""]),
        (Quarantine, ["all", "", "", "", "", ""]),
        (Health, ["all", "", "", "all", "", "all"]),
    ]
};

#[test]
fn every_role_may_what_the_table_says_and_nothing_else() {
    let own = Expr::Or(vec![is("actor.id", "usr_1"), is("actor.email", "alice@company.com")]);
    for (at, (permission, rights)) in TRUTH.iter().enumerate() {
        assert_eq!(Permission::ALL[at], *permission, "a permission without its truth");
        for (role, right) in Role::ALL.into_iter().zip(rights) {
            for reach in ["acme", "*"] {
                let viewer = viewer(&[(reach, role)]);
                let rows = viewer.check(*permission, "acme").map(|granted| granted.filter());
                let expected = match *right {
                    "all" => Ok(Expr::All),
                    "own" => Ok(own.clone()),
                    _ => Err(Denied { permission: *permission, reason: Reason::Role }),
                };
                assert_eq!(rows, expected, "{role:?} {permission:?} {reach}");
                let elsewhere = viewer.check(*permission, "other").is_ok();
                assert_eq!(elsewhere, reach == "*" && !right.is_empty(), "{role:?} {permission:?} elsewhere");
                let organisations = viewer.organisations_for(*permission);
                for organisation in ["acme", "other", "system"] {
                    assert_eq!(
                        organisations.contains(organisation),
                        viewer.check(*permission, organisation).is_ok()
                    );
                }
            }
        }
    }
}

#[test]
fn names_go_there_and_back() {
    for role in Role::ALL {
        assert_eq!(Role::named(role.name()), Some(role));
    }
    for scope in Scope::ALL {
        assert_eq!(Scope::named(scope.name()), Some(scope));
    }
    assert_eq!((Role::named("Admin"), Scope::named("")), (None, None));
    // Whatever may be asked for is in some scope beside `admin`, so that no key has to have that one.
    for permission in Permission::ALL {
        assert!(
            Scope::ALL[1..].iter().any(|scope| scope.permissions().contains(&permission)),
            "{permission:?}"
        );
    }
}

#[test]
fn scopes_narrow_a_role_and_never_widen_it() {
    for role in Role::ALL {
        let whole = viewer(&[("acme", role)]);
        for scope in Scope::ALL {
            let key = Viewer { scopes: Some(vec![scope]), ..whole.clone() };
            for permission in Permission::ALL {
                let may = key.check(permission, "acme");
                let expected = role.may(permission) && scope.permissions().contains(&permission);
                assert_eq!(may.is_ok(), expected, "{role:?} {scope:?} {permission:?}");
                if let Err(denied) = may {
                    let reason = if role.may(permission) { Reason::Scope } else { Reason::Role };
                    assert_eq!(denied.reason, reason);
                }
            }
        }
        let none = Viewer { scopes: Some(vec![]), ..whole };
        assert!(Permission::ALL.into_iter().all(|permission| none.check(permission, "acme").is_err()));
    }
}

#[test]
fn a_member_is_known_by_what_was_authenticated_and_by_nothing_else() {
    let rows = |user: Option<&str>, email: Option<&str>| {
        let member = Viewer {
            user: user.map(str::to_owned),
            email: email.map(str::to_owned),
            ..viewer(&[("acme", Role::Member)])
        };
        member
            .check(Permission::ReadEvents, "acme")
            .map(|granted| granted.filter())
            .map_err(|denied| denied.reason)
    };
    assert_eq!(rows(Some("u"), None), Ok(is("actor.id", "u")));
    assert_eq!(rows(None, Some("a@b.c")), Ok(is("actor.email", "a@b.c")));
    assert_eq!(rows(Some(""), Some("a@b.c")), Ok(is("actor.email", "a@b.c")));
    // Nobody's events are not everybody's.
    assert_eq!(rows(None, None), Err(Reason::NoUser));
    assert_eq!(rows(Some(""), Some("")), Err(Reason::NoUser));
    // As text: 007 is not 7.
    for number in ["007", "1e3", "-5", ".5", "inf"] {
        let Ok(Expr::Field { path, test: Test::Range { from: Some(from), to } }) = rows(Some(number), None)
        else {
            panic!("{number}: {:?}", rows(Some(number), None));
        };
        assert_eq!(
            (path.as_str(), &from.value, from.inclusive),
            ("actor.id", &Literal::Text(number.into()), true)
        );
        assert_eq!(to, Some(from));
    }
}

#[test]
fn a_member_s_filter_finds_their_events_and_nobody_else_s() {
    let rows = |user: &str| {
        let member = Viewer { user: Some(user.into()), ..viewer(&[("acme", Role::Member)]) };
        query::Filter::from(member.check(Permission::ReadEvents, "acme").unwrap().filter())
    };
    let sees = |user: &str, event: &str| {
        let event = event::json::parse(event.as_bytes(), &event::Limits::default()).unwrap();
        rows(user).matches(&event)
    };
    for (user, event, seen) in [
        ("usr_1", r#"{"type":"llm.call","actor":{"id":"usr_1"}}"#, true),
        ("usr_1", r#"{"type":"llm.call","actor":{"id":"USR_1"}}"#, true),
        ("usr_1", r#"{"type":"llm.call","actor":{"id":"x","email":"Alice@Company.com"}}"#, true),
        ("usr_1", r#"{"type":"audit.read","actor":{"id":"usr_1"}}"#, true),
        ("usr_1", r#"{"type":"llm.call","actor":{"id":"usr_12"}}"#, false),
        ("usr_1", r#"{"type":"llm.call","actor":{"id":"x","claimed":{"id":"usr_1"}}}"#, false),
        ("usr_1", r#"{"type":"llm.call","actor":{"id":"x","on_behalf_of":[{"id":"usr_1"}]}}"#, false),
        ("usr_1", r#"{"type":"llm.call","actor":{"id":"x","claimed":{"email":"alice@company.com"}}}"#, false),
        ("usr_1", r#"{"type":"config.user_updated","actor":{"id":"x"},"targets":[{"id":"usr_1"}]}"#, false),
        ("usr_1", r#"{"type":"llm.call","attributes":{"actor.id":"usr_1","actor":{"id":"usr_1"}}}"#, false),
        ("usr_1", r#"{"type":"llm.call"}"#, false),
        ("007", r#"{"type":"llm.call","actor":{"id":"007"}}"#, true),
        ("007", r#"{"type":"llm.call","actor":{"id":"7"}}"#, false),
        ("1e3", r#"{"type":"llm.call","actor":{"id":"1000"}}"#, false),
        ("*", r#"{"type":"llm.call","actor":{"id":"usr_1"}}"#, false),
        ("usr_*", r#"{"type":"llm.call","actor":{"id":"usr_1"}}"#, false),
    ] {
        assert_eq!(sees(user, event), seen, "{user} {event}");
    }
}

#[test]
fn the_wider_of_two_roles_counts_and_only_where_it_holds() {
    let both = viewer(&[("*", Role::Member), ("acme", Role::Auditor)]);
    assert!(both.check(Permission::ReadEvents, "acme").unwrap().sees_every_row());
    assert!(!both.check(Permission::ReadEvents, "other").unwrap().sees_every_row());
    assert_eq!(both.organisations_for(Permission::Reports), Organisations::These(vec!["acme".into()]));
    assert_eq!(both.organisations_for(Permission::ReadEvents), Organisations::All);
    let two = viewer(&[("b", Role::Writer), ("a", Role::Admin), ("b", Role::Admin)]);
    assert_eq!(
        two.organisations_for(Permission::RecordEvents),
        Organisations::These(vec!["a".into(), "b".into()])
    );
}

#[test]
fn captured_text_is_neither_shown_nor_asked_about_without_its_scope() {
    let reader = Viewer { scopes: Some(vec![Scope::EventsRead]), ..viewer(&[("acme", Role::Auditor)]) };
    let granted = reader.check(Permission::ReadEvents, "acme").unwrap();
    assert_eq!(granted.hides(), ["content"]);
    let text = Expr::Text(Text::Prefix("sec".into()));
    let asks = [
        text.clone(),
        is("content.prompt", "x"),
        is("content", "x"),
        Expr::Not(Box::new(text.clone())),
        Expr::And(vec![
            Expr::All,
            Expr::Or(vec![is("type", "x"), Expr::Not(Box::new(is("content.input.q", "x")))]),
        ]),
    ];
    for ask in &asks {
        let denied = granted.may_ask(ask).expect_err("it looks at captured text");
        assert_eq!(denied, Denied { permission: Permission::FindText, reason: Reason::Scope });
    }
    for ask in [Expr::All, is("content_type", "x"), Expr::And(vec![is("type", "x"), is("actor.id", "y")])] {
        assert_eq!(granted.may_ask(&ask), Ok(()));
    }
    let both = Viewer { scopes: Some(vec![Scope::EventsRead, Scope::ContentRead]), ..reader };
    let granted = both.check(Permission::ReadEvents, "acme").unwrap();
    assert!(granted.hides().is_empty() && asks.iter().all(|ask| granted.may_ask(ask).is_ok()));
}

#[test]
fn refusals_say_what_is_needed_and_are_the_same_everywhere() {
    let member = viewer(&[("acme", Role::Member)]);
    let say = |permission, organisation| member.check(permission, organisation).unwrap_err().to_string();
    assert_eq!(say(Permission::Reports, "acme"), "to run reports here needs the role admin or auditor");
    assert_eq!(say(Permission::Reports, "acme"), say(Permission::Reports, "no-such-organisation"));
    assert_eq!(
        say(Permission::ReadEvents, "x"),
        "to read events here needs the role admin, member or auditor"
    );
    let scoped = Viewer { scopes: Some(vec![]), ..member.clone() };
    let denied = scoped.check(Permission::ReadEvents, "acme").unwrap_err();
    assert_eq!(denied.to_string(), "to read events needs a key with the scope admin or events:read");
    let nobody = Viewer { user: None, email: None, ..member.clone() };
    let denied = nobody.check(Permission::Tail, "acme").unwrap_err();
    assert!(
        denied.to_string().starts_with("to follow events as a member needs a key that belongs to a user")
    );
}

#[test]
fn nobody_hands_out_more_than_they_have() {
    let grant = |reach: &str, role| Grant { organisation: Reach::parse(reach), role };
    let root = Viewer::bootstrap();
    let local = viewer(&[("acme", Role::Admin)]);
    let keys_only = Viewer { scopes: Some(vec![Scope::KeysWrite]), ..viewer(&[("*", Role::Admin)]) };
    for role in Role::ALL {
        assert_eq!(root.may_hand_out(&grant("*", role), None), Ok(()));
        assert_eq!(local.may_hand_out(&grant("acme", role), None), Ok(()));
        // A viewer may do nothing, so that anybody may make one, anywhere.
        let nothing = role == Role::Viewer;
        assert_eq!(local.may_hand_out(&grant("*", role), None).is_ok(), nothing, "{role:?}");
        assert_eq!(local.may_hand_out(&grant("other", role), None).is_ok(), nothing, "{role:?}");
        assert_eq!(keys_only.may_hand_out(&grant("acme", role), None).is_ok(), nothing, "{role:?}");
    }
    // No way round: an admin's key that may only make keys makes keys that may only make keys.
    assert_eq!(keys_only.may_hand_out(&grant("*", Role::Admin), Some(&[Scope::KeysWrite])), Ok(()));
    assert!(keys_only.may_hand_out(&grant("*", Role::Admin), Some(&[Scope::Admin])).is_err());
    // Nor does a member hand out the sight of other members' events.
    let member = viewer(&[("acme", Role::Member)]);
    assert!(member.may_hand_out(&grant("acme", Role::Member), None).is_err());
}

proptest! {
    /// Whoever hands out a grant could have done everything that its holder may do then.
    #[test]
    fn what_was_handed_out_is_never_more(
        own in prop::collection::vec((0..3usize, 0..6usize), 0..4),
        own_scopes in prop::option::of(prop::collection::vec(0..Scope::ALL.len(), 0..4)),
        given in (0..3usize, 0..6usize),
        given_scopes in prop::option::of(prop::collection::vec(0..Scope::ALL.len(), 0..4)),
    ) {
        const REACHES: [&str; 3] = ["acme", "other", "*"];
        let scopes = |of: &Option<Vec<usize>>| of.as_ref().map(|s| s.iter().map(|at| Scope::ALL[*at]).collect::<Vec<_>>());
        let grants: Vec<_> = own.iter().map(|(reach, role)| (REACHES[*reach], Role::ALL[*role])).collect();
        let giver = Viewer { scopes: scopes(&own_scopes), ..viewer(&grants) };
        let grant = Grant { organisation: Reach::parse(REACHES[given.0]), role: Role::ALL[given.1] };
        let taker = Viewer { user: Some("usr_2".into()), scopes: scopes(&given_scopes), ..viewer(&[(REACHES[given.0], grant.role)]) };
        if giver.may_hand_out(&grant, taker.scopes.as_deref()).is_ok() {
            for permission in Permission::ALL {
                for organisation in ["acme", "other", "system", "third"] {
                    if taker.check(permission, organisation).is_ok() {
                        prop_assert!(giver.check(permission, organisation).is_ok_and(|granted| granted.sees_every_row()));
                    }
                }
            }
        }
    }
}
