// The SRV answers of a role make one row (section 9), which is compared with the targets of a statement [V7].

import { isName, isPort } from './names.js';
import { endpoint } from './statement.js';

const MAX_RECORDS = 32;

const isUsable = ({ target, port }) => isName(target) && isPort(port); // the target `.` is not

/**
 * [D4]: { state, reason, entries, hosts, ttl, passedOver }. `state` is secure, failed, insecure or absent, `reason` why it failed;
 * `entries` are the usable records, `hosts` the hosts of all. `passedOver`: the other label failed, and that was not looked at.
 */
export function rowOf(role, answers) {
  const labels = role.labels.map((label) => {
    const answer = answers.find((one) => one.label === label) ?? { label, state: 'insecure', failure: null, records: [] };
    return answer.records.length > MAX_RECORDS ? { ...answer, failure: answer.failure ?? 'too-many-records' } : answer;
  });
  const [own] = labels;
  const failed = labels.find(({ failure }) => failure);
  const withRecords = labels.filter(({ failure, records }) => !failure && records.length > 0);
  const secure = withRecords.filter(({ state }) => state === 'secure');

  if (secure.length > 0) return row('secure', secure, failed);
  if (own.failure || (failed && !own.records.some(isUsable))) return { ...row('failed', []), reason: own.failure ?? failed.failure };
  return row(withRecords.length > 0 ? 'insecure' : 'absent', withRecords, failed);
}

function row(state, answers, failed) {
  const records = answers.flatMap(({ label, records }) => records.map((record) => ({ ...record, host: record.target, label })));
  const entries = new Map(); // each endpoint once, the first naming of it [D4f]
  for (const record of records.filter(isUsable)) if (!entries.has(endpoint(record))) entries.set(endpoint(record), record);
  return {
    state,
    entries: [...entries.values()],
    hosts: records.map(({ host }) => host),
    ttl: Math.min(...answers.map(({ ttl }) => ttl)),
    passedOver: failed !== undefined,
  };
}

/**
 * What the row leaves of a judged statement [V7]: { reason, dial }. Of a target it takes TLS and pins, of a record priority and
 * weight.
 */
export function follow(row, { reason, targets }) {
  if (reason !== 'verified') return { reason };
  if (row.state === 'failed') return { reason: row.reason };
  if (row.state === 'absent') return { reason, dial: targets };
  const dial = row.entries.flatMap(({ host, port, priority, weight }) =>
    targets.filter((target) => target.host === host && target.port === port).map((target) => ({ ...target, priority, weight })),
  );
  return dial.length > 0 ? { reason, dial } : { reason: whyNothing(row, targets) };
}

function whyNothing({ state, entries, hosts }, targets) {
  if (entries.length === 0) return 'service-not-available'; // [D4g]
  if (state === 'secure') return 'conflict';
  return targets.some(({ host }) => hosts.includes(host)) ? 'port-mismatch' : 'target-mismatch';
}
