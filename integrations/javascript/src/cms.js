// The CMS message that carries an attribute certificate and the certificates of its signer (section 5.1).

import * as der from './der.js';
import { Refusal } from './reasons.js';

const ID_SIGNED_DATA = '1.2.840.113549.1.7.2';
const ID_DATA = '1.2.840.113549.1.7.1';
const VERSION = 4n;
const MAX_MEMBERS = 16;
const V2_ATTR_CERT = der.contextConstructed(2);

/** [A1] [A2], in the order of step 3: the attribute certificate and the certificates, in DER. */
export function readMessage(octets) {
  let message;
  try {
    message = readSyntax(octets);
  } catch (error) {
    if (error instanceof der.DerError) throw new Refusal('malformed-bag', error.message);
    throw error;
  }
  const { version, contents, members } = message;
  if (contents) throw new Refusal('bag-contents');

  const seen = new Set();
  for (const { raw } of members) {
    const key = raw.toString('latin1');
    if (seen.has(key)) throw new Refusal('bag-duplicate');
    seen.add(key);
  }

  if (version !== VERSION) throw new Refusal('malformed-bag', 'version');
  if (members.some(({ tag }) => tag !== der.TAG.SEQUENCE && tag !== V2_ATTR_CERT)) throw new Refusal('malformed-bag', 'another choice');
  if (members.length > MAX_MEMBERS) throw new Refusal('malformed-bag', 'too many members');

  const attributeCertificates = members.filter(({ tag }) => tag === V2_ATTR_CERT);
  if (attributeCertificates.length !== 1) throw new Refusal('bag-count');
  const attributeCertificate = Buffer.from(attributeCertificates[0].raw);
  attributeCertificate[0] = der.TAG.SEQUENCE; // its own tag, instead of the implicit one [A2]
  return {
    attributeCertificate,
    certificates: members.filter(({ tag }) => tag === der.TAG.SEQUENCE).map(({ raw }) => raw),
  };
}

// ContentInfo ::= SEQUENCE { contentType, content [0] EXPLICIT SignedData }
// SignedData ::= SEQUENCE { version, digestAlgorithms SET, encapContentInfo SEQUENCE { type, content [0] OPTIONAL },
//   certificates [0] IMPLICIT SET OPTIONAL, crls [1] IMPLICIT SET OPTIONAL, signerInfos SET }
// What makes `bag-contents` is not looked into.
function readSyntax(octets) {
  const malformed = (what) => {
    throw new der.DerError(what);
  };
  const [contentType, content, ...after] = der.sequence(der.element(octets));
  if (content === undefined || after.length > 0) malformed('not a content and its type');
  if (der.oid(contentType) !== ID_SIGNED_DATA) malformed('not signed data');

  const fields = der.sequence(der.explicit(content, 0));
  const next = (tag) => (fields[0]?.tag === tag ? fields.shift() : malformed('a field is missing or of another type'));
  const optional = (tag) => (fields[0]?.tag === tag ? fields.shift() : undefined);

  const version = der.integer(next(der.TAG.INTEGER));
  const digestAlgorithms = next(der.TAG.SET);
  const [innerType, innerContent, ...more] = der.sequence(next(der.TAG.SEQUENCE));
  if (innerType === undefined || more.length > 0) malformed('not a type and a content');
  if (innerContent && innerContent.tag !== der.contextConstructed(0)) malformed('content under another tag');
  const isData = der.oid(innerType) === ID_DATA;
  const certificates = optional(der.contextConstructed(0));
  const crls = optional(der.contextConstructed(1));
  const signerInfos = next(der.TAG.SET);
  if (fields.length > 0) malformed('more than the fields');

  return {
    version,
    contents: digestAlgorithms.content.length > 0 || !isData || innerContent || crls || signerInfos.content.length > 0,
    members: certificates ? der.elements(certificates.content) : [], // in any order
  };
}
