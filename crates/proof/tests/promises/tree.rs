//! Proofs agree with two implementations that know nothing of ours, and with the definition.

use ct_merkle::digest::Output;
use ct_merkle::mem_backed_tree::MemoryBackedTree;
use ct_merkle::{ConsistencyProof, InclusionProof, RootHash};
use proof::tile::{
    entries, push_entry, tile_hashes, tiles, tiles_for_consistency, tiles_for_inclusion, tiles_for_range,
};
use proof::*;
use proptest::prelude::*;
use sha2::Sha256;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;

/// A tree of any size: all leaves are the same but a few.
struct Virtual {
    odd: BTreeMap<u64, Vec<u8>>,
    same: Vec<Hash>,
    seen: RefCell<HashMap<(u32, u64), Hash>>,
}

impl Virtual {
    fn new(odd: impl IntoIterator<Item = u64>) -> Virtual {
        let mut same = vec![leaf_hash(b"same")];
        for level in 0..63 {
            same.push(node_hash(&same[level], &same[level]));
        }
        Virtual {
            odd: odd.into_iter().map(|i| (i, format!("odd {i}").into_bytes())).collect(),
            same,
            seen: RefCell::default(),
        }
    }

    fn leaf(&self, index: u64) -> Vec<u8> {
        self.odd.get(&index).cloned().unwrap_or(b"same".to_vec())
    }

    fn hash(&self, level: u32, index: u64) -> Hash {
        let start = index << level;
        if self.odd.range(start..start + (1 << level)).next().is_none() {
            return self.same[level as usize];
        }
        let seen = self.seen.borrow().get(&(level, index)).copied();
        seen.unwrap_or_else(|| {
            let hash = match level {
                0 => leaf_hash(&self.leaf(index)),
                _ => node_hash(&self.hash(level - 1, 2 * index), &self.hash(level - 1, 2 * index + 1)),
            };
            self.seen.borrow_mut().insert((level, index), hash);
            hash
        })
    }
}

impl Nodes for Virtual {
    type Error = Infallible;

    fn node(&self, level: u32, index: u64) -> Result<Hash, Infallible> {
        Ok(self.hash(level, index))
    }
}

impl tlog_tiles::HashReader for Virtual {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog_tiles::Hash>, tlog_tiles::Error> {
        let one = |index: &u64| {
            let (level, index) = tlog_tiles::split_stored_hash_index(*index);
            tlog_tiles::Hash(self.hash(level.into(), index).0)
        };
        Ok(indexes.iter().map(one).collect())
    }
}

/// `MTH` as RFC 6962, section 2.1 spells it.
fn mth(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => empty_root(),
        [one] => *one,
        many => {
            let k = many.len().next_power_of_two() / 2;
            node_hash(&mth(&many[..k]), &mth(&many[k..]))
        }
    }
}

fn theirs(proof: &[Hash]) -> Vec<tlog_tiles::Hash> {
    proof.iter().map(|hash| tlog_tiles::Hash(hash.0)).collect()
}

fn ct_root(root: Hash, size: u64) -> RootHash<Sha256> {
    RootHash::new(Output::<Sha256>::from(root.0), size)
}

fn bytes(proof: &[Hash]) -> Vec<u8> {
    proof.iter().flat_map(|hash| hash.0).collect()
}

fn check_inclusion(tree: &Virtual, index: u64, size: u64, root: Hash) {
    let Ok(proof) = inclusion_proof(index, size, tree);
    let leaf = tree.leaf(index);
    verify_inclusion(index, size, &leaf_hash(&leaf), &proof, &root).unwrap();
    ct_root(root, size).verify_inclusion(&leaf, index, &InclusionProof::from_bytes(bytes(&proof))).unwrap();
    let hash = tlog_tiles::record_hash(&leaf);
    tlog_tiles::check_record(&theirs(&proof), size, tlog_tiles::Hash(root.0), index, hash).unwrap();
    let made = tlog_tiles::prove_record(size, index, tree).unwrap();
    assert!(made.iter().map(|hash| Hash(hash.0)).eq(proof), "{index} in {size}");
}

fn check_consistency(tree: &Virtual, old: u64, new: u64, old_root: Hash, root: Hash) {
    let Ok(proof) = consistency_proof(old, new, tree);
    verify_consistency(old, new, &proof, &old_root, &root).unwrap();
    let theirs_new = ct_root(root, new);
    let ct_proof = ConsistencyProof::try_from_bytes(bytes(&proof)).unwrap();
    theirs_new.verify_consistency(&ct_root(old_root, old), &ct_proof).unwrap();
    let (old_hash, hash) = (tlog_tiles::Hash(old_root.0), tlog_tiles::Hash(root.0));
    tlog_tiles::check_tree(&theirs(&proof), new, hash, old, old_hash).unwrap();
    let made = tlog_tiles::prove_tree(new, old, tree).unwrap();
    assert!(made.iter().map(|hash| Hash(hash.0)).eq(proof), "{old} to {new}");
}

#[test]
fn every_proof_up_to_300_agrees_with_two_others() {
    let tree = Virtual::new(0..300);
    let mut roots = vec![empty_root()];
    let mut frontier = Frontier::new();
    let mut ct = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    for size in 1..=300 {
        frontier.append(leaf_hash(&tree.leaf(size - 1)));
        ct.push(tree.leaf(size - 1));
        let root = frontier.root();
        assert_eq!(root.0.as_slice(), ct.root().as_bytes().as_slice());
        assert_eq!(root.0, tlog_tiles::tree_hash(size, &tree).unwrap().0);
        roots.push(root);
        for index in 0..size {
            check_inclusion(&tree, index, size, root);
        }
        for old in 1..=size {
            check_consistency(&tree, old, size, roots[old as usize], root);
        }
    }
}

#[test]
fn large_proofs_agree_with_two_others() {
    let mut seed = 0x9e37_79b9_7f4a_7c15u64;
    let mut next = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    for round in 0..400 {
        let bits = 9 + round % 32;
        let size = (next() >> (64 - bits)).max(2);
        let index = next() % size;
        let old = 1 + next() % size;
        let odd = [index, old - 1, old % size, size - 1, next() % size];
        let tree = Virtual::new(odd);
        let (Ok(root), Ok(old_root)) = (tree::root(size, &tree), tree::root(old, &tree));
        assert_eq!(root.0, tlog_tiles::tree_hash(size, &tree).unwrap().0);
        for index in odd {
            check_inclusion(&tree, index, size, root);
        }
        check_consistency(&tree, old, size, old_root, root);

        // Going on from a frontier is the same as reading the whole.
        let Ok(mut frontier) = tree::frontier(old, &tree);
        assert_eq!(Frontier::from_parts(old, frontier.hashes().to_vec()), Ok(frontier.clone()));
        let more = (size - old).min(700);
        (old..old + more).for_each(|i| frontier.append(tree.hash(0, i)));
        let Ok(expected) = tree::root(old + more, &tree);
        assert_eq!((frontier.size(), frontier.root()), (old + more, expected));
    }
}

#[test]
fn roots_are_those_of_the_definition_and_of_rfc_6962_test_data() {
    // The eight leaves and roots of certificate-transparency's test data.
    let leaves: [&[u8]; 8] = [
        &[],
        &[0],
        &[0x10],
        &[0x20, 0x21],
        &[0x30, 0x31],
        &[0x40, 0x41, 0x42, 0x43],
        &[0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
        &[0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f],
    ];
    let expected = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let hashes: Vec<Hash> = leaves.iter().map(|leaf| leaf_hash(leaf)).collect();
    let mut frontier = Frontier::new();
    assert_eq!(frontier.root().to_string(), expected[0]);
    for size in 1..=8 {
        frontier.append(hashes[size - 1]);
        assert_eq!(frontier.root().to_string(), expected[size]);
        assert_eq!(mth(&hashes[..size]), frontier.root());
    }
}

#[test]
fn what_is_not_a_proof_is_refused() {
    let tree = Virtual::new(0..64);
    let root = |size| {
        let Ok(root) = tree::root(size, &tree);
        root
    };
    for size in 1..40 {
        for index in 0..size {
            let Ok(good) = inclusion_proof(index, size, &tree);
            let leaf = tree.hash(0, index);
            let refused = |index, size, leaf, path: &[Hash], root| {
                assert!(verify_inclusion(index, size, &leaf, path, &root).is_err());
            };
            refused(index, size, empty_root(), &good, root(size));
            refused(index, size, leaf, &good, root(size + 1));
            refused(size, size, leaf, &good, root(size));
            refused(u64::MAX, size, leaf, &good, root(size));
            refused(index, 0, leaf, &good, root(size));
            refused(index, size, leaf, &[good.clone(), vec![leaf]].concat(), root(size));
            for i in 0..good.len() {
                let mut bad = good.clone();
                bad[i].0[31] ^= 1;
                refused(index, size, leaf, &bad, root(size));
                refused(index, size, leaf, &good[..i], root(size));
            }
            for other in (0..size).filter(|other| *other != index) {
                refused(other, size, leaf, &good, root(size));
            }
        }
        for old in 0..=size {
            let Ok(good) = consistency_proof(old, size, &tree);
            let refused = |path: &[Hash], old_root, root| {
                assert!(verify_consistency(old, size, path, &old_root, &root).is_err());
            };
            if old == 0 {
                refused(&[], empty_root(), root(size));
                continue;
            }
            refused(&good, root(old + 1), root(size));
            refused(&good, root(old), root(size + 1));
            refused(&[good.clone(), vec![root(1)]].concat(), root(old), root(size));
            for i in 0..good.len() {
                let mut bad = good.clone();
                bad[i].0[0] ^= 0x80;
                refused(&bad, root(old), root(size));
                refused(&good[..i], root(old), root(size));
            }
        }
    }
    assert!(verify_consistency(5, 4, &[], &root(5), &root(4)).is_err());
    assert!(Frontier::from_parts(5, vec![root(4)]).is_err());
    assert!(Frontier::from_parts(u64::MAX, vec![root(4); 64]).is_err());
    // Nothing overflows at the end of the number line.
    let all = |_: u32, _: u64| Ok::<_, Infallible>(root(1));
    for size in [u64::MAX, u64::MAX - 1, 1 << 63, (1 << 63) + 1] {
        for at in [1, 2, size / 2, size / 2 + 1, size - 1, size] {
            let (Ok(path), Ok(link)) = (inclusion_proof(at, size, &all), consistency_proof(at, size, &all));
            assert!(path.len() <= 64 && link.len() <= 65);
            assert!(verify_inclusion(at, size, &root(1), &path, &root(2)).is_err());
            assert!(verify_consistency(at, size, &link, &root(2), &root(1)).is_err());
            tiles_for_inclusion(at, size);
        }
    }
}

#[test]
fn the_tiles_named_are_enough() {
    for size in [1, 2, 255, 256, 257, 300, 65_535, 65_536, 65_537, 70_001, (1 << 24) + 70_000] {
        let tree = Virtual::new([0, size / 3, size - 1]);
        let Ok(root) = tree::root(size, &tree);
        // Reads tile by tile, and only those that were named.
        let reader = |named: Vec<Tile>| {
            let tree = &tree;
            TileNodes(move |level: u32, first: u64, count: u64| {
                let tile = Tile::in_tree(size, level, first / 256).filter(|tile| named.contains(tile));
                let tile = tile.ok_or(format!("level {level} first {first} is not in a tile named"))?;
                assert!(first + count <= tile.first_hash() + u64::from(tile.width));
                Ok::<_, String>((first..first + count).map(|i| tree.hash(8 * level, i)).collect())
            })
        };
        for index in [0, size / 3, size / 2, size - 1] {
            let path = inclusion_proof(index, size, &reader(tiles_for_inclusion(index, size))).unwrap();
            verify_inclusion(index, size, &tree.hash(0, index), &path, &root).unwrap();
            let last = (index + 600).min(size - 1);
            let named = tiles_for_range(index, last, size);
            assert_eq!(tree::root(size, &reader(named.clone())), Ok(root));
            for inside in (index..=last).step_by(97) {
                let path = inclusion_proof(inside, size, &reader(named.clone())).unwrap();
                verify_inclusion(inside, size, &tree.hash(0, inside), &path, &root).unwrap();
            }
            let old = index + 1;
            let link = consistency_proof(old, size, &reader(tiles_for_consistency(old, size))).unwrap();
            let Ok(old_root) = tree::root(old, &tree);
            verify_consistency(old, size, &link, &old_root, &root).unwrap();
        }
        assert!(tiles_for_range(1, 0, size).is_empty() && tiles_for_range(0, size, size).is_empty());
    }
}

#[test]
fn tiles_are_named_as_tlog_tiles_names_them() {
    let tile = |level, index, width| Tile { level, index, width };
    assert_eq!(tile(0, 1_234_067, 256).path(), "tile/0/x001/x234/067");
    assert_eq!(tile(0, 234, 7).path(), "tile/0/234.p/7");
    assert_eq!(tile(3, 0, 1).path(), "tile/3/000.p/1");
    assert_eq!(Bundle { index: 1000, width: 256 }.path(), "tile/entries/x001/000");
    assert_eq!(Bundle::of_position(299, 300), Some(Bundle { index: 1, width: 44 }));
    assert_eq!(Bundle::of_position(300, 300), None);
    for bad in [
        "",
        "tile",
        "tile/0/",
        "tile/0/1",
        "tile/0/0001",
        "tile/8/000",
        "tile/00/000",
        "tile/0/x000/001",
        "tile/0/000/001",
        "tile/0/001.p/0",
        "tile/0/001.p/256",
        "tile/0/001.p/07",
        "tile/0/001.p/",
        "tile/0/x001",
        "tile/-1/000",
        "tile/0/+01",
        "tile/0/x999/x999/x999/x999/x999/x999/999",
        "tile/0/001.p/7.p/7",
        "tile/entries/000",
        "tile/0/€",
    ] {
        assert!(Tile::parse(bad).is_err(), "{bad}");
    }
    for size in [0, 1, 255, 256, 257, 65_536, 70_000, 16_842_752] {
        for tile in tiles(size) {
            assert_eq!(Tile::parse(&tile.path()), Ok(tile));
            let oracle = tlog_tiles::Tile::new(8, tile.level as u8, tile.index, tile.width, false);
            assert_eq!(oracle.path().replace("tile/8/", "tile/"), tile.path());
        }
        let mut count = 0;
        for level in 0..8 {
            count += (size >> (8 * level)) as usize;
        }
        assert_eq!(tiles(size).map(|tile| tile.width as usize).sum::<usize>(), count);
    }
}

#[test]
fn bundles_hold_what_was_put_in() {
    let mut bundle = Vec::new();
    let leaves: Vec<Vec<u8>> = (0..256).map(|i| vec![i as u8; i * 7]).collect();
    leaves.iter().for_each(|leaf| push_entry(&mut bundle, leaf).unwrap());
    assert_eq!(entries(&bundle).unwrap(), leaves);
    assert!(entries(&bundle[..bundle.len() - 1]).is_err());
    push_entry(&mut bundle, &[0; 65_535]).unwrap();
    assert!(entries(&bundle).is_err(), "257 leaves");
    assert!(push_entry(&mut bundle, &[0; 65_536]).is_err());
    assert!(tile_hashes(&[0; 64], 2).is_ok() && tile_hashes(&[0; 65], 2).is_err());
}

proptest! {
    #[test]
    fn a_frontier_is_the_definition(leaves in proptest::collection::vec(any::<[u8; 3]>(), 0..600)) {
        let hashes: Vec<Hash> = leaves.iter().map(|leaf| leaf_hash(leaf)).collect();
        let mut frontier = Frontier::new();
        hashes.iter().for_each(|hash| frontier.append(*hash));
        prop_assert_eq!(frontier.root(), mth(&hashes));
    }
}
