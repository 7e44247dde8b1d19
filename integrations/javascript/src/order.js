// Order and floors (section 10). A floor is { issuance, issued, targets, validUntil, signerUntil }: issuance in milliseconds, the other
// times in seconds, `targets` a digest in hexadecimal.

import { Refusal } from './reasons.js';
import { NO_TARGETS } from './statement.js';

const DAY = 24 * 60 * 60;
export const CONTRADICTION = '00'.repeat(32); // [O3c]: the digest that nothing equals

/** [O1a], of floors and of statements. */
export const compareOrders = (a, b) => a.issuance - b.issuance || a.issued - b.issued;

/** [O2]: step 10, and again when a peer connects [P1f]. */
export function checkFloor(order, digest, floor) {
  if (!floor) return;
  const difference = compareOrders(order, floor);
  if (difference < 0) throw new Refusal('superseded');
  if (difference === 0 && floor.targets !== digest) throw new Refusal('conflict');
}

/** The floor that two make: the higher one, and of equal ones the later ends [O3c]. */
function join(a, b) {
  const difference = compareOrders(a, b);
  if (difference !== 0) return difference > 0 ? a : b;
  return {
    ...a,
    targets: a.targets === b.targets ? a.targets : CONTRADICTION,
    validUntil: Math.max(a.validUntil, b.validUntil),
    signerUntil: Math.max(a.signerUntil, b.signerUntil),
  };
}

/** [O4], for verified statements: { floor, statement }, both null if there are none, `statement` if they contradict each other. */
export function choose(statements) {
  if (statements.length === 0) return { floor: null, statement: null };
  const floor = statements.map(floorOf).reduce(join);
  if (floor.targets === CONTRADICTION) return { floor, statement: null };
  const highest = statements.filter(({ order }) => compareOrders(order, floor) === 0);
  return { floor, statement: highest.reduce((a, b) => (b.end > a.end ? b : a)) };
}

const floorOf = ({ order, digest, end, signerUntil }) => ({ ...order, targets: digest, validUntil: end, signerUntil });

/** [C7b]: for how long a floor asks for a certificate, after which an owner may go back to weaker ways. */
export const isRequiredBy = (floor, time) =>
  floor !== null && time < floor.validUntil + (floor.targets === NO_TARGETS ? 0 : 31 * DAY);
