// The decision on a connection (docs/connections.md).

import { approach, readEndpoints } from './dane.js';
import { readInputs } from './inputs.js';
import { isName, isPort } from './names.js';
import { isRequiredBy } from './order.js';
import { checkPeer } from './peer.js';
import { judgePosh } from './posh.js';
import { Refusal, answer } from './reasons.js';
import { startOfRecord, startOfTarget } from './roles.js';
import { follow, rowOf } from './srv.js';
import { byEndpoint, endpoint } from './statement.js';
import { formatTime } from './time.js';
import { judge, reportFloor } from './verify.js';

const MINUTE = 60;
const HOUR = 60 * MINUTE;

/** Operation `associate`. */
export async function associate({ question, policy, evidence, peer }) {
  const decision = await decide(question, policy, evidence);
  const report = {
    methods: Object.fromEntries(decision.methods.map(({ method, reason }) => [method, reason])),
    references: [...new Set(decision.references.map(({ name }) => name))].sort(),
    dial: approach(decision.dial, decision.references, readEndpoints(peer?.endpoints))
      .map(({ host, port, serverName, start }) => ({ host, port, server_name: serverName, start }))
      .sort(byEndpoint),
    required: decision.required,
    refresh_at: formatTime(decision.refreshAt),
    floor: reportFloor(decision.floor),
  };
  if (!peer) return answer(decision.reason, report);
  try {
    const { name, method, until, tlsa } = checkPeer(peer, decision, dialledBy(peer, decision.outgoing));
    return answer('verified', { ...report, accepted: { name, method, until: formatTime(until), tlsa } });
  } catch (error) {
    if (error instanceof Refusal) return answer(error.reason, report);
    throw error;
  }
}

/** The endpoint of a connection or a peer: what was dialled, null for an incoming one and where it is not told [C4]. */
export function dialledBy({ endpoint: dialled }, outgoing) {
  if (!outgoing || dialled === undefined) return null;
  if (!isName(dialled?.host) || !isPort(dialled.port)) throw new Refusal('missing-input', 'endpoint');
  return dialled;
}

/**
 * The decision: { reason, source, outgoing, methods, references, dial, required, refreshAt, whyNoneProven, floor }. `reason` says
 * whether there is somewhere to connect to [C3].
 */
export async function decide(question, policyInput, evidenceInput) {
  if (!['outgoing', 'incoming'].includes(question?.direction)) throw new Refusal('missing-input', 'direction'); // [C1b]
  const inputs = readInputs(question, policyInput, evidenceInput);
  const { source, role, policy, evidence } = inputs;
  const outgoing = question.direction === 'outgoing';
  const result = await judge(inputs);
  const row = rowOf(role, evidence.srv);

  // [C2d]: all targets of the statement count for incoming connections, and where it comes first
  const alone = row.state !== 'secure' && (!outgoing || question.statement_first === true);
  const statement = alone ? { reason: result.reason, dial: result.targets } : follow(row, result);
  const provenUntil = Math.min(evidence.collected, policy.time) + Math.max(row.ttl, 5 * MINUTE); // [C6b]

  const at = (target) => (outgoing ? endpoint(target) : null); // [C4]
  const ofRecords = whyNoDnssec(row, provenUntil, policy.time);
  const dnssec = { method: 'dnssec', reason: ofRecords };
  if (dnssec.reason === 'verified') {
    dnssec.references = row.entries.map((entry) => ({
      name: entry.host,
      until: provenUntil,
      at: at(entry),
      target: endpoint(entry),
    }));
  }
  const delegation = { method: 'delegation', reason: statement.reason };
  if (row.state === 'secure') delegation.reason = statement.reason === 'conflict' ? 'conflict' : 'not-used'; // [C2a] [C2b]
  else if (statement.reason === 'verified') {
    delegation.references = statement.dial.map((target) => ({
      name: target.host,
      until: result.end,
      at: at(target),
      target: endpoint(target),
      spki: target.spki,
    }));
  }
  for (const method of [dnssec, delegation]) {
    if (!outgoing && !role.sendsToo) Object.assign(method, { reason: 'service-mismatch', references: [] }); // [C5]
  }

  const pkix = { method: 'pkix', reason: 'verified', references: [{ name: source, until: null, at: null, target: null }] }; // [C1c]
  const posh = { method: 'posh', ...judgePosh({ row, evidence, policy, mayDelegate: outgoing || role.sendsToo }) };
  if (posh.reason === 'verified') posh.references = [{ name: source, until: posh.until, at: null, target: null, certificates: posh.certificates }];
  const methods = [pkix, dnssec, delegation, posh];
  const { reason, dial } = outgoing ? whereToConnect(row, statement, role, source) : { reason: 'verified', dial: [] };
  return {
    reason,
    source,
    outgoing,
    methods,
    references: methods.flatMap(({ method, references = [] }) => references.map((reference) => ({ ...reference, method }))),
    dial,
    required: result.floor !== null || isRequiredBy(policy.floor, policy.time), // [C7]
    refreshAt: refreshAt(row, ofRecords, statement.reason === 'verified' ? result.refreshAt : null, provenUntil, policy.time),
    whyNoneProven: row.state === 'secure' ? dnssec.reason : delegation.reason, // if that is so
    floor: result.floor,
  };
}

// Why `dnssec` gives names, or none [C2e] [C6b].
function whyNoDnssec(row, provenUntil, time) {
  if (row.state === 'failed') return row.reason;
  if (row.state !== 'secure') return 'not-secure';
  if (row.entries.length === 0) return 'service-not-available';
  return time < provenUntil ? 'verified' : 'proof-expired';
}

// [C3], with the server name and the beginning of TLS [C8]. Where nobody knows how it begins, `start` is empty, and whoever connects
// passes the endpoint over [C8d].
function whereToConnect(row, statement, role, source) {
  const byRecords = (entries) => entries.map((entry) => ({ ...entry, serverName: source, start: startOfRecord(role, entry) }));
  const nowhere = (reason) => ({ reason, dial: [] });
  const to = (dial) => ({ reason: 'verified', dial });

  if (row.state !== 'secure' && statement.reason === 'verified') {
    return to(statement.dial.map((target) => ({ ...target, serverName: target.host, start: startOfTarget(role, target) })));
  }
  if (row.state === 'failed') return nowhere(row.reason);
  if (row.state !== 'absent') return row.entries.length > 0 ? to(byRecords(row.entries)) : nowhere('service-not-available');
  return role.defaultPort ? to(byRecords([{ host: source, port: role.defaultPort, label: role.service }])) : nowhere(statement.reason);
}

// [C6c]
function refreshAt(row, ofRecords, ofStatement, provenUntil, time) {
  const times = [];
  if (ofStatement !== null) times.push(ofStatement);
  if (ofRecords === 'verified') times.push(Math.min(provenUntil, time + 6 * HOUR));
  if (times.length === 0 || ofRecords === 'proof-expired' || row.passedOver) times.push(time + 5 * MINUTE);
  return Math.min(...times);
}
