// DANE (docs/connections.md, section 9): what the TLSA records of an endpoint ask of the peer there.

import { createHash } from 'node:crypto';
import { fromBase64 } from './base64.js';
import { endOfPath } from './chain.js';
import { Refusal } from './reasons.js';
import { endpoint } from './statement.js';
import { parseTime } from './time.js';

const MAX_RECORDS = 16;
const LEAST = 5 * 60;
const [PKIX_TA, PKIX_EE, DANE_TA, DANE_EE] = [0, 1, 2, 3];

/**
 * What DNS says of endpoints, by endpoint: { lost } if nobody can tell [E2], { records, collected, ttl } with the usable records [E3],
 * or nothing if TLSA has no say.
 */
export function readEndpoints(answers = []) {
  const said = new Map();
  for (const answer of answers) {
    const read = readAnswer(answer);
    if (read !== null) said.set(endpoint(answer), read);
  }
  return said;
}

function readAnswer({ collected, address, tlsa }) {
  const failed = (answer) => answer.failure?.reason ?? (answer.dnssec === 'bogus' ? 'dns-bogus' : null);
  const lost = (reason) => ({ lost: reason });
  if (failed(address)) return lost(failed(address));
  if (address.dnssec !== 'secure') return null; // [E1d]
  if (!tlsa) return lost('unanswered');
  if (failed(tlsa)) return lost(failed(tlsa));
  if (tlsa.dnssec !== 'secure') return null;
  const all = tlsa.records ?? [];
  if (all.length > MAX_RECORDS) return lost('too-many-records'); // [E2b]
  const records = all.map((record) => ({ ...record, data: fromBase64(record.data) })).filter(isUsable);
  return records.length > 0 ? { records, collected: parseTime(collected), ttl: Math.min(address.ttl, tlsa.ttl) } : null;
}

function isUsable({ usage, selector, matching, data }) {
  if (usage > DANE_EE || selector > 1) return false;
  return [data.length > 0, data.length === 32, data.length === 64][matching] ?? false;
}

/** The decision for an endpoint that was dialled: { held, lost }, the references with the records they are held to [E4] [E2c]. */
export function bind(references, said, at) {
  const answer = said.get(at);
  const proven = references.filter(({ target }) => target === at);
  if (!answer || proven.length === 0) return { held: references, lost: null };
  // A secure SRV record lets the records speak about every name, a statement only about the target's [E4a] [E4b].
  const everyName = proven.some(({ method }) => method === 'dnssec');
  const others = everyName ? [] : references.filter(({ target }) => target !== at);
  if (answer.lost) return { held: others, lost: answer.lost };
  return { held: [...others, ...proven.map((reference) => ({ ...reference, dane: answer }))], lost: null };
}

/** The references whose endpoints have usable records, with these. */
export const withRecords = (references, said) =>
  references.flatMap((reference) => {
    const answer = said.get(reference.target);
    return answer?.records ? [{ ...reference, dane: answer }] : [];
  });

/** Where to connect, by what is known of the endpoints: without those that nobody can tell about, and with the server name [C8a] [E2a]. */
export const approach = (dial, references, said) =>
  dial.flatMap((to) => {
    const answer = said.get(endpoint(to));
    if (!answer || !references.some(({ target }) => target === endpoint(to))) return [to];
    return answer.lost ? [] : [{ ...to, serverName: to.host }];
  });

function matches({ selector, matching, data }, certificate) {
  const octets = selector === 1 ? certificate.spki : certificate.der;
  if (matching === 0) return data.equals(octets);
  return data.equals(createHash(matching === 1 ? 'sha256' : 'sha512').update(octets).digest());
}

/** Does a record of usage 3 match the peer's certificate? */
export const namesKey = ({ records }, leaf) => records.some((record) => record.usage === DANE_EE && matches(record, leaf));

/**
 * [E4c] [E5] [E6]: the record that a peer matches, as { tlsa, end }; throws a Refusal if there is none. `named` says whether the certificate
 * carries the target's host or the source, `pkix` gives the end of the chain to a trust anchor, or null.
 */
export function checkRecords({ records, collected, ttl }, { leaf, others, roots, time }, named, pkix) {
  const until = Math.min(collected, time) + Math.max(ttl, LEAST);
  const ends = {
    [DANE_EE]: (record) => (matches(record, leaf) ? Infinity : null),
    [DANE_TA](record) {
      const anchors = others.filter((one) => matches(record, one));
      return named && anchors.length > 0 ? endOfPath(leaf, others, anchors, time) : null;
    },
    [PKIX_EE]: (record) => (named && matches(record, leaf) ? pkix() : null),
    [PKIX_TA]: (record) =>
      named ? endOfPath(leaf, others, roots, time, (path) => path.slice(1).some((one) => matches(record, one))) : null,
  };
  const byUsage = [...records].sort((a, b) => b.usage - a.usage); // stable [E5e]
  for (const record of byUsage) {
    const end = ends[record.usage](record);
    if (end === null) continue;
    if (time >= until) throw new Refusal('proof-expired'); // [E6a]
    return { tlsa: `${record.usage} ${record.selector} ${record.matching}`, end: Math.min(end, until) };
  }
  throw new Refusal('dane-mismatch');
}
