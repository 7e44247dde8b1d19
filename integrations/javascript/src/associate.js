// The decision on a connection (section 12).

import { readInputs } from './inputs.js';
import { family, isName, isPort } from './names.js';
import { checkPeer } from './peer.js';
import { Refusal, answer } from './reasons.js';
import { compareSrv, failureOf, whyNothing } from './srv.js';
import { byEndpoint, endpoint } from './statement.js';
import { formatTime } from './time.js';
import { judge, lookupInterval, reportFloor } from './verify.js';

const MINUTE = 60;
const defaultPorts = { '_xmpp-server._tcp': 5269, '_xmpp-client._tcp': 5222 }; // [C3]; STARTTLS is for these two as well [C8]
const sendsForSource = ['_xmpp-server._tcp', '_xmpps-server._tcp']; // [C5]

/** Operation `associate`. */
export async function associate({ question, policy, evidence, peer }) {
  const decision = await decide(question, policy, evidence);
  const report = {
    methods: Object.fromEntries(decision.methods.map(({ method, reason }) => [method, reason])),
    references: [...new Set(decision.references.map(({ name }) => name))].sort(),
    dial: decision.dial
      .map(({ host, port, serverName, directTls }) => ({ host, port, server_name: serverName, direct_tls: directTls }))
      .sort(byEndpoint),
    required: decision.required,
    refresh_at: formatTime(decision.refreshAt),
    floors: decision.floors.map(reportFloor),
  };
  if (!peer) return answer(decision.reason, report);
  try {
    const { name, method, until } = checkPeer(peer, decision.references, dialledBy(peer, decision.outgoing));
    return answer('verified', { ...report, accepted: { name, method, until: formatTime(until) } });
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

// The direction is a part of the question like the others; TLS over TCP does not get to a service over UDP [C8].
function checkDirection({ direction, service }) {
  if (direction === undefined || direction === null || direction === '') throw new Refusal('missing-input', 'direction');
  if (direction !== 'outgoing' && direction !== 'incoming') throw new Refusal('bad-query', 'direction');
  if (direction === 'outgoing' && service.endsWith('._udp')) throw new Refusal('bad-query', 'not over TCP');
}

/**
 * The decision: { reason, outgoing, methods, references, dial, required, refreshAt, whyNoneProven, floors }. `reason` says
 * whether there is somewhere to connect to [C3].
 */
export async function decide(question, policyInput, evidenceInput) {
  const inputs = readInputs(question, policyInput, evidenceInput, checkDirection);
  const { source, service, policy, evidence } = inputs;
  const outgoing = question.direction === 'outgoing';
  const first = outgoing && question.statement_first === true;
  const result = await judge(inputs);
  const srv = readSrv(service, source, evidence);

  const of = outgoing
    ? outgoingRow(srv, result, { first, source, service, time: policy.time })
    : incomingRow(srv, result, service, policy.time);
  const methods = [
    { method: 'pkix', reason: 'verified', references: [{ name: source, until: null, at: null }] }, // [C1], whatever the row
    { method: 'dnssec', ...of.dnssec },
    { method: 'delegation', ...of.delegation },
  ];
  return {
    reason: outgoing ? of.reason : 'verified',
    outgoing,
    methods,
    references: methods.flatMap(({ method, references = [] }) => references.map((reference) => ({ ...reference, method }))),
    dial: of.dial ?? [],
    required: isRequired(result, policy, family(service)),
    refreshAt: refreshAt(srv, result, of, policy.time),
    whyNoneProven: srv.row === 'secure' ? of.dnssec.reason : of.delegation.reason, // if that is so
    floors: result.floors,
  };
}

// [C7]
const isRequired = ({ any }, { floors, time }, labels) =>
  any || floors.some(({ service, validUntil }) => labels.includes(service) && validUntil > time);

// [C1]: the row, and the answers that make it: that for the label asked about, and another in the same state.
function readSrv(service, source, { srv, collected }) {
  const asked = srv.find(({ label }) => label === service);
  if (asked && failureOf(asked)) return { row: 'failed', failure: failureOf(asked), answers: [], entries: [] };
  const answers = asked
    ? [asked, ...srv.filter((one) => one !== asked && !failureOf(one) && one.state === asked.state)].filter(
        ({ records }) => records.length > 0,
      )
    : [];
  if (answers.length === 0) return { row: 'absent', answers, entries: [] };

  const entries = new Map(); // each endpoint once, the first naming of it
  for (const { label, records, ttl } of answers) {
    for (const { target: host, port } of records) {
      const key = endpoint({ host, port });
      if (isName(host) && isPort(port) && !entries.has(key)) entries.set(key, { host, port, label, until: srvEnd(collected, ttl) });
    }
  }
  return { row: asked.state === 'secure' ? 'secure' : 'insecure', answers, entries: [...entries.values()] };
}

// [C6]: until the TTL has passed since the records were collected, and 5 minutes at least.
const srvEnd = (collected, ttl) => collected + Math.max(ttl, 5 * MINUTE);

const usesStartTls = (label) => Object.hasOwn(defaultPorts, label);
const toDial = (serverName) => ({ host, port, label }) => ({ host, port, serverName: serverName ?? host, directTls: !usesStartTls(label) });
const byDnssec = (everywhere) => ({ host, port, until }) => ({ name: host, until, at: everywhere ? null : endpoint({ host, port }) });
const byDelegation = (until, everywhere) => ({ host, port, spki }) => ({
  name: host,
  until,
  at: everywhere ? null : endpoint({ host, port }),
  spki,
});

// The first row: secure SRV records are authoritative [C2]. A name counts until their TTL has passed [C6].
function secureRow(srv, result, everywhere, time) {
  const current = srv.entries.filter(({ until }) => time < until);
  let dnssec = { reason: 'service-not-available' };
  if (current.length > 0) dnssec = { reason: 'verified', references: current.map(byDnssec(everywhere)) };
  else if (srv.entries.length > 0) dnssec = { reason: 'proof-expired' };
  const bothNameTargets = result.reason === 'verified' && srv.entries.length > 0;
  const contradicts = bothNameTargets && compareSrv(srv.answers, result.counting, result.targets).length === 0;
  return { dnssec, delegation: { reason: contradicts ? 'conflict' : 'not-used' } };
}

function incomingRow(srv, result, service, time) {
  if (!sendsForSource.includes(service)) {
    return { dnssec: { reason: 'service-mismatch' }, delegation: { reason: 'service-mismatch' } };
  }
  if (srv.row === 'secure') return secureRow(srv, result, true, time);
  const dnssec = { reason: srv.failure ?? 'not-secure' };
  if (result.reason !== 'verified') return { dnssec, delegation: { reason: result.reason } };
  return { dnssec, delegation: { reason: 'verified', references: result.targets.map(byDelegation(result.end, true)) } };
}

// [C3]
function outgoingRow(srv, result, { first, source, service, time }) {
  const verified = result.reason === 'verified';
  const nowhere = (reason) => ({ reason, dial: [] });
  // The server name is the host where it was delegated to, else the source [C8].
  const delegated = (targets) => ({ reason: 'verified', dial: targets.map(toDial()) });
  const undelegated = (entries) => ({ reason: 'verified', dial: entries.map(toDial(source)) });

  if (srv.row === 'secure') {
    const methods = secureRow(srv, result, false, time);
    return { ...methods, ...(srv.entries.length > 0 ? undelegated(srv.entries) : nowhere('service-not-available')) };
  }

  const dnssec = { reason: srv.failure ?? 'not-secure' };
  const own = (targets) => ({ reason: 'verified', references: targets.map(byDelegation(result.end, false)) });
  if (verified && (first || srv.row === 'absent')) {
    return { dnssec, delegation: own(result.targets), ...delegated(result.targets) };
  }
  if (srv.row === 'failed') {
    return { dnssec, delegation: { reason: verified ? srv.failure : result.reason }, ...nowhere(srv.failure) };
  }
  if (srv.row === 'absent') {
    const delegation = { reason: result.reason };
    if (!Object.hasOwn(defaultPorts, service)) return { dnssec, delegation, ...nowhere(result.reason) };
    return { dnssec, delegation, ...undelegated([{ host: source, port: defaultPorts[service], label: service }]) };
  }

  // Insecure SRV records: they choose among what the statement lists [V7].
  let delegation = { reason: result.reason };
  if (verified) {
    const listed = compareSrv(srv.answers, result.counting, result.targets);
    if (listed.length > 0) return { dnssec, delegation: own(listed), ...delegated(listed) };
    delegation = { reason: whyNothing(srv.answers, result.targets) };
  }
  if (srv.entries.length === 0) return { dnssec, delegation, ...nowhere('service-not-available') };
  return { dnssec, delegation, ...undelegated(srv.entries) };
}

// [C6]: when a method that gives names is to be looked at again, and when V8 says so of a statement; else in 5 minutes.
function refreshAt(srv, result, { dnssec, delegation }, time) {
  const times = [];
  if (dnssec.references) {
    for (const { ttl } of srv.answers) times.push(time + lookupInterval(ttl));
    for (const { until } of dnssec.references) times.push(until);
    if (result.reason === 'verified') times.push(result.refreshAt);
  }
  if (delegation.references) times.push(result.refreshAt);
  return times.length > 0 ? Math.min(...times) : time + 5 * MINUTE;
}
