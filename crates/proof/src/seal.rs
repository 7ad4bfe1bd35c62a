//! Seal keys (docs/format.md 1.7): a key for each epoch, destroyed when the epoch ends, so that
//! whoever holds today's keys cannot seal yesterday anew.

use crate::checkpoint::Checkpoint;
use crate::disclosure::Extra;
use crate::error::{Error, contradicts, malformed, missing};
use crate::hash::{Hash, leaf_hash};
use crate::inclusion::verify_inclusion;
use crate::json::{Value, push_string};
use crate::leaf::{Kind, LeafRef};
use crate::note::{KeyType, Note, VerifyingKey};
use crate::tile::decimal;
use crate::tlog_proof::TlogProof;

/// Type of the leaf at position 0.
pub const GENESIS: &str = "ledger.genesis";
/// Type of the last leaf of an epoch.
pub const SEAL_ROTATED: &str = "ledger.seal_rotated";

/// The name of a ledger's seal key in an epoch: `<origin>/seal/<epoch>`.
pub fn seal_name(origin: &str, epoch: u64) -> String {
    format!("{origin}/seal/{epoch}")
}

/// Body of the genesis leaf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Genesis {
    /// When the ledger was made: milliseconds since 1970, below 2^53.
    pub created_ms: u64,
    /// Key that signs every checkpoint; its name is the origin.
    pub identity: VerifyingKey,
    /// Key that seals epoch 1.
    pub seal: VerifyingKey,
}

impl Genesis {
    /// JCS JSON.
    pub fn to_json(&self) -> String {
        let mut out = format!("{{\"created\":{},\"format\":1,\"identity\":", self.created_ms);
        push_string(&mut out, &self.identity.to_string());
        out.push_str(",\"origin\":");
        push_string(&mut out, self.identity.name());
        out.push_str(",\"seal\":");
        push_string(&mut out, &self.seal.to_string());
        out.push('}');
        out
    }

    /// Reads the body; members it does not know are ignored. Refused if the keys' names do not fit
    /// the origin or `format` is not 1.
    pub fn parse(body: &[u8]) -> Result<Genesis, Error> {
        let body = parse_body(body)?;
        if body.count("format")? != 1 {
            return Err(malformed("a ledger of another format"));
        }
        let identity = VerifyingKey::parse(body.string("identity")?)?;
        let origin = body.string("origin")?;
        if identity.name() != origin || identity.key_type() != KeyType::Ed25519 {
            return Err(contradicts("the genesis leaf's identity key is not its origin's"));
        }
        let seal = parse_seal(body.string("seal")?, origin, 1)?;
        Ok(Genesis { created_ms: body.count("created")?, identity, seal })
    }
}

/// Body of the leaf that ends an epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealRotated {
    /// The epoch it ends.
    pub epoch: u64,
    /// Key that seals the next.
    pub next: VerifyingKey,
}

impl SealRotated {
    /// JCS JSON.
    pub fn to_json(&self) -> String {
        let mut out = format!("{{\"epoch\":{},\"next\":", self.epoch);
        push_string(&mut out, &self.next.to_string());
        out.push('}');
        out
    }

    /// Reads the body; members it does not know are ignored. Refused if the next key is not named
    /// for the next epoch of `origin`.
    pub fn parse(body: &[u8], origin: &str) -> Result<SealRotated, Error> {
        let body = parse_body(body)?;
        let epoch = body.count("epoch")?;
        let next = parse_seal(body.string("next")?, origin, epoch.saturating_add(1))?;
        Ok(SealRotated { epoch, next })
    }
}

/// An epoch of a keychain that was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Epoch {
    /// From 1.
    pub number: u64,
    /// The key that sealed it.
    pub key: VerifyingKey,
    /// The tree size at which it began: it seals sizes above this one.
    pub after: u64,
    /// The checkpoint that ended it, signed by a key that then was destroyed; `None` for the last
    /// epoch the keychain knows of. Its size is the largest the epoch seals.
    pub closed_by: Option<Checkpoint>,
}

impl Epoch {
    fn holds(&self, size: u64) -> bool {
        size > self.after && self.closed_by.as_ref().is_none_or(|end| size <= end.size)
    }
}

/// The seal keys of a ledger from its beginning, each vouched for by the one before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keychain {
    origin: String,
    genesis: Hash,
    /// Never empty; epoch e at e − 1.
    epochs: Vec<Epoch>,
}

impl Keychain {
    /// Checks a keychain: the tlog-proof of the genesis leaf, then the handovers of epochs 1, 2, …
    /// in order, for the ledger whose identity key is `identity`.
    ///
    /// [`Error::Contradicts`] if a proof, signature or rule does not hold, [`Error::Missing`] if a
    /// signature is not there.
    ///
    /// It says who may seal what. It does not say that the trees of its checkpoints are each the
    /// beginning of the next: whoever has the tree compares [`Epoch::closed_by`] with it. Nor can it
    /// tell a ledger that was begun anew with the same identity key: whoever has seen
    /// [`Keychain::genesis`] before compares that.
    pub fn verify<T: AsRef<str>>(proofs: &[T], identity: &VerifyingKey) -> Result<Keychain, Error> {
        let (first, handovers) =
            proofs.split_first().ok_or_else(|| missing("the keychain has no genesis"))?;
        let genesis =
            Link::open(first.as_ref(), identity, GENESIS).map_err(|error| error.within("genesis"))?;
        if genesis.index != 0 {
            return Err(contradicts("genesis: the leaf is not at position 0"));
        }
        let body = Genesis::parse(&genesis.body).map_err(|error| error.within("genesis"))?;
        if body.identity != *identity {
            return Err(contradicts("genesis: the leaf names another identity key"));
        }
        let mut last = Epoch { number: 1, key: body.seal, after: 0, closed_by: None };
        let mut epochs = Vec::new();
        let mut links = vec![genesis];
        for text in handovers {
            let place = format!("handover {}", last.number);
            let link =
                Link::open(text.as_ref(), identity, SEAL_ROTATED).map_err(|error| error.within(&place))?;
            last = link.end(last, &mut epochs).map_err(|error| error.within(&place))?;
            links.push(link);
        }
        epochs.push(last);
        let keychain = Keychain { origin: identity.name().to_owned(), genesis: links[0].leaf_hash, epochs };
        // Only now all epochs are known: a handover sealed by a later key as well is found here.
        for (i, link) in links.iter().enumerate() {
            let place = if i == 0 { "genesis".to_owned() } else { format!("handover {i}") };
            match keychain.check_seal(&link.checkpoint, &link.note) {
                // Genesis may be proved in any checkpoint, also of an epoch the keychain does not reach.
                Err(Error::Missing(_)) if i == 0 && link.checkpoint.size > keychain.reach() => {}
                other => drop(other.map_err(|error| error.within(&place))?),
            }
        }
        Ok(keychain)
    }

    /// The ledger's name.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Leaf hash of the genesis leaf: what to remember of a ledger for ever.
    pub fn genesis(&self) -> Hash {
        self.genesis
    }

    /// The epochs, in order; the last is open.
    pub fn epochs(&self) -> &[Epoch] {
        &self.epochs
    }

    /// The epoch whose key seals a checkpoint of this size; `None` for size 0. For a size above all
    /// handovers it is the last epoch the keychain knows of.
    pub fn epoch_of(&self, size: u64) -> Option<&Epoch> {
        self.epochs
            .get(
                self.epochs
                    .partition_point(|epoch| epoch.closed_by.as_ref().is_some_and(|end| end.size < size)),
            )
            .filter(|epoch| epoch.holds(size))
    }

    /// Checks that a checkpoint is sealed by the key of the epoch its size falls in, and by no other
    /// (docs/format.md 1.7, “Rule”). Returns the epoch's number. The identity's signature is not
    /// looked at.
    ///
    /// [`Error::Missing`] if the seal is not there or the checkpoint is of another ledger;
    /// [`Error::Contradicts`] if a seal does not hold or another epoch's key sealed it.
    pub fn check_seal(&self, checkpoint: &Checkpoint, note: &Note) -> Result<u64, Error> {
        if checkpoint.to_text() != note.text() {
            return Err(contradicts("the seal is over another checkpoint"));
        }
        if checkpoint.origin != self.origin {
            return Err(missing(format!("the keychain is of {}, not of {}", self.origin, checkpoint.origin)));
        }
        let size = checkpoint.size;
        let due = self.epoch_of(size).ok_or_else(|| missing("a checkpoint of size 0 has no seal"))?;
        let (mut sealed, mut wrong) = (false, None);
        for line in note.signatures() {
            let Some(epoch) = self.epoch_named(&line.name) else { continue };
            if line.key_id != epoch.key.id() {
                continue;
            }
            epoch.key.verify(note.text(), &line.bytes)?;
            if epoch.number == due.number {
                sealed = true;
            } else {
                wrong = Some(epoch.number);
            }
        }
        if let Some(wrong) = wrong {
            return Err(contradicts(format!(
                "the key of epoch {wrong} sealed size {size}, which belongs to epoch {}",
                due.number
            )));
        }
        match sealed {
            true => Ok(due.number),
            false => Err(missing(format!("size {size} is not sealed by the key of epoch {}", due.number))),
        }
    }

    /// The size up to which the keychain knows all epochs.
    fn reach(&self) -> u64 {
        self.epochs.last().map_or(0, |last| last.after)
    }

    fn epoch_named(&self, name: &str) -> Option<&Epoch> {
        let number = decimal(name.strip_prefix(&*self.origin)?.strip_prefix("/seal/")?)?;
        self.epochs.get(usize::try_from(number.checked_sub(1)?).ok()?)
    }
}

/// A proof in a keychain: what holds of it without knowing the keys before.
struct Link {
    index: u64,
    leaf_hash: Hash,
    body: Vec<u8>,
    checkpoint: Checkpoint,
    note: Note,
}

impl Link {
    fn open(text: &str, identity: &VerifyingKey, type_name: &str) -> Result<Link, Error> {
        let proof = TlogProof::parse(text)?;
        let (checkpoint, note) = Checkpoint::open(&proof.checkpoint, identity)?;
        let extra = Extra::decode(proof.extra.as_deref().unwrap_or_default())?;
        let leaf_hash = leaf_hash(&extra.leaf);
        verify_inclusion(proof.index, checkpoint.size, &leaf_hash, &proof.path, &checkpoint.root)?;
        let leaf = LeafRef::decode(&extra.leaf)?;
        if leaf.kind != Kind::Control || leaf.type_name != type_name {
            return Err(contradicts(format!("the leaf is not a {type_name}")));
        }
        Ok(Link { index: proof.index, leaf_hash, body: leaf.body.to_vec(), checkpoint, note })
    }

    /// Ends `epoch` with this handover and returns the next.
    fn end(&self, mut epoch: Epoch, epochs: &mut Vec<Epoch>) -> Result<Epoch, Error> {
        let size = self.checkpoint.size;
        if self.index != size - 1 {
            return Err(contradicts("the leaf is not the last of its checkpoint"));
        }
        if size <= epoch.after {
            return Err(contradicts("epochs do not rise"));
        }
        let body = SealRotated::parse(&self.body, &self.checkpoint.origin)?;
        if body.epoch != epoch.number {
            return Err(contradicts(format!("the leaf ends epoch {}", body.epoch)));
        }
        // Before the next key is believed.
        self.note.require(&epoch.key)?;
        epoch.closed_by = Some(self.checkpoint.clone());
        let next = Epoch { number: epoch.number + 1, key: body.next, after: size, closed_by: None };
        epochs.push(epoch);
        Ok(next)
    }
}

fn parse_body(body: &[u8]) -> Result<Value, Error> {
    Value::parse(std::str::from_utf8(body).map_err(|_| malformed("a control leaf's body is not UTF-8"))?)
}

fn parse_seal(vkey: &str, origin: &str, epoch: u64) -> Result<VerifyingKey, Error> {
    let key = VerifyingKey::parse(vkey)?;
    if key.name() != seal_name(origin, epoch) || key.key_type() != KeyType::Ed25519 {
        return Err(contradicts(format!("the seal key of epoch {epoch} has another name or type")));
    }
    Ok(key)
}
