// One connection for many domains (docs/connections.md).

import { decide, dialledBy } from './associate.js';
import { checkPeer } from './peer.js';
import { Refusal, answer } from './reasons.js';
import { roleOf } from './roles.js';

/** Operation `reuse` [R1]. */
export async function reuse({ connection, question, policy, evidence, peer }) {
  if (!connection) throw new Refusal('missing-input', 'connection');
  const decision = await decide(question, policy, evidence);
  const sameRole = roleOf(connection.service).service === roleOf(question.service).service;
  if (question.direction !== connection.direction || !sameRole) throw new Refusal('service-mismatch', 'another direction or role');

  const chain = { ...peer, chain: connection.chain };
  if (decision.outgoing && !connection.endpoint) throw new Refusal('missing-input', 'the very endpoint that was dialled');
  const dialled = dialledBy(connection, decision.outgoing);
  if (question.source === connection.opened_for?.source) {
    checkPeer(chain, decision, dialled); // P1 is enough
    return answer('verified');
  }
  const references = decision.references.filter(({ method }) => ['dnssec', 'delegation'].includes(method));
  if (references.length === 0) throw new Refusal(decision.whyNoneProven);
  checkPeer(chain, { ...decision, references }, dialled, { wildcards: false });
  return answer('verified');
}
