// What the attempts at all targets come to [C9].

import { answer, isReason, lastOf, outcomeOf } from './reasons.js';

const MAX_TARGETS = 16;

export function attempts({ attempts: all = [], unavailable }) {
  if (!Array.isArray(all) || !all.every(isReason) || (unavailable !== undefined && !isReason(unavailable))) return { skipped: 'no reasons' };
  const reasons = all.slice(0, MAX_TARGETS);
  if (reasons.includes('verified')) return answer('verified');
  const refused = reasons.filter((reason) => outcomeOf(reason) === 'refused');
  if (refused.length === 0) return answer(reasons[0] ?? unavailable ?? 'connect-failed');
  const reason = lastOf(refused);
  return answer(reason === 'peer-name-mismatch' && unavailable ? unavailable : reason);
}
