//! The past cannot be sealed anew.

use crate::world::*;
use proof::*;

fn keychain() -> Keychain {
    Keychain::verify(&World::new().keychain(), identity().verifying_key()).unwrap()
}

fn sealed(size: u64, signers: &[&NoteSigner]) -> Result<u64, Error> {
    let world = World::new();
    keychain().check_seal(&world.checkpoint(size), &world.signed(size, signers))
}

#[track_caller]
fn tampered<T: std::fmt::Debug>(result: Result<T, Error>) {
    assert_eq!(result.unwrap_err().verdict(), Verdict::Tampered);
}

#[track_caller]
fn incomplete<T: std::fmt::Debug>(result: Result<T, Error>) {
    assert_eq!(result.unwrap_err().verdict(), Verdict::Incomplete);
}

#[test]
fn each_epoch_seals_its_own_sizes_only() {
    let keychain = keychain();
    let ends: Vec<_> = keychain.epochs().iter().map(|e| e.closed_by.as_ref().map(|end| end.size)).collect();
    assert_eq!(ends, [Some(5), Some(9), None]);
    assert_eq!(keychain.epochs().iter().map(|epoch| epoch.after).collect::<Vec<_>>(), [0, 5, 9]);
    assert_eq!(keychain.genesis(), leaf_hash(&genesis()));
    for size in 1..=12 {
        let due = 1 + u64::from(size > 5) + u64::from(size > 9);
        assert_eq!(keychain.epoch_of(size).map(|epoch| epoch.number), Some(due));
        for epoch in 1..=3 {
            let result = sealed(size, &[&identity(), &seal(epoch)]);
            match epoch == due {
                true => assert_eq!(result, Ok(epoch)),
                // Later key on an earlier size: today's keys re-sealing the past.
                // Earlier key on a later size: a key that should have been destroyed.
                false => tampered(result),
            }
        }
    }
    assert_eq!(keychain.epoch_of(0), None);
    assert_eq!(keychain.epoch_of(u64::MAX).map(|epoch| epoch.number), Some(3));
}

#[test]
fn dropping_the_seal_is_seen() {
    incomplete(sealed(3, &[&identity()]));
    incomplete(sealed(12, &[&identity()]));
    // A key that only has the right name is nobody's.
    let posing = NoteSigner::from_seed(seal(1).name(), &[77; 32]).unwrap();
    incomplete(sealed(3, &[&identity(), &posing]));
    // An epoch the keychain does not know of.
    incomplete(sealed(12, &[&identity(), &seal(4)]));
}

#[test]
fn adding_a_later_seal_beside_the_right_one_is_tampering() {
    tampered(sealed(3, &[&identity(), &seal(1), &seal(3)]));
}

#[test]
fn a_seal_over_other_text_is_tampering() {
    let world = World::new();
    let mut note = world.signed(3, &[&identity()]);
    note.push(seal(1).sign(world.head(4).text())).unwrap();
    tampered(keychain().check_seal(&world.checkpoint(3), &note));
    tampered(keychain().check_seal(&world.checkpoint(4), &world.head(3)));
}

fn chain(links: &[(u64, Note)], world: &World) -> Result<Keychain, Error> {
    let proofs: Vec<String> =
        links.iter().map(|(index, note)| world.proof(*index, note, Extra::default()).to_string()).collect();
    Keychain::verify(&proofs, identity().verifying_key())
}

#[test]
fn a_broken_keychain_is_refused() {
    let world = World::new();
    let (genesis, first, second) = ((0, world.head(1)), (4, world.head(5)), (8, world.head(9)));
    let id = identity();
    assert!(chain(&[genesis.clone(), first.clone(), second.clone()], &world).is_ok());
    // Genesis may be proved in any checkpoint, even one the keychain does not reach.
    assert!(chain(&[(0, world.head(12)), first.clone()], &world).is_ok());
    incomplete(Keychain::verify::<&str>(&[], id.verifying_key()));
    tampered(chain(std::slice::from_ref(&first), &world));
    // A handover left out, twice, or in another order.
    tampered(chain(&[genesis.clone(), second.clone()], &world));
    tampered(chain(&[genesis.clone(), first.clone(), first.clone()], &world));
    // Not the closing checkpoint.
    tampered(chain(&[genesis.clone(), (4, world.signed(6, &[&id, &seal(1)]))], &world));
    // Not sealed, or sealed by the key it introduces.
    incomplete(chain(&[genesis.clone(), (4, world.signed(5, &[&id]))], &world));
    incomplete(chain(&[genesis.clone(), (4, world.signed(5, &[&id, &seal(2)]))], &world));
    tampered(chain(&[genesis.clone(), (4, world.signed(5, &[&id, &seal(1), &seal(2)]))], &world));
    // Not signed by the identity.
    incomplete(chain(&[genesis.clone(), (4, world.signed(5, &[&seal(1)]))], &world));
    // An ordinary leaf, a wrong epoch, another identity, another seal name.
    tampered(chain(&[genesis.clone(), (3, world.signed(4, &[&id, &seal(1)]))], &world));
    let with = |position: usize, leaf: Vec<u8>| {
        let mut world = World::new();
        world.leaves[position] = leaf;
        world
    };
    let other = with(4, rotation(2));
    tampered(chain(&[(0, other.head(1)), (4, other.head(5))], &other));
    let other = with(0, rotation(1));
    tampered(chain(&[(0, other.head(1))], &other));
    let body = seal::Genesis {
        created_ms: 1,
        identity: NoteSigner::from_seed(ORIGIN, &[50; 32]).unwrap().verifying_key().clone(),
        seal: seal(1).verifying_key().clone(),
    };
    let other = with(0, control(seal::GENESIS, &body.to_json()));
    tampered(chain(&[(0, other.head(1))], &other));
    let body = seal::SealRotated { epoch: 1, next: seal(3).verifying_key().clone() };
    let other = with(4, control(seal::SEAL_ROTATED, &body.to_json()));
    tampered(chain(&[(0, other.head(1)), (4, other.head(5))], &other));
}
