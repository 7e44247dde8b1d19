// The peer's certificate (section 12.1).

import { fromBase64 } from './base64.js';
import { dnsNames, readCertificate, sha256 } from './certificate.js';
import { checksAskedFor, findChain } from './chain.js';
import { readRoots, readTime } from './inputs.js';
import { dnsNameMatches } from './names.js';
import { Refusal, lastOf } from './reasons.js';
import { endpoint } from './statement.js';

const MAX_CERTIFICATES = 10;
const MAX_CHECKS = 12;

/**
 * [P1]: the reference by which a peer is accepted, or a Refusal. A reference is { name, method, until, at, spki }: until null is
 * without end, `at` null is everywhere. That of the answer ends with the peer's chain at the latest. `dialled` is null for an incoming connection. With `wildcards` false, a name counts
 * only if the certificate has it literally [R1].
 */
export function checkPeer(peer, references, dialled, { wildcards = true } = {}) {
  const roots = readRoots(peer?.roots);
  const time = readTime(peer?.time);
  const { leaf, end } = checkPeerChain(peer.chain, roots, time);

  const here = references.filter(({ at }) => at === null || dialled === null || at === endpoint(dialled));
  const presented = dnsNames(leaf);
  const key = sha256(leaf.spki).toString('hex');
  const refusals = [];
  for (const reference of here) {
    if (!presented.some((name) => dnsNameMatches(name, reference.name, { wildcards }))) refusals.push('peer-name-mismatch');
    else if (reference.until !== null && time >= reference.until) refusals.push('proof-expired');
    else if (reference.spki && !reference.spki.includes(key)) refusals.push('peer-key-mismatch');
    else return { ...reference, until: Math.min(reference.until ?? end, end) };
  }
  const reason = refusals.length > 0 ? lastOf(refusals) : 'peer-name-mismatch';
  if (reason === 'peer-name-mismatch' && dialled !== null) {
    const proven = references.filter(({ at }) => at !== null);
    if (proven.length > 0 && !proven.some((reference) => here.includes(reference))) {
      throw new Refusal(proven.some(({ name }) => name === dialled.host) ? 'port-mismatch' : 'target-mismatch');
    }
  }
  throw new Refusal(reason);
}

// The beginning of [P1], in its order: number of certificates, keys, signature checks asked for, chain.
function checkPeerChain(chain, roots, time) {
  if (chain?.length > MAX_CERTIFICATES) throw new Refusal('peer-untrusted', 'too many certificates');
  let certificates;
  try {
    certificates = chain.map((octets) => readCertificate(fromBase64(octets)));
  } catch (error) {
    throw new Refusal('peer-untrusted', error.message);
  }
  if (certificates.some(({ key }) => key.kind === null)) throw new Refusal('unsupported-key'); // [W2]
  // One that is shown twice is one certificate.
  const [leaf, ...others] = certificates.filter(({ der }, i) => certificates.findIndex((one) => one.der.equals(der)) === i);
  if (leaf && checksAskedFor(leaf, others, MAX_CHECKS) > MAX_CHECKS) throw new Refusal('peer-untrusted', 'too many checks');
  const found = leaf && findChain(leaf, others, roots, time);
  if (!found) throw new Refusal('peer-untrusted');
  return { leaf, end: found.end };
}
