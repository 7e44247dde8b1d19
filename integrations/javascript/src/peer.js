// The peer's certificate (docs/connections.md).

import { fromBase64 } from './base64.js';
import { dnsNames, endOf, readCertificate, sha256 } from './certificate.js';
import { checksAskedFor, endOfPath } from './chain.js';
import { bind, checkRecords, namesKey, readEndpoints, withRecords } from './dane.js';
import { readFloor, readRoots, readTime } from './inputs.js';
import { dnsNameMatches } from './names.js';
import { CONTRADICTION, checkFloor, isRequiredBy } from './order.js';
import { namesCertificate } from './posh.js';
import { Refusal, lastOf } from './reasons.js';
import { endpoint } from './statement.js';

const MAX_CERTIFICATES = 10;
const MAX_CHECKS = 12;

/**
 * [P1]: the reference by which a peer is accepted, or a Refusal. `decision` has `source`, `references` and `floor`. A reference is
 * { name, method, until, at, target, spki }: until null is without end, `at` null is everywhere, `target` is the endpoint that was proven.
 * That of the answer ends with the peer's chain at the latest, and has `tlsa` if a record was used. `dialled` is null for an incoming
 * connection. With `wildcards` false, a name counts only if the certificate has it literally, or by its key [R1d].
 */
export function checkPeer(peer, decision, dialled, { wildcards = true } = {}) {
  const [roots, time, floor] = [readRoots(peer?.roots), readTime(peer?.time), readFloor(peer?.floor)];
  const said = readEndpoints(peer.endpoints);
  const about = { chain: peer.chain, roots, time, wildcards, source: decision.source };

  const overtaken = whyOvertaken(decision, floor);
  const isRequired = floor !== null && isRequiredBy(floor, time);
  const isLeft = ({ method }) => overtaken !== null && method === 'delegation'; // [P1f]
  const left = decision.references.filter(isLeft);
  const references = decision.references.filter((one) => !isLeft(one));
  const counting = references.filter(({ method }) => method !== 'posh' || !isRequired); // [F2b]
  const here = counting.filter(({ at }) => at === null || dialled === null || at === endpoint(dialled));
  const { held, lost } = dialled === null ? { held: here, lost: null } : bind(here, said, endpoint(dialled));
  try {
    return accept(held, about);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (lost) throw new Refusal(lost); // [E2c]
    let { reason } = error;
    if (dialled === null) {
      const besides = acceptByRecords(withRecords(here, said), about);
      if (besides.reference) return besides.reference;
      reason = lastOf([reason, ...besides.refusals]);
    }
    if (left.length > 0 && reason === 'peer-name-mismatch') throw new Refusal(overtaken);
    if (reason === 'peer-untrusted' && withRecords(left, said).length > 0) throw new Refusal(overtaken); // [E4d]
    throw new Refusal(reason === 'peer-name-mismatch' ? whyNotCarried(references, here, dialled) : reason);
  }
}

// [E7]: { reference }, or { refusals } that count after those of P1.
function acceptByRecords(references, about) {
  if (references.length === 0) return { refusals: [] };
  try {
    return { reference: accept(references, about) };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { refusals: error.reason === 'dane-mismatch' ? [] : [error.reason] }; // [E7a]
  }
}

// The first of the references for which all else holds.
function accept(references, { chain, roots, time, wildcards, source }) {
  const { leaf, others } = readShown(chain);
  const presented = dnsNames(leaf);
  const carries = (name, literally) => presented.some((one) => dnsNameMatches(one, name, { wildcards: !literally }));
  const pkix = once(() => endOfPath(leaf, others, roots, time));

  const admitted = references.filter(({ name, dane }) => wildcards || carries(name, true) || (dane && namesKey(dane, leaf)));
  if (admitted.length === 0 && pkix() === null) throw new Refusal('peer-untrusted');
  const key = sha256(leaf.spki).toString('hex');
  const refusals = [];
  for (const reference of admitted) {
    try {
      if (reference.method === 'posh') {
        if (namesCertificate(reference.certificates, leaf.der)) return byPosh(reference, leaf, time);
        continue; // [F6c]
      }
      const named = carries(reference.name) || carries(source);
      const { tlsa, end } = reference.dane
        ? checkRecords(reference.dane, { leaf, others, roots, time }, named, pkix)
        : { end: checkChain(pkix()) };
      if (!reference.dane && !carries(reference.name)) continue;
      if (reference.until !== null && time >= reference.until) throw new Refusal('proof-expired');
      if (reference.spki && !reference.spki.includes(key)) throw new Refusal('peer-key-mismatch');
      return { ...reference, tlsa, until: Math.min(reference.until ?? end, end) };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      refusals.push(error.reason);
    }
  }
  throw new Refusal(lastOf(refusals) ?? 'peer-name-mismatch');
}

// [F6]
function byPosh(reference, leaf, time) {
  if (time < leaf.notBefore || time > leaf.notAfter) throw new Refusal('peer-untrusted');
  if (time >= reference.until) throw new Refusal('proof-expired');
  return { ...reference, until: Math.min(reference.until, endOf(leaf)) };
}

function checkChain(end) {
  if (end === null) throw new Refusal('peer-untrusted'); // [P1d]
  return end;
}

function once(find) {
  let known;
  return () => (known === undefined ? (known = find()) : known);
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

// [P1a] to [P1c]: number of certificates, keys, signature checks asked for.
function readShown(chain) {
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
  if (!leaf) throw new Refusal('peer-untrusted', 'no certificate');
  if (checksAskedFor(leaf, others, MAX_CHECKS) > MAX_CHECKS) throw new Refusal('peer-untrusted', 'too many checks');
  return { leaf, others };
}
