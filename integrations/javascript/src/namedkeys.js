// Keys that DNSSEC names (docs/signers.md).

import { createHash } from 'node:crypto';
import { Refusal } from './reasons.js';

const MAX_RECORDS = 8;
const MIN_TTL = 5 * 60;

const isSecure = ({ state, failure }) => state === 'secure' && !failure;

/** { digests, until }: the keys that may sign, and no others; null if none is named. Throws where nobody can know [K2b]. */
export function namedKeys({ srv, txt, signers: [answer], collected }, time) {
  if (!answer || ![...srv, ...txt].some(isSecure)) return null; // [K1a]
  if (answer.failure) throw new Refusal(answer.failure);
  if (!isSecure(answer) || answer.alias || answer.wildcard) return null; // [K2a]
  if (answer.records.length > MAX_RECORDS) throw new Refusal('too-many-records');
  const digests = answer.records.filter(namesKey).map(({ data }) => data);
  if (digests.length === 0) return null;
  return { digests, until: Math.min(collected, time) + Math.max(answer.ttl, MIN_TTL) }; // [K3c]
}

// [K2c]
const namesKey = ({ usage, selector, matching, data }) => usage === 3 && selector === 1 && matching === 1 && data.length === 32;

/** [K3a] [K3c]. */
export function checkNamed({ spki }, { digests, until }, time) {
  const digest = createHash('sha256').update(spki).digest();
  if (!digests.some((one) => one.equals(digest))) throw new Refusal('signer-not-named');
  if (time >= until) throw new Refusal('proof-expired');
}
