// Order and floors (section 10). An order is { signerNotBefore, issued }.

import { Refusal } from './reasons.js';
import { NO_TARGETS } from './statement.js';

/** [O1] */
export const compareOrders = (a, b) => a.signerNotBefore - b.signerNotBefore || a.issued - b.issued;

/** Step 10, for one statement: [O2], and the last sentences of [O5] for the other labels of the family. */
export function checkFloors(judged, floors, labels) {
  for (const floor of floors) {
    const difference = compareOrders(judged.order, floor);
    if (floor.service === judged.label) {
      if (difference < 0) throw new Refusal('superseded');
      if (difference === 0 && floor.targets !== judged.digest) throw new Refusal('conflict');
    } else if (labels.includes(floor.service) && floor.targets === NO_TARGETS && judged.digest !== NO_TARGETS) {
      if (difference <= 0) throw new Refusal('superseded', 'the other label of the role was revoked');
    }
  }
}

/**
 * [O4], for the verified statements of one label: the one that counts; undefined if there is none, null for a conflict.
 */
export function choose(statements) {
  if (statements.length === 0) return undefined;
  const highest = statements.reduce((a, b) => (compareOrders(b.order, a.order) > 0 ? b : a));
  const equals = statements.filter(({ order }) => compareOrders(order, highest.order) === 0);
  if (equals.some(({ digest }) => digest !== highest.digest)) return null;
  return equals.reduce((a, b) => (b.end > a.end ? b : a));
}

/** [O3]: what a statement that counts leaves to be remembered. */
export const floorOf = ({ label, order, digest, end }) => ({
  service: label,
  signerNotBefore: order.signerNotBefore,
  issued: order.issued,
  targets: digest,
  validUntil: end,
});
