// The timestamps that Certificate Transparency logs gave a certificate before it was issued [O1]: RFC 6962, Section 3.3.
// Their signatures are not checked: the authority that signed the certificate is believed.

import * as der from './der.js';
import { OID } from './certificate.js';

const V1 = 0;
const LOG_ID = 32;

/** The timestamps of the version 1 SCTs, in milliseconds, as BigInts: they have 64 bits. Throws an Error for a malformed list. */
export function timestamps(certificate) {
  const extension = certificate.extensions.get(OID.sctList);
  if (!extension) return [];

  // SignedCertificateTimestampList ::= OCTET STRING, with SerializedSCT sct_list <1..2^16-1>; opaque SerializedSCT <1..2^16-1>
  const whole = reader(der.octetString(der.element(extension.value)));
  const list = reader(whole.vector());
  whole.end();
  const found = [];
  do {
    const sct = reader(list.vector());
    const [version] = sct.take(1);
    if (version === V1) found.push(readV1(sct));
  } while (!list.isEmpty());
  return found;
}

// struct { Version, LogID, uint64 timestamp, CtExtensions <0..2^16-1>, digitally-signed struct { hash, signature algorithm, opaque
// signature <0..2^16-1> } }
function readV1(sct) {
  sct.take(LOG_ID);
  const timestamp = sct.take(8).readBigUInt64BE();
  sct.vector();
  sct.take(2);
  sct.vector();
  sct.end();
  return timestamp;
}

// Reads a structure of TLS (RFC 8446, Section 3) from the beginning.
function reader(octets) {
  let at = 0;
  const take = (length) => {
    if (length > octets.length - at) throw new Error('an SCT list that is cut');
    at += length;
    return octets.subarray(at - length, at);
  };
  return {
    take,
    vector: () => take(take(2).readUInt16BE()),
    isEmpty: () => at === octets.length,
    end: () => {
      if (at !== octets.length) throw new Error('an SCT list with bytes left over');
    },
  };
}
