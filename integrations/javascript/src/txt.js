// TXT records (section 7).

import { fromBase64 } from './base64.js';
import { Refusal } from './reasons.js';

const MAX_RECORDS = 4;

/** [T1a] */
export const isOfVersion1 = (record) => /^v=DNA1(?![A-Za-z0-9])/.test(record);

/** The records of one name that count, or a Refusal if they are too many [T1] [T2]. */
export function recordsThatCount(records) {
  const counting = records.filter(isOfVersion1);
  if (counting.length > MAX_RECORDS) throw new Refusal('too-many-records');
  return counting;
}

/** What a record holds: its encoding and the octets of the statement [T1] [T3]. */
export function readRecord(record) {
  const match = /^v=DNA1; e=([a-z]+); s=([A-Za-z0-9\-_.+/=]+)$/.exec(record);
  if (!match || match[0].length !== record.length) throw new Refusal('malformed-record');
  const [, encoding, value] = match;
  if (encoding !== 'ac') return { encoding, octets: Buffer.from(value, 'latin1') };
  const octets = fromBase64(value);
  if (octets === null) throw new Refusal('malformed-record', 'base64');
  return { encoding, octets };
}
