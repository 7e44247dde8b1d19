// POSH files (RFC 7711): docs/posh.md.

import { createHash } from 'node:crypto';
import { fromBase64 } from './base64.js';
import { parseJson } from './json.js';
import { isName } from './names.js';
import { isRequiredBy } from './order.js';
import { isUnpublished } from './places.js';
import { Refusal } from './reasons.js';

const MINUTE = 60;
const DAY = 24 * 60 * MINUTE;
export const POSH_MEDIA_TYPE = 'application/json';

const names = new Map([
  ['_xmpp-server._tcp', 'xmpp-server'],
  ['_xmpp-client._tcp', 'xmpp-client'],
]);
const digests = new Map([
  ['sha-256', 32],
  ['sha-512', 64],
]);

/** [F1a]: null for a role without a file. */
export const poshUrl = (role, source) => (names.has(role) ? `https://${source}/.well-known/posh/${names.get(role)}.json` : null);

/** [F4a] */
export function isPoshUrl(url) {
  const match = /^https:\/\/([a-z0-9.-]+)(:443)?(\/[!-"$-~]*)?$/.exec(url);
  return match !== null && url.length <= 2048 && isName(match[1]);
}

/** The method `posh`: { reason } and, if that is `verified`, { until, certificates }. */
export function judgePosh({ row, evidence, policy, mayDelegate }) {
  const counts = ['insecure', 'absent'].includes(row.state) && evidence.streams.length === 0 && isUnpublished(evidence); // [F2a]
  if (!counts || isRequiredBy(policy.floor, policy.time)) return { reason: 'not-used' };
  if (!mayDelegate) return { reason: 'service-mismatch' }; // [C5]
  try {
    const { expires, certificates } = follow(evidence.posh);
    const life = Math.max(Math.min(expires, 31 * DAY), 5 * MINUTE); // [F5]
    const until = Math.min(evidence.collected, policy.time) + life;
    return until > policy.time ? { reason: 'verified', until, certificates } : { reason: 'proof-expired' };
  } catch (error) {
    if (error instanceof Refusal) return { reason: error.reason };
    throw error;
  }
}

// [F4b]
function follow([first, second]) {
  const file = read(first);
  if (file.certificates) return file;
  if (second?.url !== file.url) throw new Refusal('no-posh');
  const { expires, certificates } = read(second);
  if (!certificates) throw new Refusal('malformed-posh', 'a second hop');
  return { expires: Math.min(file.expires, expires), certificates };
}

// [F3]: { expires, certificates } or { expires, url }.
function read(document) {
  if (!document) throw new Refusal('no-posh');
  if (document.failure) throw new Refusal(document.failure);
  if (!document.found) throw new Refusal('no-posh');
  const need = (condition, what) => {
    if (!condition) throw new Refusal('malformed-posh', what);
  };
  let file;
  try {
    file = parseJson(document.body);
  } catch (error) {
    throw new Refusal('malformed-posh', error.message);
  }
  need(file instanceof Map, 'an object');
  const expires = file.get('expires');
  need(Number.isInteger(expires) && expires > 0, 'expires');
  if (!file.has('fingerprints')) {
    need(typeof file.get('url') === 'string' && isPoshUrl(file.get('url')), 'url');
    return { expires, url: file.get('url') };
  }
  need(Array.isArray(file.get('fingerprints')), 'fingerprints');
  const certificates = file.get('fingerprints').map((entry) => {
    need(entry instanceof Map, 'a fingerprint');
    const known = new Map();
    for (const [name, size] of digests) {
      if (!entry.has(name)) continue;
      const octets = typeof entry.get(name) === 'string' ? fromBase64(entry.get(name)) : null;
      need(octets?.length === size, name);
      known.set(name, octets);
    }
    return known;
  });
  const usable = certificates.filter((known) => known.size > 0);
  need(usable.length > 0, 'no known digest');
  return { expires, certificates: usable };
}

/** [F6b]: whether a certificate is one of those that a file names. */
export const namesCertificate = (certificates, der) =>
  certificates.some((known) => [...known].every(([name, octets]) => createHash(name.replace('-', '')).update(der).digest().equals(octets)));
