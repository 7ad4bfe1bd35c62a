//! Whatever is thrown at it, it answers; and no change of one byte makes a proof say more.

use crate::world::*;
use proof::compare::ConsistencyFile;
use proof::*;

/// xorshift64*: the same noise each time.
struct Noise(u64);

impl Noise {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % n.max(1)
    }

    fn mutate(&mut self, input: &[u8]) -> Vec<u8> {
        let mut out = input.to_vec();
        for _ in 0..=self.below(3) {
            let (at, to) = (self.below(out.len()), self.below(out.len() + 1));
            let (from, to) = (at.min(to), at.max(to));
            match self.below(7) {
                0 => out.truncate(at),
                1 if !out.is_empty() => out[at] ^= 1 << self.below(8),
                2 => out.insert(at, b"\n \0+=-0{}\"\\x\xff"[self.below(13)]),
                3 => drop(out.drain(from..to.min(from + 40))),
                4 => out.extend_from_within(from..to.min(from + 40)),
                5 if !out.is_empty() => out[at] = self.below(256) as u8,
                _ => out.extend_from_slice(b"\n\n\xe2\x80\x94 "),
            }
        }
        out
    }
}

#[test]
fn mutated_input_never_panics_nor_verifies_as_something_else() {
    let world = World::new();
    let mut note = world.head(12);
    note.push(witness(1).sign(note.text(), 7)).unwrap();
    let policy_text = format!(
        "log {}\nwitness w {}\ngroup g any w\nquorum g\n",
        identity().verifying_key(),
        witness(1).verifying_key()
    );
    let policy = Policy::parse(&policy_text).unwrap();
    let proof = world.event_proof(10, &note);
    let seeds = [
        note.to_string(),
        policy_text,
        proof.to_string(),
        String::from_utf8(proof.extra.clone().unwrap()).unwrap(),
        world.keychain()[1].clone(),
        disclosure::encode_line(3, &event(3).1),
        ConsistencyFile { old_size: 7, proof: proof.path.clone(), checkpoint: note.to_string() }.to_string(),
        identity().verifying_key().to_string(),
        "tile/0/x001/x234/067.p/7".into(),
        String::from_utf8(LeafRef::decode(&genesis()).unwrap().body.to_vec()).unwrap(),
    ];
    let mut noise = Noise(4711);
    let (mut rounds, mut accepted) = (0, 0);
    for _ in 0..2_500 {
        for seed in &seeds {
            rounds += 1;
            let bytes = noise.mutate(seed.as_bytes());
            if let Ok(parsed) = Note::parse(&bytes) {
                assert_eq!(parsed.to_string().as_bytes(), bytes);
                if parsed.text() != note.text() {
                    assert!(parsed.require(identity().verifying_key()).is_err());
                }
            }
            let _ = Policy::parse(&bytes).map(|policy| policy.check(&note).is_ok());
            let _ = Extra::decode(&bytes);
            let _ = seal::Genesis::parse(&bytes);
            let _ = seal::SealRotated::parse(&bytes, ORIGIN);
            let text = String::from_utf8_lossy(&bytes);
            let _ = Checkpoint::parse(&text);
            let _ =
                (Tile::parse(&text), Bundle::parse(&text), VerifyingKey::parse(&text), Hash::from_b64(&text));
            let _ = (disclosure::decode_line(&text), NoteSignature::parse(&text));
            if let Ok(parsed) = ConsistencyFile::parse(&text) {
                assert_eq!(parsed.to_string(), text);
            }
            let _ = Keychain::verify(&[&text], identity().verifying_key());
            let report = verify_proof(&text, &Trust::new(&policy));
            if report.verdict == Verdict::Verified {
                accepted += 1;
                assert_eq!(report.position, Some(10));
                assert_eq!(report.leaf, Some(Leaf::decode(&event(10).0).unwrap()));
                let own = event(10).1;
                assert!(report.sections.iter().all(|(name, shown)| own.get(name) == Some(shown)));
            }
        }
    }
    // Lines of strangers, and bytes a proof does not need, may come and go; little else.
    assert!(accepted * 20 < rounds, "{accepted} of {rounds}");
}

#[test]
fn every_flipped_bit_of_a_proof_is_seen() {
    let world = World::new();
    let policy = policy();
    let trust = Trust { require_seal: true, ..Trust::new(&policy) };
    let text = world.event_proof(10, &world.head(12)).to_string();
    for at in 0..text.len() {
        let mut bytes = text.clone().into_bytes();
        bytes[at] ^= 1 << (at % 7);
        let report = verify_proof(&String::from_utf8_lossy(&bytes), &trust);
        assert_ne!(report.verdict, Verdict::Verified, "byte {at}");
    }
}

#[test]
fn input_that_is_only_large_is_answered_quickly() {
    let policy = policy();
    let trust = Trust::new(&policy);
    for text in [
        format!("c2sp.org/tlog-proof@v1\nindex 0\n{}", "AAAA\n".repeat(200_000)),
        format!("c2sp.org/tlog-proof@v1\nextra {}\nindex 0\n\n", "A".repeat(1_000_000)),
        "\n".repeat(1_000_000),
    ] {
        assert_eq!(verify_proof(&text, &trust).verdict, Verdict::CannotCheck);
        assert!(Policy::parse(&text).is_err() && ConsistencyFile::parse(&text).is_err());
    }
    let array = format!("{{\"keychain\":[{}\"\"]}}", "\"\",".repeat(200_000));
    assert!(Extra::decode(array.as_bytes()).is_err());
    let object = format!("{{{}", (0..50_000).map(|i| format!("\"{i}\":1,")).collect::<String>());
    assert!(Extra::decode(object.as_bytes()).is_err());
}
