// Files are made, cut and damaged here.
#![allow(clippy::disallowed_methods)]

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

const ORGANISATIONS: [&str; 3] = ["acme", "other", "*"];
const USERS: [&str; 3] = ["alice", "bob", "alice2"];
const KEYS: [&str; 4] = ["key000000001", "key000000002", "key000000003", "key000000004"];

fn change() -> impl Strategy<Value = Change> {
    let reach = (0..ORGANISATIONS.len()).prop_map(|at| Reach::parse(ORGANISATIONS[at]));
    let place = (0..2usize).prop_map(|at| ORGANISATIONS[at]);
    let role = (0..Role::ALL.len()).prop_map(|at| Role::ALL[at]);
    let who = (0..USERS.len()).prop_map(|at| USERS[at]);
    let parts = (reach, place, role, who, 0..KEYS.len(), any::<u8>(), 0..16u8, any::<bool>());
    parts.prop_map(|(reach, place, role, who, which, byte, verb, flag)| {
        let named = Organisation { name: format!("name {byte}"), ..organisation(place) };
        let someone = User { disabled: flag, name: format!("name {byte}"), ..user(who) };
        let grant = RoleGrant { user: who.into(), organisation: reach.clone(), role };
        let key = ApiKey {
            user: flag.then(|| who.to_owned()),
            old_expires_ms: flag.then_some(u64::from(byte)),
            ..key(KEYS[which], reach.clone(), role)
        };
        let view = View {
            id: KEYS[which].into(),
            owner: who.into(),
            organisation: reach.clone(),
            name: format!("name {byte}"),
            filter: String::new(),
            shared: flag,
        };
        let source = Source {
            id: who.into(),
            organisation: reach.clone(),
            name: format!("name {byte}"),
            kind: String::new(),
        };
        let value = if flag { Value::from(u32::from(byte)) } else { Value::Null };
        let area = Area::ALL[usize::from(byte) % 3];
        let setting = Setting { area, organisation: reach, key: who.into(), value };
        match verb {
            0 => Change::OrganisationCreated { after: named },
            1 => Change::OrganisationUpdated { before: organisation(place), after: named },
            2 => Change::OrganisationDeleted { before: named },
            3 => Change::UserCreated { after: someone },
            4 => Change::UserUpdated { before: user(who), after: someone },
            5 => Change::UserDeleted { before: someone },
            6 => Change::RoleGranted { after: grant },
            7 => Change::RoleRevoked { before: grant },
            8 => created(&key, byte),
            9 => Change::KeyRotated {
                before: Box::new(key.clone()),
                after: Box::new(key),
                hashes: KeyHashes { current: hash(byte), old: flag.then(|| hash(byte ^ 1)) },
            },
            10 => Change::KeyRevoked { before: Box::new(key), revoked_ms: u64::from(byte) },
            11 => Change::ViewSaved { before: None, after: view },
            12 => Change::ViewDeleted { before: view },
            13 => Change::SettingUpdated { before: None, after: setting },
            14 => Change::SourceUpdated { before: source.clone(), after: source },
            _ => Change::SourceDeleted { before: source },
        }
    })
}

/// Events of every ledger, in order.
fn by_ledger(changes: &[Change]) -> BTreeMap<String, Vec<Value<'static>>> {
    let mut ledgers: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for change in changes {
        ledgers.entry(change.ledger()).or_default().push(change.to_event());
    }
    ledgers
}

/// What is in memory is what would be read from the file.
fn same_after_opening(state: &State, path: &std::path::Path) {
    let again = State::open(path).unwrap();
    for id in KEYS {
        assert_eq!((again.key(id), again.key_hashes(id)), (state.key(id), state.key_hashes(id)));
    }
    for id in USERS {
        assert_eq!((again.user(id), again.grants_of(id)), (state.user(id), state.grants_of(id)));
    }
    for id in ORGANISATIONS {
        assert_eq!(again.organisation(id), state.organisation(id));
    }
    assert_eq!(again.dump().unwrap(), state.dump().unwrap());
}

/// Keys by organisation and id, and whether they are live.
type Keys = BTreeMap<(String, String), bool>;

/// The state once more, from the definition and without SQLite: which users, live keys and grants there are.
fn by_hand(changes: &[Change]) -> (BTreeSet<String>, Keys, BTreeSet<String>) {
    let (mut users, mut keys, mut grants) = (BTreeSet::new(), Keys::new(), BTreeSet::new());
    let place = |key: &ApiKey| (key.organisation.to_string(), key.key_id.clone());
    let grant = |grant: &RoleGrant| format!("{grant:?}");
    for change in changes {
        match change {
            Change::UserCreated { after } | Change::UserUpdated { after, .. } => {
                users.insert(after.id.clone());
            }
            Change::UserDeleted { before } => {
                users.remove(&before.id);
            }
            Change::RoleGranted { after } => {
                grants.insert(grant(after));
            }
            Change::RoleRevoked { before } => {
                grants.remove(&grant(before));
            }
            Change::KeyCreated { after, .. } => {
                keys.entry(place(after)).or_insert(true);
            }
            Change::KeyRevoked { before, .. } => {
                keys.entry(place(before)).and_modify(|live| *live = false);
            }
            _ => {}
        }
    }
    (users, keys, grants)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn folding_again_in_any_order_of_ledgers_and_in_any_portions_gives_the_same(
        changes in prop::collection::vec(change(), 0..60),
        turns in prop::collection::vec(any::<prop::sample::Index>(), 200),
        repeat in any::<prop::sample::Index>(),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.db");
        let live = State::open(&path).unwrap();
        let mut positions: BTreeMap<String, u64> = BTreeMap::new();
        for change in &changes {
            let position = positions.entry(change.ledger()).or_default();
            live.fold(&change.ledger(), *position, &change.to_event()).unwrap();
            *position += 1;
        }
        let expected = live.dump().unwrap();

        let (users, keys, grants) = by_hand(&changes);
        let got: BTreeSet<_> = live.users().unwrap().into_iter().map(|user| user.id).collect();
        prop_assert_eq!(got, users);
        let place = |key: ApiKey| ((key.organisation.to_string(), key.key_id), key.revoked_ms.is_none());
        let got: Keys = live.keys(None).unwrap().into_iter().map(place).collect();
        prop_assert_eq!(got, keys);
        let got: BTreeSet<_> = live.grants(None).unwrap().iter().map(|grant| format!("{grant:?}")).collect();
        prop_assert_eq!(got, grants);
        same_after_opening(&live, &path);

        // Anew: one event at a time, the ledgers in any order, an event folded twice now and then.
        let ledgers = by_ledger(&changes);
        let anew = State::in_memory().unwrap();
        let mut at: BTreeMap<&str, usize> = ledgers.keys().map(|name| (name.as_str(), 0)).collect();
        let mut turns = turns.iter().cycle();
        while !at.is_empty() {
            let ledger = *at.keys().nth(turns.next().unwrap().index(at.len())).unwrap();
            let next = at[ledger];
            match ledgers[ledger].get(next) {
                None => drop(at.remove(ledger)),
                Some(event) => {
                    anew.fold(ledger, next as u64, event).unwrap();
                    if next > 0 {
                        let earlier = repeat.index(next);
                        anew.fold(ledger, earlier as u64, &ledgers[ledger][earlier]).unwrap();
                    }
                    at.insert(ledger, next + 1);
                }
            }
        }
        prop_assert_eq!(&anew.dump().unwrap(), &expected);

        // Anew: each ledger at once, and the whole once more.
        let at_once = State::in_memory().unwrap();
        for _ in 0..2 {
            for (ledger, events) in ledgers.iter().rev() {
                at_once.fold_many(ledger, (0..).zip(events)).unwrap();
                prop_assert_eq!(at_once.folded(ledger).unwrap(), Some(events.len() as u64));
            }
        }
        prop_assert_eq!(&at_once.dump().unwrap(), &expected);
        for id in KEYS {
            prop_assert_eq!(at_once.key(id), live.key(id));
        }
    }
}

#[test]
fn positions_go_on_and_never_back() {
    let state = State::in_memory().unwrap();
    assert_eq!(state.folded("acme").unwrap(), None);
    state.set_folded("acme", 10).unwrap();
    state.set_folded("acme", 4).unwrap();
    assert_eq!(state.folded("acme").unwrap(), Some(10));
    // Before it: known already.
    let key = key("key000000001", one("acme"), Role::Writer);
    state.fold("acme", 9, &created(&key, 1).to_event()).unwrap();
    assert_eq!((state.key("key000000001"), state.folded("acme").unwrap()), (None, Some(10)));
    state.fold("acme", 15, &created(&key, 1).to_event()).unwrap();
    assert_eq!((state.key("key000000001"), state.folded("acme").unwrap()), (Some(key), Some(16)));
    // Anything else is passed over.
    state.fold("acme", 16, &Value::from("no event")).unwrap();
    assert_eq!((state.folded("acme").unwrap(), state.folded(SYSTEM).unwrap()), (Some(17), None));
}

#[test]
fn what_is_pending_is_pending_after_a_crash() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state.db");
    let state = State::open(&path).unwrap();
    state.mark_pending("b").unwrap();
    state.mark_pending("a").unwrap();
    state.mark_pending("a").unwrap();
    // As a crash leaves it: what is on the disk now, with nothing closed in order.
    let crashed = dir.path().join("crashed.db");
    for (from, to) in State::files(&path).into_iter().zip(State::files(&crashed)).take(2) {
        std::fs::copy(from, to).unwrap();
    }
    let after = State::open(&crashed).unwrap();
    assert_eq!(after.pending().unwrap(), ["a", "b"]);
    after.clear_pending("a").unwrap();
    after.clear_pending("a").unwrap();
    drop(after);
    assert_eq!(State::open(&crashed).unwrap().pending().unwrap(), ["b"]);
}

#[test]
fn a_file_that_is_damaged_or_not_ours_is_to_be_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state.db");
    let make = || {
        for file in State::files(&path) {
            let _ = std::fs::remove_file(file);
        }
        let state = State::open(&path).unwrap();
        for n in 0..200 {
            let key = key(&format!("key{n:09}"), one("acme"), Role::Writer);
            state.fold("acme", n, &created(&key, 1).to_event()).unwrap();
        }
    };
    let outcome = |path: &std::path::Path| match State::open(path) {
        Ok(_) => "opened",
        Err(Error::Unusable { .. }) => "unusable",
        Err(Error::Store(_)) => "store",
    };
    make();
    assert_eq!(outcome(&path), "opened");
    let whole = std::fs::read(&path).unwrap();
    assert!(whole.len() > 40_000);

    for length in [100, 4096, whole.len() / 2, whole.len() - 4096] {
        std::fs::write(&path, &whole[..length]).unwrap();
        assert_eq!(outcome(&path), "unusable", "cut to {length}");
    }
    // Less than SQLite takes for a file: begun anew, and it says that nothing is folded.
    std::fs::write(&path, &whole[..1]).unwrap();
    assert_eq!((State::open(&path).unwrap().folded("acme").unwrap(), outcome(&path)), (None, "opened"));
    for file in State::files(&path) {
        let _ = std::fs::remove_file(file);
    }
    let mut flipped = whole.clone();
    for at in (4096..8192).step_by(64) {
        flipped[at] ^= 0xff;
    }
    std::fs::write(&path, &flipped).unwrap();
    assert_eq!(outcome(&path), "unusable", "flipped");
    std::fs::write(&path, b"This is not a database, and long enough to be looked at as one. ".repeat(100))
        .unwrap();
    assert_eq!(outcome(&path), "unusable", "text");

    // Another version, another program, a row that is not what we write.
    for sql in [
        "PRAGMA user_version = 999",
        "PRAGMA application_id = 5",
        "UPDATE records SET record = '{}' WHERE id = 'key000000007'",
        "UPDATE records SET record = 'x' WHERE id = 'key000000007'",
        "UPDATE key_hashes SET hash = x'00' WHERE id = 'key000000007'",
        "DELETE FROM key_hashes WHERE id = 'key000000007'",
        "DROP TABLE folded; DROP TABLE records",
    ] {
        make();
        rusqlite::Connection::open(&path).unwrap().execute_batch(sql).unwrap();
        assert_eq!(outcome(&path), "unusable", "{sql}");
    }
    // A folder that is not there is no reason to delete anything.
    assert_eq!(outcome(&dir.path().join("missing/state.db")), "store");
    make();
    assert_eq!(outcome(&path), "opened");
}

#[test]
fn last_uses_are_kept_by_the_minute_and_are_no_part_of_the_state() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state.db");
    let state = State::open(&path).unwrap();
    state.fold("acme", 0, &created(&key("key000000001", one("acme"), Role::Writer), 1).to_event()).unwrap();
    let before = state.dump().unwrap();
    assert_eq!(state.last_used("key000000001"), None);
    state.touch("key000000001", 61_234);
    state.touch("key000000001", 119_999);
    assert_eq!(state.last_used("key000000001"), Some(60_000));
    state.touch("key000000001", 120_000);
    state.touch("key000000001", 30_000);
    state.touch("stranger", 120_000);
    assert_eq!((state.last_used("key000000001"), state.last_used("stranger")), (Some(120_000), None));
    assert_eq!(state.dump().unwrap(), before);
    drop(state);
    assert_eq!(State::open(&path).unwrap().last_used("key000000001"), Some(120_000));
}

#[test]
fn readers_and_folds_do_not_wait_for_each_other_for_ever() {
    let state = State::in_memory().unwrap();
    let key = key("key000000001", one("acme"), Role::Writer);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for position in 0..200 {
                let event = match position {
                    0 => created(&key, 1).to_event(),
                    _ => Change::KeyRotated {
                        before: Box::new(key.clone()),
                        after: Box::new(key.clone()),
                        hashes: hashes((position % 2) as u8),
                    }
                    .to_event(),
                };
                state.fold("acme", position, &event).unwrap();
            }
        });
        for _ in 0..2 {
            scope.spawn(|| {
                for now in 0..2_000 {
                    let _ = state.authenticate("key000000001", &hash(1), None, now);
                    state.touch("key000000001", now * 60_000);
                    let _ = state.keys(None).unwrap();
                }
            });
        }
    });
    assert_eq!(state.key_hashes("key000000001"), Some(hashes(1)));
}
