// Comparing SRV records with verified targets [V7].

import { endpoint } from './statement.js';

const MAX_RECORDS = 32;

/** Why an answer cannot be used, or null. */
export const failureOf = ({ failure, records }) => failure ?? (records.length > MAX_RECORDS ? 'too-many-records' : null);

export const isNotAvailable = (records) => records.length === 1 && records[0].target === '.';

/**
 * Where to connect: what remains of the SRV records. `answers` are usable ones, the label asked about first; `counting` maps
 * a label to the statement that counts for it; `targets` are all verified targets.
 */
export function compareSrv(answers, counting, targets) {
  const dial = new Map();
  for (const { label, records } of answers) {
    if (isNotAvailable(records)) continue;
    for (const { target: host, port, priority, weight } of records) {
      const statement = counting.get(label);
      const ofHost = targets.filter((target) => target.host === host);
      const matches = statement
        ? statement.targets.some((target) => target.host === host && target.port === port)
        : ofHost.length > 0 && port !== 0;
      const key = endpoint({ host, port });
      if (!matches || dial.has(key)) continue;
      const listed = ofHost.find((target) => target.port === port);
      dial.set(key, { host, port, priority, weight, label, spki: listed ? listed.spki : allPins(ofHost) });
    }
  }
  return [...dial.values()];
}

/** For a port that no statement lists: the pins of all targets of its host. */
function allPins(targets) {
  const pins = targets.flatMap(({ spki = [] }) => spki);
  return pins.length > 0 ? pins : undefined;
}

/** Why nothing remains: by the label asked about if it has records, else by the other. */
export function whyNothing(answers, targets) {
  const { records, state } = answers.find((answer) => answer.records.length > 0);
  if (isNotAvailable(records)) return 'service-not-available';
  if (state === 'secure') return 'conflict';
  const hosts = new Set(targets.map(({ host }) => host));
  return records.some(({ target }) => hosts.has(target)) ? 'port-mismatch' : 'target-mismatch';
}
