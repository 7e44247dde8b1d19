// The peer's certificate (docs/connections.md).

import { fromBase64 } from './base64.js';
import { dnsNames, readCertificate, sha256 } from './certificate.js';
import { checksAskedFor, endOfPath } from './chain.js';
import { readFloor, readRoots, readTime } from './inputs.js';
import { dnsNameMatches } from './names.js';
import { CONTRADICTION, checkFloor } from './order.js';
import { Refusal, lastOf } from './reasons.js';
import { endpoint } from './statement.js';

const MAX_CERTIFICATES = 10;
const MAX_CHECKS = 12;

/**
 * [P1]: the reference by which a peer is accepted, or a Refusal. `decision` has `references` and `floor`. A reference is { name,
 * method, until, at, spki }: until null is without end, `at` null is everywhere. That of the answer ends with the peer's chain at the
 * latest. `dialled` is null for an incoming connection. With `wildcards` false, a name counts only if the certificate has it
 * literally [R1d].
 */
export function checkPeer(peer, decision, dialled, { wildcards = true } = {}) {
  const roots = readRoots(peer?.roots);
  const time = readTime(peer?.time);
  const floor = readFloor(peer?.floor);
  const { leaf, end } = checkPeerChain(peer.chain, roots, time);

  const overtaken = whyOvertaken(decision, floor);
  const references = decision.references.filter(({ method }) => !overtaken || method !== 'delegation');
  const here = references.filter(({ at }) => at === null || dialled === null || at === endpoint(dialled));
  const presented = dnsNames(leaf);
  const carried = here.filter(({ name }) => presented.some((one) => dnsNameMatches(one, name, { wildcards })));
  if (carried.length === 0) {
    if (references.length < decision.references.length) throw new Refusal(overtaken);
    throw new Refusal(whyNotCarried(references, here, dialled));
  }

  const key = sha256(leaf.spki).toString('hex');
  const refusals = [];
  for (const reference of carried) {
    if (reference.until !== null && time >= reference.until) refusals.push('proof-expired');
    else if (reference.spki && !reference.spki.includes(key)) refusals.push('peer-key-mismatch');
    else return { ...reference, until: Math.min(reference.until ?? end, end) };
  }
  throw new Refusal(lastOf(refusals));
}

// Why the statement of the decision gives no names any more: by the floor of this moment [P1f]. Null if it still does. A newer
// statement with the same targets only renews it.
function whyOvertaken({ floor: own }, floor) {
  if (own && floor && own.targets === floor.targets && own.targets !== CONTRADICTION) return null;
  try {
    if (own) checkFloor(own, own.targets, floor);
    return null;
  } catch (error) {
    return error.reason;
  }
}

// [P1g], 2 and 3.
function whyNotCarried(references, here, dialled) {
  const proven = references.filter(({ at }) => at !== null);
  if (dialled === null || proven.length === 0 || proven.some((one) => here.includes(one))) return 'peer-name-mismatch';
  return proven.some(({ name }) => name === dialled.host) ? 'port-mismatch' : 'target-mismatch';
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
  const end = leaf ? endOfPath(leaf, others, roots, time) : null;
  if (end === null) throw new Refusal('peer-untrusted');
  return { leaf, end };
}
