// The algorithm of section 11.

import { readAc } from './ac.js';
import { checksWith, endOf } from './certificate.js';
import { statementOctets } from './document.js';
import { readInputs } from './inputs.js';
import { readJws } from './jws.js';
import { namedKeys } from './namedkeys.js';
import { checkFloor, choose } from './order.js';
import { isUnpublished } from './places.js';
import { Refusal, answer, lastOf } from './reasons.js';
import { checkChain, checkLinear, checkSigner, readAll, readTimestamps } from './signer.js';
import { follow, rowOf } from './srv.js';
import { digestTargets, endpoint } from './statement.js';
import { formatMillis, formatTime } from './time.js';
import { readRecord, recordsThatCount } from './txt.js';

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const SKEW = 5 * MINUTE;
const MAX_OCTETS = 32768;
const MAX_FAILED_CHECKS = 12; // of DNS, and of documents [V3]
const MAX_FAILED_STREAM_CHECKS = 6;

/** The moment at which what was found with a TTL is looked up again: that is raised to 5 minutes and cut to 6 hours [V8c]. */
const refreshAfter = (time, ttl) => time + Math.min(Math.max(ttl ?? 6 * HOUR, 5 * MINUTE), 6 * HOUR);

/** Operation `verify`. */
export async function verify({ query, policy, evidence }) {
  const inputs = readInputs(query, policy, evidence);
  const result = await judge(inputs);
  const row = rowOf(inputs.role, inputs.evidence.srv);
  const { reason, dial } = inputs.target ? compareTarget(result, inputs.target) : follow(row, result);
  const floor = reportFloor(result.floor);
  if (reason !== 'verified') return answer(reason, { floor });
  const latest = row.passedOver ? inputs.policy.time + 5 * MINUTE : Infinity; // [D4h]
  return answer(reason, {
    targets: result.targets.map(endpoint).sort(),
    dial: dial.map(endpoint),
    expires: formatTime(result.end),
    refresh_at: formatTime(Math.min(result.refreshAt, latest)),
    floor,
  });
}

export const reportFloor = (floor) =>
  floor && {
    order: { issuance: formatMillis(floor.issuance), issued: formatTime(floor.issued) },
    targets: floor.targets,
    valid_until: formatTime(floor.validUntil),
    signer_until: formatTime(floor.signerUntil),
  };

// [V6]
function compareTarget({ reason, targets }, target) {
  if (reason !== 'verified') return { reason };
  if (targets.some((one) => endpoint(one) === endpoint(target))) return { reason, dial: [target] };
  return { reason: targets.some(({ host }) => host === target.host) ? 'port-mismatch' : 'target-mismatch' };
}

/**
 * Steps V2 to V5. Gives { reason, floor } and, if the reason is `verified`, { targets, end, refreshAt }. `floor` is what is to be
 * remembered [O3], or null.
 */
export async function judge(inputs) {
  const { policy } = inputs;
  const found = withSigners(candidates(inputs), inputs);
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
        verified.push(await judgeCandidate(encoding, octets, place, inputs, found.named));
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

  // [V4], [V5]
  const { floor, statement } = choose(verified);
  if (!statement) return { floor, reason: found.failures[0] ?? (floor ? 'conflict' : lastOf(refusals) ?? 'no-statement') };
  const { targets, end, ttl } = statement;
  if (targets.length === 0) return { floor, reason: 'revoked' }; // [O5]
  return { floor, reason: 'verified', targets, end, refreshAt: Math.min(end, refreshAfter(policy.time, ttl)) }; // [V8]
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
  for (const statement of evidence.streams) {
    if (!isUnpublished(evidence)) continue; // [X2]
    const place = { ttl: evidence.txt[0].ttl, checks: { left: MAX_FAILED_STREAM_CHECKS } }; // [X3] [X4]
    found.candidates.push({ read: () => statement, place });
  }
  return found;
}

// Which keys are named (docs/signers.md). If nobody can know, no candidate is judged [K2b].
function withSigners(found, { evidence, policy }) {
  if (found.candidates.length + found.refusals.length === 0) return found;
  try {
    return { ...found, named: namedKeys(evidence, policy.time) };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { candidates: [], refusals: [], failures: [...found.failures, error.reason] };
  }
}

const readers = { jws: readJws, ac: readAc };

// Steps 2 to 13, for one candidate [V3]: everything up to step 10 is cheap.
async function judgeCandidate(encoding, octets, place, { source, role, policy }, named) {
  const need = (condition, reason) => {
    if (!condition) throw new Refusal(reason);
  };
  need(octets.length <= MAX_OCTETS, 'statement-too-large');
  need(Object.hasOwn(readers, encoding), 'unsupported-encoding');
  const read = readers[encoding](octets);
  const { statement } = read;

  // 5, 6
  if (statement.source !== source) throw new Refusal(source.endsWith(`.${statement.source}`) ? 'parent-source' : 'source-mismatch');
  need(statement.service === role.service, 'service-mismatch');

  // 7
  const { time } = policy;
  need(statement.issued - SKEW <= time, 'not-yet-valid');
  need(time < statement.expires, 'expired');
  need(statement.expires - statement.issued <= policy.maxLife, 'life-too-long');

  // 8, 9, 10
  const all = readAll(read.certificates);
  const scts = readTimestamps(all[0]);
  const certificates = checkLinear(all, read.sort);
  const [signer] = certificates;
  const order = { issuance: checkSigner(signer, scts, statement, time, named), issued: statement.issued };
  const digest = digestTargets(statement.targets);
  checkFloor(order, digest, policy.floor);

  // 11 to 13 cost signature checks, of which only refusals use up any [V3]
  const cost = certificates.reduce((sum, certificate) => sum + checksWith(certificate), 1);
  need(cost <= place.checks.left, 'too-many-records');
  try {
    const end = Math.min(statement.expires, await prove(read, certificates, policy, named)); // [V8a]
    const signerUntil = named ? end : endOf(signer); // [K3d]
    return { order, digest, targets: statement.targets, end, signerUntil, ttl: place.ttl };
  } catch (error) {
    place.checks.left -= cost;
    throw error;
  }
}

// Steps 11 to 13: the end of the path that was verified.
async function prove(read, certificates, { roots, time, refuses }, named) {
  const need = (condition, reason) => {
    if (!condition) throw new Refusal(reason);
  };
  const [signer] = certificates;

  // 11
  need(read.checkAlgorithm(signer), 'algorithm-mismatch');
  need(read.checkIssuer(signer), 'issuer-name-mismatch');
  need(await read.checkSignature(signer).catch(() => false), 'bad-signature');

  // 12, 13
  const end = named ? Math.min(named.until, endOf(signer)) : checkChain(certificates, roots, time); // [K3b] [K3c]
  need(!refuses, 'signer-rejected'); // [W8]
  return end;
}
