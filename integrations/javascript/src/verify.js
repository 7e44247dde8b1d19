// The algorithm of section 11.

import { readAc } from './ac.js';
import { checksWith } from './certificate.js';
import { statementOctets } from './document.js';
import { readInputs } from './inputs.js';
import { readJws } from './jws.js';
import { family } from './names.js';
import { checkFloors, choose, floorOf } from './order.js';
import { Refusal, answer, lastOf } from './reasons.js';
import { checkChain, checkLinear, checkSigner, readAll } from './signer.js';
import { compareSrv, failureOf, whyNothing } from './srv.js';
import { byEndpoint, digestTargets, endpoint } from './statement.js';
import { formatTime } from './time.js';
import { readRecord, recordsThatCount } from './txt.js';

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const SKEW = 5 * MINUTE;
const MAX_OCTETS = 32768;
const MAX_FAILED_CHECKS = 12; // of DNS, and of documents [V3]

/** The time after which something found with a TTL is looked up again, raised to 5 minutes and cut to 6 hours [V8]. */
export const lookupInterval = (ttl) => Math.min(Math.max(ttl ?? 6 * HOUR, 5 * MINUTE), 6 * HOUR);

/** Operation `verify`. */
export async function verify({ query, policy, evidence }) {
  const inputs = readInputs(query, policy, evidence);
  const result = await judge(inputs);
  const floors = result.floors.map(reportFloor);
  if (result.reason !== 'verified') return answer(result.reason, { floors });

  let dial;
  try {
    dial = whereToConnect(inputs, result);
  } catch (error) {
    if (error instanceof Refusal) return answer(error.reason, { floors });
    throw error;
  }
  return answer('verified', {
    targets: [...result.targets].sort(byEndpoint).map(endpoint),
    dial: dial.map(endpoint),
    expires: formatTime(result.end),
    refresh_at: formatTime(result.refreshAt),
    floors,
  });
}

export const reportFloor = ({ service, signerNotBefore, issued, targets, validUntil }) => ({
  service,
  order: { signer_not_before: formatTime(signerNotBefore), issued: formatTime(issued) },
  targets,
  valid_until: formatTime(validUntil),
});

// [V6] and [V7].
function whereToConnect({ target, service, evidence }, { targets, counting }) {
  if (target) {
    if (targets.some((one) => endpoint(one) === endpoint(target))) return [target];
    throw new Refusal(targets.some(({ host }) => host === target.host) ? 'port-mismatch' : 'target-mismatch');
  }
  const answers = family(service)
    .map((label) => evidence.srv.find((one) => one.label === label))
    .filter(Boolean);
  const asked = answers.find(({ label }) => label === service);
  if (asked && failureOf(asked)) throw new Refusal(failureOf(asked));
  const usable = answers.filter((one) => !failureOf(one) && one.records.length > 0);
  if (usable.length === 0) return targets;
  const dial = compareSrv(usable, counting, targets);
  if (dial.length === 0) throw new Refusal(whyNothing(usable, targets));
  return dial;
}

/**
 * Steps V2 to V5. Gives { reason, floors, counting, any } and, if the reason is `verified`, { targets, end, refreshAt }. `counting`
 * maps each label to the statement that counts for it, also if that revokes; `any` says whether any statement verified, those
 * that contradict each other included.
 */
export async function judge(inputs) {
  const { service, policy } = inputs;
  const labels = family(service);
  const found = candidates(inputs);
  const refusals = [...found.refusals];
  const verified = [];

  const seen = new Set(); // [V2]: the same encoding and the same octets are not judged again
  for (const { read, place } of found.candidates) {
    try {
      const { encoding, octets } = read();
      const key = `${encoding} ${octets.toString('latin1')}`;
      if (seen.has(key)) continue;
      seen.add(key);
      try {
        verified.push(await judgeCandidate(encoding, octets, place, inputs, labels));
      } catch (error) {
        // Refused for want of checks [V3], it was not judged: documents have their own for the same octets.
        if (error.reason === 'too-many-records') seen.delete(key);
        throw error;
      }
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      refusals.push(error.reason);
    }
  }

  // [O4] and [V4]
  const counting = new Map();
  let conflict = false;
  for (const label of labels) {
    const statement = choose(verified.filter((one) => one.label === label));
    if (statement === null) conflict = true;
    else if (statement) counting.set(label, statement);
  }
  const floors = [...counting.values()].map(floorOf);
  if (counting.size === 0) {
    const reason =
      found.failures[0] ?? (conflict ? 'conflict' : refusals.length > 0 ? lastOf(refusals) : 'no-statement');
    return { reason, floors, counting, any: conflict };
  }

  // [O5] and [V5]; of an endpoint in both, what the statement for the label asked about says
  const statements = [...counting.values()];
  if (statements.some(({ targets }) => targets.length === 0)) return { reason: 'revoked', floors, counting, any: true };
  const targets = new Map();
  for (const { label, targets: own } of statements) {
    for (const target of own) if (!targets.has(endpoint(target))) targets.set(endpoint(target), { ...target, label });
  }
  return {
    reason: 'verified',
    floors,
    counting,
    any: true,
    targets: [...targets.values()],
    end: Math.min(...statements.map(({ end }) => end)), // [V8]
    refreshAt: Math.min(...statements.map(({ end, ttl }) => Math.min(end, policy.time + lookupInterval(ttl)))),
  };
}

// [V2] as far as step 1, and which places could not be looked at. The `checks` of a place are those that are left [V3].
function candidates({ evidence }) {
  const found = { candidates: [], refusals: [], failures: [] };
  const [inDns, inDocuments] = [{ left: MAX_FAILED_CHECKS }, { left: MAX_FAILED_CHECKS }];
  for (const { failure, records, ttl } of evidence.txt) {
    if (failure) {
      found.failures.push(failure);
      continue;
    }
    try {
      for (const record of recordsThatCount(records)) {
        found.candidates.push({ read: () => readRecord(record), place: { ttl, checks: inDns } });
      }
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      found.refusals.push(error.reason);
    }
  }
  for (const { failure, found: present, encoding, body, maxAge } of evidence.documents) {
    if (failure) found.failures.push(failure);
    else if (present) {
      const read = () => ({ encoding, octets: statementOctets(body, encoding) });
      found.candidates.push({ read, place: { ttl: maxAge, checks: inDocuments } });
    }
  }
  return found;
}

const readers = { jws: readJws, ac: readAc };

// Steps 2 to 13, for one candidate [V3]: everything up to step 10 is cheap.
async function judgeCandidate(encoding, octets, place, { source, policy }, labels) {
  const need = (condition, reason) => {
    if (!condition) throw new Refusal(reason);
  };
  need(octets.length <= MAX_OCTETS, 'statement-too-large');
  need(Object.hasOwn(readers, encoding), 'unsupported-encoding');
  const read = readers[encoding](octets);
  const { statement } = read;

  // 5, 6
  if (statement.source !== source) throw new Refusal(source.endsWith(`.${statement.source}`) ? 'parent-source' : 'source-mismatch');
  need(labels.includes(statement.service), 'service-mismatch');

  // 7
  const { time } = policy;
  need(statement.issued - SKEW <= time, 'not-yet-valid');
  need(time < statement.expires, 'expired');
  need(statement.expires - statement.issued <= policy.maxLife, 'life-too-long');

  // 8, 9, 10
  const certificates = checkLinear(readAll(read.certificates), read.sort);
  const [signer] = certificates;
  checkSigner(signer, statement, time);
  const judged = {
    label: statement.service,
    targets: statement.targets,
    digest: digestTargets(statement.targets),
    order: { signerNotBefore: signer.notBefore, issued: statement.issued },
    ttl: place.ttl,
  };
  checkFloors(judged, policy.floors, labels);

  // 11 to 13 cost signature checks, of which only refusals use up any [V3]
  const cost = certificates.reduce((sum, certificate) => sum + checksWith(certificate), 1);
  need(cost <= place.checks.left, 'too-many-records');
  try {
    return { ...judged, end: Math.min(statement.expires, await prove(read, certificates, policy)) };
  } catch (error) {
    place.checks.left -= cost;
    throw error;
  }
}

// Steps 11 to 13: the end of the chain that was verified.
async function prove(read, certificates, { roots, time, refuses }) {
  const need = (condition, reason) => {
    if (!condition) throw new Refusal(reason);
  };
  const [signer] = certificates;

  // 11
  need(read.checkAlgorithm(signer), 'algorithm-mismatch');
  need(read.checkIssuer(signer), 'issuer-name-mismatch');
  need(await read.checkSignature(signer).catch(() => false), 'bad-signature');

  // 12, 13
  const { end } = checkChain(certificates, roots, time);
  need(!refuses, 'signer-rejected'); // [W8]
  return end;
}
