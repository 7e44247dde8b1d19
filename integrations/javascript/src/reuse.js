// One connection for many domains (section 12.2).

import { decide, dialledBy } from './associate.js';
import { family } from './names.js';
import { checkPeer } from './peer.js';
import { Refusal, answer } from './reasons.js';

/** Operation `reuse` [R1]. */
export async function reuse({ connection, question, policy, evidence, peer }) {
  if (!connection) throw new Refusal('missing-input', 'connection');
  const decision = await decide(question, policy, evidence);
  const sameRole = family(question.service).includes(connection.service);
  if (question.direction !== connection.direction || !sameRole) throw new Refusal('service-mismatch', 'another direction or role');

  const chain = { ...peer, chain: connection.chain };
  if (decision.outgoing && !connection.endpoint) throw new Refusal('missing-input', 'the very endpoint that was dialled');
  const dialled = dialledBy(connection, decision.outgoing);
  if (question.source === connection.opened_for?.source) {
    checkPeer(chain, decision.references, dialled); // P1 is enough
    return answer('verified');
  }
  const proven = decision.references.filter(({ method }) => method !== 'pkix');
  if (proven.length === 0) throw new Refusal(decision.whyNoneProven);
  checkPeer(chain, proven, dialled, { wildcards: false });
  return answer('verified');
}
