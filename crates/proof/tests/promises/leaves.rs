//! Leaves: one value, one byte string.

use crate::world::{control, event, genesis};
use proof::leaf::{severity_word, status_word, verify_mac};
use proof::*;
use proptest::prelude::*;

fn any_leaf() -> impl Strategy<Value = Leaf> {
    let fields =
        (any::<bool>(), any::<[u8; 16]>(), any::<i64>(), any::<u64>(), any::<u16>(), any::<[u8; 3]>());
    let names = ("[a-z0-9_.]{1,64}", "[A-Za-z0-9._:/-]{0,64}", any::<u64>());
    let sections = proptest::collection::btree_map("[a-z_]{1,16}", any::<[u8; 32]>(), 0..=8);
    let mac = proptest::option::of((any::<[u8; 8]>(), any::<[u8; 32]>()));
    let body = proptest::collection::vec(any::<u8>(), 0..300);
    (fields, names, sections, body, mac).prop_map(|(fields, names, sections, body, mac)| {
        let (event, id, time_ns, received_ms, retention, [status, severity, sender_auth]) = fields;
        let (type_name, producer, producer_seq) = names;
        let sections = if event { sections } else { Default::default() };
        Leaf {
            kind: if event { Kind::Event } else { Kind::Control },
            id,
            time_ns,
            received_ms,
            retention,
            status,
            severity,
            sender_auth,
            type_name,
            producer,
            producer_seq,
            sections: sections.into_iter().map(|(name, hash)| (name, Hash(hash))).collect(),
            body: if event { Vec::new() } else { body },
            mac: mac.map(|(key_id, tag)| Mac { key_id, tag }),
        }
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read(leaf in any_leaf()) {
        let mut bytes = vec![7];
        leaf.encode(&mut bytes).unwrap();
        prop_assert_eq!(bytes[0], 7);
        prop_assert_eq!(Leaf::decode(&bytes[1..]), Ok(leaf));
    }

    #[test]
    fn what_is_read_is_written(
        leaf in any_leaf(),
        at in any::<prop::sample::Index>(),
        to in any::<u8>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = Vec::new();
        leaf.encode(&mut bytes).unwrap();
        let end = cut.index(bytes.len());
        prop_assert!(LeafRef::decode(&bytes[..end]).is_err(), "cut off");
        bytes.push(0);
        prop_assert!(LeafRef::decode(&bytes).is_err(), "trailing byte");
        bytes.pop();
        let i = at.index(bytes.len());
        bytes[i] = to;
        if let Ok(read) = LeafRef::decode(&bytes) {
            let mut again = Vec::new();
            read.encode(&mut again).unwrap();
            prop_assert_eq!(again, bytes);
        }
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = LeafRef::decode(&bytes);
        let _ = tile::entries(&bytes);
        let mut started = vec![1, 2];
        started.extend(bytes);
        let _ = LeafRef::decode(&started);
    }
}

#[test]
fn a_leaf_that_breaks_the_format_is_not_written() {
    let good = Leaf::decode(&event(1).0).unwrap();
    let refused = |change: &dyn Fn(&mut Leaf)| {
        let mut leaf = good.clone();
        change(&mut leaf);
        let mut out = vec![1, 2, 3];
        assert!(leaf.encode(&mut out).is_err(), "{leaf:?}");
        assert_eq!(out, [1, 2, 3]);
    };
    refused(&|leaf| leaf.type_name.clear());
    refused(&|leaf| leaf.type_name = "a".repeat(65));
    refused(&|leaf| leaf.type_name = "User Login".into());
    refused(&|leaf| leaf.producer = "a b".into());
    refused(&|leaf| leaf.producer = "é".into());
    refused(&|leaf| leaf.producer = "a".repeat(65));
    refused(&|leaf| leaf.sections.reverse());
    refused(&|leaf| leaf.sections[1].0 = leaf.sections[0].0.clone());
    refused(&|leaf| leaf.sections[0].0 = "Content".into());
    refused(&|leaf| leaf.sections[0].0.clear());
    refused(&|leaf| leaf.sections = (b'a'..b'j').map(|c| (char::from(c).into(), empty_root())).collect());
    refused(&|leaf| leaf.body = b"{}".to_vec());
    refused(&|leaf| leaf.kind = Kind::Control);
    refused(&|leaf| {
        leaf.kind = Kind::Control;
        leaf.sections.clear();
        leaf.body = vec![b' '; 65_535];
    });
}

#[test]
fn versions_kinds_and_flags_to_come_are_refused() {
    let good = genesis();
    for (at, value) in [(0, 0), (0, 2), (1, 0), (1, 3), (good.len() - 1, 1), (good.len() - 1, 2)] {
        let mut bad = good.clone();
        bad[at] = value;
        assert!(LeafRef::decode(&bad).is_err());
    }
    assert!(LeafRef::decode(&[1; 70_000]).is_err());
}

#[test]
fn a_tag_outlives_an_erased_section_but_no_change() {
    let key = MacKey::new(&[5; 40]).unwrap();
    let leaf = Leaf::decode(&event(3).0).unwrap();
    let mut bytes = vec![0xff; 3];
    let mac = leaf.encode_with_mac(&key, "a.example", &mut bytes).unwrap();
    let bytes = &bytes[3..];
    assert_eq!(LeafRef::decode(bytes).unwrap().mac, Some(mac));
    assert_eq!(verify_mac(bytes, &key, "a.example"), Ok(()));
    assert!(matches!(verify_mac(bytes, &key, "b.example"), Err(Error::Contradicts(_))));
    assert!(matches!(verify_mac(&event(3).0, &key, "a.example"), Err(Error::Missing(_))));
    for at in 0..bytes.len() {
        let mut bad = bytes.to_vec();
        bad[at] ^= 1;
        assert!(verify_mac(&bad, &key, "a.example").is_err(), "byte {at}");
    }
}

#[test]
fn codes_have_their_words() {
    let words =
        |word: fn(u8) -> Option<&'static str>| (0..=255).filter_map(word).collect::<Vec<_>>().join(" ");
    assert_eq!(
        words(status_word),
        "not said success failed blocked error pending partial cancelled timeout other"
    );
    assert_eq!(words(severity_word), "not said info low medium high critical other");
    assert!(leaf::SECTION_NAMES.is_sorted());
    assert!(LeafRef::decode(&control("ledger.heartbeat", "{}")).is_ok());
}
